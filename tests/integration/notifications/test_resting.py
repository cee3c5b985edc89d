"""A receiver that fails again and again rests: one message probes it, nothing else of it is tried, and nobody else notices."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from dirigent.databases import Access
from services.notifications import usecases
from services.notifications.channels import Met
from services.notifications.repository import claim_webhooks, claiming
from services.notifications.usecases import Rules
from shared.db import Database
from shared.streams.due import LEASE, Room
from tests.integration.notifications.parts import a_caller, a_notice, a_subscription, change, delivering, make_due, rows, states, tell
from tests.integration.notifications.receivers import answer, receiver
from tests.patience import until

OTHER = "2120001363"
THREE = Rules(breaker_after=3)


async def failures(database: Database) -> Any:
    (row,) = await rows(database, "SELECT failures, resting_since, rests_until FROM subscriptions WHERE organisation = '2120001355'")
    return row


async def claimed(database: Database, limit: int = 64, per_lane: int = 4) -> Any:
    async with database.transaction() as work:
        return await claim_webhooks(work, Room(limit, per_lane))


async def fail(database: Database, count: int, status: int = 500, retry_after: str | None = None) -> None:
    for _ in range(count):
        (one,) = await claimed(database, limit=1)
        async with database.transaction() as work:
            await usecases.settle(work, one, Met(1, status, None, retry_after), THREE)


async def test_after_so_many_failures_in_a_row_a_receiver_gets_nothing_more_until_a_probe(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(10)])
    await fail(database, 3)
    row = await failures(database)
    assert (row.failures, row.resting_since is not None) == (3, True)
    assert await claimed(database) == []
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    assert len(await claimed(database)) == 1
    assert await claimed(database) == [], "one probe at a time, whoever asks"
    (wait,) = await rows(database, "SELECT extract(epoch FROM rests_until - clock_timestamp()) AS seconds FROM subscriptions")
    assert 0 < wait.seconds <= LEASE.total_seconds(), "and another one when whoever probed is gone"


async def test_many_workers_together_make_one_probe(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(10)])
    await fail(database, 3)
    await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
    taken = await asyncio.gather(*(claimed(database) for _ in range(8)))
    assert sum(map(len, taken)) == 1


async def test_the_failing_receiver_is_tried_with_one_message_at_a_time_before_it_rests(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(10)])
    assert len(await claimed(database)) == 4
    await change(database, "UPDATE due_work SET leased_until = NULL")
    await fail(database, 1)
    assert len(await claimed(database)) == 1


async def test_when_the_probe_is_accepted_everything_that_waited_follows(database: Database, notifications_database: str) -> None:
    async with receiver(*[answer(500)] * 4, answer(200)) as told, delivering(database, notifications_database, rules=THREE, per_lane=1):
        row, _ = await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(30)])
        await until(lambda: _rests(database))
        assert len(told.received) == 3
        async with database.transaction() as work:
            shown = await usecases.find_subscription(work, a_caller(), row["id"])
        since = shown["resting_since"]
        await make_due(database)
        await until(lambda: len(told.received) == 4)
        await until(lambda: _failed(database, 4))
        assert (await failures(database)).resting_since == since, "it is still the same rest"
        await make_due(database)
        await until(lambda: _delivered(database, 30))
    assert tuple(await failures(database)) == (0, None, None)
    assert len(set(told.ids())) == 30


async def _rests(database: Database) -> bool:
    return (await failures(database)).resting_since is not None


async def _failed(database: Database, count: int) -> bool:
    return bool((await failures(database)).failures == count)


async def _delivered(database: Database, count: int) -> bool:
    return [state for state, _ in await states(database)] == ["delivered"] * count


async def test_when_a_receiver_is_well_again_what_waited_for_a_later_attempt_follows_at_once(
    database: Database, notifications_database: str
) -> None:
    long = Rules(schedule=[timedelta(hours=10)] * 9, breaker_after=3)
    async with receiver(*[answer(500)] * 3, answer(200)) as told, delivering(database, notifications_database, rules=long, per_lane=1):
        await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(3)])
        await until(lambda: _rests(database))
        await change(database, "UPDATE subscriptions SET rests_until = clock_timestamp()")
        await tell(database, a_notice())
        await until(lambda: _delivered(database, 4), within=10)
    assert len(set(told.ids())) == 4


async def test_one_success_between_failures_begins_the_count_anew(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(10)])
    await fail(database, 2)
    await fail(database, 1, 200)
    await fail(database, 2)
    row = await failures(database)
    assert (row.failures, row.resting_since) == (2, None)


async def test_a_receiver_that_asks_for_time_is_left_alone_with_every_message(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice() for _ in range(3)])
    await fail(database, 1, 429, "600")
    assert await claimed(database) == []
    (wait,) = await rows(database, "SELECT extract(epoch FROM rests_until - clock_timestamp()) AS seconds FROM subscriptions")
    assert 590 < wait.seconds <= 600


async def test_each_receiver_gets_a_turn_before_anybody_gets_a_second_one(database: Database) -> None:
    organisations = [f"212000{number:04d}" for number in range(1, 7)]
    for organisation in organisations:
        await a_subscription(database, "http://127.0.0.1:9/", organisation)
    for organisation in organisations:
        await tell(database, *[a_notice(organisation=organisation) for _ in range(5)])
    first = await claimed(database, limit=6)
    assert len({one.lane for one in first}) == 6
    assert len(await claimed(database, limit=12, per_lane=4)) == 12


async def test_the_last_free_place_goes_to_who_has_least_under_way_not_to_a_slow_receiver_with_an_old_backlog(database: Database) -> None:
    slow, _ = await a_subscription(database, "http://127.0.0.1:9/", OTHER)
    well, _ = await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, *[a_notice(organisation=OTHER) for _ in range(5)])
    await tell(database, a_notice())
    async with database.transaction() as work:
        (one,) = await claim_webhooks(work, Room(1, 4, {slow["id"]: 3}))
    assert one.lane == well["id"]


async def test_a_hundred_thousand_messages_for_a_dead_receiver_cost_the_others_nothing(
    databases: dict[str, Access],
) -> None:
    database = Database(databases["notifications"].app)
    dead, _ = await a_subscription(database, "http://127.0.0.1:9/", OTHER)
    await a_subscription(database, "http://127.0.0.1:9/")
    many = f"""
        WITH written AS (
            INSERT INTO deliveries (id, subscription_id, source, type, body, number, state, created_at, changed_at)
            SELECT gen_random_uuid(), '{dead["id"]}', gen_random_uuid(), 'notice.ready', '{{}}', number, 'pending', now(), now()
            FROM generate_series(1, 100000) AS number RETURNING id)
        INSERT INTO due_work (kind, lane, subject, due_at)
        SELECT 'webhook', '{dead["id"]}', id, clock_timestamp() - interval '1 hour' FROM written
        """  # noqa: S608  # an id of ours
    await change(database, many)
    await _analyse(databases["notifications"].owner)
    for resting in (False, True):
        if resting:
            await change(
                database,
                "UPDATE subscriptions SET failures = 9, resting_since = now(), rests_until = now() + interval '1 hour' "
                "WHERE organisation = '2120001363'",
            )
        await tell(database, a_notice())
        values = {"kind": "webhook", "limit": 64, "per_lane": 4, "lanes": [], "under_way": [], "most": [], "lease": timedelta(seconds=25)}
        async with database.transaction() as work:
            explained = await work.connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {claiming._CLAIM.text}"), values)
            (plan,) = explained.scalar_one()
        read = _rows_read(plan["Plan"])
        assert read < 500, json.dumps(plan, indent=1)
        assert plan["Execution Time"] < 50
    await database.close()


async def _analyse(owner: str) -> None:
    """As autovacuum does within a minute."""
    database = Database(owner, role=None)
    async with database.transaction() as work:
        await work.connection.execute(text("ANALYZE"))
    await database.close()


def _rows_read(node: dict[str, Any]) -> float:
    """How many rows the scans of a plan gave, filtered ones included."""
    own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] if "Scan" in node["Node Type"] else 0
    return own + sum(_rows_read(inner) for inner in node.get("Plans", []))
