"""Finding notices in one mailbox by their case and by what became of them, in the order of the mailbox."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.directory import Mailbox
from shared.db import Work
from shared.streams.feeds import FeedEntry

_STANDS_SO: Final = "n.mailbox = :mailbox AND (CAST(:states AS text[]) IS NULL OR n.state = ANY(CAST(:states AS text[])))"
_PAGE: Final = text(
    f"""
    SELECT e.position, e.entry_id, e.kind, e.subject, e.body, e.hash
    FROM feed_entries e JOIN notices n ON n.id = e.entry_id
    WHERE e.feed = :feed AND e.position > :after AND {_STANDS_SO}
    ORDER BY e.position LIMIT :limit
    """  # noqa: S608  # constant text
)
# From the stay to its notices, and from those to their places: a mailbox holds many years of others.
OF_STAY: Final = text(
    f"""
    WITH stay AS (
        SELECT CAST(:case AS uuid) AS id
        UNION SELECT m.id FROM cases c JOIN cases m ON m.joined_to = c.joined_to WHERE c.id = :case)
    SELECT e.position, e.entry_id, e.kind, e.subject, e.body, e.hash
    FROM stay
    CROSS JOIN LATERAL (SELECT n.id FROM notices n WHERE n.case_id = stay.id AND {_STANDS_SO} OFFSET 0) AS n
    CROSS JOIN LATERAL (SELECT e.* FROM feed_entries e WHERE e.entry_id = n.id AND e.feed = :feed AND e.position > :after OFFSET 0) AS e
    ORDER BY e.position LIMIT :limit
    """  # noqa: S608  # constant text
)


async def page(
    work: Work, mailbox: Mailbox, *, after: int, limit: int, states: Sequence[str] | None, case_id: UUID | None
) -> tuple[FeedEntry, ...]:
    """The next entries of a mailbox whose notices stand in one of these states, and belong to a stay, if that is asked."""
    asked = {
        "states": None if states is None else list(states),
        "after": after,
        "limit": limit,
        "feed": mailbox.feed,
        "mailbox": mailbox.id,
    }
    if case_id is None:
        rows = await work.connection.execute(_PAGE, asked)
    else:
        rows = await work.connection.execute(OF_STAY, asked | {"case": case_id})
    return tuple(FeedEntry(row.position, row.entry_id, row.kind, row.subject, row.body, row.hash) for row in rows)
