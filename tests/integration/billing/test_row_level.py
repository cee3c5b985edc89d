"""Row-level security in billing: whoever reads as the role of the API sees what its municipality owes, the region all, nobody nothing.

The statements here are plain ones, without any check of a use case: the wall alone answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from dirigent.databases import Access
from services.billing.api.parts import REGION_ROLES
from services.billing.domain.persons import Actor
from services.billing.usecases.comparisons import TheirMonth, compare_month, sign_comparison
from services.billing.usecases.simulations import go_on
from shared.dates import Month
from shared.db import Database, Reader, Role, sqlstate
from shared.events.facts import MeasuresDeclined, PlanConsentChanged
from shared.identifiers import uuid7
from tests.integration.billing.parts import Billing, a_poll, a_stay_fact, an_invitation, local

GOTEBORG: Final = Reader("kommun-1480", "2120001355", ("SE2120001355-",), "municipality", "1480")
BORAS: Final = Reader("kommun-1490", "2120001561", ("SE2120001561-",), "municipality", "1490")
REGION: Final = Reader("controller", "2321000131", ("SE2321000131-",), "controller", region="2321000131")
NOBODYS: Final = (
    None,
    # Offices that are none of this region's: a municipality's, a company's, one of a service that does not know its region.
    Reader("kommun", "2120001355", ("SE2120001355-",), "controller", "1480", region="2321000131"),
    Reader("kommun", "2120001355", ("SE2120001355-",), "auditor", region="2321000131"),
    Reader("company", "5560000001", ("SE5560000001-",), "finance", region="2321000131"),
    Reader("controller", "2321000131", ("SE2321000131-",), "controller"),
    Reader("ward", "2321000131", ("SE2321000131-",), "ward"),
    Reader("care", "2321000131", ("SE2321000131-",), "care", "1480"),
    Reader("kommun", "2120001355", ("SE2120001355-",), "municipality"),
    Reader("", "", (), ""),
)
_OF_CASE: Final = "(SELECT municipality FROM stays s WHERE s.case_id = t.case_id OR t.case_id = ANY(s.joined_cases) LIMIT 1)"
# Whose each row is, as the worker sees it; null = the region's alone.
_BY_COLUMN: Final = """
    months calculations month_actions paper_signatures disputes invoices ledger_entries debtors stays stay_versions stay_months averages
    average_alerts mailbox_polls simulations
