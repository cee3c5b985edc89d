"""Disputes and what became of them: both tables only grow, and where a dispute stands follows from its last event."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from services.billing.domain.contested import Claim
from services.billing.domain.disputing import Dispute, DisputeEvent, DisputeOutcome, DisputeReason, DisputeState, claim_of
from services.billing.domain.persons import Actor
from shared.dates import Month
from shared.db import Work
from shared.identifiers import uuid7

_OPEN: Final = text(
    """
    INSERT INTO disputes (id, municipality, month, case_id, days, reason, explanation, client, person, opened_at)
    VALUES (:id, :municipality, :month, :case_id, CAST(:days AS date[]), :reason, :explanation, :client, :person, :at)
    """
)
_ADD: Final = text(
    """
    INSERT INTO dispute_events (id, dispute_id, kind, outcome, days, explanation, reference, client, person, at)
    VALUES (:id, :dispute, :kind, :outcome, CAST(:days AS date[]), :explanation, :reference, :client, :person, :at)
    """
)
_COLUMNS: Final = "SELECT d.id, d.municipality, d.month, d.case_id, d.days, d.reason, d.explanation, d.client, d.person, d.opened_at"
_LAST_EVENT: Final = """
    LEFT JOIN LATERAL (
        SELECT kind, outcome, days FROM dispute_events
        WHERE dispute_id = d.id AND (CAST(:known_at AS timestamptz) IS NULL OR at <= :known_at)
        ORDER BY at DESC, id DESC LIMIT 1) e ON true
"""
_ONE: Final = text(_COLUMNS + " FROM disputes d WHERE d.id = :id")
_ABOUT: Final = text(
    f"""
    {_COLUMNS} FROM disputes d
    WHERE d.case_id = ANY(CAST(:cases AS uuid[]))
       OR d.case_id IN (SELECT unnest(joined_cases) FROM stays WHERE case_id = ANY(CAST(:cases AS uuid[])))
    ORDER BY d.id
    """  # noqa: S608  # constant text
)
_SOME: Final = text(
    f"""
    {_COLUMNS} FROM disputes d {_LAST_EVENT}
    WHERE d.id > :after AND (CAST(:municipality AS text) IS NULL OR d.municipality = :municipality)
      AND (CAST(:month AS date) IS NULL OR d.month = :month)
      AND (CAST(:state AS text) IS NULL OR coalesce(e.kind, 'open') = :state)
    ORDER BY d.id LIMIT :limit
    """
)
_EVENTS: Final = text(
    """
    SELECT dispute_id, kind, outcome, days, explanation, reference, client, person, at FROM dispute_events
    WHERE dispute_id = ANY(CAST(:disputes AS uuid[])) ORDER BY at, id
    """
)
# A stay may have been contested under an id that a transfer later proved to mean it; asked for an earlier time, only if it was proved then.
_CLAIMS: Final = text(
    f"""
    WITH told AS (
        SELECT stay, stay AS case_id FROM unnest(CAST(:cases AS uuid[])) AS asked (stay)
        UNION
        SELECT s.case_id, joined FROM stays s CROSS JOIN unnest(s.joined_cases) AS joined
        WHERE s.case_id = ANY(CAST(:cases AS uuid[])) AND s.joined_cases <> '{{}}' AND (
            CAST(:known_at AS timestamptz) IS NULL OR EXISTS (
                SELECT FROM stay_versions v WHERE v.case_id = s.case_id AND v.recorded_at <= :known_at
                    AND CAST(v.body AS jsonb) -> 'joined_cases' ? CAST(joined AS text)))
    )
    SELECT d.id, d.municipality, told.stay, d.days, coalesce(e.kind, 'open') AS state, e.outcome, e.days AS upheld
    FROM told JOIN disputes d ON d.case_id = told.case_id {_LAST_EVENT}
    WHERE CAST(:known_at AS timestamptz) IS NULL OR d.opened_at <= :known_at
    ORDER BY d.id
    """  # noqa: S608  # constant text
)
_PUBLISHED: Final = text(
    """
    SELECT c.body FROM month_actions a JOIN calculations c USING (municipality, month, version)
    WHERE a.municipality = :municipality AND a.month = :month AND a.action = 'publish' ORDER BY a.at DESC, a.id DESC LIMIT 1
    """
)
_ANSWERABLE: Final = text(
    """
    SELECT DISTINCT client, person FROM month_actions
    WHERE municipality = :municipality AND month = :month AND action IN ('prepare', 'publish')
    """
)
_CHANGED_AT: Final = text("SELECT max(recorded_at) FROM stay_versions WHERE case_id = :case_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which disputes: of one municipality or all, of one month or all, in one state or any, from an id on."""

    municipality: str | None
    month: Month | None
    state: DisputeState | None
    after: UUID
    limit: int


