"""Work that is due later: a row with `due_at`, claimed with a lease on the database's clock and a fencing token.

A worker that dies leaves its lease to run out; one that wakes from the dead holds an old fence, and nothing it writes counts.
Rows have a *lane* (whom the work is for): at most so many of one lane are under way at once, so that one bad receiver delays nobody else.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack, cast, overload
from uuid import UUID

import structlog
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text, Uuid, text

from shared.db import Database, Work, is_unavailable
from shared.streams.listener import Listener

_log = structlog.get_logger(__name__)

CHANNEL: Final = "due"
LEASE: Final = timedelta(seconds=25)
LOOK_EVERY_SECONDS: Final = 1.0

CREATE_V1: Final = (
    """
    CREATE TABLE due_work (
        id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
        kind text NOT NULL, lane uuid NOT NULL, subject uuid NOT NULL, due_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0, fence bigint NOT NULL DEFAULT 0, leased_until timestamptz
    )
    """,
    "CREATE UNIQUE INDEX due_work_subject ON due_work (kind, subject)",
    "CREATE INDEX due_work_lane ON due_work (kind, lane, due_at)",
    "COMMENT ON TABLE due_work IS 'what is to be done at a time: claimed with a lease and a fencing token, deleted when done'",
)

_SCHEDULE: Final = text(
    """
    WITH added AS (
        INSERT INTO due_work (kind, lane, subject, due_at)
        SELECT :kind, lane, subject, clock_timestamp() FROM unnest(CAST(:lanes AS uuid[]), CAST(:subjects AS uuid[])) AS new (lane, subject)
        ON CONFLICT DO NOTHING RETURNING 1)
    SELECT pg_notify('due', :kind) FROM (SELECT 1 FROM added LIMIT 1) AS any_added
    """
)
_APPOINT: Final = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:lanes AS uuid[]), CAST(:subjects AS uuid[]), CAST(:ats AS timestamptz[])) AS w (lane, subject, due_at)),
    put AS (
        INSERT INTO due_work (kind, lane, subject, due_at) SELECT :kind, lane, subject, due_at FROM wanted
        ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at WHERE due_work.due_at <> excluded.due_at RETURNING due_at)
    SELECT pg_notify('due', :kind) FROM (SELECT 1 FROM put WHERE due_at <= clock_timestamp() LIMIT 1) AS any_due
    """
)
# One row of each lane first, the longest waiting lanes before the others; `busy` lanes have as much under way as they may.
_CLAIM: Final = text(
    """
    WITH lanes AS (
        SELECT lane, min(due_at) AS since FROM due_work
        WHERE kind = :kind AND due_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
          AND lane <> ALL (CAST(:busy AS uuid[]))
        GROUP BY lane ORDER BY since LIMIT :limit),
    taken AS (
        SELECT row.id FROM lanes CROSS JOIN LATERAL (
            SELECT id FROM due_work
            WHERE kind = :kind AND lane = lanes.lane AND due_at <= clock_timestamp()
              AND (leased_until IS NULL OR leased_until < clock_timestamp())
            ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) AS row)
    UPDATE due_work SET fence = fence + 1, attempts = attempts + 1, leased_until = clock_timestamp() + :lease
    FROM taken WHERE due_work.id = taken.id
    RETURNING due_work.id, lane, subject, attempts, fence, clock_timestamp() AS claimed_at
    """
)
_DONE: Final = text("DELETE FROM due_work WHERE id = :id AND fence = :fence")
_AGAIN: Final = text("UPDATE due_work SET leased_until = NULL, due_at = clock_timestamp() + :delay WHERE id = :id AND fence = :fence")
_RENEW: Final = text("UPDATE due_work SET leased_until = clock_timestamp() + :lease WHERE id = :id AND fence = :fence")
_DROP_LANE: Final = text(
    """
    WITH locked AS MATERIALIZED (SELECT id FROM due_work WHERE kind = :kind AND lane = :lane ORDER BY id FOR UPDATE)
    DELETE FROM due_work USING locked WHERE due_work.id = locked.id RETURNING subject
    """
)
# What somebody works on, or is about to change, is left as it is: nobody is waited for.
_HASTEN: Final = text(
    """
    WITH waiting AS MATERIALIZED (
        SELECT id FROM due_work WHERE kind = :kind AND lane = :lane AND due_at > clock_timestamp() AND leased_until IS NULL
        FOR UPDATE SKIP LOCKED),
    put AS (
        UPDATE due_work SET due_at = clock_timestamp() FROM waiting WHERE due_work.id = waiting.id RETURNING 1)
    SELECT pg_notify('due', :kind) FROM (SELECT 1 FROM put LIMIT 1) AS any_put
    """
)
_OLDEST: Final = text("SELECT extract(epoch FROM clock_timestamp() - min(due_at)) FROM due_work WHERE kind = :kind")


