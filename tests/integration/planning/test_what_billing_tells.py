"""What billing makes known stands in the controller's mailbox of the municipality concerned, and says which document, month or dispute."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from services.planning.consumers import BILLING
from services.planning.usecases import DirectoryEntries, MailboxAt, Unit, load_directory
from shared.dates import now
from shared.events.facts import FACTS, AveragePassed, DisputeDecided, DisputeOpened, Fact, InvoiceIssued, MonthCorrected, MonthPublished
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from tests.builders import GOTEBORG, HARRYDA
from tests.integration.planning.conftest import Planning
from tests.services import REGION

DISPUTE, CASE, START = uuid7(), uuid7(), now()
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


async def test_the_regions_controller_hears_of_averages_and_of_opened_disputes_where_it_has_a_mailbox(planning: Planning) -> None:
    assert [entry["type"] for entry in await told(planning, [PASSED, OPENED])] == ["notice.average_passed"]
    async with planning.database.transaction() as work:
        await load_directory(work, WITH_OFFICE)
    await told(planning, [PASSED, OPENED])
    async with planning.database.transaction() as work:
        found = await work.connection.execute(
            text("SELECT n.type FROM notices n JOIN mailboxes m ON m.id = n.mailbox WHERE m.function = 'controller' ORDER BY n.id")
        )
        assert list(found.scalars()) == ["notice.average_passed", "notice.dispute_opened"]


async def test_every_other_municipality_hears_nothing(planning: Planning) -> None:
    await told(planning, [PUBLISHED, CORRECTED, INVOICE, CREDIT, DECIDED, PASSED, OPENED])
    other = (await planning.mailbox(planning.municipality(HARRYDA)))["entries"]
    assert other == []


def test_planning_hears_only_facts_that_there_are() -> None:
    assert set(BILLING) <= set(FACTS)
