"""Finding notices in one mailbox by their case and by what became of them, in the order of the mailbox."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.directory import Mailbox
from shared.db import Work
from shared.streams.feeds import FeedEntry

_PAGE: Final = text(
    """
    SELECT e.position, e.entry_id, e.kind, e.subject, e.body, e.hash
    FROM feed_entries e JOIN notices n ON n.id = e.entry_id
    WHERE e.feed = :feed AND n.mailbox = :mailbox AND e.position > :after
      AND (CAST(:states AS text[]) IS NULL OR n.state = ANY(CAST(:states AS text[])))
      AND (CAST(:case AS uuid) IS NULL OR n.case_id = :case OR n.case_id IN (
          SELECT m.id FROM cases c JOIN cases m ON m.joined_to = c.joined_to WHERE c.id = :case))
    ORDER BY e.position LIMIT :limit
    """
)


async def page(
    work: Work, mailbox: Mailbox, *, after: int, limit: int, states: Sequence[str] | None, case_id: UUID | None
) -> tuple[FeedEntry, ...]:
    """The next entries of a mailbox whose notices stand in one of these states, and belong to a stay, if that is asked."""
    asked = {"states": None if states is None else list(states), "case": case_id, "after": after, "limit": limit}
    rows = await work.connection.execute(_PAGE, asked | {"feed": mailbox.feed, "mailbox": mailbox.id})
    return tuple(FeedEntry(row.position, row.entry_id, row.kind, row.subject, row.body, row.hash) for row in rows)
