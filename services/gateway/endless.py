"""Answers that go on for as long as the caller listens: they end when the caller may no longer hear them."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.types import Message, Receive, Send

ENDLESS: Final = frozenset({"/v1/stream"})


class Endless:
    """Stands between a service and a caller that listens. To the service a caller who was shut out looks like one who left.

    It is looked at whenever something is sent, and such a stream sends a heartbeat every few seconds.
    """

    def __init__(self, receive: Receive, send: Send, taken_back: Callable[[], bool]) -> None:
        self._receive = receive
        self._send = send
        self._taken_back = taken_back
        self._cut = asyncio.Event()

    async def receive(self) -> Message:
        """What the caller sends, or that she left."""
        coming, cut = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait((coming, cut), return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() and not cut.done() else {"type": "http.disconnect"}
        finally:
            for waiting in (coming, cut):
                waiting.cancel()

    async def send(self, message: Message) -> None:
        """Pass on what the service sends, or end the answer."""
        if self._cut.is_set():
            return
        if message["type"] == "http.response.body" and self._taken_back():
            self._cut.set()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)
