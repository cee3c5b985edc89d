"""What billing shows of stays is told to planning, where the log is reviewed; in the same transaction, or it is not shown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from dirigent.migrate import migrate
from shared.events.access_facts import AccessLogged
from tests.architecture.source import imports, modules
from tests.integration.billing.parts import Billing, a_billing, a_stay_fact
from tests.old_databases import as_of
from tests.servers import Servers

MONTH: Final = "/v1/months/2026-03/1480"
OF_KIND: Final = (
    "SELECT entry_id, body FROM feed_entries WHERE feed = :feed AND (feed = 'access' OR kind = 'access.logged') ORDER BY position"
)

REFUSE: Final = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planning is not to hear of it'; END $$",
    "CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW WHEN (NEW.kind = 'access.logged') EXECUTE FUNCTION refuse()",
)


async def logged(billing: Billing, feed: str) -> list[tuple[str, dict[str, Any]]]:
    await billing.number()
    async with billing.database.transaction() as work:
        rows = (await work.connection.execute(text(OF_KIND), {"feed": feed})).all()
    return [(str(row.entry_id), json.loads(row.body)) for row in rows]


def as_logged(fact: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    told = AccessLogged.model_validate(fact).model_dump(mode="json")
    return told.pop("access_id"), {**told, "patients": []}


async def test_each_reading_of_stays_is_told_as_it_stands_in_the_log(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    assert (await billing.close_month()).status_code == 200
    await billing.number()
    (invoice,) = (await billing.get("/v1/invoices", billing.finance())).json()["entries"]
    number = invoice["number"]
    office = billing.token("olof", "finance", "averages:read invoices:read", person="Olof Test")
    paths = (MONTH, f"{MONTH}/explanation", *(f"/v1/invoices/{number}{ending}" for ending in ("", ".xml", ".pdf", ".csv")))
    for path in paths:
        for who in (office, billing.municipality()):
            assert (await billing.get(path, who)).status_code == 200, path
    kept, told = await logged(billing, "access"), await logged(billing, "facts")
    assert len(kept) == 2 * len(paths), "positive control: all of them show a stay"
    assert [as_logged(fact) for _, fact in told] == kept
    assert {entry["user"] for _, entry in kept} == {"Olof Test", None}


async def test_a_month_without_stays_tells_of_nobody(billing: Billing) -> None:
    await billing.price()
    assert (await billing.get("/v1/months/2026-02/1481", billing.finance())).status_code in {200, 404}
    assert await logged(billing, "facts") == await logged(billing, "access") == []


async def test_what_cannot_be_told_is_not_shown(new_database: Callable[[str], Access], tmp_path: Path) -> None:
    made = new_database("billing")
    engine = create_async_engine(made.owner, poolclass=NullPool)
    async with a_billing(made.app, tmp_path, dispute_window_days=0) as billing:
        await billing.price()
        await billing.tell(a_stay_fact(12))
        assert (await billing.get(MONTH, billing.municipality())).status_code == 200, "positive control"
        async with engine.begin() as connection:
            for statement in REFUSE:
                await connection.execute(text(statement))
        answer = await billing.get(MONTH, billing.municipality())
        assert answer.status_code == 500
        assert len(await logged(billing, "access")) == 1, "nor does it stand in the log: it did not happen"
    await engine.dispose()


def test_nobody_in_billing_logs_a_reading_and_keeps_it_from_planning() -> None:
    of_billing = [one for one in modules("services") if one.path.startswith("services/billing/")]
    through = {one.path for one in of_billing for _, name, taken in imports(one.tree) if "access_log" in {name.split(".")[-1], taken}}
    assert through == {"services/billing/usecases/accesses.py"}


async def test_what_was_read_before_this_version_is_told_as_well(
    servers: Servers, new_database: Callable[[str], Access], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await as_of(servers, new_database("billing"), "billing", "0007", monkeypatch)
    said = {"at": "2026-11-01T10:00:00.000000Z", "client": "x", "organisation": "2321000131", "role": "finance", "action": "month.read"}
    first = said | {"cases": ["aaaaaaaa-0000-7000-8000-000000000001"], "request_id": "r-1", "user": "Åsa Test"}
    second = said | {
        "cases": ["aaaaaaaa-0000-7000-8000-000000000002"],
        "request_id": "r-2",
        "patients": [],
        "unit": None,
        "units": ["SE2-"],
    }
    engine = create_async_engine(old.owner, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO feed_heads VALUES ('access', 1, '\\x00')"))
        for statement, body in (
            ("INSERT INTO feed_entries VALUES ('access', 1, gen_random_uuid(), 'month.read', NULL, :body, '\\x00')", first),
            ("INSERT INTO outbox (feed, entry_id, kind, body) VALUES ('access', gen_random_uuid(), 'month.read', :body)", second),
        ):
            await connection.execute(text(statement), {"body": json.dumps(body)})
    await engine.dispose()
    await migrate({"billing": old})
    async with a_billing(old.app, tmp_path) as billing:
        kept, told = await logged(billing, "access"), await logged(billing, "facts")
    assert [one for one, _ in kept] == [fact["access_id"] for _, fact in told]
    facts = [AccessLogged.model_validate(fact) for _, fact in told]
    assert [(fact.request_id, fact.user, fact.units) for fact in facts] == [("r-1", "Åsa Test", ()), ("r-2", None, ("SE2-",))]
