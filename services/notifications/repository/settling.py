"""What became of attempts, written by whoever still holds the message.

Everybody locks in one order: subscriptions, rows of due work by their ids, deliveries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from services.notifications.repository.claiming import WebhookClaim
from shared.db import Work

_ACCEPTED: Final = text(
    """
    WITH told AS (
        SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:fences AS bigint[]), CAST(:ats AS timestamptz[]), CAST(:took AS int[]),
                             CAST(:statuses AS smallint[])) AS told (id, fence, at, milliseconds, status)),
    locked AS MATERIALIZED (
        SELECT due_work.id FROM due_work JOIN told ON due_work.id = told.id AND due_work.fence = told.fence
        ORDER BY due_work.id FOR UPDATE OF due_work),
    held AS (
        DELETE FROM due_work USING locked, told WHERE due_work.id = locked.id AND told.id = locked.id AND due_work.fence = told.fence
        RETURNING due_work.id, subject, at, milliseconds, status),
    delivered AS (
        UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, changed_at = :at
        FROM held WHERE deliveries.id = held.subject RETURNING deliveries.id, attempts),
    logged AS (
        INSERT INTO delivery_attempts (delivery_id, number, at, milliseconds, status, accepted)
        SELECT delivered.id, delivered.attempts, held.at, milliseconds, status, true
        FROM delivered JOIN held ON held.subject = delivered.id)
    SELECT id FROM held
    """
)
_ATTEMPT: Final = text(
    """
    WITH tried AS (
        UPDATE deliveries
        SET attempts = attempts + 1, attempts_before = attempts_before + CASE WHEN :counts THEN 0 ELSE 1 END,
            state = :state, changed_at = :now, tried_since = coalesce(tried_since, :at),
            planned_at = greatest(planned_at, clock_timestamp() + CAST(:planned AS interval))
        WHERE id = :delivery RETURNING id, attempts)
    INSERT INTO delivery_attempts (delivery_id, number, at, milliseconds, status, error, accepted)
    SELECT id, attempts, :at, :milliseconds, :status, :error, :accepted FROM tried RETURNING number
    """
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that its receiver took."""

    claim: WebhookClaim
    milliseconds: int
    status: int


async def settle_accepted(work: Work, accepted: Sequence[Accepted]) -> set[int]:
    """Write that messages were delivered; returns the due rows that were still held, of the others nothing was written."""
    rows = await work.connection.execute(
        _ACCEPTED,
        {
            "at": work.at,
            "ids": [one.claim.id for one in accepted],
            "fences": [one.claim.fence for one in accepted],
            "ats": [one.claim.claimed_at for one in accepted],
            "took": [one.milliseconds for one in accepted],
            "statuses": [one.status for one in accepted],
        },
    )
    return set(rows.scalars())


@dataclass(frozen=True, slots=True)
class Planned:
    """What an attempt means for its message's schedule: whether it used one of its attempts, and after how long the next one is planned.

    None leaves the plan as it is.
    """

    counts: bool
    after: timedelta | None


async def add_attempt(work: Work, claimed: WebhookClaim, state: str, met: dict[str, Any], planned: Planned) -> int:
    """Log an attempt, what the message is now and when it was to be tried again; returns how many attempts there have been."""
    values = {"delivery": claimed.subject, "state": state, "now": work.at, "at": claimed.claimed_at, **met}
    values |= {"counts": planned.counts, "planned": planned.after}
    return int((await work.connection.execute(_ATTEMPT, values)).scalar_one())
