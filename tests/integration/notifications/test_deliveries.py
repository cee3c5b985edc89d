import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from services.notifications import usecases
from services.notifications.channels import TOTAL_SECONDS, Message, Met, Webhooks
from services.notifications.repository import Accepted, claim_webhooks, settle_accepted
from services.notifications.usecases.telling import notice_body
from shared.db import Database
from shared.identifiers import uuid7
from shared.streams import due
from shared.streams.consumer import Delivered
from shared.streams.due import LeaseLost, Room
from tests.integration.notifications.parts import (
    a_caller,
    a_notice,
    a_subscription,
    change,
    delivering,
    make_due,
    rows,
    states,
    tell,
)
from tests.integration.notifications.receivers import Behaviour, answer, certificate, drip, flood, garbage, receiver, reset, silence
from tests.patience import until

PUBLIC = "93.184.215.14"


async def test_a_notice_reaches_its_subscriber_signed_and_thin(database: Database, notifications_database: str) -> None:
    fact = a_notice()
    async with receiver() as told, delivering(database, notifications_database):
        _, secret = await a_subscription(database, told.url)
        await tell(database, fact)
        await until(lambda: told.received)
        await until(lambda: _is(database, [("delivered", 1)]))
    line, headers, _ = told.received[0]
    message = told.verified(secret)
    assert (line, headers["content-type"]) == ("POST /in HTTP/1.1", "application/json")
    assert message["type"] == "notice.admission"
    assert message["data"] == {"notice_id": str(fact.notice_id), "case_id": str(fact.case_id), "mailbox": "1480"}
    assert set(message) == {"type", "timestamp", "data"}


async def _is(database: Database, expected: list[tuple[str, int]]) -> bool:
    return await states(database) == expected


async def test_history_and_what_nobody_asked_for_is_never_told(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/", types=("notice.ready",))
    await tell(database, a_notice(), a_notice(notice_type="notice.ready", history=True), a_notice(organisation="2120001363"))
    assert await states(database) == []
    await tell(database, a_notice(notice_type="notice.ready"))
    assert await states(database) == [("pending", 0)]


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        (reset, None, "no_valid_answer"),
        (garbage, None, "no_valid_answer"),
        (silence, None, "timeout"),
        (drip, None, "timeout"),
        (answer(301, Location="http://127.0.0.1:1/elsewhere"), 301, None),
        (answer(404), 404, None),
        (answer(500, b"x" * 10_000), 500, None),
    ],
    ids=["reset", "garbage", "silence", "drip", "redirect", "not found", "broken"],
)
async def test_what_a_bad_receiver_does_is_logged_and_tried_again_with_the_same_id(
    database: Database, notifications_database: str, behaviour: Behaviour, status: int | None, error: str | None
) -> None:
    patience = {"seconds": 0.5} if behaviour in {silence, drip} else {}
    async with receiver(behaviour, answer(204)) as told:
        _, secret = await a_subscription(database, told.url)
        await tell(database, a_notice())
        async with delivering(database, notifications_database, **patience):
            await until(lambda: _is(database, [("pending", 1)]))
        await make_due(database)
        async with delivering(database, notifications_database):
            await until(lambda: _is(database, [("delivered", 2)]))
    assert len(told.received) == 2
    assert len(set(told.ids())) == 1
    assert told.verified(secret, 0) == told.verified(secret, 1)
    first, second = await rows(database, "SELECT status, error, accepted, number FROM delivery_attempts ORDER BY number")
    assert tuple(first) == (status, error, False, 1)
    assert tuple(second) == (204, None, True, 2)


async def test_nobody_listening_is_a_failed_attempt(database: Database, notifications_database: str) -> None:
    async with receiver() as gone:
        url = gone.url
    async with delivering(database, notifications_database):
        await a_subscription(database, url)
        await tell(database, a_notice())
        await until(lambda: _is(database, [("pending", 1)]))
    (attempt,) = await rows(database, "SELECT status, error FROM delivery_attempts")
    assert tuple(attempt) == (None, "not_reachable")


async def test_an_answer_without_end_is_read_to_4_kb_and_taken_for_its_status(database: Database, notifications_database: str) -> None:
    async with receiver(flood) as told, delivering(database, notifications_database):
        await a_subscription(database, told.url)
        await tell(database, a_notice())
        await until(lambda: _is(database, [("delivered", 1)]))


