"""Nobody reads or changes another's: every public route, asked for one's own, for somebody else's and for what does not exist (P12).

What somebody else has and what nobody has look the same, in status, headers and body; lists and feeds name none of it; and nothing anybody
asked for in vain has changed anything. The same holds with row-level security switched off, table by table: the use cases alone keep it.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from typing import Final

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from dirigent.databases import Access, dsn
from shared.db import Reader
from shared.http.access import BY_TEMPLATE, ROUTES, Route
from shared.http.auth import Caller, TokenVerifier
from tests.contract.making import Told, told
from tests.contract.matrix import ASKED, CLAIMS, NOBODYS, Ask
from tests.contract.system import System
from tests.contract.test_examples import county

# Written by asking alone: who read what, what was answered, and who was here when.
MOVES_BY_ASKING: Final = frozenset(
    {"outbox", "feed_entries", "feed_heads", "access_terms", "idempotency_keys", "sequencer", "stream_cursors"}
)


def is_served(system: System, route: Route) -> bool:
    """Whether a service answers the route; one that is in the table only is still to be built."""
    routes = system.services[route.service].router.routes
    return any(route.path == getattr(one, "path", "") and route.method in getattr(one, "methods", ()) for one in routes)


def asked(system: System, services: Iterable[str]) -> list[tuple[Route, Ask]]:
    found = [(BY_TEMPLATE[key], ask) for key, asks in ASKED.items() for ask in asks if key in BY_TEMPLATE]
    return [(route, ask) for route, ask in found if route.service in services and is_served(system, route)]


EVERY_METHOD: Final = frozenset({"GET", "POST", "PUT", "DELETE"})


async def leaks(
    county: Told,
    services: Iterable[str],
    only: frozenset[str] = frozenset(CLAIMS),
    methods: frozenset[str] = EVERY_METHOD,
    asks: Sequence[tuple[Route, Ask]] | None = None,
) -> list[str]:
    """Where somebody who must not can tell somebody else's from nobody's, or hears of what is another's."""
    found = []
    for route, ask in asked(county.system, services) if asks is None else asks:
        if route.method not in methods:
            continue
        for who in only.intersection(ask.foreigners):
            place = f"{route.method} {route.path} {dict(ask.query) or ''} by {who}"
            foreign = await county.ask(route, who, ask)
            if foreign.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                found.append(f"{place}: {foreign.status_code}")
            if ask.lists:
                found += [f"{place}: names {name}" for name in county.named_in(foreign)]
                continue
            unknown = await county.answer_for_nobodys(route, who, ask)
            if county.comparable(foreign) != unknown:
                found.append(f"{place}: {foreign.status_code} {foreign.text[:300]} but {unknown[0]} {unknown[2][:300]}")
            elif ask.enters and foreign.is_success:
                found.append(f"{place}: entered")
    return found


async def unfound(county: Told, services: Iterable[str]) -> list[str]:
    """Where the owner finds nothing either, so that nothing was proved: the positive control of every line."""
    found = []
    for route, ask in asked(county.system, services):
        own = await county.ask(route, ask.owner, ask)
        place = f"{route.method} {route.path} {dict(ask.query) or ''} by {ask.owner}: {own.status_code} {own.text[:300]}"
        if ask.lists or ask.enters:
            if not own.is_success or (ask.lists and ask.tells and not county.named_in(own)):
                found.append(place)
            continue
        unknown = await county.ask(route, ask.owner, ask, unknown=True)
        if county.comparable(own)[0::2] == county.comparable(unknown)[0::2]:
            found.append(place)
    return found


