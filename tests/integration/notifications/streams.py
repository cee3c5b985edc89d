"""Server-sent events as a reader of them meets them, over real HTTP."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.notifications import usecases
from shared.db import Database
from shared.events.fact import Fact
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered
from shared.streams.sequencer import number_staged


@dataclass
class Event:
    """One block of the stream."""

    name: str | None = None
    id: str | None = None
    data: Any = None
    comments: list[str] = field(default_factory=list)


class Reading:
    """An open stream, read block by block."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def blocks(self) -> AsyncIterator[Event]:
        event, begun = Event(), False
        async for line in self._lines:
            if not line:
                if begun:
                    yield event
                event, begun = Event(), False
                continue
            begun = True
            name, _, value = line.partition(":")
            match name:
                case "":
                    event.comments.append(value.strip())
                case "event":
                    event.name = value.strip()
                case "id":
                    event.id = value.strip()
                case "data":
                    event.data = json.loads(value)

    async def next(self) -> Event:
        """The next block of any kind."""
        return await anext(self.blocks())

    async def event(self) -> Event:
        """The next block that has a name."""
        while (found := await self.next()).name is None:
            pass
        return found


@asynccontextmanager
async def reading(address: str, headers: dict[str, str], **query: Any) -> AsyncIterator[Reading]:
    async with (
        httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=20) as client,
        client.stream("GET", "/v1/stream", params=query) as answer,
    ):
        yield Reading(answer)


async def push(database: Database, facts: Sequence[Fact]) -> None:
    """What the worker does: hear of notices, then number what was staged."""
    async with database.transaction() as work:
        await usecases.push_notices(work, [Delivered(n, uuid7(), None, fact) for n, fact in enumerate(facts, 1)])
    while (moved := await number_staged(database)) is not None and moved.entries:
        pass
