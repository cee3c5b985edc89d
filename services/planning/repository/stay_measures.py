"""The projection of the follow-up: what it is measured from, set-based, and the rows themselves."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.domain.measures import Beside, Handled, NoticeTaken
from services.planning.repository.worklist import imported_until
from services.planning.tables.indicators import stay_measures
from shared.db import Work
from shared.events.facts import StayChanged
from shared.events.notice_types import TO_TAKE_ON
from shared.streams.outbox import FACTS_FEED

OWN_STREAM: Final = "planning/indicators"
_BEGIN: Final = text("INSERT INTO stream_cursors (stream, epoch, position) VALUES (:stream, 1, 0) ON CONFLICT DO NOTHING")
_LOCK: Final = text("SELECT position FROM stream_cursors WHERE stream = :stream FOR UPDATE SKIP LOCKED")
_TOLD: Final = text(
    """
    SELECT position, subject, CASE WHEN kind = :kind THEN body END AS body
    FROM feed_entries WHERE feed = :feed AND position > :after ORDER BY position LIMIT :limit
    """
)
_MOVE: Final = text(
    "UPDATE stream_cursors SET position = :position, delivered = delivered + :moved, moved_at = clock_timestamp() WHERE stream = :stream"
)
# After a restored backup the stream may end before the cursor: begin anew, which changes no row that is right.
_REWIND: Final = text(
    """
    UPDATE stream_cursors SET position = 0 WHERE stream = :stream
      AND position > (SELECT coalesce(max(h.position), 0) FROM feed_heads h WHERE h.feed = :feed)
    """
)
_POSITION: Final = text("SELECT position FROM stream_cursors WHERE stream = :stream")
_NEWEST: Final = text(
    """
    SELECT subject, max(position) AS position FROM feed_entries
    WHERE feed = :feed AND kind = :kind AND subject IS NOT NULL AND position <= :through GROUP BY subject ORDER BY subject
    """
)
_BODIES: Final = text("SELECT body FROM feed_entries WHERE feed = :feed AND position = ANY(CAST(:positions AS bigint[]))")
_KEPT: Final = text("SELECT case_id, case_version, stay FROM stay_measures WHERE case_id = ANY(CAST(:cases AS uuid[]))")
_LEADING_HERE: Final = text("SELECT case_id FROM stay_measures WHERE next_case = ANY(CAST(:cases AS uuid[]))")
# Every admission of the same persons. A reserve number tells nobody apart: each hospital gives its own.
_ADMISSIONS: Final = text(
    """
    SELECT DISTINCT c.id AS case_id, o.id AS other, CAST(o.view ->> 'admitted_at' AS timestamptz) AS admitted_at,
           o.state IS DISTINCT FROM 'cancelled' AND (o.joined_to IS NULL OR o.joined_to = o.id) AS stands
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN cases c USING (id)
    CROSS JOIN jsonb_array_elements(c.person_ids) AS n (number)
    JOIN cases o ON o.person_ids @> n.number AND o.id <> c.id
    WHERE n.number #>> '{}' NOT LIKE 'reservnummer:%'
    """
)
_CASES: Final = text(
    """
    SELECT c.id, c.version, c.outpatient_unit, CAST(c.view ->> 'planned_discharge_date' AS date) AS planned, k.appointed_at
    FROM unnest(CAST(:cases AS uuid[])) AS asked (id) JOIN cases c USING (id)
    LEFT JOIN care_contacts k ON k.case_id = c.id AND k.unit = c.outpatient_unit
    """
)
_CALLED: Final = text(
    """
    SELECT n.case_id, min(n.sent_at) AS at
    FROM unnest(CAST(:cases AS uuid[]), CAST(:recipients AS text[])) AS asked (id, recipient)
    JOIN notices n ON n.case_id = asked.id AND n.recipient = asked.recipient AND n.type = 'notice.sip_invitation'
    JOIN plan_notices b ON b.notice_id = n.id JOIN plans p ON p.id = b.plan_id AND p.kind = 'sip'
    GROUP BY n.case_id
    """
)
_HELD: Final = text(
    """
    SELECT DISTINCT ON (p.case_id) p.case_id, CAST(e.body ->> 'at' AS timestamptz) AS at, e.body ->> 'link' IS NOT NULL AS by_video
    FROM plans p JOIN plan_entries e ON e.plan_id = p.id AND e.what = 'held'
    WHERE p.case_id = ANY(CAST(:cases AS uuid[])) AND p.kind = 'sip'
    ORDER BY p.case_id, CAST(e.body ->> 'at' AS timestamptz) DESC, p.id, e.number DESC
    """
)
# The patient said no to every plan she was asked about, or took a yes back.
_REFUSED: Final = text(
    """
    SELECT p.case_id FROM plans p WHERE p.case_id = ANY(CAST(:cases AS uuid[])) AND p.kind = 'sip'
    GROUP BY p.case_id HAVING bool_or(p.consent IN ('refused', 'withdrawn')) AND bool_or(p.consent = 'given') IS NOT TRUE
    """
)
_READY_FROM: Final = text(
    """
    SELECT s.case_id, max(s.ready_from) AS at
    FROM unnest(CAST(:cases AS uuid[]), CAST(:recipients AS text[])) AS asked (id, recipient)
    JOIN planning_statuses s ON s.case_id = asked.id AND s.recipient = asked.recipient AND s.status = 'ready_from'
    GROUP BY s.case_id
    """
)
_NOTICES: Final = text(
    """
    SELECT n.case_id, n.recipient, n.sent_at, n.acknowledged_at FROM notices n
    WHERE n.case_id = ANY(CAST(:cases AS uuid[])) AND n.type = ANY(CAST(:types AS text[]))
      AND (n.state IN ('sent', 'delivered', 'acknowledged') OR n.state = 'superseded' AND n.acknowledged_at IS NOT NULL)
    ORDER BY n.sent_at, n.id
    """
)
_DEVIATIONS: Final = text(
    """
    SELECT case_id, step, CAST(floor(EXTRACT(EPOCH FROM answered_at - reported_at) / 60) AS integer) AS minutes
    FROM deviations WHERE case_id = ANY(CAST(:cases AS uuid[])) ORDER BY reported_at, id
    """
)
_COLUMNS: Final = [column.name for column in stay_measures.columns]
_SETS: Final = [name for name in _COLUMNS if name not in {"case_id", "measured_at"}]
_ROWS: Final = "jsonb_populate_recordset(CAST(NULL AS stay_measures), CAST(:rows AS jsonb))"


def _listed(names: Iterable[str], table: str = "") -> str:
    return ", ".join(f"{table}{name}" for name in names)


# A row that says the same is not written: `measured_at` tells when a stay last moved.
_PUT: Final = text(
    f"""
    INSERT INTO stay_measures AS m ({_listed(_COLUMNS)}) SELECT {_listed(_COLUMNS)} FROM {_ROWS}
    ON CONFLICT (case_id) DO UPDATE SET ({_listed(_SETS)}, measured_at) = ROW({_listed(_SETS, "excluded.")}, excluded.measured_at)
    WHERE m.case_version <= excluded.case_version AND ROW({_listed(_SETS, "m.")}) IS DISTINCT FROM ROW({_listed(_SETS, "excluded.")})
    """  # noqa: S608  # names of our own columns
)
_DROP: Final = text("DELETE FROM stay_measures WHERE case_id = ANY(CAST(:cases AS uuid[]))")
_DIFFERING: Final = text(
    f"""
    SELECT r.case_id FROM {_ROWS} AS r LEFT JOIN stay_measures m USING (case_id)
    WHERE ROW({_listed(_SETS, "m.")}) IS DISTINCT FROM ROW({_listed(_SETS, "r.")})
    """  # noqa: S608
)
_UNTOLD: Final = text("SELECT case_id FROM stay_measures WHERE NOT case_id = ANY(CAST(:cases AS uuid[]))")


@dataclass(frozen=True, slots=True)
class Told:
    """What the stream told of cases: how many facts, which cases they are about, and the newest snapshot of each stay among them."""

    facts: int
    cases: frozenset[UUID]
    stays: Mapping[UUID, StayChanged]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a stay: the version of the case it was told with, and the stay as it was kept."""

    version: int
    stay: str


