"""Finding plans by what is asked for: ids of plans that may be the caller's. Whose they are row-level security and the table decide."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.cases import names_of
from shared.db import Work
from shared.http.auth import Caller

# A little more than the caller's, by what is cheap to look at: who leads or left a plan follows from what others were told.
_OF_CALLER: Final = text(
    """
    WITH own AS (SELECT unnest(CAST(:prefixes AS text[])) AS prefix),
    teams AS (
        SELECT tm.team FROM team_members tm JOIN own ON starts_with(tm.unit, own.prefix)
        WHERE daterange(tm.valid_from, tm.valid_to, '[]') @> CAST(now() AT TIME ZONE 'Europe/Stockholm' AS date))
    SELECT p.id FROM plans p LEFT JOIN cases c ON c.id = p.case_id
    WHERE p.id > :after
      AND (EXISTS (SELECT FROM own WHERE starts_with(p.unit, own.prefix) OR starts_with(c.ward, own.prefix)
                                      OR starts_with(c.outpatient_unit, own.prefix))
           OR p.unit IN (SELECT team FROM teams) OR c.outpatient_unit IN (SELECT team FROM teams)
           OR c.parties @> to_jsonb('municipality:' || CAST(:municipality AS text))
           OR EXISTS (SELECT FROM plan_parties t JOIN own ON starts_with(t.unit, own.prefix) WHERE t.plan_id = p.id))
    ORDER BY p.id LIMIT :limit
    """
)
# After a transfer several rows are one case, and a plan hangs on any of them.
_OF_CASE: Final = text(
    """
    SELECT p.id FROM plans p
    WHERE p.id > :after AND p.case_id IN (
        SELECT m.id FROM cases c JOIN cases m ON m.id = c.id OR m.joined_to = c.joined_to WHERE c.id = :case)
    ORDER BY p.id LIMIT :limit
    """
)
# Under whatever number she was admitted; a plan that was written before there were keys by the number itself, until it is sealed.
# `OFFSET 0` has each step look up what the one before it found: how few cases one number has is nothing that PostgreSQL can guess.
_OF_PERSON: Final = text(
    """
    WITH names AS (
        SELECT to_jsonb(n.number) AS name FROM unnest(CAST(:numbers AS text[])) AS n (number)
        UNION SELECT jsonb_array_elements(o.person_ids)
        FROM unnest(CAST(:numbers AS text[])) AS n (number) JOIN cases o ON o.person_ids @> to_jsonb(n.number)),
    hers AS (
        SELECT DISTINCT m.id FROM names n
        CROSS JOIN LATERAL (SELECT c.id, c.joined_to FROM cases c WHERE c.person_ids @> n.name OFFSET 0) AS c
        CROSS JOIN LATERAL (SELECT m.id FROM cases m WHERE m.id = c.id OR m.joined_to = c.joined_to OFFSET 0) AS m)
    SELECT p.id FROM hers CROSS JOIN LATERAL (SELECT p.id FROM plans p WHERE p.case_id = hers.id OFFSET 0) AS p
    UNION SELECT p.id FROM names n
        CROSS JOIN LATERAL (SELECT p.id FROM plans p WHERE p.person_id = n.name #>> '{}' OFFSET 0) AS p
    UNION SELECT p.id FROM plans p WHERE p.person_id IS NULL AND p.person ->> 'id' = :number AND p.person ->> 'type' = :kind
    ORDER BY id
    """
)
_SEEN: Final = text("SELECT id FROM plans WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id")


async def of_caller(work: Work, caller: Caller, *, after: UUID, limit: int) -> Sequence[UUID]:
    """Plans that the caller leads, takes part in or has the case of, by id: all of those, and perhaps some that it had once."""
    rights = {"prefixes": list(caller.unit_prefixes), "municipality": caller.municipality}
    return (await work.connection.execute(_OF_CALLER, rights | {"after": after, "limit": limit})).scalars().all()


async def of_case(work: Work, case_id: UUID, *, after: UUID, limit: int) -> Sequence[UUID]:
    """The plans of one stay by id, whosever they are."""
    return (await work.connection.execute(_OF_CASE, {"case": case_id, "after": after, "limit": limit})).scalars().all()


async def of_person(work: Work, kind: str, number: str) -> Sequence[UUID]:
    """The plans of one person, of her stays and beside them, by id, whosever they are."""
    asked = {"numbers": names_of(kind, number), "number": number, "kind": kind}
    return (await work.connection.execute(_OF_PERSON, asked)).scalars().all()


async def seen(work: Work, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Which of these row-level security shows to whom the transaction reads for, by id."""
    return (await work.connection.execute(_SEEN, {"ids": list(ids)})).scalars().all() if ids else ()
