"""uvicorn's HTTP protocol with limits on the head of a request, in bytes and in time, which its fast parser lacks.

What cannot be read gets a problem, like everything else that is refused.
"""

import asyncio
import os
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problems import MEDIA_TYPE, problem_body
from shared.identifiers import uuid7

LARGEST_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 15.0
"""From the connection, or the first byte of a later request, to the end of its head; a slow network sends one in a second."""
_UNREADABLE: Final = "request.unreadable"


def _answer() -> bytes:
    """A whole answer; what language the caller reads was not understood either."""
    request_id = str(uuid7())
    public_url = os.environ.get("DIRIGENT_PUBLIC_URL", "")
    body = problem_body(public_url, _UNREADABLE, HTTPStatus.BAD_REQUEST.value, request_id=request_id)
    head = (
        "HTTP/1.1 400 Bad Request",
        f"content-type: {MEDIA_TYPE}",
        "content-language: en",
        "cache-control: no-store",
        f"x-request-id: {request_id}",
        "connection: close",
        f"content-length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


class BoundedHead(HttpToolsProtocol):
    """Refuses a request line and headers that do not end within the limits, and so cannot be made to hoard memory or connections."""

    head_seconds = HEAD_SECONDS
    _in_head = False
    _head = 0
    _given_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the class it extends
        """Somebody has come, and does not stay without asking for anything."""
        super().connection_made(transport)
        self._given_up = self.loop.call_later(self.head_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody has left."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, then refuse a head that goes on too long."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self.send_400_response("Head too large.")
            elif self._given_up is None:
                self._given_up = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        self._given_up = None
        if not self.transport.is_closing():
            self.send_400_response("Head too slow.")

    def _wait_no_longer(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head = False
        self._wait_no_longer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; the reason is not told, it would quote what was sent."""
        del msg
        self.transport.write(_answer())
        self.transport.close()
