"""Which reminders were sent, and how far planning has followed its own stream to see what has deadlines."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work
from shared.streams.outbox import FACTS_FEED

OWN_STREAM: Final = "planning/deadlines"
_BEGIN: Final = text("INSERT INTO stream_cursors (stream, epoch, position) VALUES (:stream, 1, 0) ON CONFLICT DO NOTHING")
_LOCK: Final = text("SELECT position FROM stream_cursors WHERE stream = :stream FOR UPDATE SKIP LOCKED")
_CHANGED: Final = text(
    """
    SELECT position, kind, subject FROM feed_entries WHERE feed = :feed AND position > :after ORDER BY position LIMIT :limit
    """
)
_MOVE: Final = text(
    "UPDATE stream_cursors SET position = :position, delivered = delivered + :moved, moved_at = clock_timestamp() WHERE stream = :stream"
)
# After a restored backup the stream may end before the cursor: begin anew, which reminds nobody twice.
_REWIND: Final = text(
    """
    UPDATE stream_cursors SET position = 0 WHERE stream = :stream
      AND position > (SELECT coalesce(max(h.position), 0) FROM feed_heads h WHERE h.feed = :feed)
    """
)
_SENT: Final = text("SELECT duty, step FROM duty_reminders WHERE case_id = :case")
_ADD: Final = text("INSERT INTO duty_reminders (case_id, duty, step, told, at) VALUES (:case, :duty, :step, :told, :at)")
_LOCK_CASE: Final = text("SELECT id FROM cases WHERE id = :id FOR UPDATE")
_LOCK_PLAN: Final = text("SELECT id FROM plans WHERE id = :id FOR UPDATE")
_CASE: Final = text("SELECT version, view ->> 'ward' AS ward FROM cases WHERE id = :id")


async def changed_cases(work: Work, kinds: Collection[str], limit: int) -> tuple[int, list[UUID]]:
    """The next stretch of the own stream: how many facts it held, and the cases of which it tells something of these kinds.

    The cursor moves with the transaction. While another worker follows the stream there is nothing to do.
    """
    await work.connection.execute(_BEGIN, {"stream": OWN_STREAM})
    cursor = (await work.connection.execute(_LOCK, {"stream": OWN_STREAM})).one_or_none()
    if cursor is None:
        return 0, []
    rows = (await work.connection.execute(_CHANGED, {"feed": FACTS_FEED, "after": cursor.position, "limit": limit})).all()
    if not rows:
        await work.connection.execute(_REWIND, {"stream": OWN_STREAM, "feed": FACTS_FEED})
        return 0, []
    await work.connection.execute(_MOVE, {"stream": OWN_STREAM, "position": rows[-1].position, "moved": len(rows)})
    return len(rows), sorted({row.subject for row in rows if row.kind in kinds and row.subject is not None})


async def lock_case(work: Work, about: UUID) -> int | None:
    """Lock a case and tell its version, or lock a plan without a stay, which has none."""
    if (await work.connection.execute(_LOCK_CASE, {"id": about})).one_or_none() is None:
        await work.connection.execute(_LOCK_PLAN, {"id": about})
        return None
    return int((await work.connection.execute(_CASE, {"id": about})).one().version)


async def sent(work: Work, case_id: UUID) -> set[tuple[str, str]]:
    """The reminders that were sent of a case, or of a plan without a stay: duty and step."""
    return {(row.duty, row.step) for row in await work.connection.execute(_SENT, {"case": case_id})}


async def add(work: Work, case_id: UUID, reminded: Sequence[tuple[str, str, UUID]]) -> None:
    """Keep that these were sent: duty, step, and the mailbox that was told."""
    rows = [{"case": case_id, "duty": duty, "step": step, "told": told, "at": work.at} for duty, step, told in reminded]
    if rows:
        await work.connection.execute(_ADD, rows)
