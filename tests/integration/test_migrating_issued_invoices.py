"""Invoices that were issued before corrections existed: the migration takes them along, and such a month is corrected like any other."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from dirigent.doctor import examine
from dirigent.migrate import migrate
from services.billing.domain.identity import canonical_json
from tests.integration.billing.parts import Billing, a_billing, a_stay_fact
from tests.old_databases import as_of
from tests.servers import Servers

# What the tables of before had, in the order they are filled.
BEFORE = {
    "tariff_proposals": "id, first_day, last_day, price_ore, source, client, person, proposed_at",
    "tariff_approvals": "tariff_id, client, person, approved_at",
    "debtors": "municipality, first_day, last_day, name, organisation",
    "stay_versions": "case_id, case_version, body, recorded_at",
    "stays": "case_id, case_version, municipality, touches_from, touches_to, body, joined_cases",
    "stay_months": "case_id, month, municipality, counted_as, ended, days, individual_days, amount_ore",
    "averages": "municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days, open_stays, "
    "amount_ore, counted_at",
    "calculations": "municipality, month, version, sha256, agreement, amount_ore, body, prepared_at",
    "month_actions": "id, municipality, month, action, version, sha256, client, person, at",
    "invoice_series": "issuer, year, last_number",
    "months": "municipality, month, state, version, sha256, amount_ore, accepted, approved_by, published_at, notice_mailbox, "
    "notice_entered_at, invoice_number",
    "invoices": "number, issuer, year, serial, kind, municipality, month, version, amount_ore, issued_at, sha256, body",
    "feed_heads": "feed, position, hash",
}
OF_ISSUER = ("organisation", "name")
OF_DEBTOR = ("municipality", "name", "organisation")
NOT_YET = ("original_issued_on", "period", "payment_days", "ocr", "vat", "currency")
LATER_IN_LINES = ("number", "text")


def as_of_before(body: str) -> str:
    """A document as the version before wrote it."""
    told = json.loads(body)
    told = {name: told[name] for name in told if name not in NOT_YET}
    told["issuer"] = {name: told["issuer"][name] for name in OF_ISSUER}
    told["debtor"] = {name: told["debtor"][name] for name in OF_DEBTOR}
    told["lines"] = [{name: line[name] for name in line if name not in LATER_IN_LINES} for line in told["lines"]]
    return canonical_json(told)


async def rows_of(url: str, table: str, columns: str) -> list[dict[str, Any]]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        rows = [dict(row._mapping) for row in await connection.execute(text(f"SELECT {columns} FROM {table}"))]  # noqa: S608
    await engine.dispose()
    return rows


async def fill(url: str, kept: dict[str, list[dict[str, Any]]]) -> None:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        for table, columns in BEFORE.items():
            values = ", ".join(f":{name.strip()}" for name in columns.split(","))
            for row in kept[table]:
                await connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"), row)  # noqa: S608
    await engine.dispose()


async def test_a_month_invoiced_by_the_version_before_is_sound_and_is_corrected_after_the_migration(
    servers: Servers, new_database: Callable[[str], Access], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_database("billing")
    late = a_stay_fact(12)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with a_billing(made.app, tmp_path / "a", dispute_window_days=0) as billing:
        await billing.price()
        await billing.tell(late, a_stay_fact(9), a_stay_fact(10, municipality="1481"))
        for code in ("1480", "1481"):
            assert (await billing.close_month(code=code)).status_code == 200
    kept = {table: await rows_of(made.owner, table, columns) for table, columns in BEFORE.items()}
    for row in kept["invoices"]:
        row["body"] = as_of_before(row["body"])
        row["sha256"] = sha256(row["body"].encode()).hexdigest()
    old = await as_of(servers, made, "billing", "0002", monkeypatch)
    await fill(old.owner, kept)
    await migrate({"billing": old})
    (finding,) = await examine({"billing": old})
    assert [fault for fault in finding.faults if not fault.startswith("feed invoices/")] == []
    async with a_billing(old.app, tmp_path / "b", dispute_window_days=0) as billing:
        await correct(billing, late)
        for row in kept["invoices"]:
            for ending in ("", ".xml", ".pdf", ".csv"):
                answer = await billing.get(f"/v1/invoices/{row['number']}{ending}", billing.finance())
                assert answer.status_code == 200, (ending, answer.text)
        for path in ("/v1/receivables", "/v1/accruals", "/v1/months/2026-03/1481/explanation"):
            answer = await billing.get(path, billing.finance(), **({"as_of": "2026-11-22"} if "months" not in path else {}))
            assert answer.status_code == 200, (path, answer.text)
        paid = {"status": "paid", "amount": {"amount": "1000.00"}, "paid_on": billing.at.date().isoformat(), "reference": "BG 1"}
        answer = await billing.post(f"/v1/invoices/{kept['invoices'][1]['number']}/status", billing.finance(), paid)
        assert answer.status_code in {200, 201}, answer.text
        await billing.number()
    (finding,) = await examine({"billing": old})
    assert [fault for fault in finding.faults if not fault.startswith("feed invoices/")] == []


async def correct(billing: Billing, late: Any) -> None:
    await billing.tell(late.model_copy(update={"case_version": 2, "cancelled": True}))
    for action, who in (("prepare", "controller"), ("publish", "controller"), ("approve", "approver"), ("issue", "approver")):
        answer = await billing.step(action, getattr(billing, who)())
        assert answer.status_code == 200, (action, answer.text)
    month = (await billing.get("/v1/months/2026-03/1480", billing.controller())).json()
    assert [one["kind"] for one in month["documents"]] == ["invoice", "credit_note"]
    credit = await billing.get(f"/v1/invoices/{month['documents'][1]['number']}.xml", billing.finance())
    assert credit.status_code == 200
