"""A receiver that takes little at a time gets everything: what it had no room for uses nothing of a message's schedule."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notifications import usecases
from services.notifications.channels import Met
from services.notifications.repository import WebhookClaim, claim_webhooks
from services.notifications.repository.subscriptions import GROWN
from services.notifications.usecases import Rules
from shared.db import Database
from shared.streams.due import Room
from tests.integration.notifications.parts import a_caller, a_notice, a_subscription, change, delivering, make_due, rows, states, tell
from tests.integration.notifications.receivers import answer, at_a_rate, receiver
from tests.patience import until

LONG = Rules(schedule=[timedelta(hours=10)] * 9, breaker_after=3)
BUSY = Met(1, 429, None, "1")
BROKEN = Met(1, 500)
TAKEN = Met(1, 204)


async def claim(database: Database, per_lane: int = 4) -> list[WebhookClaim]:
    async with database.transaction() as work:
        return await claim_webhooks(work, Room(64, per_lane))


async def settle(database: Database, claimed: WebhookClaim, met: Met, rules: Rules = LONG) -> None:
    async with database.transaction() as work:
        await usecases.settle(work, claimed, met, rules)


async def attempt(database: Database, met: Met, rules: Rules = LONG) -> None:
    (claimed,) = await claim(database, per_lane=1)
    await settle(database, claimed, met, rules)


async def counted(database: Database) -> list[tuple[int, int]]:
    """Of each message: attempts, and those of them that its schedule counts."""
    found = await rows(database, "SELECT attempts, attempts - attempts_before AS counted FROM deliveries ORDER BY number")
    return [(row.attempts, row.counted) for row in found]


async def hours_until_due(database: Database) -> list[float]:
    found = await rows(database, "SELECT extract(epoch FROM due_at - clock_timestamp()) / 3600 AS hours FROM due_work ORDER BY id")
    return [float(row.hours) for row in found]


async def test_a_message_is_not_given_up_however_often_its_receiver_asks_for_time(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    for _ in range(30):
        await attempt(database, BUSY, Rules())
        await make_due(database)
    assert (await states(database), await counted(database)) == ([("pending", 30)], [(30, 0)])
    await attempt(database, TAKEN, Rules())
    assert await states(database) == [("delivered", 31)]


async def test_a_receiver_that_asks_for_time_for_longer_than_the_schedule_takes_uses_up_the_ten_and_is_then_told_no_more(
    database: Database,
) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    await attempt(database, BUSY, Rules())
    for hours in (75, *[76] * 9):
        await make_due(database)
        await change(
            database,
            f"UPDATE deliveries SET tried_since = clock_timestamp() - interval '{hours} hours', planned_at = clock_timestamp()",  # noqa: S608
        )
        await attempt(database, BUSY, Rules())
    assert (await states(database), await counted(database)) == ([("pending", 11)], [(11, 9)])
    await make_due(database)
    await change(database, "UPDATE deliveries SET planned_at = clock_timestamp()")
    await attempt(database, BUSY, Rules())
    assert (await states(database), await counted(database)) == ([("exhausted", 12)], [(12, 10)])
    assert await rows(database, "SELECT * FROM due_work") == []


async def test_a_receiver_that_only_ever_asks_for_time_is_asked_less_and_less(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(10)])
    rests = []
    for minutes in (0, 1, 3, 600):
        await change(database, f"UPDATE subscriptions SET resting_since = resting_since - interval '{minutes} minutes'")  # noqa: S608
        await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp() WHERE resting_since IS NOT NULL")
        await attempt(database, BUSY, Rules())
        (row,) = await rows(database, "SELECT extract(epoch FROM rests_until - clock_timestamp()) AS seconds FROM subscriptions")
        rests.append(round(row.seconds, -1))
    assert rests == [0, 60, 240, 300]


async def test_a_message_that_is_sent_again_has_its_whole_schedule_and_time_before_it(database: Database) -> None:
    row, _ = await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    await attempt(database, BROKEN)
    await change(database, "UPDATE deliveries SET tried_since = clock_timestamp() - interval '99 hours'")
    async with database.transaction() as work:
        await usecases.replay(work, a_caller(), row["id"], 1)
    (fresh,) = await rows(database, "SELECT tried_since, planned_at FROM deliveries")
    assert tuple(fresh) == (None, None)
    await change(database, "UPDATE subscriptions SET failures = 0, resting_since = NULL, rests_until = NULL")
    await attempt(database, BUSY)
    assert (await states(database), await counted(database)) == ([("pending", 2)], [(2, 0)])


async def test_what_another_messages_success_made_due_early_uses_no_attempt_and_keeps_its_own_time(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice(), a_notice(), a_notice())
    for _ in range(3):
        await attempt(database, BROKEN)
    assert await counted(database) == [(1, 1)] * 3
    planned = await rows(database, "SELECT planned_at FROM deliveries ORDER BY number")
    await tell(database, a_notice())
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    await attempt(database, TAKEN)
    assert [hours <= 0 for hours in await hours_until_due(database)] == [True] * 3, "what waited follows at once"
    await attempt(database, BROKEN)
    assert sorted(await counted(database)) == [(1, 1), (1, 1), (1, 1), (2, 1)]
    waiting, following, hastened = sorted(await hours_until_due(database))
    assert waiting <= following <= 0
    assert 9.9 < hastened < 12.1
    assert (await rows(database, "SELECT planned_at FROM deliveries ORDER BY number"))[:3] == planned
    await make_due(database)
    await attempt(database, BROKEN)
    assert sorted(await counted(database)) == [(1, 1), (1, 1), (2, 1), (2, 2)], "at its own time it counts"


async def test_an_attempt_at_its_planned_time_counts(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    quick = Rules(schedule=[timedelta(milliseconds=1)] * 4, breaker_after=100)
    for _ in range(5):
        await until(lambda: _is_due(database))
        await attempt(database, BROKEN, quick)
    assert (await states(database), await counted(database)) == ([("exhausted", 5)], [(5, 5)])


async def _is_due(database: Database) -> bool:
    return max(await hours_until_due(database)) <= 0


async def test_after_a_rest_messages_leave_one_by_one_and_with_each_success_one_more_at_once(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(100)])
    await attempt(database, BUSY)
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    sizes, under_way = [], list[WebhookClaim]()
    for _ in range(GROWN + 3):
        under_way += await more(database, under_way)
        sizes.append(len(under_way))
        await settle(database, under_way.pop(), TAKEN)
    assert sizes[:5] == [1, 1, 2, 3, 4]
    assert sizes[GROWN + 1 :] == [16, 16], "and then as many as anybody"


async def more(database: Database, under_way: list[Any]) -> list[WebhookClaim]:
    lanes: dict[UUID, int] = {under_way[0].lane: len(under_way)} if under_way else {}
    async with database.transaction() as work:
        return await claim_webhooks(work, Room(64, 16, lanes))


async def test_whoever_fails_while_it_is_being_tried_again_begins_with_one_again(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(20)])
    await attempt(database, BUSY)
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    for met in (TAKEN, TAKEN, TAKEN):
        await attempt(database, met)
    three = await claim(database, per_lane=16)
    assert len(three) == 3
    seen = []
    for one, met in zip(three, (BROKEN, TAKEN, TAKEN), strict=True):
        await settle(database, one, met)
        seen += [tuple(row) for row in await rows(database, "SELECT at_once, failures FROM subscriptions")]
    assert seen == [(1, 1), (2, 0), (3, 0)]


@pytest.mark.parametrize("met", [TAKEN, BUSY, BROKEN])
async def test_what_was_under_way_before_a_rest_does_not_shorten_the_time_its_receiver_asked_for(database: Database, met: Met) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(20)])
    await attempt(database, BUSY)
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    for _ in range(3):
        await attempt(database, TAKEN)
    refused, *others = await claim(database, per_lane=16)
    assert len(others) == 2, "positive control: more than one is under way"
    await settle(database, refused, Met(1, 429, None, "3600"))
    for other in others:
        await settle(database, other, met)
    (row,) = await rows(database, "SELECT rests_until > clock_timestamp() + interval '59 minutes' AS rests FROM subscriptions")
    assert row.rests, "it asked for an hour"
    assert await claim(database) == []


async def test_a_receiver_that_takes_one_in_a_while_gets_all_of_it_on_the_published_schedule(
    database: Database, notifications_database: str
) -> None:
    async with receiver(at_a_rate(0.4)) as told, delivering(database, notifications_database, look_every=0.05):
        await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(6)])
        await until(lambda: _all_taken(database, 6), within=60)
    assert [attempts for attempts, _ in await counted(database)] != [1] * 6, "it did refuse some"
    assert max(used for _, used in await counted(database)) == 1, "the one that was accepted"
    assert len(told.received) <= 4 * 6, "and was not stormed"


async def test_after_a_rest_nothing_waits_for_the_worker_to_look_again(database: Database, notifications_database: str) -> None:
    rules = Rules(breaker_after=3)
    async with (
        receiver(*[answer(500)] * 3, answer(200)) as told,
        delivering(database, notifications_database, look_every=60, rules=rules),
        delivering(database, notifications_database, look_every=60, rules=rules),
    ):
        await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(40)])
        await until(lambda: _rests(database))
        await asyncio.sleep(0.2)  # both have looked by now
        await make_due(database)
        await until(lambda: _all_taken(database, 40), within=20)


async def _rests(database: Database) -> bool:
    (row,) = await rows(database, "SELECT resting_since FROM subscriptions")
    return row.resting_since is not None


async def _all_taken(database: Database, count: int) -> bool:
    return [state for state, _ in await states(database)] == ["delivered"] * count
