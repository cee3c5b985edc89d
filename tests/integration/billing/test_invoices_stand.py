"""Invoice numbers are 1..n without gap or repeat whatever happens, and an issued invoice never changes (promise P10)."""

import asyncio
import json
from hashlib import sha256
from random import Random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from services.billing.api.invoices import Invoice
from services.billing.repository.invoices import next_number
from shared.db import Database, sqlstate
from shared.http.access import BY_TEMPLATE
from shared.streams import feeds
from tests.integration.billing.parts import Billing, a_stay_fact

ISSUER = "2321000131"
CHANGES = ("UPDATE {table} SET {column} = 'changed'", "DELETE FROM {table}", "TRUNCATE {table} CASCADE")
COLUMNS = {
    "invitations": "invited_by",
    "month_actions": "person",
    "review_decisions": "person",
    "tariff_approvals": "person",
    "invoice_statuses": "person",
    "disputes": "person",
    "dispute_events": "person",
    "ledger_entries": "kind",
    "ledger_postings": "account",
    "paper_signatures": "reference",
}


class Crash(Exception):
    """What ends a transaction half-way."""


async def test_numbers_are_dense_whatever_transactions_are_rolled_back_beside_them(billing_database: str) -> None:
    database = Database(billing_database, pool_size=8)
    random = Random(7)
    fates = [random.random() < 0.4 for _ in range(60)]
    taken: list[int] = []

    async def issue(fails: bool) -> None:
        async with database.transaction() as work:
            number = await next_number(work, ISSUER, 2026)
            await work.connection.execute(text("SELECT pg_sleep(0.001)"))
            if fails:
                raise Crash
        taken.append(number.serial)

    results = await asyncio.gather(*(issue(fails) for fails in fates), return_exceptions=True)
    assert sum(isinstance(result, Crash) for result in results) == sum(fates) > 0
    assert sorted(taken) == list(range(1, fates.count(False) + 1))
    await database.close()


async def test_every_year_and_every_issuer_has_a_series_of_its_own(billing_database: str) -> None:
    database = Database(billing_database)
    async with database.transaction() as work:
        numbers = [str(await next_number(work, issuer, year)) for issuer, year in ((ISSUER, 2026), (ISSUER, 2027), ("2120001355", 2026))]
    assert numbers == ["2026-000001", "2027-000001", "2026-000001"]
    await database.close()


async def test_months_issued_at_the_same_time_take_neighbouring_numbers(billing: Billing) -> None:
    await billing.price()
    for code in ("1480", "1481", "1490"):
        await billing.tell(a_stay_fact(12, municipality=code))
        for action, who in (
            ("prepare", billing.controller()),
            ("publish", billing.controller()),
            ("sign", billing.municipality(code)),
            ("approve", billing.approver()),
        ):
            assert (await billing.step(action, who, code=code)).status_code == 200
    issued = await asyncio.gather(*(billing.step("issue", billing.approver(), code=code) for code in ("1490", "1480", "1481")))
    assert sorted(answer.json()["invoice"][-6:] for answer in issued) == ["000001", "000002", "000003"]


STANDING = (
    "invoices",
    "calculations",
    "stay_versions",
    "invitations",
    "month_actions",
    "review_decisions",
    "tariff_approvals",
    "feed_entries",
    "invoice_statuses",
    "ledger_entries",
    "ledger_postings",
    "disputes",
    "dispute_events",
    "paper_signatures",
)


async def test_what_was_written_stands_for_the_service_and_for_the_owner(databases: dict[str, Access]) -> None:
    for url, state in ((databases["billing"].app, "42501"), (databases["billing"].owner, "23001")):
        engine = create_async_engine(url, poolclass=NullPool)
        for table in STANDING:
            for change in (change.format(table=table, column=COLUMNS.get(table, "body")) for change in CHANGES):
                with pytest.raises(DBAPIError) as refused:
                    await run(engine, change)
                assert sqlstate(refused.value) == state, (change, state)
        await engine.dispose()


