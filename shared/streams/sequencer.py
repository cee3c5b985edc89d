"""The sequencer gives committed rows dense positions; writers never wait for it, and any number of them may run."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from shared.db import Database
from shared.streams.canonical import GENESIS, link

BATCH: Final = 500
LOOK_EVERY_SECONDS: Final = 1.0
GATHERING_SECONDS: Final = 0.01
"""After a batch: what comes close together is numbered together. What comes after a silence is numbered at once."""
_NOTIFY_LIMIT_BYTES: Final = 7_000
EVERY_FEED: Final = "*"

_LOCK: Final = text("SELECT epoch FROM sequencer WHERE id = 1 FOR UPDATE SKIP LOCKED")
_READ: Final = text("SELECT id, feed, entry_id, kind, subject, body FROM outbox ORDER BY id LIMIT :batch")
_HEADS: Final = text("SELECT feed, position, hash FROM feed_heads WHERE feed = ANY(CAST(:feeds AS text[]))")
_DELETE: Final = text("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS bigint[]))")
_APPEND: Final = text(
    """
    INSERT INTO feed_entries (feed, position, entry_id, kind, subject, body, hash)
    SELECT * FROM unnest(CAST(:feeds AS text[]), CAST(:positions AS bigint[]), CAST(:ids AS uuid[]), CAST(:kinds AS text[]),
                         CAST(:subjects AS uuid[]), CAST(:bodies AS text[]), CAST(:hashes AS bytea[]))
    """
)
_MOVE: Final = text(
    """
    INSERT INTO feed_heads (feed, position, hash)
    SELECT * FROM unnest(CAST(:feeds AS text[]), CAST(:positions AS bigint[]), CAST(:hashes AS bytea[]))
    ON CONFLICT (feed) DO UPDATE SET position = excluded.position, hash = excluded.hash
    """
)
_TELL: Final = text("SELECT pg_notify('feeds', :feeds)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered entry of a feed; `body` is canonical JSON."""

    feed: str
    position: int
    entry_id: UUID
    kind: str
    subject: UUID | None
    body: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What one step numbered: the epoch it was done in and the entries in staged order."""

    epoch: int
    entries: tuple[Entry, ...]


async def number_staged(database: Database) -> Moved | None:
    """Move at most one batch of staged rows to their feeds, in one transaction on one connection.

    Returns:
        What was moved, or None when another sequencer is at work.
    """
    async with database.transaction() as work:
        epoch = (await work.connection.execute(_LOCK)).scalar_one_or_none()
        if epoch is None:
            return None
        rows = (await work.connection.execute(_READ, {"batch": BATCH})).all()
        if not rows:
            return Moved(epoch, ())
        feeds = sorted({row.feed for row in rows})
        heads = {row.feed: (row.position, row.hash) for row in await work.connection.execute(_HEADS, {"feeds": feeds})}
        entries, hashes = _numbered(rows, heads)
        await work.connection.execute(_DELETE, {"ids": [row.id for row in rows]})
        await work.connection.execute(
            _APPEND,
            {
                "feeds": [entry.feed for entry in entries],
                "positions": [entry.position for entry in entries],
                "ids": [entry.entry_id for entry in entries],
                "kinds": [entry.kind for entry in entries],
                "subjects": [entry.subject for entry in entries],
                "bodies": [entry.body for entry in entries],
                "hashes": hashes,
            },
        )
        await work.connection.execute(
            _MOVE, {"feeds": feeds, "positions": [heads[feed][0] for feed in feeds], "hashes": [heads[feed][1] for feed in feeds]}
        )
        told = msgspec.json.encode(feeds)
        await work.connection.execute(_TELL, {"feeds": told.decode() if len(told) < _NOTIFY_LIMIT_BYTES else f'["{EVERY_FEED}"]'})
    return Moved(epoch, tuple(entries))


def _numbered(rows: Sequence[Row[tuple[object, ...]]], heads: dict[str, tuple[int, bytes]]) -> tuple[list[Entry], list[bytes]]:
    """Number and hash the rows in staged order; `heads` is moved along."""
    entries: list[Entry] = []
    hashes: list[bytes] = []
    for row in rows:
        position, running = heads.get(row.feed, (0, GENESIS))
        running = link(running, row.body)
        heads[row.feed] = (position + 1, running)
        entries.append(Entry(row.feed, position + 1, row.entry_id, row.kind, row.subject, row.body))
        hashes.append(running)
    return entries, hashes


class Sequencer:
    """Numbers whatever is staged, woken by NOTIFY and looking by itself every second."""

    def __init__(self, database: Database, *, on_moved: Callable[[Moved], None]) -> None:
        self._database = database
        self._on_moved = on_moved
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that something was staged."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; an error leaves to the caller, who starts this again."""
        while True:
            self._woken.clear()
            moved = await number_staged(self._database)
            if moved is not None and moved.entries:
                self._on_moved(moved)
                if len(moved.entries) == BATCH:
                    continue
                await asyncio.sleep(GATHERING_SECONDS)
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue
