"""All that planning keeps of one person, to be handed out or to be erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text

from services.planning.repository.cases import names_of
from services.planning.repository.sealing import Opened
from shared.db import Work

# Every case of the person, under whatever number she was admitted, that this organisation provided the care of; whole, after a transfer.
_CASES: Final = text(
    """
    WITH numbers AS (
        SELECT to_jsonb(n.number) AS number FROM unnest(CAST(:numbers AS text[])) AS n (number)
        UNION SELECT jsonb_array_elements(o.person_ids)
        FROM unnest(CAST(:numbers AS text[])) AS n (number) JOIN cases o ON o.person_ids @> to_jsonb(n.number)),
    own AS (SELECT c.id FROM numbers n JOIN cases c ON c.person_ids @> n.number WHERE c.provider = :organisation)
    SELECT c.id, c.joined_to, c.version, c.state, coalesce(c.person -> 'protected' = 'true', false) AS protected
    FROM cases c WHERE c.id IN (SELECT id FROM own) OR c.joined_to IN (SELECT id FROM own) ORDER BY c.id
    """
)
# A plan that was written before there were keys is found by the number in its person, until the worker has sealed it.
_PLANS: Final = text(
    """
    SELECT id, state, coalesce(person -> 'protected' = 'true', false) AS protected
    FROM plans WHERE organisation = :organisation
      AND (person_id = ANY(CAST(:numbers AS text[]))
           OR (person_id IS NULL AND person ->> 'id' = :number AND person ->> 'type' = :kind)) ORDER BY id
    """
)
_PLANS_OF_STAYS: Final = text("SELECT DISTINCT state FROM plans WHERE case_id = ANY(CAST(:cases AS uuid[]))")
# A merge is hers by either of its numbers, and by any that one of her cases had.
_MERGES: Final = text(
    """
    WITH numbers AS (
        SELECT n.number FROM unnest(CAST(:numbers AS text[])) AS n (number)
        UNION SELECT jsonb_array_elements_text(c.person_ids) FROM cases c WHERE c.id = ANY(CAST(:cases AS uuid[])))
    SELECT id, coalesce(person -> 'protected' = 'true', false) AS protected FROM waiting_merges
    WHERE organisation = :organisation AND (merged IN (SELECT number FROM numbers) OR merged_into IN (SELECT number FROM numbers))
    ORDER BY id
    """
)
_MERGES_WHOLE: Final = text(
    """
    SELECT id, client, message, happened_at, received_at, jsonb_build_array('merge:' || id, person) AS person FROM waiting_merges
    WHERE id = ANY(CAST(:merges AS uuid[])) ORDER BY happened_at, id
    """
).columns(person=Opened)
_EVENTS: Final = text(
    """
    SELECT c.id AS case_id, e.id, e.sent_at, e.body FROM cases c JOIN events e ON e.space = c.space AND e.subject = c.subject
    WHERE c.id = ANY(CAST(:cases AS uuid[])) ORDER BY e.id
    """
)
_NOTICES: Final = text(
    """
    SELECT id, case_id, type, recipient, state, sent_at, delivered_at, acknowledged_at, acknowledged_by, withheld,
           jsonb_build_array('notice:' || id, CASE WHEN withheld IS NULL THEN personal END) AS personal
    FROM notices n WHERE case_id = ANY(CAST(:cases AS uuid[]))
       OR id IN (SELECT notice_id FROM plan_notices WHERE plan_id = ANY(CAST(:plans AS uuid[]))) ORDER BY sent_at, id
    """
).columns(personal=Opened)
_PLANS_WHOLE: Final = text(
    """
    SELECT p.id, p.case_id, p.kind, p.unit, p.state, p.consent, p.created_at, jsonb_build_array('plan:' || p.id, p.person) AS person,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'what', e.what, 'body', e.body) ORDER BY e.number), '[]')
            FROM plan_entries e WHERE e.plan_id = p.id) AS entries
    FROM plans p WHERE p.case_id = ANY(CAST(:cases AS uuid[])) OR p.id = ANY(CAST(:plans AS uuid[])) ORDER BY p.created_at, p.id
    """
).columns(person=Opened)
_BESIDE: Final[Mapping[str, TextClause]] = {
    "history": text(
        """
        SELECT case_id, version, at, client, what
        FROM case_history WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY at, case_id, version
        """
    ),
    "consents": text(
        """
        SELECT id, case_id, answer, purposes, given_by, valid_until, unit, recorded_at, withdrawn_at FROM consents
        WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY recorded_at, id
        """
    ),
    "messages": text(
        """
        SELECT id, case_id, sender, recipient, topic, body, written_by, sent_at FROM messages
        WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY sent_at, id
        """
    ),
    "deviations": text(
        """
        SELECT d.id, d.case_id, d.category, d.step, d.reporter, d.reported_at, d.state,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'unit', e.unit, 'what', e.what, 'body', e.body) ORDER BY e.number),
                                '[]') FROM deviation_entries e WHERE e.deviation_id = d.id) AS entries
        FROM deviations d WHERE d.case_id = ANY(CAST(:cases AS uuid[])) ORDER BY d.reported_at, d.id
        """
    ),
    "planning_statuses": text(
        """
        SELECT case_id, unit, status, ready_from, needs, stated_at FROM planning_statuses
        WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY stated_at, unit
        """
    ),
    "care_contacts": text(
        """
        SELECT case_id, unit, name, role, phone, appointed_at
        FROM care_contacts WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY case_id
        """
    ),
    "declined_measures": text(
        """
        SELECT id, case_id, unit, measures, declined_at, recorded_by FROM declined_measures
        WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY declined_at, id
        """
    ),
    "admission_reasons": text(
        """
        SELECT case_id, unit, reason, stated_by, stated_at
        FROM admission_reasons WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY case_id
        """
    ),
}
# Where she was registered and whether she was protected stays: what follows from the case, and what was billed, must not change.
_ERASE_EVENTS: Final = text(
    """
    UPDATE events AS e SET body = n.body FROM unnest(CAST(:ids AS bigint[]), CAST(:bodies AS text[])) AS n (id, body) WHERE e.id = n.id
    """
)
_ERASE_NOTICES: Final = text(
    """
    UPDATE notices SET personal = jsonb_build_object('withheld', 'erased'), withheld = 'erased', withheld_at = :at, withheld_basis = :basis
    WHERE personal IS NOT NULL AND withheld IS DISTINCT FROM 'erased'
      AND (case_id = ANY(CAST(:cases AS uuid[]))
           OR id IN (SELECT notice_id FROM plan_notices WHERE plan_id = ANY(CAST(:plans AS uuid[]))))
    RETURNING id, type, case_id, state IN ('sent', 'delivered') AS waited
    """
)
_ERASE_PLANS: Final = text(
    """
    UPDATE plans SET person = CAST(:left AS jsonb), person_id = NULL WHERE id = ANY(CAST(:plans AS uuid[])) RETURNING id
    """
)
_ERASE_MERGES: Final = text("DELETE FROM waiting_merges WHERE id = ANY(CAST(:merges AS uuid[]))")
_ERASE_MESSAGES: Final = text("UPDATE messages SET body = NULL WHERE case_id = ANY(CAST(:cases AS uuid[]))")
_ERASE_REASONS: Final = text("UPDATE admission_reasons SET reason = '' WHERE case_id = ANY(CAST(:cases AS uuid[]))")
# Over, untouched for so long, no plan of hers open, and not erased before; the leader of a joined case stands for all of it. An open plan
# that was written before there were keys is taken for anybody's until the worker has sealed it.
_OUTLIVED: Final = """
    FROM cases c WHERE c.state IN ('discharged', 'cancelled', 'deceased') AND c.changed_at < :before AND c.person IS NOT NULL
      AND NOT jsonb_exists(c.person, 'withheld') AND (c.joined_to IS NULL OR c.joined_to = c.id)
      AND NOT EXISTS (SELECT FROM cases m JOIN plans p ON p.case_id = m.id
                      WHERE (m.id = c.id OR m.joined_to = c.id) AND p.state NOT IN ('closed', 'refused', 'withdrawn'))
      AND NOT EXISTS (SELECT FROM plans p
                      WHERE p.person_id IN (SELECT jsonb_array_elements_text(m.person_ids) FROM cases m
                                            WHERE m.id = c.id OR m.joined_to = c.id)
                        AND p.organisation = c.provider AND p.state NOT IN ('closed', 'refused', 'withdrawn'))
      AND NOT EXISTS (SELECT FROM plans p
                      WHERE p.person_id IS NULL AND jsonb_exists(p.person, 'id') AND p.state NOT IN ('closed', 'refused', 'withdrawn'))
