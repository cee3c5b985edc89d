"""What the work list is derived from: the open cases of a caller, set-based, a handful of statements whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from services.planning.domain.case import CaseStatus
from services.planning.domain.duties import CaseAtHand, OpenNotice, PartyAt, PlanOpened
from services.planning.domain.party_status import PartyStatus
from shared.db import Work
from shared.http.auth import Caller

OPEN_OF_CALLER: Final = text(
    """
    WITH own AS (
        SELECT m.id, m.unit FROM mailboxes m
        WHERE m.organisation = :organisation
          AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS p (prefix) WHERE starts_with(m.unit, p.prefix))),
    own_units AS (
        SELECT u.hsa_id AS unit FROM units u
        WHERE u.organisation = :organisation
          AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS p (prefix) WHERE starts_with(u.hsa_id, p.prefix))
        UNION SELECT unnest(CAST(:prefixes AS text[])))
    SELECT id FROM (
        SELECT c.id FROM cases c
        WHERE c.parties @> to_jsonb('municipality:' || CAST(:municipality AS text)) AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT c.id FROM cases c WHERE c.outpatient_unit IN (SELECT unit FROM own_units) AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT c.id FROM cases c
        WHERE c.ward IN (SELECT unit FROM own_units) AND substr(c.ward, 3, 10) = :organisation
          AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT waiting.case_id FROM own CROSS JOIN LATERAL (
            SELECT DISTINCT n.case_id FROM notices n
            WHERE n.mailbox = own.id AND n.state IN ('sent', 'delivered') AND n.case_id > :after ORDER BY n.case_id LIMIT :limit)
        AS waiting) AS mine
    WHERE id > :after ORDER BY id LIMIT :limit
    """
)
CASES: Final = text(
    """
    SELECT c.id, c.state, c.ward, c.outpatient_unit, c.view ->> 'planned_discharge_date' AS planned_discharge_date,
           (c.view ->> 'sip_required')::boolean AS sip_required, c.view -> 'needs' AS needs,
           c.view -> 'ready' -> -1 ->> 'notice_sent_at' AS ready_sent_at, c.view -> 'ready' -> -1 ->> 'withdrawn_at' AS withdrawn_at,
           c.view ->> 'admitted_at' AS admitted_at, t.case_id IS NOT NULL AS has_care_contact
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN cases c USING (id) LEFT JOIN care_contacts t ON t.case_id = c.id
    ORDER BY c.id
    """
)
PARTIES: Final = text(
    """
    SELECT n.case_id, n.mailbox, m.unit, n.recipient, min(n.sent_at) AS since, bool_or(n.acknowledged_at IS NOT NULL) AS acknowledged,
           s.status, s.ready_from
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN notices n ON n.case_id = asked.id JOIN mailboxes m ON m.id = n.mailbox
    LEFT JOIN planning_statuses s ON s.case_id = n.case_id AND s.unit = m.unit
    WHERE n.type = 'notice.admission'
      AND n.state IN ('sent', 'delivered', 'acknowledged', 'superseded')
    GROUP BY n.case_id, n.mailbox, m.unit, n.recipient, s.status, s.ready_from
    HAVING bool_or(n.state <> 'superseded') ORDER BY n.recipient, n.mailbox
    """
)
NOTICES: Final = text(
    """
    SELECT n.id, n.case_id, n.type, n.mailbox, m.unit, n.sent_at
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN notices n ON n.case_id = asked.id JOIN mailboxes m ON m.id = n.mailbox
    WHERE n.state IN ('sent', 'delivered') AND n.type = ANY(CAST(:types AS text[]))
      AND (CAST(:mailboxes AS uuid[]) IS NULL OR n.mailbox = ANY(CAST(:mailboxes AS uuid[])))
    ORDER BY n.sent_at, n.id
    """
)
IMPORTED: Final = text(
    """
    SELECT case_id, max(until) AS until FROM (
        SELECT h.case_id, e.sent_at AS until FROM case_history h JOIN events e ON e.id = h.event_row
        WHERE h.case_id = ANY(CAST(:cases AS uuid[])) AND e.history
        UNION ALL
        SELECT p.case_id, i.sent_at FROM plans p JOIN plan_invitations i ON i.plan_id = p.id
        WHERE p.case_id = ANY(CAST(:cases AS uuid[])) AND i.sent_at < i.recorded_at) AS imported
    GROUP BY case_id
    """
)
PLANS: Final = text(
    """
    SELECT p.id, p.case_id, p.state, EXISTS (SELECT FROM plan_invitations i WHERE i.plan_id = p.id) AS invited
    FROM plans p WHERE p.case_id = ANY(CAST(:cases AS uuid[])) ORDER BY p.created_at, p.id
    """
)
TO_TAKE_ON: Final = (
    "notice.admission",
    "notice.planned_discharge_changed",
    "notice.ready",
    "notice.ready_withdrawn",
    "notice.discharged",
    "notice.deceased",
    "notice.cancelled",
    "notice.transferred",
    "notice.leave",
    "notice.outpatient_block",
    "notice.sip_invitation",
)
"""The notices that a named person is expected to take on; the others only inform."""


async def open_cases(work: Work, caller: Caller, *, after: UUID, limit: int) -> list[UUID]:
    """The cases in which the caller may owe something, by id."""
    found = await work.connection.execute(OPEN_OF_CALLER, asked_by(caller, after, limit))
    return list(found.scalars())


def asked_by(caller: Caller, after: UUID, limit: int) -> dict[str, object]:
    """The parameters of `OPEN_OF_CALLER`."""
    rights = {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "municipality": caller.municipality}
    return rights | {"after": after, "limit": limit}


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of some cases as the database gave them."""

    cases: Sequence[Any]
    parties: Sequence[Any]
    notices: Sequence[Any]
    plans: Sequence[Any]