"""
_BY_CASE: Final = ("invitations", "plan_consents", "declined_measures", "review_decisions")
OWNER: Final[Mapping[str, str]] = {
    **dict.fromkeys(_BY_COLUMN.split(), "t.municipality"),
    **dict.fromkeys(_BY_CASE, _OF_CASE),
    "dispute_events": "(SELECT municipality FROM disputes WHERE id = t.dispute_id)",
    "invoice_statuses": "(SELECT municipality FROM invoices WHERE number = t.number)",
    "ledger_postings": "(SELECT municipality FROM ledger_entries WHERE id = t.entry_id)",
    "simulation_parts": "(SELECT municipality FROM simulations WHERE id = t.simulation_id)",
    "comparisons": "NULL",
    "comparison_signatures": "NULL",
    "feed_entries": "CASE WHEN feed LIKE 'invoices/debtor/%' THEN substr(feed, 17) END",
    "feed_heads": "CASE WHEN feed LIKE 'invoices/debtor/%' THEN substr(feed, 17) END",
}
OF_THE_REGION: Final = "true"
# What the region does not read: what a municipality tries out, its feed (the issuer's holds the same), what is written for programs.
REGION_SEES: Final = {
    "simulations": "municipality IS NULL",
    "simulation_parts": "(SELECT municipality FROM simulations WHERE id = t.simulation_id) IS NULL",
    "feed_entries": "feed IN ('invoices/issuer', 'ledger')",
    "feed_heads": "feed IN ('invoices/issuer', 'ledger')",
}
OPEN: Final[Mapping[str, str]] = {
    "tariff_proposals": "prices are everybody's to read",
    "tariff_approvals": "prices are everybody's to read",
    "agreement_proposals": "rules are everybody's to read",
    "agreement_approvals": "rules are everybody's to read",
    "invoice_series": "a number for each year, of nobody's month",
    "sequencer": "one row: the epoch",
    "stream_cursors": "how far this service has read",
    "alembic_version": "the schema",
}


@pytest.fixture
async def filled(billing: Billing) -> Billing:
    """Billing in which every walled table holds rows of Göteborg's and of Borås'."""
    await billing.price()
    for code in ("1480", "1490"):
        stay, contested, joined = a_stay_fact(9, municipality=code), a_stay_fact(8, municipality=code), uuid7()
        known_before = a_stay_fact(6, municipality=code, joined_cases=(joined,))
        await billing.tell(stay, contested, known_before, a_poll(billing.at, code))
        for case in (stay.case_id, joined):
            await billing.tell(
                an_invitation(case, "2026-03-12T10:00"),
                PlanConsentChanged(plan_id=uuid7(), case_id=case, consent="given", changed_at=local("2026-03-11T10:00")),
                MeasuresDeclined(
                    decline_id=uuid7(),
                    case_id=case,
                    unit="SE2321000131-E000000000901",
                    measures=("municipal_social",),
                    declined_at=local("2026-03-11T10:00"),
                    recorded_at=billing.at,
                ),
            )
        answer = await billing.close_month(code=code)
        assert answer.status_code == 200, answer.text
        await fill_by_hand(billing, code, contested.case_id, answer.json()["invoice"])
    async with billing.database.transaction() as work:
        comparison = await compare_month(work, TheirMonth(Month.parse("2026-03"), "5f" * 32, 0, [], []), "test")
        await sign_comparison(work, comparison.row.id, "Allt är genomgånget", Actor("test", "Anna Test"))
    for who in (billing.token("region", "controller", "simulations:run"), *(simulator(billing, code) for code in ("1480", "1490"))):
        body = {"profiles": ["law-2018"], "from": "2026-03", "to": "2026-03", "acted_by": "Anna Test"}
        assert (await billing.post("/v1/simulations", who, body)).status_code == 202
    for _ in range(9):
        async with billing.database.transaction() as work:
            await go_on(work)
    await billing.number()
    return billing


def simulator(billing: Billing, code: str) -> dict[str, str]:
    return billing.token(f"kommun-{code}", "municipality", "simulations:run", code)


BY_HAND: Final = """
    INSERT INTO disputes (id, municipality, month, case_id, reason, explanation, client, person, opened_at)
    VALUES (:dispute, :code, '2026-03-01', :case, 'readiness_contested', '-', '-', '-', :at);
    INSERT INTO dispute_events (id, dispute_id, kind, outcome, explanation, client, person, at)
    VALUES (gen_random_uuid(), :dispute, 'decided', 'rejected', '-', '-', '-', :at);
    INSERT INTO invoice_statuses (id, number, status, client, person, reported_at)
    VALUES (gen_random_uuid(), :number, 'booked', '-', '-', :at);
    INSERT INTO review_decisions (id, case_id, reason, outcome, facts, explanation, client, person, decided_at)
    VALUES (gen_random_uuid(), :case, 'no_sign_of_life', 'exclude', '-', '-', '-', '-', :at);
    INSERT INTO paper_signatures (municipality, month, version, signed_by, signed_on, reference, recorded_at)
    VALUES (:code, '2026-03-01', 1, '-', '2026-04-01', '-', :at);
    INSERT INTO average_alerts (municipality, month, threshold, average, stays, passed_at)
    VALUES (:code, '2026-03-01', 2.5, 2.6, 5, :at) ON CONFLICT DO NOTHING