class LeaseLost(Exception):
    """Somebody else has claimed the row since, or it is gone: the transaction must not commit."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed row. `attempts` counts this one; `claimed_at` is the database's clock."""

    id: int
    lane: UUID
    subject: UUID
    attempts: int
    fence: int
    claimed_at: datetime

    @property
    def most(self) -> int | None:
        """How many rows of its lane may be under way at once, where whoever claims allows it fewer than usual."""
        return None


def add_due_table(metadata: MetaData) -> None:
    """Declare the table in a service's metadata; `CREATE_V1` is what its migration executes."""
    Table(
        "due_work",
        metadata,
        Column("id", BigInteger, Identity(always=True, cache=1), primary_key=True),
        Column("kind", Text, nullable=False),
        Column("lane", Uuid, nullable=False),
        Column("subject", Uuid, nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("fence", BigInteger, nullable=False, server_default="0"),
        Column("leased_until", DateTime(timezone=True)),
        Index("due_work_subject", "kind", "subject", unique=True),
        Index("due_work_lane", "kind", "lane", "due_at"),
        comment="what is to be done at a time: claimed with a lease and a fencing token, deleted when done",
    )


async def schedule(work: Work, kind: str, subjects: Sequence[tuple[UUID, UUID]]) -> None:
    """Make work due at once: `(lane, subject)` each; a subject that is already due stays as it is. Workers wake at commit."""
    if subjects:
        lanes, names = zip(*subjects, strict=True)
        await work.connection.execute(_SCHEDULE, {"kind": kind, "lanes": list(lanes), "subjects": list(names)})


async def appoint(work: Work, kind: str, appointments: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Make work due at its own time: `(lane, subject, due_at)` each; a subject that has an appointment gets the new one."""
    if appointments:
        lanes, names, ats = zip(*sorted(appointments, key=lambda one: one[1]), strict=True)
        await work.connection.execute(_APPOINT, {"kind": kind, "lanes": list(lanes), "subjects": list(names), "ats": list(ats)})


async def claim(work: Work, kind: str, *, limit: int, busy: Sequence[UUID] = (), lease: timedelta = LEASE) -> list[Claim]:
    """Take due rows, at most one of each lane and none of the busy ones; call again for more of a lane."""
    rows = await work.connection.execute(_CLAIM, {"kind": kind, "limit": limit, "busy": list(busy), "lease": lease})
    return [Claim(row.id, row.lane, row.subject, row.attempts, row.fence, row.claimed_at) for row in rows]


async def renew(work: Work, claimed: Claim, lease: timedelta = LEASE) -> None:
    """Hold on to the row: first in the transaction that writes an outcome, so that nothing a zombie writes can stand.

    Raises:
        LeaseLost: The row was claimed by somebody else since, or is gone.
    """
    await _fenced(work, _RENEW, claimed, lease=lease)


async def done(work: Work, claimed: Claim) -> None:
    """Say that the work is done.

    Raises:
        LeaseLost: The row was claimed by somebody else since.
    """
    await _fenced(work, _DONE, claimed)


async def again(work: Work, claimed: Claim, delay: timedelta) -> None:
    """Make the work due once more, a while from now on the database's clock.

    Raises:
        LeaseLost: The row was claimed by somebody else since.
    """
    await _fenced(work, _AGAIN, claimed, delay=delay)


async def drop_lane(work: Work, kind: str, lane: UUID) -> list[UUID]:
    """Forget everything due of a lane, claimed or not; whoever works on it has lost the lease. Returns the subjects."""
    return list((await work.connection.execute(_DROP_LANE, {"kind": kind, "lane": lane})).scalars())


async def hasten(work: Work, kind: str, lane: UUID) -> None:
    """Make everything of a lane that waits for a later time due now."""
    await work.connection.execute(_HASTEN, {"kind": kind, "lane": lane})


async def oldest_age(work: Work, kind: str) -> float:
    """How many seconds the oldest row of a kind has been due; 0 when nothing is."""
    age = (await work.connection.execute(_OLDEST, {"kind": kind})).scalar_one()
    return max(0.0, float(age or 0))


async def _fenced(work: Work, statement: object, claimed: Claim, **values: object) -> None:
    found = await work.connection.execute(statement, {"id": claimed.id, "fence": claimed.fence, **values})  # type: ignore[call-overload]
    if found.rowcount != 1:
        raise LeaseLost


@dataclass(frozen=True, slots=True)
class Room:
    """How much more one process may take on: of everything, of a lane it has nothing of, and what it has under way of the others.

    A lane that is not well is one whose last row failed in this process: of it one row at a time.
    """

    limit: int
    per_lane: int
    under_way: Mapping[UUID, int] = field(default_factory=dict)
    unwell: frozenset[UUID] = frozenset()

    @property
    def busy(self) -> list[UUID]:
        """The lanes of which nothing more may be taken."""
        return [lane for lane, count in self.under_way.items() if count >= self.most(lane)]

    def most(self, lane: UUID) -> int:
        """How many rows of a lane may be under way at once."""
        return 1 if lane in self.unwell else self.per_lane


C = TypeVar("C", bound=Claim)


class DueWorker(Generic[C]):
    """Works through one kind of due rows, many lanes at once, few of each.

    `act` does one claimed row and writes its outcome itself; what it returns says whether the lane is well. A lane that was not well gets
    one row at a time until it is again. Whatever `act` raises is logged; the lease then runs out and the row is tried again.
    """

    @overload
    def __init__(self: "DueWorker[Claim]", kind: str, act: Callable[[Claim], Awaitable[bool]], **limits: Unpack["Limits"]) -> None: ...

    @overload
    def __init__(
        self,
        kind: str,
        act: Callable[[C], Awaitable[bool]],
        *,
        take: Callable[[Work, Room], Awaitable[list[C]]],
        **limits: Unpack["Limits"],
    ) -> None: ...

    def __init__(self, kind: str, act: Any, *, take: Any = None, **limits: Unpack["Limits"]) -> None:  # as the overloads say
        """Say what is worked on.

        Args:
            kind: Of due rows.
            act: What is done with one.
            take: How rows are claimed; none: at most one of each lane at a time, by `claim`.
            limits: How much at once.
        """
        self._kind = kind
        self._act: Callable[[C], Awaitable[bool]] = act
        self._take: Callable[[Work, Room], Awaitable[list[C]]] = take if take is not None else cast(Any, self._claim)
        self._at_once = limits.get("at_once", 64)
        self._per_lane = limits.get("per_lane", 4)
        self._listen_url = limits.get("listen_url")
        self._look_every = limits.get("look_every", LOOK_EVERY_SECONDS)
        self._running: dict[asyncio.Task[None], C] = {}
        self._unwell: set[UUID] = set()
        self._woken = asyncio.Event()

    async def run(self, database: Database) -> None:
        """Work until cancelled; rows under way are then left to their leases."""
        listener = Listener(self._listen_url, {CHANNEL: self._told}) if self._listen_url else None
        listening = asyncio.create_task(listener.run()) if listener else None
        try:
            while True:
                self._woken.clear()
                if not await self._claim_some(database):
                    await self._rest()
        finally:
            tasks = [*self._running, *([listening] if listening else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _told(self, kind: str) -> None:
        """Look when something of this kind became due, or when that may have been missed."""
        if kind in {"", self._kind}:
            self._woken.set()

    async def _claim_some(self, database: Database) -> bool:
        room = self._room()
        if room.limit <= 0:
            return False
        async with database.transaction() as work:
            claimed = await self._take(work, room)
        for one in claimed:
            task = asyncio.create_task(self._keep(one), name=f"due-{self._kind}-{one.id}")
            self._running[task] = one
            task.add_done_callback(self._ended)
        return bool(claimed)

    def _room(self) -> Room:
        return Room(
            self._at_once - len(self._running), self._per_lane, Counter(one.lane for one in self._running.values()), frozenset(self._unwell)
        )

    async def _claim(self, work: Work, room: Room) -> list[Claim]:
        return await claim(work, self._kind, limit=room.limit, busy=room.busy)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Look for more where there was no room for it; whatever else is due has been found already."""
        room = self._room()
        ended = self._running.pop(task)
        full = room.under_way[ended.lane] >= room.most(ended.lane) or ended.most is not None
        if room.limit <= 0 or full or ended.lane in self._unwell:
            self._woken.set()

    async def _keep(self, claimed: C) -> None:
        try:
            well = await self._act(claimed)
        except LeaseLost:
            _log.warning("due.lease_lost", kind=self._kind, id=claimed.id)
            return
        except Exception as error:  # noqa: BLE001  # the row is tried again when its lease has run out
            well = False
            _log.warning("due.failed", kind=self._kind, id=claimed.id, error=type(error).__name__, unavailable=is_unavailable(error))
        if well and claimed.lane in self._unwell:
            self._unwell.discard(claimed.lane)
            self._woken.set()  # more of it may be under way from now on
        if not well:
            self._unwell.add(claimed.lane)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._look_every):
                await self._woken.wait()
        except TimeoutError:
            return


class Limits(TypedDict, total=False):
    """How much a worker does at once, and how it learns of work: woken by NOTIFY at `listen_url`, and looking by itself."""

    at_once: int
    per_lane: int
    listen_url: str | None
    look_every: float
