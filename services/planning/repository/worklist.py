"""What the work list is derived from: the open cases of a caller, set-based, a handful of statements whatever their number.

What is asked about is a case, or a plan without a stay: both by an id, in one order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from services.planning.domain.addressing import CATCH_ALL
from services.planning.repository.plans import LEAD, TAKES_PART
from shared.db import Work
from shared.events.notice_types import TO_TAKE_ON
from shared.http.auth import Caller

# What row-level security shows of what was found: the case or plan itself, or in it a notice or deviation of the caller's.
_SEEN: Final = text(
    """
    SELECT id FROM cases WHERE id = ANY(CAST(:ids AS uuid[]))
    UNION SELECT case_id FROM notices WHERE case_id = ANY(CAST(:ids AS uuid[]))
    UNION SELECT case_id FROM deviations WHERE case_id = ANY(CAST(:ids AS uuid[]))
    UNION SELECT id FROM plans WHERE id = ANY(CAST(:ids AS uuid[]))
    UNION SELECT case_id FROM plans WHERE case_id = ANY(CAST(:ids AS uuid[]))
    """
)
OPEN_OF_CALLER: Final = text(
    """
    WITH prefixes AS (SELECT unnest(CAST(:prefixes AS text[])) AS prefix),
    teams AS (
        SELECT t.team FROM team_members t JOIN units u ON u.hsa_id = t.unit JOIN prefixes p ON starts_with(t.unit, p.prefix)
        WHERE u.organisation = :organisation
          AND daterange(t.valid_from, t.valid_to, '[]') @> CAST(now() AT TIME ZONE 'Europe/Stockholm' AS date)),
    own AS (
        SELECT m.id, m.unit FROM mailboxes m
        WHERE (m.organisation = :organisation AND EXISTS (SELECT FROM prefixes p WHERE starts_with(m.unit, p.prefix)))
           OR m.unit IN (SELECT team FROM teams)),
    own_units AS (
        SELECT u.hsa_id AS unit FROM units u
        WHERE u.organisation = :organisation AND EXISTS (SELECT FROM prefixes p WHERE starts_with(u.hsa_id, p.prefix))
        UNION SELECT prefix FROM prefixes UNION SELECT team FROM teams)
    SELECT id FROM (
        SELECT c.id FROM cases c
        WHERE c.parties @> to_jsonb('municipality:' || CAST(:municipality AS text)) AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT c.id FROM cases c WHERE c.outpatient_unit IN (SELECT unit FROM own_units) AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT c.id FROM cases c
        WHERE c.outpatient_unit IN (SELECT unit FROM own_units) AND c.state = 'discharged'
          AND (c.changed_at > CAST(:discharged_after AS timestamptz)
               AND CAST(c.view ->> 'discharged_at' AS timestamptz) > CAST(:discharged_after AS timestamptz)
               OR EXISTS (SELECT FROM plans p WHERE p.case_id = c.id AND p.state NOT IN ('closed', 'refused', 'withdrawn')))
        UNION
        SELECT c.id FROM cases c
        WHERE c.ward IN (SELECT unit FROM own_units) AND substr(c.ward, 3, 10) = :organisation
          AND c.state IN ('admitted', 'planning', 'ready')
        UNION
        SELECT waiting.case_id FROM own CROSS JOIN LATERAL (
            SELECT DISTINCT n.case_id FROM notices n
            WHERE n.mailbox = own.id AND n.state IN ('sent', 'delivered') AND n.case_id > :after ORDER BY n.case_id LIMIT :limit)
        AS waiting
        UNION
        SELECT coalesce(p.case_id, p.id) FROM plan_parties t JOIN plans p ON p.id = t.plan_id
        WHERE t.unit IN (SELECT unit FROM own_units) AND p.state NOT IN ('closed', 'refused', 'withdrawn')
        UNION
        SELECT d.case_id FROM deviations d WHERE d.reporter IN (SELECT unit FROM own_units) AND d.state IN ('reported', 'answered')
        UNION
        SELECT d.case_id FROM deviations d WHERE d.assigned_to IN (SELECT unit FROM own_units) AND d.state = 'assigned'
        UNION
        SELECT q.case_id FROM messages q WHERE q.recipient IN (SELECT unit FROM own_units) AND q.state = 'open') AS mine
    WHERE id > :after ORDER BY id LIMIT :limit
    """
)
CASES: Final = text(
    """
    SELECT c.id, c.state, c.ward, c.outpatient_unit, c.view ->> 'planned_discharge_date' AS planned_discharge_date,
           (c.view ->> 'sip_required')::boolean AS sip_required, c.view -> 'needs' AS needs,
           c.view -> 'ready' -> -1 ->> 'notice_sent_at' AS ready_sent_at, c.view -> 'ready' -> -1 ->> 'withdrawn_at' AS withdrawn_at,
           c.view -> 'ready' -> -1 ->> 'compulsory' AS compulsory, c.view ->> 'discharged_at' AS discharged_at,
           c.view ->> 'deceased_at' AS deceased_at,
           c.view ->> 'admitted_at' AS admitted_at, t.case_id IS NOT NULL AS has_care_contact,
           CASE WHEN (c.view -> 'on_paper') IS NOT NULL THEN c.view -> 'parties' END AS told_on_paper,
           jsonb_path_exists(c.view, '$.findings[*] ? (@.code == "wrongly_addressed")') AS returned
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN cases c USING (id)
    LEFT JOIN care_contacts t ON t.case_id = c.id AND t.unit = c.outpatient_unit
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
# Notices of a case, and those of a plan without a stay, which name no case; of a person who was erased there is nothing to take on.
NOTICES: Final = text(
    """
    SELECT n.id, n.about AS case_id, n.type, n.mailbox, m.unit, n.sent_at
    FROM (SELECT n.id, asked.id AS about, n.type, n.mailbox, n.sent_at, n.state, n.withheld
          FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN notices n ON n.case_id = asked.id
          UNION ALL
          SELECT n.id, asked.id, n.type, n.mailbox, n.sent_at, n.state, n.withheld
          FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN plan_notices o ON o.plan_id = asked.id JOIN notices n ON n.id = o.notice_id
          WHERE n.case_id IS NULL) AS n
    JOIN mailboxes m ON m.id = n.mailbox
    WHERE n.state IN ('sent', 'delivered') AND n.withheld IS DISTINCT FROM 'erased' AND n.type = ANY(CAST(:types AS text[]))
      AND (CAST(:mailboxes AS uuid[]) IS NULL OR n.mailbox = ANY(CAST(:mailboxes AS uuid[])))
    ORDER BY n.sent_at, n.id
    """
)
IMPORTED: Final = text(
    """
    SELECT about, max(until) AS until FROM (
        SELECT h.case_id AS about, e.sent_at AS until FROM case_history h JOIN events e ON e.id = h.event_row
        WHERE h.case_id = ANY(CAST(:cases AS uuid[])) AND e.history
        UNION ALL
        SELECT coalesce(p.case_id, p.id), i.sent_at FROM plans p JOIN plan_invitations i ON i.plan_id = p.id
        WHERE (p.case_id = ANY(CAST(:cases AS uuid[])) OR (p.case_id IS NULL AND p.id = ANY(CAST(:cases AS uuid[]))))
          AND i.sent_at < i.recorded_at) AS imported
    GROUP BY about
    """
)
_PLANS_ASKED_ABOUT: Final = """
    (SELECT p.* FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN plans p ON p.case_id = asked.id
     UNION ALL
     SELECT p.* FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN plans p ON p.id = asked.id AND p.case_id IS NULL) AS p
"""
# What was said last of the meeting, and of measures and follow-up; a meeting that came with an imported invitation was set with it.
PLANS: Final = text(
    f"""
    SELECT p.id, coalesce(p.case_id, p.id) AS case_id, p.case_id IS NOT NULL AS stay, p.state, p.kind,
           {LEAD} AS unit, p.created_at,
           CASE WHEN p.main_unit = {LEAD} OR {TAKES_PART.format(plan="p.id", unit="p.main_unit")} THEN p.main_unit END AS main_unit,
           ARRAY(SELECT DISTINCT n.recipient FROM plan_notices o JOIN notices n ON n.id = o.notice_id
                 WHERE o.plan_id = p.id AND n.type = 'notice.sip_invitation' AND n.returned_at IS NULL) AS called,
           met.what AS meeting, met.at AS meeting_at, met.said_at, agreed.day AS follow_up_on, agreed.at AS agreed_at
    FROM {_PLANS_ASKED_ABOUT} LEFT JOIN cases c ON c.id = p.case_id
    LEFT JOIN LATERAL (
        SELECT e.what, e.body ->> 'at' AS at,
               coalesce((SELECT min(i.sent_at) FROM plan_invitations i WHERE i.plan_id = p.id AND i.recorded_at = e.at), e.at) AS said_at
        FROM plan_entries e WHERE e.plan_id = p.id AND e.what IN ('meeting', 'held') ORDER BY e.number DESC LIMIT 1) AS met ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(e.body ->> 'follow_up_on', e.body ->> 'next_on') AS day, e.at
        FROM plan_entries e WHERE e.plan_id = p.id AND e.what IN ('measures', 'follow_up') ORDER BY e.number DESC LIMIT 1) AS agreed ON true
    ORDER BY p.created_at, p.id
    """  # noqa: S608  # constant text
)
CALLED: Final = text(
    f"""
    SELECT i.plan_id, i.id AS invitation, i.sent_at, i.meeting ->> 'at' AS meets_at, u.unit
    FROM (SELECT DISTINCT ON (i.plan_id) i.* FROM {_PLANS_ASKED_ABOUT} JOIN plan_invitations i ON i.plan_id = p.id
          WHERE p.state IN ('invited', 'held', 'follow_up') ORDER BY i.plan_id, i.recorded_at DESC, i.id DESC) AS i
    CROSS JOIN LATERAL jsonb_array_elements_text(i.units) AS u (unit)
    WHERE NOT EXISTS (SELECT FROM plan_answers a WHERE a.invitation_id = i.id AND a.unit = u.unit)
      AND {TAKES_PART.format(plan="i.plan_id", unit="u.unit")}
    ORDER BY i.plan_id, u.unit
    """  # noqa: S608  # constant text
)
# Deviations with whose turn it is, and questions to units that are still concerned in the case.
ASKED: Final = text(
    """
    SELECT 'deviation' AS what, d.id, d.case_id, d.state, CASE d.state WHEN 'assigned' THEN d.assigned_to ELSE d.reporter END AS unit,
           CASE d.state WHEN 'reported' THEN d.reported_at WHEN 'assigned' THEN d.assigned_at ELSE d.answered_at END AS since, d.due_at
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN deviations d ON d.case_id = asked.id WHERE d.state <> 'closed'
    UNION ALL
    SELECT 'question', q.id, q.case_id, q.state, q.recipient, q.sent_at, NULL
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN messages q ON q.case_id = asked.id JOIN cases c ON c.id = q.case_id
    WHERE q.state = 'open' AND (c.ward = q.recipient
        OR EXISTS (SELECT FROM mailboxes m WHERE m.unit = q.recipient AND jsonb_exists(c.parties, m.recipient)))
    ORDER BY since, id
    """
)
_BOXES: Final = text(
    """
    SELECT DISTINCT ON (m.unit) m.unit, m.id FROM mailboxes m WHERE m.unit = ANY(CAST(:units AS text[]))
    ORDER BY m.unit, m.function = ANY(CAST(:first AS text[])) DESC, m.function, m.district
    """
)


