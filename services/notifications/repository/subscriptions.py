"""Subscriptions: who is told, where, under which secrets, and how the receiver is."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from services.notifications.domain.matching import Subscription
from services.notifications.tables import subscriptions
from shared.db import Work

_LOCK_ORGANISATION: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
GROWN: Final = 8
"""So many at once have been taken after a rest, and a receiver gets as many as anybody."""
_FAILED: Final = text(
    """
    UPDATE subscriptions SET failures = failures + 1, at_once = CASE WHEN at_once IS NOT NULL THEN 1 END WHERE id = :id RETURNING failures
    """
)
# What comes after a rest comes one by one: a receiver that takes few at a time would refuse the others and rest again.
# A rest that began while a message was under way stands, though it was taken: its receiver has asked for that time since.
_WELL: Final = text(
    """
    UPDATE subscriptions SET failures = 0, resting_since = NULL, rests_until = NULL,
        at_once = CASE WHEN was.resting_since IS NOT NULL THEN 1 WHEN was.at_once < :grown THEN was.at_once + 1 END
    FROM (SELECT id, resting_since, at_once FROM subscriptions WHERE id = :id) AS was
    WHERE subscriptions.id = was.id AND (was.resting_since IS NULL OR :probed) RETURNING was.resting_since IS NOT NULL AS rested
    """
)
# The database's clock, as for everything that is due.
_REST: Final = text(
    """
    UPDATE subscriptions SET resting_since = coalesce(resting_since, clock_timestamp()),
        rests_until = greatest(CASE WHEN NOT :probed THEN rests_until END, clock_timestamp() + CAST(:rest AS interval))
    WHERE id = :id
    """
)


async def lock_organisation(work: Work, organisation: str) -> None:
    """Let nobody else add a subscription of an organisation until this transaction ends, so that they can be counted."""
    await work.connection.execute(_LOCK_ORGANISATION, {"name": f"subscriptions\n{organisation}"})


async def add_subscription(work: Work, values: dict[str, Any]) -> bool:
    """Write a subscription; false when its organisation and unit prefixes have one for the same address already."""
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


async def lock_active(work: Work, subscription_ids: Collection[UUID]) -> set[UUID]:
    """Take the locks of several subscriptions, in one order for everybody; returns those that are active now that nobody changes them."""
    wanted = (
        sa.select(subscriptions.c.id)
        .where(subscriptions.c.id.in_(subscription_ids), subscriptions.c.state == "active")
        .order_by(subscriptions.c.id)
        .with_for_update(key_share=True)
    )
    return set((await work.connection.execute(wanted)).scalars())


async def lock_active_of_client(work: Work, client: str) -> list[UUID]:
    """Take the locks of every active subscription that a client made, in the same order; returns them."""
    wanted = (
        sa.select(subscriptions.c.id)
        .where(subscriptions.c.client == client, subscriptions.c.state == "active")
        .order_by(subscriptions.c.id)
        .with_for_update(key_share=True)
    )
    return list((await work.connection.execute(wanted)).scalars())


async def set_subscription_state(work: Work, subscription_id: UUID, state: str) -> None:
    """Disable or delete a subscription."""
    await work.connection.execute(
        sa.update(subscriptions).where(subscriptions.c.id == subscription_id).values(state=state, changed_at=work.at)
    )


async def enable_subscription(work: Work, subscription_id: UUID) -> None:
    """Let a subscription hear again, with nothing held against its receiver."""
    await work.connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(state="active", failures=0, resting_since=None, rests_until=None, at_once=None, changed_at=work.at)
    )


async def rotate_secret(work: Work, subscription_id: UUID, sealed: bytes, former_until: datetime) -> None:
    """Sign with a new secret from now on, and with the one before until a time; one that was former already is forgotten."""
    await work.connection.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.id == subscription_id)
        .values(former_secret=subscriptions.c.secret, former_until=former_until, secret=sealed, secret_since=work.at, changed_at=work.at)
    )


async def note_failure(work: Work, subscription_id: UUID) -> int:
    """Count a failed attempt of a locked subscription; returns how many there have been in a row."""
    return int((await work.connection.execute(_FAILED, {"id": subscription_id})).scalar_one())


async def let_rest(work: Work, subscription_id: UUID, rest: timedelta, *, probed: bool) -> None:
    """Leave a receiver alone for a while; since when it rests stands until it is well again.

    `probed`: the message was claimed while it rested. What was sent before that does not shorten its rest.
    """
    await work.connection.execute(_REST, {"id": subscription_id, "rest": rest, "probed": probed})


async def note_success(work: Work, subscription_id: UUID, *, probed: bool) -> bool:
    """The receiver of a locked subscription took a message: it gets more at once than before; whether it rested until now.

    `probed`: the message was claimed while it rested. Only that ends a rest.
    """
    return bool((await work.connection.execute(_WELL, {"id": subscription_id, "grown": GROWN, "probed": probed})).scalar_one_or_none())


async def find_active(work: Work, organisations: Collection[str]) -> list[Subscription]:
    """The active subscriptions of these organisations."""
    wanted = sa.select(subscriptions).where(subscriptions.c.organisation.in_(organisations), subscriptions.c.state == "active")
    return [
        Subscription(row.id, row.organisation, tuple(row.unit_prefixes), tuple(row.types), tuple(row.units))
        for row in await work.connection.execute(wanted)
    ]
