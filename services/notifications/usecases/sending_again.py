"""Sending again: what was lost at the receiver, what was given up, what waited for an endpoint that had been gone."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from services.notifications import repository
from services.notifications.repository import DUE_KIND
from services.notifications.usecases.subscriptions import find_managed, lock_subscription, require_reader
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.http.auth import Caller
from shared.streams import due

REPLAYED_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many messages are sent again, and from which number the next request goes on, when there are more."""

    count: int
    next: int | None


async def replay(work: Work, caller: Caller, subscription_id: UUID, first: int) -> Replayed:
    """Send every message again from a number on, each with the id and body it had; at most `REPLAYED_AT_ONCE` for one request.

    Raises:
        HttpProblem: 403, the caller may not read the notices they tell of, or does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
        Refused: The subscription is disabled.
    """
    row = await _lock_active(work, caller, subscription_id)
    count, last = await repository.put_back_from(work, subscription_id, first, REPLAYED_AT_ONCE)
    return Replayed(count, last + 1 if last is not None and last < row["last_number"] else None)


async def redrive(work: Work, caller: Caller, subscription_id: UUID, delivery_id: UUID) -> None:
    """Send one message again that was given up or cancelled.

    Raises:
        HttpProblem: 403, the caller may not read the notice it tells of, or does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
        Refused: The subscription is disabled, or the message still waits or was delivered.
    """
    await find_managed(work, caller, subscription_id)
    if await repository.find_delivery(work, subscription_id, delivery_id) is None:
        raise NotFound
    await _lock_active(work, caller, subscription_id)
    if not await repository.put_back(work, subscription_id, delivery_id):
        raise Refused("delivery.not_ended")


async def enable(work: Work, caller: Caller, subscription_id: UUID) -> int:
    """Tell a receiver again that had answered 410, beginning with what was cancelled then; returns how many messages that is.

    An endpoint that rests is tried again at once.

    Raises:
        HttpProblem: 403, the caller may not read the notices it would be told of, or does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
    """
    row = await lock_subscription(work, caller, subscription_id)
    require_reader(caller)
    await repository.enable_subscription(work, subscription_id)
    await due.hasten(work, DUE_KIND, subscription_id)
    return await repository.put_back_cancelled(work, subscription_id, limit=row["last_number"])


async def _lock_active(work: Work, caller: Caller, subscription_id: UUID) -> sa.RowMapping:
    row = await lock_subscription(work, caller, subscription_id)
    require_reader(caller)
    if row["state"] != "active":
        raise Refused("subscription.disabled")
    return row
