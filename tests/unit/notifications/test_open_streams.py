"""The place that a stream takes: given back at the end, whatever the reader does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from services.notifications.api.stream import EventStream, OpenStreams
from shared.http.problems import HttpProblem


async def events() -> AsyncIterator[bytes]:
    while True:
        yield b": heartbeat\n\n"


async def never() -> Message:
    await asyncio.Event().wait()
    return {}


async def taking_nothing(_message: Message) -> None:
    await asyncio.Event().wait()


async def test_a_reader_that_takes_nothing_gives_its_place_back_when_the_token_ends() -> None:
    streams = OpenStreams(1)
    answer = EventStream(events(), streams, "reader", 0.05)
    with pytest.raises(HttpProblem):
        streams.open("reader")
    await asyncio.wait_for(answer({"type": "http"}, never, taking_nothing), 5)
    streams.open("reader")


async def test_what_fails_for_want_of_time_within_a_stream_is_a_failure_and_gives_the_place_back() -> None:
    async def failing(_message: Message) -> None:
        raise TimeoutError

    streams = OpenStreams(1)
    with pytest.raises(TimeoutError):
        await EventStream(events(), streams, "reader", 60)({"type": "http"}, never, failing)
    streams.open("reader")
