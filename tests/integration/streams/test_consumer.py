"""Exactly-once effect, in order, provably complete: whatever the queue does to the messages."""

import random

import httpx
import pytest
from sqlalchemy import text

from shared.events.facts import MailboxPolled
from shared.streams.consumer import Consumer
from shared.streams.repair import HttpProducer, service_token
from tests.integration.streams.conftest import Stream, rows, take_effect
from tests.services import SERVICE_KEY, bearer


async def test_a_range_is_applied_once_however_often_it_is_delivered(stream: Stream) -> None:
    await stream.publish(1, 2, 3)
    entries = rows(await stream.numbered())
    await stream.consumer.catch_up()
    for _ in range(3):
        await stream.consumer.receive(1, entries)
    assert await stream.applied() == [1, 2, 3]


async def test_ranges_in_order_need_no_repair(stream: Stream) -> None:
    await stream.consumer.catch_up()
    for number in (1, 2, 3):
        await stream.publish(number)
        await stream.consumer.receive(1, rows(await stream.numbered()))
    assert await stream.applied() == [1, 2, 3]
    cursor = await stream.cursor()
    assert (cursor["position"], cursor["delivered"], cursor["repaired"]) == (3, 3, 0)


async def test_a_gap_is_repaired_from_the_producer(stream: Stream) -> None:
    await stream.consumer.catch_up()
    await stream.publish(1, 2, 3, 4)
    entries = rows(await stream.numbered())
    await stream.consumer.receive(1, entries[:1])
    await stream.consumer.receive(1, entries[2:])
    assert await stream.applied() == [1, 2, 3, 4]
    cursor = await stream.cursor()
    assert (cursor["delivered"], cursor["repaired"]) == (1, 3)


async def test_a_message_that_comes_before_any_cursor_is_repaired_too(stream: Stream) -> None:
    await stream.publish(1, 2, 3)
    await stream.consumer.receive(1, rows(await stream.numbered())[2:])
    assert await stream.applied() == [1, 2, 3]


async def test_an_overlapping_range_applies_only_what_is_new(stream: Stream) -> None:
    await stream.publish(1, 2, 3)
    entries = rows(await stream.numbered())
    await stream.consumer.catch_up()
    await stream.publish(4)
    await stream.consumer.receive(1, entries[1:] + rows(await stream.numbered()))
    assert await stream.applied() == [1, 2, 3, 4]


async def test_shuffled_doubled_and_lost_messages_end_in_the_same_state(stream: Stream) -> None:
    chance = random.Random(7)
    messages = []
    for number in range(60):
        await stream.publish(number)
        messages.append(rows(await stream.numbered()))
    kept = [message for message in messages * 2 if chance.random() < 0.6]
    chance.shuffle(kept)
    for message in kept:
        await stream.consumer.receive(1, message)
    await stream.consumer.catch_up()
    assert await stream.applied() == list(range(60))


async def test_nothing_delivered_at_all_is_caught_up_by_the_sweep(stream: Stream) -> None:
    for start in range(0, 1_200, 400):
        await stream.publish(*range(start, start + 400))
    await stream.numbered()
    assert await stream.consumer.catch_up() == 1_200
    assert await stream.applied() == list(range(1_200))


async def test_a_message_of_another_epoch_is_not_believed(stream: Stream) -> None:
    await stream.publish(1)
    await stream.numbered()
    await stream.consumer.catch_up()
    await stream.publish(2)
    forged = rows(await stream.numbered())
    forged[0][4] = str(forged[0][4]).replace('"2"', '"666"')
    await stream.consumer.receive(9, forged)
    assert await stream.applied() == [1, 2]


async def test_a_failing_handler_leaves_everything_before_it_applied_and_itself_to_be_tried_again(stream: Stream) -> None:
    broken = True

    async def fail_at_three(work: object, delivered: object) -> None:
        for one in delivered:  # type: ignore[attr-defined]  # a handler as a test writes it
            if broken and one.fact.mailbox == "3":
                raise LookupError
        await take_effect(work, delivered)  # type: ignore[arg-type]

    consumer = Consumer(
        stream.consumer_database, stream="planning", handlers={MailboxPolled.kind: fail_at_three}, producer=stream.consumer._producer
    )
    await stream.publish(1, 2, 3, 4)
    await stream.numbered()
    with pytest.raises(LookupError):
        await consumer.catch_up()
    assert await stream.applied() == [1, 2]
    broken = False
    await consumer.catch_up()
    assert await stream.applied() == [1, 2, 3, 4]


async def test_the_internal_address_wants_a_token_for_this_service(stream: Stream) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stream.app), base_url="http://planning.test") as client:
        address = "/internal/streams/planning?after=0"
        none = await client.get(address)
        wrong = await client.get(address, headers=bearer(service_token(SERVICE_KEY, issuer="billing", audience="billing")))
        forged = await client.get(address, headers=bearer(service_token("f" * 64, issuer="billing", audience="planning")))
        right = await client.get(address, headers=bearer(service_token(SERVICE_KEY, issuer="billing", audience="planning")))
    assert [answer.status_code for answer in (none, wrong, forged, right)] == [401, 401, 401, 200]


async def test_a_rewound_producer_is_never_applied_over_what_was(stream: Stream) -> None:
    await stream.publish(1, 2)
    await stream.numbered()
    await stream.consumer.catch_up()
    async with stream.producer.transaction() as work:
        await work.connection.execute(text("UPDATE sequencer SET epoch = 2"))
    await stream.publish(3)
    await stream.numbered()
    with pytest.raises(httpx.HTTPStatusError):
        await stream.consumer.catch_up()
    assert await stream.applied() == [1, 2]


async def test_a_silent_producer_is_an_error_of_the_sweep_and_loses_nothing(stream: Stream) -> None:
    async def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        silent = HttpProducer(client, stream="planning", base_url="http://planning.test", service_key=SERVICE_KEY, consumer="billing")
        consumer = Consumer(stream.consumer_database, stream="planning", handlers={}, producer=silent)
        with pytest.raises(httpx.ConnectError):
            await consumer.catch_up()
    await stream.publish(1)
    await stream.numbered()
    await stream.consumer.catch_up()
    assert await stream.applied() == [1]
