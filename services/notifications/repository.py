"""The queries of notifications."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from services.notifications.domain.matching import Subscription
from services.notifications.tables import deliveries, delivery_attempts, due_work, subscriptions
from shared.db import Work

DUE_KIND: Final = "webhook"

_ADD: Final = text(
    """
    INSERT INTO deliveries (id, subscription_id, source, type, body, state, created_at, changed_at)
    SELECT id, subscription_id, source, type, body, 'pending', :at, :at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:subscriptions AS uuid[]), CAST(:sources AS uuid[]),
                CAST(:types AS text[]), CAST(:bodies AS text[])) AS new (id, subscription_id, source, type, body)
    ON CONFLICT DO NOTHING RETURNING subscription_id, id
    """
)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message to be sent to one subscription; `source` is what it tells of, so that nothing is told twice."""

    id: UUID
    subscription_id: UUID
    source: UUID
    type: str
    body: str


async def add_subscription(work: Work, values: dict[str, Any]) -> bool:
    """Write a subscription; false when its organisation and unit prefixes have one already."""
    made = await work.connection.execute(insert(subscriptions).values(values).on_conflict_do_nothing().returning(subscriptions.c.id))
    return made.scalar_one_or_none() is not None


async def find_subscriptions(work: Work, organisation: str) -> list[sa.RowMapping]:
    """Every subscription of an organisation that was not deleted, oldest first."""
    wanted = (
        sa.select(subscriptions)
        .where(subscriptions.c.organisation == organisation, subscriptions.c.state != "deleted")
        .order_by(subscriptions.c.id)
    )
    return list((await work.connection.execute(wanted)).mappings())


async def find_subscription(work: Work, subscription_id: UUID) -> sa.RowMapping | None:
    """One subscription that was not deleted."""
    wanted = sa.select(subscriptions).where(subscriptions.c.id == subscription_id, subscriptions.c.state != "deleted")
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def lock_subscription(work: Work, subscription_id: UUID) -> None:
    """Take a subscription's lock: always before the locks of its due work and deliveries."""
    await work.connection.execute(
        sa.select(subscriptions.c.id).where(subscriptions.c.id == subscription_id).with_for_update(key_share=True)
    )


async def set_subscription_state(work: Work, subscription_id: UUID, state: str) -> None:
    """Disable or delete a subscription."""
    await work.connection.execute(
        sa.update(subscriptions).where(subscriptions.c.id == subscription_id).values(state=state, changed_at=work.at)
    )


async def cancel_deliveries(work: Work, subscription_id: UUID) -> None:
    """Cancel whatever of a subscription still waits."""
    await work.connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.state == "pending")
        .values(state="cancelled", changed_at=work.at)
    )


async def find_active(work: Work, organisations: Collection[str]) -> list[Subscription]:
    """The active subscriptions of these organisations."""
    wanted = sa.select(subscriptions).where(subscriptions.c.organisation.in_(organisations), subscriptions.c.state == "active")
    return [
        Subscription(row.id, row.organisation, tuple(row.unit_prefixes), tuple(row.types), tuple(row.units))
        for row in await work.connection.execute(wanted)
    ]


async def add_deliveries(work: Work, new: Sequence[NewDelivery]) -> list[tuple[UUID, UUID]]:
    """Write messages that are not there yet; returns `(subscription, delivery)` of those that were written."""
    written = await work.connection.execute(
        _ADD,
        {
            "at": work.at,
            "ids": [one.id for one in new],
            "subscriptions": [one.subscription_id for one in new],
            "sources": [one.source for one in new],
            "types": [one.type for one in new],
            "bodies": [one.body for one in new],
        },
    )
    return [(row.subscription_id, row.id) for row in written]


async def find_message(work: Work, delivery_id: UUID) -> sa.RowMapping | None:
    """A message that still waits, with where it goes; None when it was sent or cancelled, or its subscription is no longer active."""
    wanted = (
        sa.select(deliveries.c.id, deliveries.c.body, deliveries.c.subscription_id, subscriptions.c.url, subscriptions.c.secret)
        .join(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == "pending", subscriptions.c.state == "active")
    )
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def add_attempt(work: Work, delivery_id: UUID, values: dict[str, Any]) -> int:
    """Log an attempt; returns how many there have been."""
    counted = (
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id)
        .values(attempts=deliveries.c.attempts + 1, changed_at=work.at)
        .returning(deliveries.c.attempts)
    )
    number = int((await work.connection.execute(counted)).scalar_one())
    await work.connection.execute(insert(delivery_attempts).values(delivery_id=delivery_id, number=number, **values))
    return number


async def set_delivery_state(work: Work, delivery_id: UUID, state: str) -> None:
    """Say what became of a message that waited."""
    await work.connection.execute(
        sa.update(deliveries).where(deliveries.c.id == delivery_id, deliveries.c.state == "pending").values(state=state, changed_at=work.at)
    )


async def count_deliveries(work: Work, subscription_ids: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many messages of each state every subscription has."""
    wanted = (
        sa.select(deliveries.c.subscription_id, deliveries.c.state, sa.func.count())
        .where(deliveries.c.subscription_id.in_(subscription_ids))
        .group_by(deliveries.c.subscription_id, deliveries.c.state)
    )
    counts: dict[UUID, dict[str, int]] = {}
    for subscription_id, state, count in await work.connection.execute(wanted):
        counts.setdefault(subscription_id, {})[state] = count
    return counts


async def list_deliveries(work: Work, subscription_id: UUID, *, before: UUID | None, limit: int, state: str | None) -> list[sa.RowMapping]:
    """Messages of a subscription, the newest first, each with the time its next attempt is due."""
    wanted = (
        sa.select(deliveries, due_work.c.due_at)
        .outerjoin(due_work, sa.and_(due_work.c.kind == DUE_KIND, due_work.c.subject == deliveries.c.id))
        .where(deliveries.c.subscription_id == subscription_id)
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(deliveries.c.id < before)
    if state is not None:
        wanted = wanted.where(deliveries.c.state == state)
    return list((await work.connection.execute(wanted)).mappings())


async def find_attempts(work: Work, delivery_ids: Collection[UUID]) -> dict[UUID, list[sa.RowMapping]]:
    """The attempts of each of these messages, in order."""
    wanted = (
        sa.select(delivery_attempts)
        .where(delivery_attempts.c.delivery_id.in_(delivery_ids))
        .order_by(delivery_attempts.c.delivery_id, delivery_attempts.c.number)
    )
    found: dict[UUID, list[sa.RowMapping]] = {}
    for row in (await work.connection.execute(wanted)).mappings():
        found.setdefault(row["delivery_id"], []).append(row)
    return found
