import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from shared.db import Database
from shared.identifiers import uuid7
from shared.streams import due
from shared.streams.due import Claim, DueWorker, LeaseLost
from tests.integration.notifications.parts import change, rows
from tests.patience import until

LANE, OTHER = uuid7(), uuid7()


async def put(database: Database, *lanes: UUID) -> list[UUID]:
    subjects = [uuid7() for _ in lanes]
    async with database.transaction() as work:
        await due.schedule(work, "test", list(zip(lanes, subjects, strict=True)))
    return subjects


async def claimed(database: Database, limit: int = 10, busy: tuple[UUID, ...] = ()) -> list[Claim]:
    async with database.transaction() as work:
        return await due.claim(work, "test", limit=limit, busy=busy)


async def test_a_claimed_row_belongs_to_one_worker_until_its_lease_has_run_out(database: Database) -> None:
    await put(database, LANE)
    (first,) = await claimed(database)
    assert await claimed(database) == []
    await change(database, "UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms'")
    (second,) = await claimed(database)
    assert (second.subject, second.fence, second.attempts) == (first.subject, first.fence + 1, 2)


async def test_what_a_worker_does_after_its_lease_was_taken_over_does_not_count(database: Database) -> None:
    await put(database, LANE)
    (zombie,) = await claimed(database)
    await change(database, "UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms'")
    (heir,) = await claimed(database)
    for write in (due.done, due.renew):
        with pytest.raises(LeaseLost):
            async with database.transaction() as work:
                await write(work, zombie)
    with pytest.raises(LeaseLost):
        async with database.transaction() as work:
            await due.again(work, zombie, timedelta(0))
    async with database.transaction() as work:
        await due.done(work, heir)
    assert await rows(database, "SELECT * FROM due_work") == []


async def test_each_lane_gives_one_row_at_a_time_and_a_busy_lane_none(database: Database) -> None:
    await put(database, LANE, LANE, LANE, OTHER)
    assert {one.lane for one in await claimed(database)} == {LANE, OTHER}
    assert await claimed(database, busy=(LANE,)) == []
    assert [one.lane for one in await claimed(database)] == [LANE]


async def test_many_workers_at_once_never_claim_the_same_row(database: Database) -> None:
    await put(database, *[uuid7() for _ in range(40)])
    taken = [one.id for batch in await asyncio.gather(*(claimed(database, 7) for _ in range(8))) for one in batch]
    assert len(taken) == len(set(taken))
    assert len(taken) + len(await claimed(database, 100)) == 40


async def test_work_that_is_not_due_yet_waits_and_the_oldest_age_shows_what_is_late(database: Database) -> None:
    await put(database, LANE)
    (one,) = await claimed(database)
    async with database.transaction() as work:
        await due.again(work, one, timedelta(hours=1))
    assert await claimed(database) == []
    async with database.transaction() as work:
        assert await due.oldest_age(work, "test") == 0
    await change(database, "UPDATE due_work SET due_at = clock_timestamp() - interval '1 minute'")
    async with database.transaction() as work:
        assert 59 < await due.oldest_age(work, "test") < 120


async def test_scheduling_the_same_subject_twice_makes_it_due_once(database: Database) -> None:
    (subject,) = await put(database, LANE)
    async with database.transaction() as work:
        await due.schedule(work, "test", [(LANE, subject)])
    assert len(await rows(database, "SELECT * FROM due_work")) == 1


async def test_a_worker_that_fails_at_one_row_goes_on_with_the_others(database: Database, notifications_database: str) -> None:
    done: list[UUID] = []

    async def act(one: Claim) -> bool:
        if one.lane == LANE:
            raise RuntimeError
        async with database.transaction() as work:
            await due.done(work, one)
        done.append(one.subject)
        return True

    worker = asyncio.create_task(DueWorker("test", act, listen_url=notifications_database).run(database))
    await put(database, LANE, *[OTHER] * 5)
    await until(lambda: len(done) == 5)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    (left,) = await rows(database, "SELECT lane, attempts FROM due_work")
    assert (left.lane, left.attempts) == (LANE, 1)