async def contents(owner_url: str) -> dict[str, str]:
    """A fingerprint of every table that asking alone does not move, seen by its owner."""
    connection = await asyncpg.connect(dsn(owner_url))
    try:
        names = [row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        statement = "SELECT coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM \"{}\" t"
        return {name: await connection.fetchval(statement.format(name)) for name in names if name not in MOVES_BY_ASKING}
    finally:
        await connection.close()


async def walls(owner_url: str) -> list[str]:
    """The tables of a database under row-level security."""
    connection = await asyncpg.connect(dsn(owner_url))
    try:
        return [row[0] for row in await connection.fetch("SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY 1")]
    finally:
        await connection.close()


async def switch(owner_url: str, tables: Iterable[str], *, on: bool) -> None:
    """Put the wall of some tables up, or take it down."""
    connection = await asyncpg.connect(dsn(owner_url))
    try:
        for table in tables:
            await connection.execute(f'ALTER TABLE "{table}" {"ENABLE" if on else "DISABLE"} ROW LEVEL SECURITY')
    finally:
        await connection.close()


def test_every_route_is_in_the_matrix_or_says_why_it_is_not() -> None:
    keys = {(route.method, route.path) for route in ROUTES}
    assert keys - ASKED.keys() - NOBODYS.keys() == set(), "a route without an isolation test"
    assert (ASKED.keys() | NOBODYS.keys()) - keys == set(), "a line for a route that is not there"
    assert ASKED.keys() & NOBODYS.keys() == set()


async def test_somebody_elses_and_nobodys_look_the_same_and_nothing_was_changed(system: System, databases: dict[str, Access]) -> None:
    services = ("planning", "billing", "notifications")
    async with county(system) as client:
        known = await told(system, client)
        before = {service: await contents(databases[service].owner) for service in services}
        assert await leaks(known, services) == []
        after = {service: await contents(databases[service].owner) for service in services}
        changed = {f"{service}.{name}" for service in services for name, was in before[service].items() if after[service][name] != was}
        assert changed - MOVED_BY_ITSELF == set()
        assert await unfound(known, services) == []


MOVED_BY_ITSELF: Final = frozenset({"planning.mailboxes", "planning.service_beats"})
"""When a mailbox was read last is noted by whoever reads it as its own; a running service notes that it runs."""


@pytest.mark.parametrize("service", ["planning", "billing", "notifications"])
async def test_the_use_cases_alone_keep_everybody_apart(system: System, databases: dict[str, Access], service: str) -> None:
    owner = databases[service].owner
    async with county(system) as client:
        known = await told(system, client)
        await switch(owner, await walls(owner), on=False)
        assert await walls(owner) == []
        assert await leaks(known, [service]) == []


@dataclass(frozen=True)
class Mistaken(Caller):
    """Whom the application takes for another one, all but its client: the database alone knows who it really is."""

    really: Reader | None = None

    @property
    def reader(self) -> Reader:
        assert self.really is not None
        return self.really


@contextmanager
def taken_for_the_owner(county: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the application's checks away, all of them and whatever they are: it believes that the owner of what is asked for asks.

    It asks PostgreSQL for what the owner would get, in the owner's words; the transaction states who really calls.
    """
    verify, ask = TokenVerifier.verify, Told.ask
    owners: list[str] = []

    def mistake(verifier: TokenVerifier, authorization: str | None) -> Caller:
        caller = verify(verifier, authorization)
        if not owners or caller.client_id == owners[-1]:
            return caller
        owner = verify(verifier, f"Bearer {county.token(owners[-1])}")
        told = {one.name: getattr(owner, one.name) for one in fields(owner)}
        return Mistaken(**told | {"client_id": caller.client_id}, really=caller.reader)

    async def ask_as_owner(told: Told, route: Route, who: str, asked_for: Ask, *, unknown: bool = False) -> httpx.Response:
        owners.append(asked_for.owner)
        try:
            return await ask(told, route, who, asked_for, unknown=unknown)
        finally:
            owners.clear()

    with monkeypatch.context() as patched:
        patched.setattr(TokenVerifier, "verify", mistake)
        patched.setattr(Told, "ask", ask_as_owner)
        yield


@pytest.mark.parametrize("service", ["planning", "notifications"])
async def test_the_wall_alone_keeps_everybody_apart(
    system: System, databases: dict[str, Access], monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """A write that the wall stops is a failure of ours, and changes nothing. What no wall keeps is named in the matrix, with the reason."""
    async with county(system) as client:
        known = await told(system, client)
        before = await contents(databases[service].owner)
        lines = asked(system, [service])
        with taken_for_the_owner(known, monkeypatch), capture_logs():
            walled = await leaks(known, [service], asks=[(route, ask) for route, ask in lines if not ask.no_wall])
            assert not_stopped(walled) == []
            after = await contents(databases[service].owner)
            changed = {f"{service}.{name}" for name, was in before.items() if after[name] != was}
            assert changed - MOVED_BY_ITSELF == set()
            for line in [(route, ask) for route, ask in lines if ask.no_wall]:
                assert not_stopped(await leaks(known, [service], asks=[line])), (
                    f"{line[0].method} {line[0].path}: a wall keeps it after all"
                )


def not_stopped(leaks: Iterable[str]) -> list[str]:
    return [one for one in leaks if ": 500" not in one]


def without_checks_of_billing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody pass for an office of the region wherever billing's handlers ask who reads or acts."""
    for module in [one for name, one in sys.modules.items() if name.startswith("services.billing.api.")]:
        for name in ("reader_of", "require_region", "require_side", "require_scope"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, lambda *_: None)
    for key, route in BY_TEMPLATE.items():
        if route.service == "billing":
            monkeypatch.setitem(BY_TEMPLATE, key, replace(route, roles=frozenset()))


async def test_the_wall_alone_keeps_debtors_apart(system: System, databases: dict[str, Access], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever passes for the region finds rows of its own only; a write that the wall stops is a failure of ours, and changes nothing."""
    async with county(system) as client:
        known = await told(system, client)
        before = await contents(databases["billing"].owner)
        without_checks_of_billing(monkeypatch)
        with capture_logs():
            found = await leaks(known, ["billing"], frozenset({"other_municipality", "ward", "care"}))
        assert not_stopped(found) == []
        assert await contents(databases["billing"].owner) == before


async def test_with_any_one_wall_of_billing_taken_down_nobody_sees_more(system: System, databases: dict[str, Access]) -> None:
    """In short: what a neighbouring municipality reads."""
    owner = databases["billing"].owner
    async with county(system) as client:
        known = await told(system, client)
        every = await walls(owner)
        assert every, "there are walls to take down"
        for table in every:
            await switch(owner, [table], on=False)
            with capture_logs():
                assert await leaks(known, ["billing"], frozenset({"other_municipality"}), frozenset({"GET"})) == [], table
            await switch(owner, [table], on=True)
