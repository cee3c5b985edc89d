"""Messages have numbers; what was lost, given up or cancelled is sent again under the id it had."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from services.notifications import usecases
from services.notifications.api import create_app
from services.notifications.channels import Met
from services.notifications.repository import claim_webhooks
from services.notifications.usecases import Rules
from shared.db import Database
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from shared.streams.due import LeaseLost, Room
from tests.integration.notifications.parts import (
    a_caller,
    a_notice,
    a_subscription,
    change,
    delivering,
    rows,
    settings_for,
    states,
    tell,
)
from tests.integration.notifications.receivers import answer, receiver, silence
from tests.integration.notifications.test_subscriptions import auth, subscribe
from tests.patience import until
from tests.services import Tokens, serving

ONE_ATTEMPT = Rules(schedule=())
QUICK = Rules(schedule=(timedelta(milliseconds=20),) * 9)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path)


@pytest.fixture
async def client(notifications_database: str, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings_for(notifications_database, tokens.keys_file))) as opened:
        yield opened


async def post(client: httpx.AsyncClient, headers: dict[str, str], subscription: str, what: str) -> httpx.Response:
    return await client.post(f"/v1/subscriptions/{subscription}/{what}", headers=headers | {"Idempotency-Key": str(uuid7())})


async def all_are(database: Database, state: str, count: int) -> bool:
    return [one for one, _ in await states(database)] == [state] * count


async def numbers(database: Database) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = {}
    for row in await rows(database, "SELECT subscription_id, number FROM deliveries ORDER BY subscription_id, number"):
        found.setdefault(row.subscription_id, []).append(row.number)
    return found


async def test_messages_are_numbered_without_a_gap_for_each_subscription_whoever_writes_them(database: Database) -> None:
    everything, _ = await a_subscription(database, "http://127.0.0.1:9/a")
    ready, _ = await a_subscription(database, "http://127.0.0.1:9/b", types=("notice.ready",))

    async def consume(count: int) -> None:
        facts = [Delivered(n, uuid7(), None, a_notice(notice_type="notice.ready" if n % 3 == 0 else "notice.leave")) for n in range(count)]
        for _ in range(2):  # delivered twice: what was told already takes no number
            async with database.transaction() as work:
                await usecases.tell_of_notices(work, facts)

    async def test() -> None:
        async with database.transaction() as work:
            await usecases.send_test(work, a_caller(), everything["id"])

    await asyncio.gather(*(consume(n) for n in (1, 5, 3, 7)), *(test() for _ in range(6)))
    assert await numbers(database) == {everything["id"]: list(range(1, 23)), ready["id"]: list(range(1, 8))}
    async with database.transaction() as work:
        assert (await usecases.find_subscription(work, a_caller(), everything["id"]))["last_number"] == 22


async def test_a_transaction_that_fails_takes_no_number(database: Database) -> None:
    await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    told_before_failing = [Delivered(1, uuid7(), None, a_notice())]
    with suppress(ZeroDivisionError):
        async with database.transaction() as work:
            await usecases.tell_of_notices(work, told_before_failing)
            _ = 1 / 0
    await tell(database, a_notice())
    assert list((await numbers(database)).values()) == [[1, 2]]


async def test_a_replay_sends_everything_from_a_number_on_with_the_ids_and_bytes_it_had(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with receiver() as told, delivering(database, notifications_database):
        made = (await subscribe(client, headers, url=told.url)).json()
        for _ in range(5):
            await tell(database, a_notice())
        await until(lambda: all_are(database, "delivered", 5))
        first = {headers["webhook-id"]: body for _, headers, body in told.received}
        answered = await post(client, headers, made["id"], "replay?from=3")
        assert (answered.status_code, answered.json()) == (202, {"replayed": 3, "next": None})
        await until(lambda: len(told.received) == 8)
        await until(lambda: all_are(database, "delivered", 5))
    log = (await client.get(f"/v1/subscriptions/{made['id']}/deliveries?from=3", headers=headers)).json()["deliveries"]
    assert [one["number"] for one in log] == [5, 4, 3]
    assert {one["id"] for one in log} == set(told.ids()[5:])
    assert all(first[headers["webhook-id"]] == body for _, headers, body in told.received[5:])
    assert [attempt["number"] for attempt in log[0]["attempts"]] == [1, 2], "the count of attempts goes on"


async def test_a_long_replay_says_where_to_go_on(client: httpx.AsyncClient, tokens: Tokens, database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("services.notifications.usecases.sending_again.REPLAYED_AT_ONCE", 2)
    made = (await subscribe(client, auth(tokens), url="http://127.0.0.1:9/")).json()
    await tell(database, *[a_notice() for _ in range(5)])
    parts, start = [], 1
    while start:
        part = (await post(client, auth(tokens), made["id"], f"replay?from={start}")).json()
        parts.append(part["replayed"])
        start = part["next"]
    assert parts == [2, 2, 1]
    assert (await post(client, auth(tokens), made["id"], "replay?from=99")).json() == {"replayed": 0, "next": None}


async def test_what_comes_of_an_attempt_that_was_under_way_at_the_replay_does_not_count(database: Database) -> None:
    row, _ = await a_subscription(database, "http://127.0.0.1:9/")
    await tell(database, a_notice())
    async with database.transaction() as work:
        (claimed,) = await claim_webhooks(work, Room(10, 4))
    async with database.transaction() as work:
        assert (await usecases.replay(work, a_caller(), row["id"], 1)).count == 1
    with pytest.raises(LeaseLost):
        async with database.transaction() as work:
            await usecases.settle(work, claimed, Met(1, 200), Rules())
    assert await states(database) == [("pending", 0)]
    async with database.transaction() as work:
        assert len(await claim_webhooks(work, Room(10, 4))) == 1


async def test_a_message_that_was_given_up_is_redriven_on_a_new_schedule(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    before = REGISTRY.get_sample_value("dirigent_webhooks_exhausted_total") or 0
    async with receiver(answer(500), answer(500), answer(200)) as told:
        made = (await subscribe(client, headers, url=told.url)).json()
        await tell(database, a_notice())
        (delivery,) = await rows(database, "SELECT id FROM deliveries")
        path = f"deliveries/{delivery.id}/redrive"
        waiting = await post(client, headers, made["id"], path)
        assert (waiting.status_code, waiting.json()["code"]) == (409, "delivery.not_ended")
        async with delivering(database, notifications_database, rules=ONE_ATTEMPT):
            await until(lambda: all_are(database, "exhausted", 1))
        assert REGISTRY.get_sample_value("dirigent_webhooks_exhausted_total") == before + 1
        redriven = await post(client, headers, made["id"], path)
        assert (redriven.status_code, redriven.json()) == (202, {"delivery_id": str(delivery.id)})
        async with delivering(database, notifications_database, rules=QUICK, look_every=0.02):
            await until(lambda: all_are(database, "delivered", 1))
    assert len(set(told.ids())) == 1
    assert await states(database) == [("delivered", 3)], "ONE_ATTEMPT was over after one, the new schedule was not after the second"
    over = await post(client, headers, made["id"], path)
    assert (over.status_code, over.json()["code"]) == (409, "delivery.not_ended")
    assert (await post(client, headers, made["id"], f"deliveries/{uuid7()}/redrive")).status_code == 404


async def test_an_endpoint_that_was_gone_is_enabled_and_gets_what_was_cancelled(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with receiver(answer(500), answer(410), answer(200)) as told, delivering(database, notifications_database, per_lane=1):
        made = (await subscribe(client, headers, url=told.url)).json()
        await tell(database, a_notice(), a_notice(), a_notice())
        await until(lambda: all_are(database, "cancelled", 3))
        one, *_ = await rows(database, "SELECT id FROM deliveries")
        for what in ("replay?from=1", "test", f"deliveries/{one.id}/redrive"):
            refused = await post(client, headers, made["id"], what)
            assert (refused.status_code, refused.json()["code"]) == (409, "subscription.disabled")
        enabled = await post(client, headers, made["id"], "enable")
        assert (enabled.status_code, enabled.json()) == (200, {"id": made["id"], "redriven": 3})
        await until(lambda: all_are(database, "delivered", 3))
        await tell(database, a_notice())
        await until(lambda: all_are(database, "delivered", 4))
    assert len(set(told.ids())) == 4
    again = await post(client, headers, made["id"], "enable")
    assert (again.status_code, again.json()["redriven"]) == (200, 0)


async def test_enabling_wakes_an_endpoint_that_rests(
    client: httpx.AsyncClient, tokens: Tokens, database: Database, notifications_database: str
) -> None:
    headers = auth(tokens)
    async with (
        receiver(*[answer(500)] * 3, answer(200)) as told,
        delivering(database, notifications_database, rules=Rules(breaker_after=3), per_lane=1),
    ):
        made = (await subscribe(client, headers, url=told.url)).json()
        await tell(database, *[a_notice() for _ in range(5)])
        await until(lambda: len(told.received) == 3)

        async def rests() -> bool:
            return bool((await client.get(f"/v1/subscriptions/{made['id']}", headers=headers)).json()["resting_since"])

        await until(rests)
        await change(database, "UPDATE due_work SET due_at = due_at + interval '5 hours'")
        await post(client, headers, made["id"], "enable")
        await until(lambda: all_are(database, "delivered", 5), within=10)


@pytest.mark.parametrize("query", ["", "from=0", "from=-1", "from=x", "from=1&from=2", "from=9223372036854775808", "to=1", "from=01x"])
async def test_a_replay_from_nowhere_is_refused(client: httpx.AsyncClient, tokens: Tokens, query: str) -> None:
    made = (await subscribe(client, auth(tokens), url="http://127.0.0.1:9/")).json()
    assert (await post(client, auth(tokens), made["id"], f"replay?{query}")).status_code == 400


async def test_the_log_is_filtered_by_number_and_its_pages_keep_the_filter(
    client: httpx.AsyncClient, tokens: Tokens, database: Database
) -> None:
    made = (await subscribe(client, auth(tokens), url="http://127.0.0.1:9/")).json()
    await tell(database, *[a_notice() for _ in range(9)])
    path, seen = f"/v1/subscriptions/{made['id']}/deliveries?from=3&to=7&limit=2&state=pending", []
    while path:
        page = await client.get(path, headers=auth(tokens))
        seen += [one["number"] for one in page.json()["deliveries"]]
        path = page.headers.get("link", "").partition(">")[0].removeprefix("<")
    assert seen == [7, 6, 5, 4, 3]


async def test_who_may_not_read_notices_sends_none_again(client: httpx.AsyncClient, tokens: Tokens) -> None:
    made = (await subscribe(client, auth(tokens), url="http://127.0.0.1:9/")).json()
    finance = auth(tokens, scopes=("subscriptions:write",))
    for what in ("replay?from=1", "enable"):
        refused = await post(client, finance, made["id"], what)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.denied")


async def test_a_deleted_endpoint_that_thinks_is_not_waited_for(database: Database, notifications_database: str) -> None:
    async with receiver(silence) as told, delivering(database, notifications_database):
        row, _ = await a_subscription(database, told.url)
        await tell(database, a_notice())
        await until(lambda: told.received)
        async with database.transaction() as work:
            await usecases.unsubscribe(work, a_caller(), row["id"])
    assert await states(database) == [("cancelled", 0)]


async def test_replays_while_everything_is_being_sent_and_settled_block_nobody(database: Database, notifications_database: str) -> None:
    """Whoever locks in another order than the others is found by the database as a deadlock, and its messages wait for their leases."""
    async with receiver() as told, delivering(database, notifications_database, at_once=32, per_lane=16):
        row, _ = await a_subscription(database, told.url)
        await tell(database, *[a_notice() for _ in range(120)])

        async def again(first: int) -> None:
            async with database.transaction() as work:
                await usecases.replay(work, a_caller(), row["id"], first)

        for first in range(1, 120, 12):
            await asyncio.gather(again(first), again(first), tell(database, a_notice()))
        await until(lambda: all_are(database, "delivered", 130), within=20)
    assert len(set(told.ids())) == 130