async def claims(
    work: Work, cases: Collection[UUID], known_at: datetime | None = None, debtors: Mapping[UUID, str | None] | None = None
) -> list[Claim]:
    """Every dispute about these stays as the calculation sees it, in the order they were opened.

    Args:
        work: The transaction.
        cases: The stays.
        known_at: As it stood at that instant; None = now.
        debtors: Who owes for each stay: what anybody else contested of it, while it was theirs, is left out. None = whoever it was.
    """
    rows = await work.connection.execute(_CLAIMS, {"cases": sorted(cases), "known_at": known_at})
    return [
        claim_of(row.id, row.stay, row.days, DisputeState(row.state), _outcome(row.outcome), row.upheld)
        for row in rows
        if debtors is None or debtors.get(row.stay) == row.municipality
    ]


async def add(work: Work, dispute: Dispute) -> None:
    """Keep what a debtor contests."""
    await work.connection.execute(
        _OPEN,
        {
            "id": dispute.id,
            "municipality": dispute.municipality,
            "month": dispute.month.first,
            "case_id": dispute.stay,
            "days": None if dispute.days is None else sorted(dispute.days),
            "reason": dispute.reason.value,
            "explanation": dispute.explanation,
            "client": dispute.by.client,
            "person": dispute.by.person,
            "at": dispute.opened_at,
        },
    )


async def add_event(work: Work, dispute: UUID, event: DisputeEvent) -> None:
    """Keep what became of one."""
    await work.connection.execute(
        _ADD,
        {
            "id": uuid7(),
            "dispute": dispute,
            "kind": event.state.value,
            "outcome": None if event.outcome is None else event.outcome.value,
            "days": None if event.days is None else sorted(event.days),
            "explanation": event.explanation,
            "reference": event.reference,
            "client": event.by.client,
            "person": event.by.person,
            "at": event.at,
        },
    )


async def find(work: Work, dispute: UUID) -> Dispute | None:
    """One dispute with its history."""
    found = await _with_events(work, (await work.connection.execute(_ONE, {"id": dispute})).all())
    return found[0] if found else None


async def about(work: Work, cases: Collection[UUID]) -> list[Dispute]:
    """Every dispute about these cases, or about one that a transfer proved to be one of them, in the order they were opened."""
    return await _with_events(work, (await work.connection.execute(_ABOUT, {"cases": sorted(cases)})).all())


async def some(work: Work, wanted: Wanted) -> list[Dispute]:
    """Some disputes, in the order they were opened."""
    values = {
        "known_at": None,
        "after": wanted.after,
        "municipality": wanted.municipality,
        "month": None if wanted.month is None else wanted.month.first,
        "state": None if wanted.state is None else wanted.state.value,
        "limit": wanted.limit,
    }
    return await _with_events(work, (await work.connection.execute(_SOME, values)).all())


async def published_body(work: Work, municipality: str, month: Month) -> str | None:
    """The canonical text of the calculation that was published last, None when the debtor was never shown one."""
    values = {"municipality": municipality, "month": month.first}
    found: str | None = (await work.connection.execute(_PUBLISHED, values)).scalar_one_or_none()
    return found


async def answerable(work: Work, municipality: str, month: Month) -> list[Actor]:
    """Everybody who prepared or published a calculation of a month."""
    rows = await work.connection.execute(_ANSWERABLE, {"municipality": municipality, "month": month.first})
    return [Actor(row.client, row.person) for row in rows]


async def changed_at(work: Work, case: UUID) -> datetime | None:
    """When the facts of a stay last moved."""
    found: datetime | None = (await work.connection.execute(_CHANGED_AT, {"case_id": case})).scalar_one()
    return found


async def _with_events(work: Work, rows: Sequence[Row[tuple[object, ...]]]) -> list[Dispute]:
    events: dict[UUID, list[DisputeEvent]] = {row.id: [] for row in rows}
    if rows:
        for row in await work.connection.execute(_EVENTS, {"disputes": list(events)}):
            events[row.dispute_id].append(_event(row))
    return [_dispute(row, events[row.id]) for row in rows]


def _dispute(row: Row[tuple[object, ...]], events: Sequence[DisputeEvent]) -> Dispute:
    return Dispute(
        row.id,
        row.municipality,
        Month.of(row.month),
        row.case_id,
        None if row.days is None else frozenset(row.days),
        DisputeReason(row.reason),
        row.explanation,
        Actor(row.client, row.person),
        row.opened_at,
        tuple(events),
    )


def _event(row: Row[tuple[object, ...]]) -> DisputeEvent:
    return DisputeEvent(
        DisputeState(row.kind),
        row.at,
        Actor(row.client, row.person),
        row.explanation,
        _outcome(row.outcome),
        None if row.days is None else frozenset(row.days),
        row.reference,
    )


def _outcome(name: str | None) -> DisputeOutcome | None:
    return None if name is None else DisputeOutcome(name)