@dataclass(frozen=True, slots=True)
class Around:
    """A case beside its stay: its present version, what follows from other tables, and the next admission of the same person."""

    version: int
    beside: Beside
    later: Sequence[tuple[datetime, UUID]]


async def told_next(work: Work, limit: int) -> Told:
    """The next stretch of the own stream; the cursor moves with the transaction. While another worker follows it there is nothing to do."""
    await work.connection.execute(_BEGIN, {"stream": OWN_STREAM})
    cursor = (await work.connection.execute(_LOCK, {"stream": OWN_STREAM})).one_or_none()
    if cursor is None:
        return Told(0, frozenset(), {})
    asked = {"feed": FACTS_FEED, "after": cursor.position, "limit": limit, "kind": StayChanged.kind}
    rows = (await work.connection.execute(_TOLD, asked)).all()
    if not rows:
        await work.connection.execute(_REWIND, {"stream": OWN_STREAM, "feed": FACTS_FEED})
        return Told(0, frozenset(), {})
    await work.connection.execute(_MOVE, {"stream": OWN_STREAM, "position": rows[-1].position, "moved": len(rows)})
    cases = frozenset(row.subject for row in rows if row.subject is not None)
    return Told(len(rows), cases, _newest(row.body for row in rows if row.body is not None))


def _newest(bodies: Iterable[str]) -> dict[UUID, StayChanged]:
    found: dict[UUID, StayChanged] = {}
    for body in bodies:
        fact = StayChanged.model_validate_json(body, strict=False)
        if fact.case_id not in found or found[fact.case_id].case_version <= fact.case_version:
            found[fact.case_id] = fact
    return found


