"""uvicorn's HTTP protocol with a limit on the head of a request, which its fast parser lacks, and a problem for unreadable ones."""

import json
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD: Final = 64 * 1024
_PROBLEM: Final = json.dumps({"type": "about:blank", "title": "Bad Request", "status": 400, "code": "request.unreadable"}).encode("ascii")
_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n"
    b"content-length: " + str(len(_PROBLEM)).encode("ascii") + b"\r\n\r\n" + _PROBLEM
)


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
        self.transport.write(_ANSWER)
        self.transport.close()