async def test_every_table_that_says_it_is_append_only_refuses_every_change(databases: dict[str, Access]) -> None:
    said = "SELECT relname FROM pg_class WHERE relkind = 'r' AND obj_description(oid) LIKE 'append-only%' ORDER BY relname"
    first = "SELECT attname FROM pg_attribute WHERE attrelid = CAST('{table}' AS regclass) AND attnum = 1"
    for url, state in ((databases["billing"].app, "42501"), (databases["billing"].owner, "23001")):
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.connect() as connection:
            tables = list((await connection.execute(text(said))).scalars())
            columns = {table: (await connection.execute(text(first.format(table=table)))).scalar_one() for table in tables}
        assert set(tables) >= {*STANDING, "plan_consents", "declined_measures", "agreement_approvals", "average_alerts", "comparisons"}
        for table, column in columns.items():
            for change in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608
                with pytest.raises(DBAPIError) as refused:
                    await run(engine, change)
                assert sqlstate(refused.value) == state, (change, state)
        await engine.dispose()


async def run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_month_issued_twice_at_the_same_time_is_issued_once(billing: Billing) -> None:
    await billing.price()
    await billing.tell(a_stay_fact(12))
    for action, who in (
        ("prepare", billing.controller()),
        ("publish", billing.controller()),
        ("sign", billing.municipality()),
        ("approve", billing.approver()),
    ):
        await billing.step(action, who)
    answers = await asyncio.gather(*(billing.step("issue", billing.approver()) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    async with billing.database.transaction() as work:
        assert (await work.connection.execute(text("SELECT count(*) FROM invoices"))).scalar_one() == 1
        assert (await work.connection.execute(text("SELECT last_number FROM invoice_series"))).scalar_one() == 1


async def test_the_invoice_its_feed_entry_and_its_lines_say_the_same(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (6, 7, 12, 20)))
    number = (await billing.close_month()).json()["invoice"]
    raw = await billing.get(f"/v1/invoices/{number}", billing.finance())
    invoice = raw.json()
    await billing.number()
    (entry,) = (await billing.get("/v1/invoices", billing.finance())).json()["entries"]
    assert entry["sha256"] == sha256(raw.content).hexdigest()
    assert entry["amount"] == invoice["amount"]
    assert sum(int(line["amount"]["amount"].replace(".", "")) for line in invoice["lines"]) == int(
        invoice["amount"]["amount"].replace(".", "")
    )
    assert invoice["calculation"] == billing.calculations["1480"]
    async with billing.database.transaction() as work:
        stored = (await work.connection.execute(text("SELECT body FROM calculations"))).scalar_one()
        assert sha256(stored.encode()).hexdigest() == invoice["calculation"]["sha256"]
        assert await feeds.verify(work, "invoices/issuer") is None
        facts = (await work.connection.execute(text("SELECT kind, body FROM feed_entries WHERE feed = 'facts' ORDER BY position"))).all()
    told = [fact for fact in facts if fact.kind.partition(".")[0] in {"month", "invoice"}]
    assert [fact.kind for fact in told] == ["month.published", "month.accepted", "invoice.issued"]
    assert json.loads(told[2].body)["number"] == number


async def test_the_feed_answers_304_when_nothing_is_new_and_waits_when_asked(billing: Billing) -> None:
    first = await billing.get("/v1/invoices", billing.finance())
    assert first.json() == {"epoch": 1, "entries": [], "next": 0, "head": 0}
    again = await billing.http.get("/v1/invoices", headers=billing.finance() | {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    await billing.price()
    await billing.tell(a_stay_fact(12))
    waiting = asyncio.create_task(billing.get("/v1/invoices", billing.finance(), wait=20))
    number = (await billing.close_month()).json()["invoice"]
    await billing.number()
    answer = await asyncio.wait_for(waiting, timeout=10)
    assert [entry["number"] for entry in answer.json()["entries"]] == [number]


async def test_the_invoice_is_what_its_documentation_says(billing: Billing) -> None:
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in (6, 7, 12)))
    number = (await billing.close_month()).json()["invoice"]
    document = (await billing.get(f"/v1/invoices/{number}", billing.finance())).json()
    assert Invoice.model_validate(document).model_dump(mode="json", exclude_unset=True) == document


async def test_billing_describes_every_address_it_serves(billing: Billing) -> None:
    paths = billing.app.openapi()["paths"]
    served = {path for route, path in BY_TEMPLATE if BY_TEMPLATE[route, path].service == "billing"}
    assert set(paths) == served