async def newest_positions(work: Work) -> Mapping[UUID, int]:
    """Where the stream last told of each stay, as far as it has been followed."""
    through = (await work.connection.execute(_POSITION, {"stream": OWN_STREAM})).scalar_one_or_none() or 0
    asked = {"feed": FACTS_FEED, "kind": StayChanged.kind, "through": through}
    return {row.subject: row.position for row in await work.connection.execute(_NEWEST, asked)}


async def told_at(work: Work, positions: Sequence[int]) -> Mapping[UUID, StayChanged]:
    """The stays told at these positions of the stream."""
    found = await work.connection.execute(_BODIES, {"feed": FACTS_FEED, "positions": list(positions)})
    return _newest(found.scalars())


async def kept(work: Work, cases: Collection[UUID]) -> dict[UUID, Kept]:
    """The stays that are known of these cases."""
    found = await work.connection.execute(_KEPT, {"cases": list(cases)})
    return {row.case_id: Kept(row.case_version, row.stay) for row in found}


async def of_same_persons(work: Work, cases: Collection[UUID]) -> set[UUID]:
    """Other cases of the same persons, now or when they were measured: a readmission changes what is said of the stay before it."""
    asked = {"cases": list(cases)}
    now = {row.other for row in await work.connection.execute(_ADMISSIONS, asked)}
    return now | set((await work.connection.execute(_LEADING_HERE, asked)).scalars())


async def around(work: Work, municipalities: Mapping[UUID, str | None]) -> dict[UUID, Around]:
    """What planning's tables say of these cases beside their stays; each with the municipality that its notices went to."""
    ids = sorted(municipalities)
    asked: dict[str, object] = {"cases": ids}
    to_municipality = asked | {"recipients": [f"municipality:{municipalities[one]}" for one in ids]}
    found = (await work.connection.execute(_CASES, asked)).all()
    called = {row.case_id: row.at for row in await work.connection.execute(_CALLED, to_municipality)}
    held = {row.case_id: row for row in await work.connection.execute(_HELD, asked)}
    refused = set((await work.connection.execute(_REFUSED, asked)).scalars())
    ready_from = {row.case_id: row.at for row in await work.connection.execute(_READY_FROM, to_municipality)}
    notices, deviations = await _notices(work, ids), _by_case(await work.connection.execute(_DEVIATIONS, asked))
    admissions = _by_case(await work.connection.execute(_ADMISSIONS, asked))
    return {
        row.id: Around(
            row.version,
            Beside(
                outpatient_unit=row.outpatient_unit,
                planned_date=row.planned,
                care_contact_at=row.appointed_at,
                called_at=called.get(row.id),
                sip_refused=row.id in refused,
                held_at=held[row.id].at if row.id in held else None,
                held_by_video=row.id in held and held[row.id].by_video,
                ready_from=ready_from.get(row.id),
                municipal_notices=notices.get((row.id, f"municipality:{municipalities[row.id]}"), ()),
                outpatient_notices=notices.get((row.id, f"unit:{row.outpatient_unit}"), ()),
                deviations=tuple(Handled(one.step, one.minutes) for one in deviations[row.id]),
            ),
            sorted((one.admitted_at, one.other) for one in admissions[row.id] if one.stands and one.admitted_at is not None),
        )
        for row in found
    }


async def _notices(work: Work, cases: Sequence[UUID]) -> dict[tuple[UUID, str], tuple[NoticeTaken, ...]]:
    """The notices that were to be taken on, by case and recipient; those that history made expected nobody to."""
    imported = await imported_until(work, cases)
    found: dict[tuple[UUID, str], tuple[NoticeTaken, ...]] = {}
    for row in await work.connection.execute(_NOTICES, {"cases": list(cases), "types": sorted(TO_TAKE_ON)}):
        if row.case_id not in imported or row.sent_at > imported[row.case_id]:
            key = (row.case_id, row.recipient)
            found[key] = (*found.get(key, ()), NoticeTaken(row.sent_at, row.acknowledged_at))
    return found


def _by_case(rows: Any) -> defaultdict[UUID, list[Any]]:  # a result
    found: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found


async def put(work: Work, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows, by the names of their columns; one told with an older version of its case than is known changes nothing."""
    if rows:
        await work.connection.execute(_PUT, {"rows": _json(rows)})


async def drop(work: Work, cases: Collection[UUID]) -> None:
    """Forget stays that there were not."""
    if cases:
        await work.connection.execute(_DROP, {"cases": list(cases)})


async def differing(work: Work, rows: Sequence[Mapping[str, object]]) -> list[UUID]:
    """The cases whose row is not this one, or is missing."""
    return list((await work.connection.execute(_DIFFERING, {"rows": _json(rows)})).scalars())


async def untold(work: Work, cases: Collection[UUID]) -> list[UUID]:
    """The cases that have a row, but are none of these."""
    return list((await work.connection.execute(_UNTOLD, {"cases": list(cases)})).scalars())


def _json(rows: Sequence[Mapping[str, object]]) -> str:
    return json.dumps(rows, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
