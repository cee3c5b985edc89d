"""uvicorn's HTTP protocol with a limit on the head of a request, which its fast parser lacks, and a problem for unreadable ones."""

import os
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problems import MEDIA_TYPE, problem_body
from shared.identifiers import uuid7

LARGEST_HEAD: Final = 64 * 1024
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
    """Refuses a request line and headers that do not end within the limit, and so cannot be made to hoard memory."""

    _in_head = False
    _head = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came, then refuse a head that goes on too long."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self.send_400_response("Head too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request; the reason is not told, it would quote what was sent."""
        del msg
        self.transport.write(_answer())
        self.transport.close()