"""
# A plan without a stay that came to its end, in which nothing was said since, of a person of whom nothing is open here: neither a case that
# this organisation provides the care of, nor another plan. One that was written before there were keys waits for the worker to seal it.
_OUTLIVED_PLANS: Final = """
    FROM plans p WHERE p.case_id IS NULL AND p.state IN ('closed', 'refused', 'withdrawn') AND p.created_at < :before
      AND p.person_id IS NOT NULL AND NOT jsonb_exists(p.person, 'withheld')
      AND NOT EXISTS (SELECT FROM plan_entries e WHERE e.plan_id = p.id AND e.at >= :before)
      AND NOT EXISTS (SELECT FROM plans o WHERE o.person_id = p.person_id AND o.organisation = p.organisation
                      AND o.state NOT IN ('closed', 'refused', 'withdrawn'))
      AND NOT EXISTS (SELECT FROM cases c LEFT JOIN cases l ON l.id = c.joined_to
                      WHERE c.person_ids @> to_jsonb(p.person_id) AND c.provider = p.organisation
                        AND coalesce(l.state, c.state) NOT IN ('discharged', 'cancelled', 'deceased'))
"""
_COUNT_OUTLIVED_PLANS: Final = text(f"SELECT count(*) {_OUTLIVED_PLANS}")  # constant text
_SOME_OUTLIVED_PLANS: Final = text(f"SELECT p.id {_OUTLIVED_PLANS} ORDER BY p.created_at, p.id LIMIT :limit")
_OUTLIVED_PLAN: Final = text(f"SELECT p.id, p.state, false AS protected {_OUTLIVED_PLANS} AND p.id = :id")
_COUNT_OUTLIVED: Final = text(f"SELECT count(*) {_OUTLIVED}")  # constant text
_SOME_OUTLIVED: Final = text(f"SELECT c.id {_OUTLIVED} ORDER BY c.changed_at, c.id LIMIT :limit")
_IS_OUTLIVED: Final = text(f"SELECT EXISTS (SELECT {_OUTLIVED} AND c.id = :id)")
_PARTS: Final = text(
    """
    SELECT c.id, c.joined_to, c.version, c.state, false AS protected FROM cases c
    WHERE c.id = :id OR c.joined_to = :id ORDER BY c.id
    """
)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where something is kept of a person: rows of cases (each part of a joined one), of plans without a stay, of merges that wait."""

    cases: Sequence[Any]
    plans: Sequence[Any]
    merges: Sequence[Any] = ()

    def __bool__(self) -> bool:
        return bool(self.cases or self.plans or self.merges)

    @property
    def case_ids(self) -> list[UUID]:
        """The ids of the cases."""
        return [row.id for row in self.cases]

    @property
    def plan_ids(self) -> list[UUID]:
        """The ids of the plans without a stay."""
        return [row.id for row in self.plans]

    @property
    def merge_ids(self) -> list[UUID]:
        """The ids of the merges that wait for a stay."""
        return [row.id for row in self.merges]