"""


async def fill_by_hand(billing: Billing, code: str, case: UUID, number: str) -> None:
    """What would take long to bring about: a dispute with its decision, a report, a decided review, a paper, a threshold passed."""
    values = {"code": code, "case": case, "number": number, "dispute": uuid7(), "at": billing.at}
    async with billing.database.transaction() as work:
        for one in BY_HAND.split(";"):
            await work.connection.execute(text(one), {name: value for name, value in values.items() if f":{name}" in one})


async def rows(database: Database, table: str, where: str = "true", reader: Reader | None = None, role: Role | None = None) -> list[str]:
    async with database.transaction(reader=reader, role=role) as work:
        found = await work.connection.execute(text(f'SELECT CAST(t AS text) FROM "{table}" t WHERE {where} ORDER BY 1'))  # noqa: S608  # ours
        return list(found.scalars())


_TABLES: Final = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND "


async def tables_of(database: Database, condition: str) -> set[str]:
    async with database.transaction() as work:
        found = await work.connection.execute(text(_TABLES + condition))
        return set(found.scalars())


async def test_every_table_is_walled_or_says_why_it_is_open(billing: Billing) -> None:
    walled = await tables_of(billing.database, "relrowsecurity AND relforcerowsecurity")
    assert walled == OWNER.keys() | {"outbox", "idempotency_keys"}
    assert await tables_of(billing.database, "NOT relrowsecurity") == set(OPEN)


async def test_each_reader_sees_its_own_rows_of_every_table_and_no_others(filled: Billing) -> None:
    for table, owner in OWNER.items():
        for reader in (GOTEBORG, BORAS):
            own = await rows(filled.database, table, f"{owner} = '{reader.municipality}'")
            seen = await rows(filled.database, table, reader=reader, role=Role.APP)
            assert seen == own, (table, reader.municipality)
            assert own or owner == "NULL", f"{table} holds nothing of {reader.municipality}: nothing was proved"
        for role in sorted(REGION_ROLES):
            every = await rows(filled.database, table, REGION_SEES.get(table, OF_THE_REGION))
            assert every, table
            assert await rows(filled.database, table, reader=replace(REGION, role=role), role=Role.APP) == every, (table, role)


async def test_whoever_is_neither_debtor_nor_region_sees_nothing(filled: Billing) -> None:
    for reader in NOBODYS:
        for table in (*OWNER, "outbox"):
            assert await rows(filled.database, table, reader=reader, role=Role.APP) == [], (table, reader)


async def test_the_auditor_and_the_worker_see_every_row(filled: Billing) -> None:
    for table in OWNER:
        every = await rows(filled.database, table)
        assert every
        assert await rows(filled.database, table, role=Role.AUDITOR) == every
        assert await rows(filled.database, table, role=Role.INTAKE) == every


async def test_the_auditor_changes_nothing(filled: Billing) -> None:
    for table in sorted({*OWNER, "outbox", "idempotency_keys"}):
        with pytest.raises(ProgrammingError) as refused:
            async with filled.database.transaction(role=Role.AUDITOR) as work:
                await work.connection.execute(text(f'DELETE FROM "{table}"'))  # noqa: S608  # a name of ours
        assert sqlstate(refused.value) == "42501", table


async def test_nobody_writes_what_is_anothers(filled: Billing) -> None:
    statement = text(
        "INSERT INTO disputes (id, municipality, month, case_id, reason, explanation, client, person, opened_at)"
        " VALUES (gen_random_uuid(), :code, '2026-03-01', gen_random_uuid(), 'readiness_contested', '-', '-', '-', now())"
    )
    with pytest.raises(ProgrammingError) as refused:
        async with filled.database.transaction(reader=GOTEBORG, role=Role.APP) as work:
            await work.connection.execute(statement, {"code": "1490"})
    assert sqlstate(refused.value) == "42501"
    async with filled.database.transaction(reader=GOTEBORG, role=Role.APP) as work:
        await work.connection.execute(statement, {"code": "1480"})
        moved = await work.connection.execute(text("UPDATE months SET state = 'open'"))
    assert moved.rowcount == 1, "its own month and no other"


async def test_a_case_that_was_joined_into_a_stay_is_seen_by_who_owes_for_the_stay(filled: Billing) -> None:
    statement = text("SELECT joined_cases[1] FROM stays WHERE joined_cases <> '{}' AND municipality = '1480'")
    async with filled.database.transaction() as work:
        joined = (await work.connection.execute(statement)).scalar_one()
    where = f"case_id = '{joined}'"
    assert len(await rows(filled.database, "invitations", where, reader=GOTEBORG, role=Role.APP)) == 1
    assert await rows(filled.database, "invitations", where, reader=BORAS, role=Role.APP) == []


async def test_a_stay_that_moved_on_is_still_seen_as_it_was_by_who_owed_for_it(filled: Billing) -> None:
    stay = a_stay_fact(4, municipality="1480")
    await filled.tell(stay)
    await filled.tell(stay.model_copy(update={"municipality": "1490", "case_version": 2}))
    where = f"case_id = '{stay.case_id}'"
    assert await rows(filled.database, "stays", where, reader=GOTEBORG, role=Role.APP) == []
    assert len(await rows(filled.database, "stays", where, reader=BORAS, role=Role.APP)) == 1
    # Only with both versions can it be told that the stay is not Göteborg's any more.
    assert len(await rows(filled.database, "stay_versions", where, reader=GOTEBORG, role=Role.APP)) == 2


async def test_answers_to_idempotency_keys_are_the_clients_own(filled: Billing) -> None:
    every = await rows(filled.database, "idempotency_keys")
    own = await rows(filled.database, "idempotency_keys", "client = 'kommun-1480'")
    assert 0 < len(own) < len(every)
    assert await rows(filled.database, "idempotency_keys", reader=GOTEBORG, role=Role.APP) == own


async def test_a_forged_setting_of_the_caller_lasts_no_longer_than_its_transaction(billing_database: str) -> None:
    database = Database(billing_database, role=Role.APP, pool_size=1, overflow=0)
    async with database.transaction(reader=REGION) as work:
        assert (await work.connection.execute(text("SELECT is_region(), debtor()"))).one() == (True, None)
    async with database.transaction() as work:
        assert (await work.connection.execute(text("SELECT is_region(), debtor(), caller_client()"))).one() == (False, None, None)
    await database.close()


async def test_the_owner_sees_the_rows_too_for_migrations_need_them(filled: Billing, new_database: Callable[[str], Access]) -> None:
    database = Database(new_database("billing").owner, role=None)
    assert await rows(database, "invoices") == await rows(filled.database, "invoices") != []
    await database.close()