async def test_410_ends_the_subscription_and_cancels_what_waits(database: Database, notifications_database: str) -> None:
    async with receiver(answer(500), answer(410)) as told, delivering(database, notifications_database, per_lane=1):
        row, _ = await a_subscription(database, told.url)
        await tell(database, a_notice())
        await until(lambda: _is(database, [("pending", 1)]))
        await tell(database, a_notice())
        await until(lambda: _is(database, [("cancelled", 1), ("cancelled", 1)]))
        await tell(database, a_notice())
    assert len(await states(database)) == 2
    assert await rows(database, "SELECT * FROM due_work") == []
    async with database.transaction() as work:
        assert (await usecases.find_subscription(work, a_caller(), row["id"]))["state"] == "disabled"


async def test_a_receiver_that_asks_to_wait_is_left_alone_that_long(database: Database, notifications_database: str) -> None:
    async with receiver(answer(503, Retry_After="3600")) as told, delivering(database, notifications_database):
        await a_subscription(database, told.url)
        await tell(database, a_notice())
        await until(lambda: _is(database, [("pending", 1)]))
    (wait,) = await rows(database, "SELECT extract(epoch FROM due_at - clock_timestamp()) AS seconds FROM due_work")
    assert 3500 < wait.seconds <= 3600


async def test_after_ten_attempts_a_message_is_visibly_given_up(database: Database, notifications_database: str) -> None:
    async with receiver(answer(500)) as told, delivering(database, notifications_database):
        row, _ = await a_subscription(database, told.url)
        await tell(database, a_notice())
        for attempt in range(1, 11):
            await until(partial(_is, database, [("pending" if attempt < 10 else "exhausted", attempt)]))
            await make_due(database)
    assert (len(told.received), len(set(told.ids()))) == (10, 1)
    async with database.transaction() as work:
        assert await usecases.count_deliveries(work, [row["id"]]) == {row["id"]: {"exhausted": 1}}
    assert await rows(database, "SELECT * FROM due_work") == []


async def test_one_bad_receiver_delays_nobody(database: Database, notifications_database: str) -> None:
    async with receiver(silence) as bad, receiver() as good, delivering(database, notifications_database, at_once=8):
        await a_subscription(database, bad.url, "2120001363")
        await a_subscription(database, good.url)
        await tell(database, *[a_notice(organisation="2120001363") for _ in range(50)])
        await until(lambda: bad.received)
        begun = asyncio.get_running_loop().time()
        await tell(database, *[a_notice() for _ in range(50)])
        await until(lambda: len(good.received) == 50)
        took = asyncio.get_running_loop().time() - begun
    assert len(bad.received) <= 4
    assert took < 5
    assert len(set(good.ids())) == 50


async def test_a_killed_worker_leaves_its_message_to_another_which_sends_it_with_the_same_id(
    database: Database, notifications_database: str
) -> None:
    async with receiver(silence, answer(200)) as told:
        await a_subscription(database, told.url)
        await tell(database, a_notice())
        async with delivering(database, notifications_database):
            await until(lambda: told.received)
        assert await states(database) == [("pending", 0)]
        (lease,) = await rows(database, "SELECT extract(epoch FROM leased_until - clock_timestamp()) AS seconds FROM due_work")
        assert 0 < lease.seconds <= 25
        await change(database, "UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms'")
        async with delivering(database, notifications_database):
            await until(lambda: _is(database, [("delivered", 1)]))
    assert len(told.received) == 2
    assert len(set(told.ids())) == 1