async def kept_of(work: Work, organisation: str, kind: str, number: str) -> Kept:
    """Where something is kept of a person that this organisation answers for."""
    asked = {"numbers": names_of(kind, number), "organisation": organisation}
    cases = (await work.connection.execute(_CASES, asked)).all()
    plans = (await work.connection.execute(_PLANS, asked | {"kind": kind, "number": number})).all()
    merges = await work.connection.execute(_MERGES, asked | {"cases": [row.id for row in cases]})
    return Kept(cases, plans, merges.all())


async def states_of_plans(work: Work, kept: Kept) -> frozenset[str]:
    """How far every plan of hers has come, those of her stays too."""
    of_stays = (await work.connection.execute(_PLANS_OF_STAYS, {"cases": kept.case_ids})).scalars()
    return frozenset(of_stays) | {row.state for row in kept.plans}


async def kept_of_case(work: Work, case_id: UUID) -> Kept:
    """The same for a case alone."""
    return Kept((await work.connection.execute(_PARTS, {"id": case_id})).all(), ())


async def events_of(work: Work, cases: Sequence[UUID]) -> Sequence[Any]:
    """Every event of these cases, oldest first: rows of case_id, id, sent_at and body as it is kept."""
    return (await work.connection.execute(_EVENTS, {"cases": list(cases)})).all()


