"""uvicorn's HTTP protocol with limits, which its fast parser lacks: on the head of a request in bytes, on head, body and
the taking of an answer in time.

What cannot be read gets a problem, like everything else that is refused.
"""

import asyncio
import os
import socket
from http import HTTPStatus
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.app import ANSWER_HEADERS, RawHeaders
from shared.http.problems import MEDIA_TYPE, problem_body
from shared.identifiers import uuid7

LARGEST_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 15.0
"""From the connection, or the first byte of a later request, to the end of its head; a slow network sends one in a second."""
BODY_SECONDS: Final = 30.0
"""From the head of a request to the end of its body: 4 MiB at little more than a megabit a second."""
TAKING_SECONDS: Final = 40.0
"""Without a byte taken of what was sent, as the kernel sees it; whoever reads at all takes some. A little less than a stream would wait."""
_UNREADABLE: Final = "request.unreadable"
_TOO_SLOW: Final = "request.too_slow"


def _answer(code: str, status: HTTPStatus, more: RawHeaders) -> bytes:
    """A whole answer; what language the caller reads was not understood either."""
    request_id = str(uuid7())
    public_url = os.environ.get("DIRIGENT_PUBLIC_URL", "")
    body = problem_body(public_url, code, status.value, request_id=request_id)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {MEDIA_TYPE}",
        "content-language: en",
        "cache-control: no-store",
        f"x-request-id: {request_id}",
        "connection: close",
        *(f"{name.decode('ascii')}: {value.decode('ascii')}" for name, value in more),
        f"content-length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


class Bounded(HttpToolsProtocol):
    """Refuses a request whose head is too long, or that does not come to its end in time, and so hoards no memory or connection.

    Most requests come in one piece: those are never timed.
    """

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    taking_seconds = TAKING_SECONDS
    _in_head = False
    _in_body = False
    _head = 0
    _given_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the class it extends
        """Somebody has come, and does not stay without asking for anything."""
        super().connection_made(transport)
        # Closing it from here would wait for what nobody takes.
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.taking_seconds * 1000))
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody has left."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, then refuse a head that goes on too long."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self.send_400_response("Head too large.")
            elif self._given_up is None:
                self._wait(self.head_seconds)
        elif self._in_body and self._given_up is None:
            self._wait(self.body_seconds)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head, self._in_body = False, True
        self._wait_no_longer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body has ended; what it is answered may take its time."""
        self._in_body = False
        self._wait_no_longer()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; the reason is not told, it would quote what was sent."""
        del msg
        self._refuse(_UNREADABLE, HTTPStatus.BAD_REQUEST)

    def _wait(self, seconds: float) -> None:
        self._given_up = self.loop.call_later(seconds, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self) -> None:
        self._given_up = None
        if self.transport.is_closing():
            return
        if self._in_body and self.cycle.response_started:  # whoever answers already has read as much as it wanted
            self.transport.close()
            return
        self._refuse(_TOO_SLOW, HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, code: str, status: HTTPStatus) -> None:
        # Whoever serves the request has perhaps said already what its answer says, whoever gives it.
        more = cast(RawHeaders, self.cycle.scope.get(ANSWER_HEADERS, [])) if self._in_body else []
        self.transport.write(_answer(code, status, more))
        self.transport.close()
