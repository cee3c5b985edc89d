"""The delivery log: each message with every attempt, for whoever may read what they tell of."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from services.notifications import repository
from services.notifications.repository import WhichDeliveries
from services.notifications.usecases.subscriptions import find_managed, require_reader
from shared.db import Work
from shared.http.auth import Caller


async def count_deliveries(work: Work, subscription_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many messages of each state these subscriptions have."""
    return await repository.count_deliveries(work, subscription_ids)


async def list_deliveries(
    work: Work, caller: Caller, subscription_id: UUID, which: WhichDeliveries
) -> list[tuple[sa.RowMapping, list[sa.RowMapping]]]:
    """Messages of one of the caller's subscriptions, the newest first, each with its attempts.

    Raises:
        NotFound: Unknown, deleted, or not the caller's.
        HttpProblem: 403, the caller may not read the notices they tell of, or not those of all its units.
    """
    row = await find_managed(work, caller, subscription_id)
    require_reader(caller)
    found = await repository.list_deliveries(work, row["id"], which)
    attempts = await repository.find_attempts(work, [delivery["id"] for delivery in found])
    return [(delivery, attempts.get(delivery["id"], [])) for delivery in found]
