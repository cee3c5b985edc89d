"""Messages: written once under a number, listed with their attempts, put back to be sent again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text

from services.notifications.repository.claiming import DUE_KIND
from services.notifications.tables import deliveries, delivery_attempts, due_work
from shared.db import Work

# The subscriptions are locked: nobody else can take a number of theirs, nor write a message for the same source.
_ADD: Final = text(
    """
    WITH fresh AS (
        SELECT new.*, subscriptions.last_number + row_number() OVER (PARTITION BY subscription_id ORDER BY place) AS number
        FROM unnest(CAST(:ids AS uuid[]), CAST(:subscriptions AS uuid[]), CAST(:sources AS uuid[]),
                    CAST(:types AS text[]), CAST(:bodies AS text[]))
             WITH ORDINALITY AS new (id, subscription_id, source, type, body, place)
        JOIN subscriptions ON subscriptions.id = new.subscription_id
        WHERE NOT EXISTS (SELECT FROM deliveries AS told WHERE told.subscription_id = new.subscription_id AND told.source = new.source)),
    counted AS (
        UPDATE subscriptions SET last_number = last.number
        FROM (SELECT subscription_id, max(number) AS number FROM fresh GROUP BY subscription_id) AS last
        WHERE subscriptions.id = last.subscription_id)
    INSERT INTO deliveries (id, subscription_id, source, type, body, number, state, created_at, changed_at)
    SELECT id, subscription_id, source, type, body, number, 'pending', :at, :at FROM fresh
    RETURNING subscription_id, id
    """
)
# Whoever is sending one of them right now loses it: it is sent again after this moment, and what comes of the other attempt is not told.
_TAKE_BACK: Final = """
    WITH locked AS MATERIALIZED (
        SELECT id FROM due_work
        WHERE kind = :kind AND subject IN (
            SELECT id FROM deliveries WHERE subscription_id = :subscription AND {which} ORDER BY number LIMIT :limit)
        ORDER BY id FOR UPDATE)
    DELETE FROM due_work USING locked WHERE due_work.id = locked.id
    """
_PUT_BACK: Final = """
    WITH chosen AS (
        SELECT id FROM deliveries WHERE subscription_id = :subscription AND {which} ORDER BY number LIMIT :limit),
    waiting AS (
        UPDATE deliveries SET state = 'pending', attempts_before = attempts, tried_since = NULL, planned_at = NULL, changed_at = :at
        FROM chosen WHERE deliveries.id = chosen.id RETURNING deliveries.id, number),
    put AS (
        INSERT INTO due_work (kind, lane, subject, due_at)
        SELECT :kind, :subscription, id, clock_timestamp() FROM (SELECT id FROM waiting ORDER BY number) AS in_order RETURNING 1)
    SELECT count(*) AS many, max(number) AS last, (SELECT count(pg_notify('due', :kind)) FROM (SELECT 1 FROM put LIMIT 1) AS any_put)
    FROM waiting
    """
_FROM: Final = "number >= :number"
_CANCELLED: Final = "state = 'cancelled'"
_ONE: Final = "id = :delivery AND state IN ('exhausted', 'cancelled')"
_STATEMENTS: Final = {
    which: (text(_TAKE_BACK.format(which=which)), text(_PUT_BACK.format(which=which))) for which in (_FROM, _CANCELLED, _ONE)
}


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One message to be sent to one subscription; `source` is what it tells of, so that nothing is told twice."""

    id: UUID
    subscription_id: UUID
    source: UUID
    type: str
    body: str


async def add_deliveries(work: Work, new: Sequence[NewDelivery]) -> list[tuple[UUID, UUID]]:
    """Write and number messages of locked subscriptions that are not there yet; returns `(subscription, delivery)` of those written."""
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


async def put_back_from(work: Work, subscription_id: UUID, number: int, limit: int) -> tuple[int, int | None]:
    """Make messages of a locked subscription due again, from a number on; returns how many and the last one's number."""
    return await _put_back(work, _FROM, subscription_id, limit, number=number)


async def put_back_cancelled(work: Work, subscription_id: UUID, limit: int) -> int:
    """Make the cancelled messages of a locked subscription due again; returns how many."""
    return (await _put_back(work, _CANCELLED, subscription_id, limit))[0]


async def put_back(work: Work, subscription_id: UUID, delivery_id: UUID) -> bool:
    """Make one message of a locked subscription due again; false when it still waits or was delivered."""
    return (await _put_back(work, _ONE, subscription_id, 1, delivery=delivery_id))[0] == 1


async def _put_back(work: Work, which: str, subscription_id: UUID, limit: int, **values: object) -> tuple[int, int | None]:
    take_back, put_back_again = _STATEMENTS[which]
    known = {"kind": DUE_KIND, "subscription": subscription_id, "limit": limit} | values
    await work.connection.execute(take_back, known)
    row = (await work.connection.execute(put_back_again, known | {"at": work.at})).one()
    return int(row.many), row.last


async def cancel_deliveries(work: Work, subscription_id: UUID) -> None:
    """Cancel whatever of a subscription still waits."""
    await work.connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.state == "pending")
        .values(state="cancelled", changed_at=work.at)
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


async def find_delivery(work: Work, subscription_id: UUID, delivery_id: UUID) -> sa.RowMapping | None:
    """One message of a subscription."""
    wanted = sa.select(deliveries).where(deliveries.c.subscription_id == subscription_id, deliveries.c.id == delivery_id)
    return (await work.connection.execute(wanted)).mappings().one_or_none()


@dataclass(frozen=True, slots=True)
class WhichDeliveries:
    """Which messages are listed: those older than one, numbered from one number up to another, in a state; at most so many."""

    limit: int
    before: UUID | None = None
    state: str | None = None
    first: int | None = None
    last: int | None = None


async def list_deliveries(work: Work, subscription_id: UUID, which: WhichDeliveries) -> list[sa.RowMapping]:
    """Messages of a subscription, the newest first, each with the time its next attempt is due."""
    wanted = (
        sa.select(deliveries, due_work.c.due_at)
        .outerjoin(due_work, sa.and_(due_work.c.kind == DUE_KIND, due_work.c.subject == deliveries.c.id))
        .where(deliveries.c.subscription_id == subscription_id)
        .order_by(deliveries.c.number.desc())
        .limit(which.limit)
    )
    if which.before is not None:
        known = deliveries.alias()
        wanted = wanted.where(deliveries.c.number < sa.select(known.c.number).where(known.c.id == which.before).scalar_subquery())
    if which.state is not None:
        wanted = wanted.where(deliveries.c.state == which.state)
    if which.first is not None:
        wanted = wanted.where(deliveries.c.number >= which.first)
    if which.last is not None:
        wanted = wanted.where(deliveries.c.number <= which.last)
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
