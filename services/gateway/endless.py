"""Answers that go on for as long as the caller listens: they end when the caller may no longer hear them, or takes nothing of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

from starlette.types import Message, Receive, Send

ENDLESS: Final = frozenset({"/v1/stream"})
LOOK_EVERY_SECONDS: Final = 2.0
STUCK_SECONDS: Final = 45.0
"""Three heartbeats: nobody who reads at all takes so long for one piece, which had room in the buffers when it was sent."""
_LEFT: Final[Message] = {"type": "http.disconnect"}
_THE_END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class Endless:
    """Stands between a service and a caller that listens. To the service a caller who was shut out looks like one who left.

    It is looked at whenever something is sent, and every few seconds all the same: what waits for a caller who reads nothing is never sent.
    """

    def __init__(self, receive: Receive, send: Send, taken_back: Callable[[], bool]) -> None:
        self._receive = receive
        self._send = send
        self._taken_back = taken_back
        self._cut = asyncio.Event()
        self._goes_on = False
        self._sending_since: float | None = None

    async def receive(self) -> Message:
        """What the caller sends, or that she left."""
        coming, cut = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._cut.wait())
        try:
            while not (coming.done() or cut.done()):
                await asyncio.wait((coming, cut), timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                await self._look()
            return coming.result() if coming.done() and not self._cut.is_set() else _LEFT
        finally:
            for waiting in (coming, cut):
                waiting.cancel()

    async def send(self, message: Message) -> None:
        """Pass on what the service sends, or end the answer."""
        if self._cut.is_set():
            return
        if message["type"] == "http.response.body" and self._taken_back():
            await self._end()
            return
        self._sending_since = monotonic()
        try:
            await self._send(message)
        finally:
            self._sending_since = None
        self._goes_on = message["type"] == "http.response.start" or message.get("more_body", False)

    async def _look(self) -> None:
        """End what may not go on. A piece under way is let through first, unless nobody takes it."""
        if self._sending_since is not None:
            waited = monotonic() - self._sending_since
            if waited > STUCK_SECONDS or (waited > LOOK_EVERY_SECONDS and self._taken_back()):
                self._cut.set()
        elif self._goes_on and not self._cut.is_set() and self._taken_back():
            await self._end()

    async def _end(self) -> None:
        """Say that this was all, to whoever still takes it."""
        self._cut.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await self._send(_THE_END)
