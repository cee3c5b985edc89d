"""A stream is followed by a long poll: what the queue brings is left to it, what it does not bring is repaired, late only once."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import httpx
import pytest

from shared.streams.following import QUEUE_SECONDS, Follower
from shared.streams.outbox import FACTS_FEED
from shared.streams.repair import HttpProducer
from tests.integration.streams.conftest import Stream, rows
from tests.patience import until
from tests.services import SERVICE_KEY


class Asked:
    """The producer's address, and how often it was asked where its stream ends."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.times = 0
        self._producer = HttpProducer(
            client, stream="planning", base_url="http://planning.test", service_key=SERVICE_KEY, consumer="billing"
        )

    async def head(self, *, epoch: int, after: int, wait: float) -> int:
        self.times += 1
        return await self._producer.head(epoch=epoch, after=after, wait=wait)


async def publish(stream: Stream, number: int) -> list[list[object]]:
    await stream.publish(number)
    entries = rows(await stream.numbered())
    stream.app.state.watcher.told(f'["{FACTS_FEED}"]')
    return entries


@pytest.fixture
async def asked(stream: Stream) -> AsyncIterator[Asked]:
    await stream.consumer.catch_up()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=stream.app)) as client:
        yield Asked(client)


async def test_the_end_of_a_stream_is_told_when_it_moves_and_not_before(stream: Stream, asked: Asked) -> None:
    begun = monotonic()
    assert await asked.head(epoch=0, after=0, wait=0.2) == 0
    assert monotonic() - begun >= 0.2
    waiting = asyncio.create_task(asked.head(epoch=0, after=0, wait=20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await publish(stream, 1)
    assert await waiting == 1
    assert monotonic() - begun < 10


async def test_what_the_queue_brings_is_left_to_it(stream: Stream, asked: Asked) -> None:
    follower = Follower(stream.consumer, asked)
    for number in range(3):
        looking = asyncio.create_task(follower.look(20))
        entries = await publish(stream, number)
        await asyncio.sleep(QUEUE_SECONDS / 10)
        await stream.consumer.receive(1, entries)
        assert await looking == 0
    cursor = await stream.cursor()
    assert (cursor["delivered"], cursor["repaired"]) == (3, 0)


async def test_nothing_is_asked_while_the_queue_brings_things(stream: Stream, asked: Asked) -> None:
    following = asyncio.create_task(Follower(stream.consumer, asked).run())
    await until(lambda: asked.times == 1)
    for number in range(15):
        await stream.consumer.receive(1, await publish(stream, number))
        await asyncio.sleep(QUEUE_SECONDS / 5)
    assert asked.times <= 2, "the poll that waited, and no other for three times as long as the queue may be silent"
    await until(lambda: asked.times > 2)
    following.cancel()
    assert (await stream.cursor())["repaired"] == 0


async def test_what_the_queue_loses_is_late_once_and_then_repaired_as_it_comes(stream: Stream, asked: Asked) -> None:
    follower = Follower(stream.consumer, asked)
    took = []
    for number in range(4):
        begun = monotonic()
        looking = asyncio.create_task(follower.look(20))
        await publish(stream, number)
        assert await looking == 1
        took.append(monotonic() - begun)
    assert await stream.applied() == [0, 1, 2, 3]
    assert took[0] >= QUEUE_SECONDS
    assert max(took[1:]) < QUEUE_SECONDS, took


async def test_a_queue_that_brings_what_was_repaired_is_trusted_again(stream: Stream, asked: Asked) -> None:
    follower = Follower(stream.consumer, asked)
    lost = await publish(stream, 0)
    assert await follower.look(20) == 1
    late = await publish(stream, 1)
    assert await follower.look(20) == 1, "the queue did not bring what was repaired, so this was not left to it"
    await stream.consumer.receive(1, lost)
    assert not follower._queue_is_trusted, "what it brings is older than what was repaired last"
    await stream.consumer.receive(1, late)
    looking = asyncio.create_task(follower.look(20))
    await stream.consumer.receive(1, await publish(stream, 2))
    assert await looking == 0
    assert (await stream.cursor())["delivered"] == 1


async def test_who_waits_for_a_stream_is_answered_when_the_process_is_about_to_go(stream: Stream, asked: Asked) -> None:
    waiting = asyncio.create_task(asked.head(epoch=0, after=0, wait=20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    begun = monotonic()
    stream.app.state.watcher.end(FACTS_FEED)
    assert await waiting == 0
    assert await asked.head(epoch=0, after=0, wait=20) == 0, "nor is anybody to wait who asks now"
    assert monotonic() - begun < 10
