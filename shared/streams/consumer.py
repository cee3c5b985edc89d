"""The consumer: exactly-once effect, ordered, provably complete, whatever the queue does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import Database, Work, is_unavailable
from shared.events.facts import FACTS, Fact

REPAIR_LIMIT: Final = 500

_BEGIN: Final = text("INSERT INTO stream_cursors (stream, epoch, position) VALUES (:stream, 0, 0) ON CONFLICT DO NOTHING")
_LOCK: Final = text("SELECT epoch, position FROM stream_cursors WHERE stream = :stream FOR UPDATE")
_READ: Final = text("SELECT epoch, position FROM stream_cursors WHERE stream = :stream")
_MOVE: Final = text(
    """
    UPDATE stream_cursors SET epoch = :epoch, position = :position, moved_at = clock_timestamp(),
           delivered = delivered + :delivered, repaired = repaired + :repaired
    WHERE stream = :stream
    """
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """One fact as it stands on a stream: its position, its own id, the case it is about, and the fact."""

    position: int
    entry_id: UUID
    subject: UUID | None
    fact: Fact


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry as it travels: still text, so that what nobody handles is never parsed."""

    position: int
    entry_id: UUID
    kind: str
    subject: UUID | None
    body: str

    @classmethod
    def of(cls, row: Sequence[object]) -> "StreamEntry":
        """Read the row form that queue messages and repairs share."""
        position, entry_id, kind, subject, body = row
        return cls(int(str(position)), UUID(str(entry_id)), str(kind), UUID(str(subject)) if subject else None, str(body))


Handler = Callable[[Work, Sequence[Delivered]], Awaitable[None]]


class Producer(Protocol):
    """Where a missing range can be fetched."""

    async def fetch(self, *, epoch: int, after: int, limit: int) -> "Fetched":
        """At most `limit` entries after a position, and where the stream ends."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a producer answered: its epoch, the last position of its stream, and some entries."""

    epoch: int
    head: int
    entries: Sequence[StreamEntry]


class Gap(Exception):
    """The range does not begin where the cursor stands, or belongs to another epoch."""


class Consumer:
    """One service's consumption of one stream: a cursor, handlers by kind of fact, one lane per process.

    A handler gets the facts of its kind in order, in runs that stand together on the stream, and shares one transaction with the cursor.
    """

    def __init__(self, database: Database, *, stream: str, handlers: Mapping[str, Handler], producer: Producer) -> None:
        self.stream = stream
        self._database = database
        self._handlers = handlers
        self._producer = producer
        self._lane = asyncio.Lock()
        self._receiving = 0
        self._received_at = float("-inf")
        self.carried = 0
        """The last position that the queue has brought to this process, needed or not."""

    async def receive(self, epoch: int, rows: Sequence[Sequence[object]]) -> None:
        """Apply a range from the queue; a gap or another epoch is repaired at once."""
        entries = [StreamEntry.of(row) for row in rows]
        self.carried = max(self.carried, entries[-1].position if entries else 0)
        self._receiving += 1
        try:
            async with self._lane:
                try:
                    await self._apply(epoch, entries, repaired=False)
                except Gap:
                    await self._repair()
        finally:
            self._receiving -= 1
            self._received_at = asyncio.get_running_loop().time()

    @property
    def queue_silent_for(self) -> float:
        """For how many seconds nothing has come by queue, nor is worked on; infinite when nothing ever came."""
        return 0.0 if self._receiving else asyncio.get_running_loop().time() - self._received_at

    async def catch_up(self) -> int:
        """Fetch and apply whatever the producer has beyond the cursor; the number of facts applied this way."""
        async with self._lane:
            return await self._repair()

    async def _repair(self) -> int:
        applied = 0
        while True:
            epoch, position = await self.cursor()
            found = await self._producer.fetch(epoch=epoch, after=position, limit=REPAIR_LIMIT)
            if found.entries:
                applied += await self._apply(found.epoch, found.entries, repaired=True)
            if len(found.entries) < REPAIR_LIMIT:
                return applied

    async def cursor(self) -> tuple[int, int]:
        """The epoch and the position through which everything has taken effect; another process may have moved it."""
        async with self._database.transaction() as work:
            await work.connection.execute(_BEGIN, {"stream": self.stream})
            row = (await work.connection.execute(_READ, {"stream": self.stream})).one()
        return row.epoch, row.position

    async def _apply(self, epoch: int, entries: Sequence[StreamEntry], *, repaired: bool) -> int:
        try:
            return await self._apply_together(epoch, entries, repaired=repaired)
        except Gap:
            raise
        except Exception as error:
            if len(entries) == 1 or is_unavailable(error):
                raise
        applied = 0
        for entry in entries:  # one by one, so that everything before the entry that cannot be applied is applied
            applied += await self._apply_together(epoch, [entry], repaired=repaired)
        return applied

    async def _apply_together(self, epoch: int, entries: Sequence[StreamEntry], *, repaired: bool) -> int:
        async with self._database.transaction() as work:
            row = (await work.connection.execute(_LOCK, {"stream": self.stream})).one_or_none()
            if row is None:
                raise Gap
            fresh = [entry for entry in entries if entry.position > row.position]
            if not fresh:
                return 0
            begun = row.epoch != 0
            if fresh[0].position != row.position + 1 or (begun and row.epoch != epoch):
                raise Gap
            wanted = [entry for entry in fresh if entry.kind in self._handlers]
            for kind, run in groupby(wanted, key=lambda entry: entry.kind):
                await self._handlers[kind](work, [_parsed(entry) for entry in run])
            await work.connection.execute(
                _MOVE,
                {
                    "stream": self.stream,
                    "epoch": epoch,
                    "position": fresh[-1].position,
                    "delivered": 0 if repaired else len(fresh),
                    "repaired": len(fresh) if repaired else 0,
                },
            )
        return len(fresh)


def _parsed(entry: StreamEntry) -> Delivered:
    return Delivered(
        entry.position, entry.entry_id, entry.subject, FACTS[entry.kind].model_validate(msgspec.json.decode(entry.body), strict=False)
    )
