"""The access log as planning writes and searches it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from services.planning.vault import person_vault
from shared.db import Work

_PSEUDONYMS: Final = text(
    """
    WITH asked AS MATERIALIZED (
        SELECT CAST(:ids AS uuid[]) || ARRAY(SELECT joined_to FROM cases WHERE id = ANY(CAST(:ids AS uuid[])) AND joined_to IS NOT NULL)
               AS ids)
    SELECT patient.person_id, patient.kind FROM asked CROSS JOIN LATERAL (
        SELECT c.person_id, c.person ->> 'type' AS kind FROM cases c WHERE c.id = ANY(asked.ids)
        UNION SELECT coalesce(p.person_id, p.person ->> 'id'), p.person ->> 'type' FROM plans p WHERE p.id = ANY(asked.ids)
        UNION SELECT m.person_id, m.kind FROM patients_in_mailboxes(asked.ids) AS m) AS patient
    WHERE patient.person_id IS NOT NULL
    """
)
# An organisation reviews what its own people read, and what anybody read of the cases that it provided the care of.
_REVIEWED: Final = """
    (log.body ->> 'organisation' = :organisation
     OR EXISTS (SELECT FROM jsonb_array_elements_text(log.body -> 'cases') AS read (id)
                WHERE EXISTS (SELECT FROM cases c WHERE c.id = CAST(read.id AS uuid) AND c.provider = :organisation)
                   OR EXISTS (SELECT FROM plans p WHERE p.id = CAST(read.id AS uuid) AND p.organisation = :organisation)))
    AND (CAST(:since AS timestamptz) IS NULL OR CAST(log.body ->> 'at' AS timestamptz) >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR CAST(log.body ->> 'at' AS timestamptz) < :until)
"""
_PROVIDED: Final = text(
    """
    SELECT c.id, l.person_id, l.person ->> 'type' AS kind FROM cases c JOIN cases l ON l.id = coalesce(c.joined_to, c.id)
    WHERE c.id = ANY(CAST(:ids AS uuid[])) AND c.provider = :organisation
    UNION ALL SELECT p.id, coalesce(p.person_id, p.person ->> 'id'), p.person ->> 'type' FROM plans p
    WHERE p.id = ANY(CAST(:ids AS uuid[])) AND p.organisation = :organisation
    """
)
_ALL: Final = text(
    f"""
    SELECT e.position, e.hash, e.body FROM feed_entries e CROSS JOIN LATERAL (SELECT CAST(e.body AS jsonb) AS body) AS log
    WHERE e.feed = 'access' AND e.position > :after AND {_REVIEWED} ORDER BY e.position LIMIT :limit
    """  # noqa: S608  # constant text
)
# Found by index, one way of asking after the other; an entry that fits several of them once.
_MATCHING: Final = text(
    f"""
    SELECT DISTINCT e.position, e.hash, e.body
    FROM unnest(CAST(:ways AS text[])) AS way (asked) JOIN feed_entries e ON CAST(e.body AS jsonb) @> CAST(way.asked AS jsonb)
    CROSS JOIN LATERAL (SELECT CAST(e.body AS jsonb) AS body) AS log
    WHERE e.feed = 'access' AND e.position > :after AND {_REVIEWED} ORDER BY e.position LIMIT :limit
    """  # noqa: S608
)


async def pseudonyms(work: Work, ids: Collection[UUID]) -> list[str]:
    """What stands for the patients of cases, and of plans without a stay."""
    found = (await work.connection.execute(_PSEUDONYMS, {"ids": list(ids)})).all()
    return sorted({_pseudonym(row) for row in found})


async def page(
    work: Work,
    organisation: str,
    ways: Sequence[Mapping[str, object]],
    *,
    after: int,
    limit: int,
    since: datetime | None,
    until: datetime | None,
) -> Sequence[Any]:
    """Numbered accesses that an organisation may review, oldest first: rows of position, hash and body.

    Args:
        work: The transaction.
        organisation: Who reviews.
        ways: Members an access must have; one of these is enough, and none asks for every access.
        after: The number behind which to begin.
        limit: How many at most.
        since: From when.
        until: Until before when.
    """
    asked = {"organisation": organisation, "after": after, "limit": limit, "since": since, "until": until}
    if not ways:
        return (await work.connection.execute(_ALL, asked)).all()
    told = [msgspec.json.encode(way).decode() for way in ways]
    return (await work.connection.execute(_MATCHING, asked | {"ways": told})).all()


async def provided(work: Work, organisation: str, ids: Collection[str]) -> dict[str, str | None]:
    """Which of these cases, and plans without a stay, an organisation answers for, each with what stands for its patient."""
    found = await work.connection.execute(_PROVIDED, {"ids": sorted(ids), "organisation": organisation})
    return {str(row.id): None if row.person_id is None else _pseudonym(row) for row in found}


def _pseudonym(row: Any) -> str:  # a row
    """What stands for a patient. A row that was written before there were keys still holds the number, which must not come into the log."""
    number = str(row.person_id)
    return number if ":" in number else person_vault().stands_for(str(row.kind), number)


def told(body: str) -> dict[str, Any]:
    """What an entry of the log says."""
    entry: dict[str, Any] = msgspec.json.decode(body)
    return entry
