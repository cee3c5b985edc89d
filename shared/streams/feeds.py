"""Reading feeds: mailboxes, invoice feeds and the services' own streams are the same thing, read the same way."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work
from shared.errors import BusinessError
from shared.streams.canonical import GENESIS, link

_HEAD: Final = text(
    "SELECT s.epoch, coalesce(h.position, 0) AS position FROM sequencer s LEFT JOIN feed_heads h ON h.feed = :feed WHERE s.id = 1"
)
_PAGE: Final = text(
    """
    SELECT position, entry_id, kind, subject, body, hash FROM feed_entries
    WHERE feed = :feed AND position > :after ORDER BY position LIMIT :limit
    """
)
_AT: Final = text("SELECT position, hash FROM feed_entries WHERE feed = :feed AND position = :through")
_FIND: Final = text("SELECT feed, position, entry_id, kind, subject, body, hash FROM feed_entries WHERE entry_id = :entry_id")


class FeedRewound(BusinessError):
    """The cursor is beyond the head or of another epoch: a backup was restored."""

    def __init__(self, epoch: int, common: int) -> None:
        super().__init__("feed.rewound", f"this feed is in epoch {epoch}; the last common position is {common}")
        self.members = {"epoch": epoch, "last_common_position": common}


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry as it stands in a feed: `hash` is the running hash up to and with it."""

    position: int
    entry_id: UUID
    kind: str
    subject: UUID | None
    body: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a feed: `next` is the last position scanned, `head` the last that exists."""

    epoch: int
    head: int
    entries: tuple[FeedEntry, ...]
    next: int


async def head_of(work: Work, feed: str) -> tuple[int, int]:
    """The epoch of this database and the last position of a feed, 0 when it is empty."""
    row = (await work.connection.execute(_HEAD, {"feed": feed})).one()
    return row.epoch, row.position


async def read(work: Work, feed: str, *, after: int, limit: int, epoch: int | None = None) -> Page:
    """Read at most `limit` entries after a position. Reading never consumes.

    Raises:
        FeedRewound: `after` lies beyond the head, or `epoch` is not this database's.
    """
    current, head = await head_of(work, feed)
    if after > head or (epoch is not None and epoch != current):
        raise FeedRewound(current, min(after, head))
    rows = (await work.connection.execute(_PAGE, {"feed": feed, "after": after, "limit": limit})).all()
    entries = tuple(FeedEntry(row.position, row.entry_id, row.kind, row.subject, row.body, row.hash) for row in rows)
    return Page(current, max(head, entries[-1].position if entries else head), entries, entries[-1].position if entries else after)


async def digest(work: Work, feed: str, *, through: int) -> bytes:
    """The running hash of a feed through a position, so that a client can compare it with its own.

    Raises:
        FeedRewound: There is no such position.
    """
    if through == 0:
        return GENESIS
    row = (await work.connection.execute(_AT, {"feed": feed, "through": through})).one_or_none()
    if row is None:
        epoch, head = await head_of(work, feed)
        raise FeedRewound(epoch, min(through, head))
    return bytes(row.hash)


async def find(work: Work, entry_id: UUID) -> tuple[str, FeedEntry] | None:
    """The feed and the entry with this id, if it has been numbered."""
    row = (await work.connection.execute(_FIND, {"entry_id": entry_id})).one_or_none()
    if row is None:
        return None
    return row.feed, FeedEntry(row.position, row.entry_id, row.kind, row.subject, row.body, row.hash)


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where a feed is not what it must be: a hole, a changed entry, or a head that does not match."""

    feed: str
    position: int
    what: str


async def verify(work: Work, feed: str) -> Fault | None:
    """Walk a whole feed and recompute its chain; None when it is dense, unchanged and ends at its head."""
    after, running = 0, GENESIS
    while True:
        rows = (await work.connection.execute(_PAGE, {"feed": feed, "after": after, "limit": 1_000})).all()
        for row in rows:
            if row.position != after + 1:
                return Fault(feed, after + 1, "missing")
            running = link(running, row.body)
            if running != bytes(row.hash):
                return Fault(feed, row.position, "changed")
            after = row.position
        if not rows:
            break
    head = (await work.connection.execute(text("SELECT position, hash FROM feed_heads WHERE feed = :feed"), {"feed": feed})).one_or_none()
    if (head.position, bytes(head.hash)) != (after, running) if head else after != 0:
        return Fault(feed, after, "head differs")
    return None
