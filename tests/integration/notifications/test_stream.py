"""Server-sent events through a real gateway: in one process, and with the services behind it in another."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from services.gateway import endless
from services.gateway.app import create_app as create_gateway
from services.gateway.auth import Grant, SigningKeys
from services.gateway.settings import Settings as GatewaySettings
from services.notifications.api import create_app
from shared.dates import now
from shared.db import Database
from tests.integration.gateway.parts import a_client, bearer, over_http, served
from tests.integration.gateway.parts import settings_for as gateway_settings
from tests.integration.notifications.parts import ORGANISATION, a_notice, settings_for
from tests.integration.notifications.streams import push, reading
from tests.patience import until
from tests.signing import public_half

UNIT, OTHER_UNIT = f"SE{ORGANISATION}-E1", f"SE{ORGANISATION}-E2"
MORE_THAN_BUFFERS_HOLD = 20_000
"""Events: some 5 MB, where the kernel keeps at most 4 MB for a connection."""
NARROW = a_client(client_id="narrow", unit_prefixes=(UNIT,))


@asynccontextmanager
async def in_process(settings: GatewaySettings, services: dict[str, FastAPI]) -> AsyncIterator[str]:
    async with served(create_gateway(settings, services)) as address:
        yield address


@asynccontextmanager
async def split(settings: GatewaySettings, services: dict[str, FastAPI]) -> AsyncIterator[str]:
    async with services["notifications"].router.lifespan_context(services["notifications"]), over_http(settings, services) as address:
        yield address


@pytest.fixture(params=[in_process, split], ids=["in-process", "split"])
def front(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def gateway(gateway_database: str, tmp_path: Path) -> GatewaySettings:
    settings = gateway_settings(gateway_database, tmp_path)
    private = json.loads(settings.signing_key_file.read_text())
    (tmp_path / "public.json").write_text(json.dumps(public_half(private)))
    return settings


@pytest.fixture
def service(notifications_database: str, gateway: GatewaySettings, tmp_path: Path) -> FastAPI:
    return create_app(settings_for(notifications_database, tmp_path / "public.json", heartbeat_seconds=0.3, streams_per_client=2))


async def test_every_event_reaches_its_reader_once_in_order_and_goes_on_where_it_left_off(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    async with front(gateway, {"notifications": service}) as address:
        who = bearer(gateway)
        first, second, third = a_notice(unit=UNIT), a_notice(unit=UNIT, notice_type="notice.ready"), a_notice(unit=UNIT)
        await push(database, [a_notice(unit=UNIT)])
        async with reading(address, who) as told:
            assert (told.answer.status_code, told.answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert told.answer.headers["cache-control"] == "no-store"
            assert (await told.next()).id == "1-1"
            await push(database, [first])
            one = await asyncio.wait_for(told.event(), 5)
        assert (one.name, one.id, one.data["type"]) == ("notice.admission", "1-2", "notice.admission")
        assert set(one.data["data"]) == {"notice_id", "mailbox", "unit", "case_id"}
        await push(database, [second, third])
        async with reading(address, {**who, "Last-Event-ID": "1-2"}, after=0) as told:
            found = [await told.event(), await told.event()]
        assert [event.data["data"]["notice_id"] for event in found] == [str(second.notice_id), str(third.notice_id)]
        async with reading(address, who, after=0, types="notice.ready", seconds=0) as told:
            named = [event.name async for event in told.blocks() if event.name]
    assert named == ["notice.ready"]


async def test_nobody_hears_of_units_that_are_not_its_own(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    async with front(gateway, {"notifications": service}) as address:
        await push(database, [a_notice(unit=UNIT), a_notice(unit=OTHER_UNIT), a_notice(), a_notice(organisation="2120001363")])

        async def heard(who: dict[str, str], **query: Any) -> list[str | None]:
            async with reading(address, who, after=0, seconds=0, **query) as told:
                return [event.data["data"].get("unit") async for event in told.blocks() if event.name]

        assert await heard(bearer(gateway)) == [UNIT, OTHER_UNIT, None]
        assert await heard(bearer(gateway), unit=UNIT) == [UNIT]
        assert await heard(bearer(gateway, NARROW)) == [UNIT]
        assert await heard(bearer(gateway, a_client(client_id="else", organisation="2120001371", unit_prefixes=("SE2120001371-",)))) == []


async def test_an_idle_stream_sends_heartbeats_that_move_the_readers_place_on(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    async with front(gateway, {"notifications": service}) as address, reading(address, bearer(gateway), types="notice.ready") as told:
        await told.next()
        await push(database, [a_notice(unit=UNIT), a_notice(unit=UNIT)])
        while (beat := await asyncio.wait_for(told.next(), 5)).id != "1-2":
            pass
    assert (beat.comments, beat.name) == (["heartbeat"], None)


async def test_a_place_that_is_not_in_the_feed_is_told_before_the_stream_begins(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    await push(database, [a_notice(unit=UNIT)])
    async with front(gateway, {"notifications": service}) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        for last in ("1-2", "2-1"):
            answer = await client.get("/v1/stream", headers=bearer(gateway) | {"Last-Event-ID": last})
            assert (answer.status_code, answer.json()["code"]) == (410, "feed.rewound")
            assert (answer.json()["epoch"], answer.json()["last_common_position"]) == (1, 1)
        for headers, query in (({"Last-Event-ID": "x"}, {}), ({}, {"types": "notice.nothing"}), ({}, {"unit": "SE2120001363-E1"})):
            answer = await client.get("/v1/stream", headers=bearer(gateway) | headers, params=query)
            assert (answer.status_code, answer.json()["code"]) == (400, "request.parameter_invalid")
        answer = await client.get("/v1/stream", headers=bearer(gateway), params={"unit": "SE2120001355-"})
        assert (answer.status_code, answer.json()["errors"]) == (400, [{"pointer": "/unit", "code": "unit_malformed"}])


async def test_a_stream_ends_when_its_token_does(front: Any, gateway: GatewaySettings, service: FastAPI, database: Database) -> None:
    keys, who = SigningKeys.load(gateway.signing_key_file, gateway.public_url), a_client()
    grant = Grant(who.client_id, who.organisation, who.unit_prefixes, who.role, who.scopes, who.municipality)
    issued = now().timestamp() - 298
    token = keys.issue(grant, now().fromtimestamp(issued, tz=now().tzinfo))
    async with front(gateway, {"notifications": service}) as address, reading(address, {"Authorization": f"Bearer {token}"}) as told:
        names = [event.name async for event in told.blocks() if event.name]
    assert names == ["token.expired"]


async def test_a_client_has_so_many_streams_and_a_closed_one_makes_room(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    async with front(gateway, {"notifications": service}) as address:
        who = bearer(gateway)
        async with reading(address, who) as first, reading(address, who) as second:
            await first.next()
            await second.next()
            async with reading(address, who) as third:
                assert (third.answer.status_code, third.answer.headers["retry-after"]) == (429, "15")
            async with reading(address, bearer(gateway, NARROW), seconds=0) as other:
                assert other.answer.status_code == 200

        async def has_room() -> bool:
            async with reading(address, who, seconds=0) as again:
                return again.answer.status_code == 200

        await until(has_room, within=10)


async def test_head_gets_the_headers_and_holds_nothing_open(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database
) -> None:
    async with front(gateway, {"notifications": service}) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        for _ in range(4):
            answer = await asyncio.wait_for(client.head("/v1/stream", headers=bearer(gateway)), 5)
            assert answer.status_code == 200


@asynccontextmanager
async def reading_nothing(address: str, headers: dict[str, str]) -> AsyncIterator[None]:
    """A reader that asks for everything there ever was and never takes a byte of it."""
    where = urlsplit(address)
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, (where.hostname, where.port))
        lines = [
            "GET /v1/stream?after=0 HTTP/1.1",
            f"Host: {where.netloc}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "",
            "",
        ]
        await asyncio.get_running_loop().sock_sendall(opened, "\r\n".join(lines).encode())
        yield


async def test_a_reader_that_takes_nothing_loses_its_place_and_one_that_reads_gets_all(
    front: Any, gateway: GatewaySettings, service: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "LOOK_EVERY_SECONDS", 0.1)
    monkeypatch.setattr(endless, "STUCK_SECONDS", 0.5)
    await push(database, [a_notice(unit=UNIT) for _ in range(MORE_THAN_BUFFERS_HOLD)])
    who = bearer(gateway)
    async with front(gateway, {"notifications": service}) as address, httpx.AsyncClient(base_url=address, trust_env=False) as client:
        async with reading_nothing(address, who):
            held: Counter[str] = service.state.open_streams._open
            await until(lambda: held)
            await until(lambda: not held, within=20)
        answer = await client.get("/v1/stream", headers=who, params={"after": 0, "seconds": 0})
        assert answer.text.count("event: ") == MORE_THAN_BUFFERS_HOLD