async def test_a_zombie_writes_nothing(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    async with database.transaction() as work:
        (zombie,) = await claim_webhooks(work, Room(1, 1))
    await change(database, "UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms'")
    async with database.transaction() as work:
        await claim_webhooks(work, Room(1, 1))
    with pytest.raises(LeaseLost):
        async with database.transaction() as work:
            await usecases.settle(work, zombie, Met(1, 200), usecases.Rules())
    assert await states(database) == [("pending", 0)]
    assert await rows(database, "SELECT * FROM delivery_attempts") == []


async def test_of_outcomes_written_together_only_those_still_held_are_written(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice(), a_notice())
    async with database.transaction() as work:
        zombie, well = await claim_webhooks(work, Room(2, 2))
    await change(database, f"UPDATE due_work SET leased_until = clock_timestamp() - interval '1 ms' WHERE id = {zombie.id}")  # noqa: S608
    async with database.transaction() as work:
        (heir,) = await claim_webhooks(work, Room(2, 2))
    async with database.transaction() as work:
        assert await settle_accepted(work, [Accepted(zombie, 1, 200), Accepted(well, 1, 200)]) == {well.id}
    assert sorted(await states(database)) == [("delivered", 1), ("pending", 0)]
    async with database.transaction() as work:
        assert await settle_accepted(work, [Accepted(heir, 1, 200)]) == {heir.id}
    assert await states(database) == [("delivered", 1)] * 2
    assert await rows(database, "SELECT * FROM due_work") == []


async def test_many_messages_each_arrive_once_under_their_own_id(database: Database, notifications_database: str) -> None:
    async with receiver() as told, delivering(database, notifications_database):
        await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(200)])
        await until(lambda: len(told.received) >= 200)
        await until(lambda: _is(database, [("delivered", 1)] * 200))
    ids = {row.id for row in await rows(database, "SELECT id FROM deliveries")}
    assert set(told.ids()) == {str(one) for one in ids}
    assert len(told.received) == 200


async def test_the_same_fact_delivered_twice_is_told_once(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    delivered = [Delivered(1, uuid7(), None, a_notice())]
    for _ in range(2):
        async with database.transaction() as work:
            await usecases.tell_of_notices(work, delivered)
    assert await states(database) == [("pending", 0)]


async def test_a_name_that_now_means_a_private_address_is_not_called(database: Database, notifications_database: str) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]

    async def rebinding(_host: str, _port: int) -> list[str]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async with delivering(database, notifications_database, allowed=(), resolver=rebinding):
        await a_subscription(database, "https://hooks.kommun.se/in", allowed=(), resolver=rebinding)
        await tell(database, a_notice())
        await until(lambda: _is(database, [("pending", 1)]))
    (attempt,) = await rows(database, "SELECT status, error FROM delivery_attempts")
    assert tuple(attempt) == (None, "url_not_public")


async def test_tls_is_checked_against_the_name_while_the_connection_goes_to_the_checked_address(tmp_path: Path) -> None:
    own, trusting = certificate(tmp_path, "hooks.kommun.se")

    async def local(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with receiver(tls=own) as told:
        port = told.url.rpartition(":")[2].partition("/")[0]
        secret = "whsec_" + "A" * 44
        at = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
        async with Webhooks(("https://hooks.kommun.se:*", "https://other.kommun.se:*"), resolver=local, tls=trusting) as channel:
            right = await channel.post(Message(uuid7(), f"https://hooks.kommun.se:{port}/in", (secret,), "{}", uuid7()), at)
            wrong = await channel.post(Message(uuid7(), f"https://other.kommun.se:{port}/in", (secret,), "{}", uuid7()), at)
        async with Webhooks(("https://hooks.kommun.se:*",), resolver=local) as distrusting:
            unknown = await distrusting.post(Message(uuid7(), f"https://hooks.kommun.se:{port}/in", (secret,), "{}", uuid7()), at)
    assert (right.status, wrong.error, unknown.error) == (200, "tls_failed", "tls_failed")
    assert told.received[0][1]["host"] == f"hooks.kommun.se:{port}"
    assert told.received[0][1]["webhook-timestamp"] == str(int(at.timestamp()))
    assert len(told.received) == 1


async def test_a_deleted_subscription_hears_no_more_even_of_what_was_already_due(database: Database, notifications_database: str) -> None:
    async with receiver() as told:
        row, _ = await a_subscription(database, told.url)
        await tell(database, a_notice())
        async with database.transaction() as work:
            await usecases.unsubscribe(work, a_caller(), row["id"])
        async with delivering(database, notifications_database):
            await tell(database, a_notice())
            await until(lambda: _is(database, [("cancelled", 0)]))
    assert told.received == []


def test_the_lease_outlasts_the_longest_attempt_and_a_takeover_comes_within_thirty_seconds() -> None:
    assert timedelta(seconds=TOTAL_SECONDS + 5) < due.LEASE < timedelta(seconds=30 - due.LOOK_EVERY_SECONDS)


def test_bodies_are_canonical() -> None:
    body = notice_body(a_notice())
    assert json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True) == body
