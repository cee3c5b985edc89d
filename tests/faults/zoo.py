"""A zoo of receivers: good ones, and those that do wrong in every way we know; all on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat
from typing import Any, Final

from dirigent.supervisor.sockets import free_port
from tests.integration.notifications.receivers import Behaviour, Receiver, answer, at_a_rate, drip, flood, garbage, receiver, reset, silence

GOOD: Final = 4


@dataclass
class Animal:
    """One receiver: how its messages end, at most how many it gets, and what arrived."""

    name: str
    ends: str
    url: str
    most: int | None = None
    told: Receiver = field(default_factory=Receiver)
    organisation: str = ""
    secret: str = ""
    subscription: Any = None


async def half_an_answer(writer: asyncio.StreamWriter) -> None:
    """Begin to answer and cut the connection."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-le")
    await writer.drain()
    writer.transport.abort()


async def late(writer: asyncio.StreamWriter) -> None:
    """Answer, but not at once."""
    await asyncio.sleep(0.1)
    await answer(200)(writer)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Do one after the other, and begin again."""
    turns = cycle(behaviours)

    async def act(writer: asyncio.StreamWriter) -> None:
        await next(turns)(writer)

    return act


def at_first(behaviour: Behaviour, times: int) -> Behaviour:
    """Do it so often, and then accept everything."""
    turns = chain([behaviour] * times, repeat(answer(200)))

    async def act(writer: asyncio.StreamWriter) -> None:
        await next(turns)(writer)

    return act


_WAIT: Final = answer(429, Retry_After="1")
_AT_ONCE: Final = answer(503, Retry_After="0")
_OK: Final = answer(200)
BEHAVIOURS: Final[dict[str, tuple[Behaviour, str]]] = {
    "late": (late, "delivered"),
    "broken at first": (at_first(answer(500), 6), "delivered"),
    "busy now and then": (in_turn(_WAIT, *[_OK] * 19), "delivered"),
    "one in five": (in_turn(*[_AT_ONCE] * 4, _OK), "delivered"),
    "one in a while": (at_a_rate(0.5), "delivered"),
    "huge body": (flood, "delivered"),
    "broken": (answer(500, b"x" * 10_000), "exhausted"),
    "reset": (reset, "exhausted"),
    "half an answer": (half_an_answer, "exhausted"),
    "moved": (answer(301, Location="http://127.0.0.1:1/elsewhere"), "exhausted"),
    "garbage": (garbage, "exhausted"),
    "silent": (silence, "exhausted"),
    "drip": (drip, "exhausted"),
    "gone": (in_turn(*[_OK] * 3, answer(410)), "cancelled"),
}
SLOW: Final = {"silent", "drip", "one in a while"}
"""Each attempt takes as long as we have patience, or as it asks for: they get few messages."""


@asynccontextmanager
async def zoo(slow: int) -> AsyncIterator[list[Animal]]:
    """Open every receiver; the last one is an address where nobody listens."""
    async with AsyncExitStack() as stack:
        animals = []
        for number in range(GOOD):
            told = await stack.enter_async_context(receiver())
            animals.append(Animal(f"good {number}", "delivered", told.url, told=told))
        for name, (behaviour, ends) in BEHAVIOURS.items():
            told = await stack.enter_async_context(receiver(behaviour))
            animals.append(Animal(name, ends, told.url, slow if name in SLOW else None, told))
        animals.append(Animal("nobody", "exhausted", f"http://127.0.0.1:{free_port()}/in"))
        for number, animal in enumerate(animals):
            animal.organisation = f"212000{number:04d}"
        yield animals
