"""Notices that wait for a person, and mailboxes that nobody reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

_WAITING: Final = text("SELECT id, type, sent_at, delivered_at FROM notices WHERE id = ANY(CAST(:ids AS uuid[]))")
# An imported notice was sent long before its row was written; when that was stands in its id (UUIDv7: milliseconds in the first 48 bits).
_LIVE: Final = (
    "n.sent_at > to_timestamp(CAST(CAST('x' || substr(replace(CAST(n.id AS text), '-', ''), 1, 12) AS bit(48)) AS bigint) / 1000.0)"
    " - interval '1 minute'"
)
# Told once: again only after it was read since. A mailbox that was never read counts from the first live notice that waits in it.
_NEWLY_SILENT: Final = text(
    f"""
    WITH quiet AS (
        SELECT m.id, m.organisation, m.unit, m.recipient, m.last_polled_at
        FROM mailboxes m LEFT JOIN mailbox_alarms a ON a.mailbox = m.id
        WHERE (m.last_polled_at IS NULL OR m.last_polled_at < CAST(:before AS timestamptz))
          AND (a.mailbox IS NULL OR a.told_at < m.last_polled_at)),
    silent AS (
        SELECT q.id, q.organisation, q.unit, q.recipient, coalesce(q.last_polled_at, w.since) AS since, w.waiting
        FROM quiet q CROSS JOIN LATERAL (
            SELECT count(*) AS waiting, min(n.sent_at) AS since FROM notices n
            WHERE n.mailbox = q.id AND n.state IN ('sent', 'delivered') AND n.state = 'sent' AND {_LIVE}) AS w
        WHERE coalesce(q.last_polled_at, w.since) < CAST(:before AS timestamptz)
        ORDER BY q.id LIMIT :limit),
    told AS (
        INSERT INTO mailbox_alarms (mailbox, told_at) SELECT id, :at FROM silent
        ON CONFLICT (mailbox) DO UPDATE SET told_at = excluded.told_at
        WHERE mailbox_alarms.told_at < (SELECT m.last_polled_at FROM mailboxes m WHERE m.id = excluded.mailbox)
        RETURNING mailbox)
    SELECT silent.* FROM silent JOIN told ON told.mailbox = silent.id ORDER BY silent.id
    """  # noqa: S608  # constant text
)
AT_ONCE: Final = 200


async def waiting(work: Work, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """What notices are and whether a system has fetched them: rows of type, sent_at, delivered_at."""
    return {row.id: row for row in await work.connection.execute(_WAITING, {"ids": list(ids)})} if ids else {}


async def newly_silent(work: Work, before: datetime) -> Sequence[Any]:
    """Mailboxes that nobody has read since then, kept as told; those that were told of already only when they were read since."""
    return (await work.connection.execute(_NEWLY_SILENT, {"before": before, "at": work.at, "limit": AT_ONCE})).all()
