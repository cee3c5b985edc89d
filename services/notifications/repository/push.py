"""The push feed: what was told to an organisation, in the order it was told; and what of it waits for a person."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

_COUNTS: Final = text(
    """
    SELECT data ->> 'unit' AS unit, data -> 'readers' AS readers, data ->> 'mailbox' AS mailbox, kind AS type, count(*) AS count
    FROM (SELECT kind, CAST(body AS jsonb) -> 'data' AS data FROM feed_entries
          WHERE feed = :feed AND position > :after AND position <= :through) AS told
    GROUP BY 1, 2, 3, 4 ORDER BY 1 NULLS FIRST, 3, 4, 2
    """
)
_WAIT: Final = text(
    """
    INSERT INTO waiting_notices (notice_id, source, organisation, readers, mailbox, type, sent_at, acknowledge_by)
    SELECT id, source, organisation, ARRAY(SELECT jsonb_array_elements_text(CAST(readers AS jsonb))), mailbox, type, sent, by
    FROM unnest(CAST(:ids AS uuid[]), CAST(:sources AS uuid[]), CAST(:organisations AS text[]), CAST(:readers AS text[]),
                CAST(:mailboxes AS text[]), CAST(:types AS text[]), CAST(:sent AS timestamptz[]), CAST(:by AS timestamptz[]))
         AS new (id, source, organisation, readers, mailbox, type, sent, by)
    ON CONFLICT DO NOTHING
    """
)
_WAIT_NO_MORE: Final = text("DELETE FROM waiting_notices WHERE notice_id = ANY(CAST(:ids AS uuid[]))")
_WAITING: Final = text(
    """
    SELECT readers, type, count(*) AS waiting, count(*) FILTER (WHERE acknowledge_by < :at) AS overdue
    FROM waiting_notices WHERE organisation = :organisation GROUP BY readers, type
    """
)
_PUSHED: Final = text(
    """
    SELECT EXISTS (SELECT FROM waiting_notices w JOIN deliveries d ON d.source = w.source AND d.state = 'delivered'
                   JOIN subscriptions s ON s.id = d.subscription_id AND s.organisation = w.organisation
                   WHERE w.notice_id = :notice)
    """
)


def feed_of(organisation: str) -> str:
    """The name of an organisation's push feed."""
    return f"push:{organisation}"


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """A notice that a person is expected to take on, once for each organisation that may read it, and which of its units may.

    `source` is the entry of the stream that told of it; no `readers`: whoever speaks for the organisation as a whole.
    """

    notice_id: UUID
    source: UUID
    organisation: str
    readers: Sequence[str]
    mailbox: str
    type: str
    sent_at: datetime
    acknowledge_by: datetime


async def counts(work: Work, organisation: str, *, after: int, through: int) -> Sequence[Any]:
    """How much was told of each unit, mailbox and type between two positions; `readers` of a team's mailbox alone."""
    asked = {"feed": feed_of(organisation), "after": after, "through": through}
    return (await work.connection.execute(_COUNTS, asked)).all()


async def add_waiting(work: Work, new: Sequence[WaitingNotice]) -> None:
    """Keep that these wait for a person."""
    if new:
        await work.connection.execute(
            _WAIT,
            {
                "ids": [one.notice_id for one in new],
                "sources": [one.source for one in new],
                "organisations": [one.organisation for one in new],
                "readers": [json.dumps(list(one.readers)) for one in new],
                "mailboxes": [one.mailbox for one in new],
                "types": [one.type for one in new],
                "sent": [one.sent_at for one in new],
                "by": [one.acknowledge_by for one in new],
            },
        )


async def drop_waiting(work: Work, notices: Collection[UUID]) -> None:
    """Forget notices that nobody need take on any more."""
    if notices:
        await work.connection.execute(_WAIT_NO_MORE, {"ids": list(notices)})


async def waiting(work: Work, organisation: str) -> Sequence[Any]:
    """How many notices of each type wait for a person, by the units that may read them, and how many of them are overdue."""
    return (await work.connection.execute(_WAITING, {"organisation": organisation, "at": work.at})).all()


async def was_pushed(work: Work, notice_id: UUID) -> bool:
    """Whether a webhook of somebody who may read it has accepted that a waiting notice is there."""
    return bool((await work.connection.execute(_PUSHED, {"notice": notice_id})).scalar_one())
