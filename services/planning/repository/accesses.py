"""The access log as planning writes and searches it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from services.planning.vault import person_vault
from shared.db import Work

SCANNED: Final = 2_000
"""How many accesses one page looks through at most."""
BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""Before any access was logged."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accesses: those of any of the cases or of the patient, where some are named, that fit the rest as well."""

    cases: Sequence[UUID] = ()
    patient: str | None = None
    client: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of position, hash and body, and behind which number to go on; none: there are no more."""

    rows: Sequence[Any]
    next: int | None


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
# The same of many at once, each by itself, for the worker, who has no mailboxes.
_PSEUDONYMS_OF_EACH: Final = text(
    """
    SELECT asked.id, patient.person_id, patient.kind FROM unnest(CAST(:ids AS uuid[])) AS asked (id)
    LEFT JOIN cases own ON own.id = asked.id CROSS JOIN LATERAL (
        SELECT c.person_id, c.person ->> 'type' AS kind FROM cases c WHERE c.id IN (asked.id, own.joined_to)
        UNION SELECT coalesce(p.person_id, p.person ->> 'id'), p.person ->> 'type' FROM plans p WHERE p.id IN (asked.id, own.joined_to)
    ) AS patient
    WHERE patient.person_id IS NOT NULL
    """
)
_PROVIDED: Final = text(
    """
    SELECT c.id, l.person_id, l.person ->> 'type' AS kind FROM cases c JOIN cases l ON l.id = coalesce(c.joined_to, c.id)
    WHERE c.id = ANY(CAST(:ids AS uuid[])) AND c.provider = :organisation
    UNION ALL SELECT p.id, coalesce(p.person_id, p.person ->> 'id'), p.person ->> 'type' FROM plans p
    WHERE p.id = ANY(CAST(:ids AS uuid[])) AND p.organisation = :organisation
    """
)
# Each term's positions come in order from the index, so that a page costs what it looks through and not what the log holds.
PAGE: Final = text(
    """
    WITH looked_at AS MATERIALIZED (
        SELECT DISTINCT found.position FROM unnest(CAST(:terms AS text[])) AS asked (term) CROSS JOIN LATERAL (
            SELECT t.position FROM access_terms t WHERE t.term = asked.term AND t.position > :after
            ORDER BY t.position LIMIT :scanned) AS found
        ORDER BY position LIMIT :scanned),
    fitting AS (
        SELECT e.position, e.hash, e.body FROM looked_at
        JOIN feed_entries e ON e.feed = 'access' AND e.position = looked_at.position
        CROSS JOIN LATERAL (SELECT CAST(e.body AS jsonb) AS body OFFSET 0) AS log
        WHERE EXISTS (SELECT FROM access_terms own WHERE own.term = :reviewed_by AND own.position = e.position)
          AND (CAST(:client AS text) IS NULL OR log.body ->> 'client' = :client)
          AND (CAST(:user AS text) IS NULL OR log.body ->> 'user' = :user)
          AND (CAST(:since AS timestamptz) IS NULL OR CAST(log.body ->> 'at' AS timestamptz) >= :since)
          AND (CAST(:until AS timestamptz) IS NULL OR CAST(log.body ->> 'at' AS timestamptz) < :until)
        ORDER BY e.position LIMIT :limit)
    SELECT ends.looked_at, ends.last, fitting.position, fitting.hash, fitting.body
    FROM (SELECT count(*) AS looked_at, max(position) AS last FROM looked_at) AS ends LEFT JOIN fitting ON true ORDER BY fitting.position
    """
)
_NOT_FOUND: Final = text(
    """
    SELECT e.position FROM feed_entries e CROSS JOIN LATERAL (SELECT CAST(e.body AS jsonb) AS body OFFSET 0) AS log
    CROSS JOIN LATERAL (
        SELECT 'organisation:' || (log.body ->> 'organisation') || more.term AS term FROM (VALUES
            (''), ('/month:' || left(log.body ->> 'at', 7)), ('/client:' || (log.body ->> 'client')), ('/user:' || (log.body ->> 'user'))
        ) AS more (term)
        UNION ALL SELECT 'case:' || read.id FROM jsonb_array_elements_text(log.body -> 'cases') AS read (id)
        UNION ALL SELECT 'patient:' || patient.id FROM jsonb_array_elements_text(log.body -> 'patients') AS patient (id)) AS wanted
    WHERE e.feed = 'access' AND wanted.term IS NOT NULL
      AND NOT EXISTS (SELECT FROM access_terms t WHERE t.term = wanted.term AND t.position = e.position)
    GROUP BY e.position ORDER BY e.position LIMIT :limit
    """
)
_TOLD: Final = text(
    """
    SELECT entry_id FROM feed_entries WHERE entry_id = ANY(CAST(:ids AS uuid[])) AND feed = 'access'
    UNION SELECT entry_id FROM outbox WHERE entry_id = ANY(CAST(:ids AS uuid[])) AND feed = 'access'
    """
)


async def pseudonyms(work: Work, ids: Collection[UUID]) -> list[str]:
    """What stands for the patients of cases, and of plans without a stay."""
    found = (await work.connection.execute(_PSEUDONYMS, {"ids": list(ids)})).all()
    return sorted({_pseudonym(row) for row in found})


async def pseudonyms_of_each(work: Work, ids: Collection[UUID]) -> Mapping[UUID, frozenset[str]]:
    """What stands for the patients of each of many cases, and plans without a stay; those without one are not here."""
    found: dict[UUID, frozenset[str]] = {}
    for row in await work.connection.execute(_PSEUDONYMS_OF_EACH, {"ids": sorted(ids)}):
        found[row.id] = found.get(row.id, frozenset()) | {_pseudonym(row)}
    return found


async def page(work: Work, organisation: str, wanted: Wanted, *, after: int, limit: int) -> Found:
    """Numbered accesses that an organisation may review, oldest first: what its own people read, and who read of what it answers for.

    At most `SCANNED` accesses are looked through, whatever is asked for, and the log may be ever so long: the answer says where to go on.

    Args:
        work: The transaction.
        organisation: Who reviews.
        wanted: Which of them.
        after: The number behind which to begin.
        limit: How many at most.
    """
    rows = (await work.connection.execute(PAGE, asked(organisation, wanted, work.at, after=after, limit=limit))).all()
    found = [row for row in rows if row.position is not None]
    if len(found) == limit:
        return Found(found, found[-1].position)
    return Found(found, rows[0].last if rows[0].looked_at == SCANNED else None)


def asked(organisation: str, wanted: Wanted, at: datetime, *, after: int, limit: int) -> dict[str, object]:
    """The parameters of `PAGE`."""
    return {
        "terms": _terms(organisation, wanted, at),
        "reviewed_by": f"organisation:{organisation}",
        "client": wanted.client,
        "user": wanted.user,
        "since": wanted.since,
        "until": wanted.until,
        "after": after,
        "limit": limit,
        "scanned": SCANNED,
    }


def _terms(organisation: str, wanted: Wanted, at: datetime) -> list[str]:
    """Under which terms of the index the accesses stand, the narrowest there are."""
    own = f"organisation:{organisation}"
    if wanted.cases or wanted.patient is not None:
        return [*(f"case:{case}" for case in wanted.cases), *([] if wanted.patient is None else [f"patient:{wanted.patient}"])]
    if wanted.user is not None:
        return [f"{own}/user:{wanted.user}"]
    if wanted.client is not None:
        return [f"{own}/client:{wanted.client}"]
    if wanted.since is None:
        return [own]
    last = at if wanted.until is None else min(wanted.until - timedelta.resolution, at)
    return [f"{own}/month:{month}" for month in _months(wanted.since, last)]


def _months(first: datetime, last: datetime) -> list[str]:
    """The months of UTC from one instant through another, written as the instants of the log begin."""
    begins, ends = (one.astimezone(UTC) for one in (max(first, BEGINNING), last))
    numbered = range(begins.year * 12 + begins.month - 1, ends.year * 12 + ends.month)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbered]


async def not_found(work: Work, limit: int) -> Sequence[int]:
    """Some accesses that stand in the log and are not found by all that their own entry says."""
    return (await work.connection.execute(_NOT_FOUND, {"limit": limit})).scalars().all()


async def told_before(work: Work, ids: Collection[UUID]) -> frozenset[UUID]:
    """Which accesses stand in the log by these ids, or wait for their number."""
    return frozenset((await work.connection.execute(_TOLD, {"ids": list(ids)})).scalars())


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