async def open_cases(work: Work, caller: Caller, *, after: UUID, limit: int, discharged_after: datetime | None = None) -> list[UUID]:
    """The cases, and plans without a stay, in which the caller may owe something, by id; of discharged ones those since then, if any."""
    found = await work.connection.execute(OPEN_OF_CALLER, asked_by(caller, after, limit, discharged_after))
    return list(found.scalars())


async def seen_by_caller(work: Work, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these cases, and plans without a stay, row-level security shows the caller of the transaction."""
    return frozenset((await work.connection.execute(_SEEN, {"ids": list(ids)})).scalars())


def asked_by(caller: Caller, after: UUID, limit: int, discharged_after: datetime | None = None) -> dict[str, object]:
    """The parameters of `OPEN_OF_CALLER`."""
    rights = {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "municipality": caller.municipality}
    return rights | {"after": after, "limit": limit, "discharged_after": discharged_after}


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of some cases as the database gave them; `boxes` = where each unit that a plan or a question names is reminded."""

    cases: Sequence[Any]
    parties: Sequence[Any]
    notices: Sequence[Any]
    plans: Sequence[Any]
    called: Sequence[Any]
    asked: Sequence[Any]
    boxes: dict[str, UUID]


async def read(work: Work, cases: Sequence[UUID], mailboxes: Sequence[UUID] | None = None) -> Read:
    """The rows that duties are derived from, for many cases at once; notices of these mailboxes only, or of all."""
    parties, notices, plans, called, asked, found = [
        (await work.connection.execute(statement, parameters)).all() for statement, parameters in about_cases(cases, mailboxes)
    ]
    named = {plan.unit for plan in plans} | {plan.main_unit for plan in plans} | {one.unit for one in (*called, *asked)}
    return Read(found, parties, notices, plans, called, asked, await _boxes(work, sorted(named - {None})))


async def _boxes(work: Work, units: Sequence[str]) -> dict[str, UUID]:
    if not units:
        return {}
    return {row.unit: row.id for row in await work.connection.execute(_BOXES, {"units": list(units), "first": [*CATCH_ALL, "team"]})}


def about_cases(cases: Sequence[UUID], mailboxes: Sequence[UUID] | None) -> list[tuple[TextClause, dict[str, object]]]:
    """The statements that read what duties are derived from, with their parameters."""
    asked: dict[str, object] = {"cases": list(cases)}
    taken = {"types": sorted(TO_TAKE_ON), "mailboxes": None if mailboxes is None else list(mailboxes)}
    return [(PARTIES, asked), (NOTICES, asked | taken), (PLANS, asked), (CALLED, asked), (ASKED, asked), (CASES, asked)]


async def imported_until(work: Work, cases: Sequence[UUID]) -> dict[UUID, datetime]:
    """Until when what is known of these cases was imported; a case that was told as it happened is not here."""
    return {row.about: row.until for row in await work.connection.execute(IMPORTED, {"cases": list(cases)})}
