"""What was known at an earlier instant: stays, decisions, calculations and steps as they had been recorded by then.

Everything here is read from tables that only grow. A statement that was recorded while another transaction had not yet committed counts
from the instant it was recorded, as everything does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthAction
from services.billing.domain.correcting import Document, DocumentKind
from services.billing.domain.reasons import Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import Stay
from services.billing.repository import ledger
from services.billing.translation import Rules
from shared.dates import Month, local_date
from shared.db import Work
from shared.money import Money

# A stay may belong to a municipality by rules that came after its version was recorded: what is known now finds it too.
_STAYS_OF_MONTH: Final = text(
    """
    WITH candidates AS (
        SELECT case_id FROM stay_versions
        WHERE municipality = ANY(CAST(:municipalities AS text[])) AND touches_from <= :last
          AND (touches_to IS NULL OR touches_to >= :first) AND recorded_at <= :then
        UNION
        SELECT case_id FROM stays
        WHERE municipality = ANY(CAST(:municipalities AS text[])) AND touches_from <= :last
          AND (touches_to IS NULL OR touches_to >= :first)
    )
    SELECT version.body FROM candidates
    CROSS JOIN LATERAL (
        SELECT body, touches_from, touches_to FROM stay_versions
        WHERE stay_versions.case_id = candidates.case_id AND recorded_at <= :then
        ORDER BY case_version DESC LIMIT 1
    ) AS version
    WHERE version.touches_from <= :last AND (version.touches_to IS NULL OR version.touches_to >= :first)
    ORDER BY candidates.case_id
    """
)
_DECISIONS: Final = text(
    """
    SELECT DISTINCT ON (case_id, reason, facts) case_id, reason, outcome, facts FROM review_decisions
    WHERE case_id = ANY(CAST(:cases AS uuid[])) AND decided_at <= :then
    ORDER BY case_id, reason, facts, decided_at DESC, id DESC
    """
)
# In the order the months were locked, which is that of the versions and of the ids; `at` is when each transaction began.
_STEPS: Final = text(
    """
    SELECT action.municipality, action.action, action.version, action.sha256, action.person, action.at, calculation.amount_ore
    FROM month_actions AS action JOIN calculations AS calculation USING (municipality, month, version)
    WHERE action.month = :month AND action.municipality = ANY(CAST(:municipalities AS text[])) AND action.at <= :then
    ORDER BY action.version, action.id
    """
)
_DOCUMENTS: Final = text(
    """
    SELECT municipality, number, kind, amount_ore, issued_at, due_on, refers_to, version FROM invoices
    WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[])) AND issued_at <= :then
    ORDER BY issued_at, serial
    """
)
_CALCULATION: Final = text(
    """
    SELECT version, body, inputs, prepared_at FROM calculations
    WHERE municipality = :municipality AND month = :month AND version = :version
    """
)


@dataclass(frozen=True, slots=True)
class Issued:
    """One document of a month, and the calculation it was issued on."""

    document: Document
    version: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A calculation as it was kept: its canonical text, and everything it was made from (None = made before that was kept)."""

    version: int
    body: str
    inputs: str | None
    prepared_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step that a month took, on which calculation, and what that came to."""

    municipality: str
    action: MonthAction
    version: int
    sha256: str
    amount_ore: int | None
    person: str
    at: datetime


async def stays_of_month(work: Work, municipalities: Collection[str], month: Month, rules: Rules, then: datetime) -> list[Stay]:
    """Every stay that could count in a month of one of these municipalities, as it was known; some may belong to others."""
    values = {"municipalities": list(municipalities), "first": month.first, "last": last_day(month), "then": then}
    rows = await work.connection.execute(_STAYS_OF_MONTH, values)
    return await ledger.with_what_was_told(work, rows.scalars().all(), rules, then)


async def decisions(work: Work, cases: Collection[UUID], then: datetime) -> list[ReviewDecision]:
    """The decision that counted on each reason of these stays, for each state of facts that was decided on."""
    rows = await work.connection.execute(_DECISIONS, {"cases": sorted(cases), "then": then})
    return [ReviewDecision(row.case_id, Reason(row.reason), ReviewOutcome(row.outcome), row.facts) for row in rows]


async def steps(work: Work, municipalities: Collection[str], month: Month, then: datetime) -> Mapping[str, Sequence[Step]]:
    """Every step that the months of these municipalities had taken, in the order they were taken."""
    values = {"municipalities": list(municipalities), "month": month.first, "then": then}
    found: dict[str, list[Step]] = {}
    for row in await work.connection.execute(_STEPS, values):
        step = Step(row.municipality, MonthAction(row.action), row.version, row.sha256, row.amount_ore, row.person, row.at)
        found.setdefault(row.municipality, []).append(step)
    return found


async def documents(work: Work, municipalities: Collection[str], month: Month, then: datetime) -> Mapping[str, Sequence[Issued]]:
    """Every document that had been issued for the month of these municipalities, in the order of issue."""
    values = {"municipalities": list(municipalities), "month": month.first, "then": then}
    found: dict[str, list[Issued]] = {}
    for row in await work.connection.execute(_DOCUMENTS, values):
        kind, amount, issued_on = DocumentKind(row.kind), Money(row.amount_ore), local_date(row.issued_at)
        document = Document(row.number, kind, amount, issued_on, row.due_on, row.refers_to)
        found.setdefault(row.municipality, []).append(Issued(document, row.version))
    return found


async def calculation(work: Work, municipality: str, month: Month, version: int | None) -> Kept | None:
    """One version of a month's calculation, None when there is none."""
    values = {"municipality": municipality, "month": month.first, "version": version}
    row = (await work.connection.execute(_CALCULATION, values)).one_or_none()
    return None if row is None else Kept(row.version, row.body, row.inputs, row.prepared_at)