async def read(work: Work, cases: Sequence[UUID], mailboxes: Sequence[UUID] | None = None) -> Read:
    """The rows that duties are derived from, for many cases at once; notices of these mailboxes only, or of all."""
    parties, notices, plans, found = [
        (await work.connection.execute(statement, asked)).all() for statement, asked in about_cases(cases, mailboxes)
    ]
    return Read(found, parties, notices, plans)


def about_cases(cases: Sequence[UUID], mailboxes: Sequence[UUID] | None) -> list[tuple[TextClause, dict[str, object]]]:
    """The statements that read what duties are derived from, with their parameters."""
    asked: dict[str, object] = {"cases": list(cases)}
    taken = {"types": list(TO_TAKE_ON), "mailboxes": None if mailboxes is None else list(mailboxes)}
    return [(PARTIES, asked), (NOTICES, asked | taken), (PLANS, asked), (CASES, asked)]


async def at_hand(work: Work, cases: Sequence[UUID], mailboxes: Sequence[UUID] | None = None) -> list[CaseAtHand]:
    """What duties are derived from, for many cases at once; notices of these mailboxes only, or of all."""
    if not cases:
        return []
    rows = await read(work, cases, mailboxes)
    parties, notices, plans = _by_case(rows.parties), _by_case(rows.notices), _by_case(rows.plans)
    return [
        _case(row, parties.get(row.id, ()), notices.get(row.id, ()), plans.get(row.id, ())) for row in rows.cases if row.state is not None
    ]


async def imported_until(work: Work, cases: Sequence[UUID]) -> dict[UUID, datetime]:
    """Until when what is known of these cases was imported; a case that was told as it happened is not here."""
    return {row.case_id: row.until for row in await work.connection.execute(IMPORTED, {"cases": list(cases)})}


def _by_case(rows: Any) -> dict[UUID, list[Any]]:  # a result
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found


def _case(row: Any, parties: Sequence[Any], notices: Sequence[Any], plans: Sequence[Any]) -> CaseAtHand:  # rows
    ready = _instant(row.ready_sent_at) if row.withdrawn_at is None and row.state == CaseStatus.READY else None
    return CaseAtHand(
        id=row.id,
        status=CaseStatus(row.state),
        ward=row.ward,
        admitted_at=_instant(row.admitted_at),
        ready_notice_sent_at=ready,
        planned_discharge_date=None if row.planned_discharge_date is None else date.fromisoformat(row.planned_discharge_date),
        needs=frozenset(row.needs),
        sip_required=bool(row.sip_required),
        outpatient_unit=row.outpatient_unit,
        has_care_contact=row.has_care_contact,
        parties=tuple(
            PartyAt(
                one.mailbox,
                one.unit,
                one.recipient,
                one.since,
                acknowledged=one.acknowledged,
                status=None if one.status is None else PartyStatus(one.status),
                ready_from=one.ready_from,
            )
            for one in parties
        ),
        notices=tuple(OpenNotice(one.id, one.type, one.mailbox, one.unit, one.sent_at) for one in notices),
        plans=tuple(PlanOpened(one.id, one.state, invited=one.invited) for one in plans),
    )


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
