"""What billing makes known stands in the controller's mailbox of the municipality concerned, and says which document, month or dispute."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from sqlalchemy import text

from services.planning.consumers import BILLING
from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from shared.dates import now
from shared.events.creditor_facts import DisputeEscalated, InvoiceRejected, MonthAccepted
from shared.events.facts import FACTS, AveragePassed, DisputeDecided, DisputeOpened, Fact, InvoiceIssued, MonthCorrected, MonthPublished
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA
from tests.integration.planning.conftest import Planning
from tests.services import REGION, bearer

DISPUTE, CASE, START = uuid7(), uuid7(), now()
ACCEPTED = MonthAccepted(
    municipality=GOTEBORG, month="2026-10", calculation="5f" * 32, version=1, amount="65600.00", accepted="signed", accepted_at=START
)
REJECTED = InvoiceRejected(number="2026-000001", municipality=GOTEBORG, month="2026-10", document="invoice", rejected_at=START)
OFFICE = f"SE{REGION}-K1"
WITH_OFFICE = DirectoryEntries(
    [], [Unit(OFFICE, REGION, "Utskrivningskontoret", "office")], [MailboxAt(OFFICE, REGION, f"unit:{OFFICE}", "controller")]
)
PUBLISHED = MonthPublished(municipality=GOTEBORG, month="2026-10", calculation="5f" * 32, version=1, amount="65600.00", published_at=START)
CORRECTED = MonthCorrected(
    municipality=GOTEBORG,
    month="2026-10",
    calculation="6f" * 32,
    version=2,
    amount="32800.00",
    difference="-32800.00",
    published_at=START,
)
INVOICE = InvoiceIssued(number="2026-000001", municipality=GOTEBORG, month="2026-10", amount="65600.00", issued_at=START)
CREDIT = InvoiceIssued(
    number="2026-000002",
    municipality=GOTEBORG,
    month="2026-10",
    amount="32800.00",
    issued_at=START,
    document="credit_note",
    refers_to="2026-000001",
)
DECIDED = DisputeDecided(dispute_id=DISPUTE, municipality=GOTEBORG, month="2026-10", case_id=CASE, outcome="partly", decided_at=START)
PASSED = AveragePassed(municipality=GOTEBORG, month="2026-10", threshold="3.0", average="3.041667", stays=24, passed_at=START)
OPENED = DisputeOpened(dispute_id=DISPUTE, municipality=GOTEBORG, month="2026-10", case_id=CASE, opened_at=START)


def escalated(to: Literal["review", "court"], by: Literal["debtor", "creditor"]) -> DisputeEscalated:
    return DisputeEscalated(dispute_id=DISPUTE, municipality=GOTEBORG, month="2026-10", case_id=CASE, to=to, by=by, escalated_at=START)


async def told(planning: Planning, facts: Sequence[Fact]) -> list[dict[str, Any]]:
    async with planning.database.transaction() as work:
        for position, fact in enumerate(facts, start=1):
            await BILLING[fact.kind](work, [Delivered(position, uuid7(), None, fact)])
    await planning.number()
    return list((await planning.mailbox(planning.municipality()))["entries"])


@pytest.mark.parametrize(
    ("fact", "notice", "about"),
    [
        (PUBLISHED, "notice.month_published", {"month": "2026-10", "calculation": "5f" * 32, "version": "1", "amount": "65600.00"}),
        (
            CORRECTED,
            "notice.month_corrected",
            {"month": "2026-10", "calculation": "6f" * 32, "version": "2", "amount": "32800.00", "difference": "-32800.00"},
        ),
        (INVOICE, "notice.invoice_issued", {"invoice": "2026-000001", "month": "2026-10", "amount": "65600.00", "document": "invoice"}),
        (
            CREDIT,
            "notice.invoice_issued",
            {"invoice": "2026-000002", "month": "2026-10", "amount": "32800.00", "document": "credit_note", "refers_to": "2026-000001"},
        ),
        (
            DECIDED,
            "notice.dispute_decided",
            {"dispute": str(DISPUTE), "month": "2026-10", "case": str(CASE), "outcome": "partly"},
        ),
        (
            PASSED,
            "notice.average_passed",
            {"month": "2026-10", "threshold": "3.0", "average": "3.041667", "stays": "24", "municipality": GOTEBORG},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_each_fact_of_billing_becomes_its_notice(planning: Planning, fact: Fact, notice: str, about: dict[str, str]) -> None:
    (entry,) = await told(planning, [fact])
    assert (entry["type"], entry["about"], entry["sender"], entry["acknowledge_by"]) == (notice, about, None, None)


async def heard_by_the_office(planning: Planning) -> list[dict[str, Any]]:
    who = bearer(planning.tokens.token("office", scopes=["notices:read"], role="controller", units=[OFFICE]))
    return list((await planning.mailbox(who))["entries"])


async def with_office(planning: Planning, entries: DirectoryEntries = WITH_OFFICE) -> None:
    async with planning.database.transaction() as work:
        await load_directory(work, entries)


async def test_the_regions_office_hears_of_what_debtors_do_and_the_debtor_of_none_of_its_own_steps(planning: Planning) -> None:
    assert [entry["type"] for entry in await told(planning, [PASSED, OPENED, ACCEPTED])] == ["notice.average_passed"]
    await with_office(planning)
    of_debtor = await told(planning, [PASSED, ACCEPTED, OPENED, escalated("review", "debtor"), REJECTED])
    assert [entry["type"] for entry in of_debtor] == ["notice.average_passed"] * 2
    entries = await heard_by_the_office(planning)
    dispute = {"dispute": str(DISPUTE), "month": "2026-10", "case": str(CASE), "municipality": GOTEBORG}
    calculation = {"calculation": "5f" * 32, "version": "1", "amount": "65600.00"}
    assert [(entry["type"], entry["about"]) for entry in entries[1:]] == [
        ("notice.month_accepted", {"month": "2026-10", "municipality": GOTEBORG, "accepted": "signed"} | calculation),
        ("notice.dispute_opened", dispute),
        ("notice.dispute_escalated", dispute | {"to": "review", "by": "debtor"}),
        ("notice.invoice_rejected", {"invoice": "2026-000001", "month": "2026-10", "document": "invoice", "municipality": GOTEBORG}),
    ]
    assert entries[0]["type"] == "notice.average_passed"
    assert {entry["acknowledge_by"] for entry in entries} == {None}


async def test_what_the_region_took_to_court_both_sides_hear_of(planning: Planning) -> None:
    await with_office(planning)
    of_debtor = await told(planning, [escalated("court", "creditor")])
    assert [entry["type"] for entry in of_debtor] == ["notice.dispute_escalated"]
    assert [entry["about"]["by"] for entry in await heard_by_the_office(planning)] == ["creditor"]


async def test_a_controller_of_a_care_provider_hears_nothing_of_the_creditors(planning: Planning) -> None:
    box = MailboxAt(CARE_CENTRE, REGION, f"unit:{CARE_CENTRE}", "controller")
    await with_office(planning, DirectoryEntries([], [], [box]))
    await told(planning, [PASSED, ACCEPTED, OPENED, REJECTED])
    async with planning.database.transaction() as work:
        found = await work.connection.execute(text("SELECT m.function FROM notices n JOIN mailboxes m ON m.id = n.mailbox"))
        assert list(found.scalars()) == ["municipality"]


async def test_every_other_municipality_hears_nothing(planning: Planning) -> None:
    await told(
        planning, [PUBLISHED, CORRECTED, INVOICE, CREDIT, DECIDED, PASSED, OPENED, ACCEPTED, REJECTED, escalated("court", "creditor")]
    )
    other = (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]
    assert other == []


def test_planning_hears_only_facts_that_there_are() -> None:
    assert set(BILLING) <= set(FACTS)