async def notices_of(work: Work, kept: Kept) -> Sequence[Any]:
    """The notices, with their personal parts as far as these are not withheld."""
    return (await work.connection.execute(_NOTICES, {"cases": kept.case_ids, "plans": kept.plan_ids})).all()


async def plans_of(work: Work, kept: Kept) -> Sequence[Any]:
    """The plans with everything that was said in them."""
    return (await work.connection.execute(_PLANS_WHOLE, {"cases": kept.case_ids, "plans": kept.plan_ids})).all()


async def merges_of(work: Work, kept: Kept) -> Sequence[Any]:
    """The merges of her numbers that wait for a stay."""
    return (await work.connection.execute(_MERGES_WHOLE, {"merges": kept.merge_ids})).all()


async def beside(work: Work, kept: Kept) -> dict[str, Sequence[Any]]:
    """What else was entered of the cases, by kind."""
    return {name: (await work.connection.execute(statement, {"cases": kept.case_ids})).all() for name, statement in _BESIDE.items()}


async def erase(work: Work, kept: Kept, bodies: Mapping[int, str], *, basis: str) -> Sequence[Any]:
    """Overwrite what is kept of a person beside the cases themselves, which follow from their events.

    Returns the notices that it concerned: rows of id, type, case_id and whether they waited for somebody to take them on.

    Args:
        work: The transaction, which holds the cases locked.
        kept: Where something is kept of her.
        bodies: The events of the cases as they are to be kept from now on.
        basis: Why.
    """
    where = {"cases": kept.case_ids, "plans": kept.plan_ids}
    await work.connection.execute(_ERASE_EVENTS, {"ids": list(bodies), "bodies": list(bodies.values())})
    notices = (await work.connection.execute(_ERASE_NOTICES, where | {"at": work.at, "basis": basis})).all()
    left = msgspec.json.encode({"withheld": "erased", "at": work.at, "basis": basis}).decode()
    await work.connection.execute(_ERASE_MERGES, {"merges": kept.merge_ids})
    await work.connection.execute(_ERASE_PLANS, {"plans": kept.plan_ids, "left": left})
    for statement in (_ERASE_MESSAGES, _ERASE_REASONS):
        await work.connection.execute(statement, {"cases": kept.case_ids})
    return notices


async def count_outlived(work: Work, before: datetime) -> tuple[int, int]:
    """How many cases are over and were not touched since, and how many plans without a stay."""
    cases = (await work.connection.execute(_COUNT_OUTLIVED, {"before": before})).scalar_one()
    return int(cases), int((await work.connection.execute(_COUNT_OUTLIVED_PLANS, {"before": before})).scalar_one())


async def some_outlived(work: Work, before: datetime, limit: int) -> Sequence[UUID]:
    """Some of these cases, those longest untouched first."""
    return (await work.connection.execute(_SOME_OUTLIVED, {"before": before, "limit": limit})).scalars().all()


async def is_outlived(work: Work, before: datetime, case_id: UUID) -> bool:
    """Whether a case is still one of these, asked again when it is locked."""
    return bool((await work.connection.execute(_IS_OUTLIVED, {"before": before, "id": case_id})).scalar_one())


async def some_outlived_plans(work: Work, before: datetime, limit: int) -> Sequence[UUID]:
    """Some plans without a stay that are over, the oldest first."""
    return (await work.connection.execute(_SOME_OUTLIVED_PLANS, {"before": before, "limit": limit})).scalars().all()


async def outlived_plan(work: Work, before: datetime, plan_id: UUID) -> Kept | None:
    """One of these, asked again when it is locked; none where it is one no more."""
    found = (await work.connection.execute(_OUTLIVED_PLAN, {"before": before, "id": plan_id})).all()
    return Kept((), found) if found else None
