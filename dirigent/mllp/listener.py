"""The listener itself: connections in bounded number, frames of bounded size, one message at a time on each, in order."""

import asyncio
import ssl
from asyncio import IncompleteReadError, LimitOverrunError, Server, Task
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from hl7.mllp import HL7StreamReader, HL7StreamWriter, InvalidBlockError, start_hl7_server
from hl7.mllp.streams import CARRIAGE_RETURN, END_BLOCK, START_BLOCK

from dirigent.mllp.forwarding import NoMessage

_log = structlog.get_logger(__name__)

_HANDSHAKE_SECONDS: Final = 10.0
_LEAVE_SECONDS: Final = 5.0
_END: Final = END_BLOCK + CARRIAGE_RETURN
_BEGINNING: Final = 16_384
"""Bytes of a frame that is too long in which its header must stand."""
_MOST_PASSED_OVER: Final = 16
"""How many frames' worth of one that is too long is read to its end; a longer one ends its connection."""


class Forward(Protocol):
    """Where frames go."""

    async def forward(self, frame: bytes) -> bytes:
        """The acknowledgement of a frame.

        Raises:
            NoMessage: There is nothing in it to acknowledge.
        """

    def too_long(self, beginning: bytes) -> bytes:
        """The rejection of a frame that is too long, by its beginning.

        Raises:
            NoMessage: There is nothing in it to acknowledge.
        """


@dataclass(frozen=True, slots=True)
class Limits:
    """What one peer may use.

    `connections` at once; `frame` bytes; `idle` seconds until a connection that sends nothing is closed; `peers`: the names of which a
    peer's certificate must have one, none: every certificate of the authority.
    """

    connections: int = 16
    frame: int = 1 << 20
    idle: float = 600.0
    peers: frozenset[str] = frozenset()


class Listener:
    """Serves MLLP until it is closed."""

    def __init__(self, forwarder: Forward, limits: Limits) -> None:
        self._forwarder = forwarder
        self._limits = limits
        self._serving: set[Task[None]] = set()
        self._answering: set[Task[None]] = set()
        self._closing = False
        self._server: Server | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Begin to listen; the port it got."""
        more = {} if tls is None else {"ssl": tls, "ssl_handshake_timeout": _HANDSHAKE_SECONDS}
        server: Server = await start_hl7_server(self._accept, host, port, limit=self._limits.frame, **more)
        self._server = server
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening; a message under way is still answered, if that does not take long."""
        if self._server is not None:
            self._server.close()
        self._closing = True
        busy, idle = set(self._answering), self._serving - self._answering
        for task in idle:
            task.cancel()
        late = (await asyncio.wait(busy, timeout=_LEAVE_SECONDS))[1] if busy else set()
        for task in late:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        if len(self._serving) >= self._limits.connections or not self._is_known(writer):
            _log.warning("mllp.connection_refused", open=len(self._serving))
            writer.close()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def _is_known(self, writer: HL7StreamWriter) -> bool:
        if not self._limits.peers:
            return True
        return not self._limits.peers.isdisjoint(names_of(writer.get_extra_info("peercert") or {}))

    async def _serve(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        messages, why = 0, "closed by the peer"
        try:
            while not self._closing:
                try:
                    frame = await asyncio.wait_for(_frame(reader), self._limits.idle)
                except LimitOverrunError:
                    await asyncio.wait_for(self._reject(reader, writer), self._limits.idle)
                else:
                    await self._answer(frame, writer)
                messages += 1
        except IncompleteReadError as error:
            why = "closed in the middle of a frame" if error.partial else why
        except TimeoutError:
            why = "idle for too long"
        except (InvalidBlockError, NoMessage, ValueError):
            why = "no MLLP frame, or no message in it"
        except OSError as error:  # a reset, a broken TLS record
            why = type(error).__name__
        finally:
            writer.close()
            with suppress(OSError, TimeoutError, ssl.SSLError):
                await asyncio.wait_for(writer.wait_closed(), _LEAVE_SECONDS)
            _log.info("mllp.connection_closed", messages=messages, why=why)

    async def _reject(self, reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
        """Reject a frame that is too long by its header, and go on behind its end: its sender would send it for ever."""
        beginning = await reader.read(min(_BEGINNING, self._limits.frame))
        if not beginning.startswith(START_BLOCK):
            raise InvalidBlockError
        writer.writeblock(self._forwarder.too_long(beginning[1:]).rstrip(b"\r") + b"\r")
        await writer.drain()
        left = self._limits.frame * _MOST_PASSED_OVER
        while left > 0:
            try:
                await reader.readuntil(_END)
            except LimitOverrunError as overrun:
                left -= len(await reader.readexactly(overrun.consumed))
            else:
                return
        raise InvalidBlockError

    async def _answer(self, frame: bytes, writer: HL7StreamWriter) -> None:
        """Hand one frame on and send what it is answered with; only then the next one is read."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("served by no task")
        self._answering.add(task)
        try:
            writer.writeblock((await self._forwarder.forward(frame)).rstrip(b"\r") + b"\r")
            await asyncio.wait_for(writer.drain(), self._limits.idle)
        finally:
            self._answering.discard(task)


async def _frame(reader: HL7StreamReader) -> bytes:
    """The next frame, without what it stands between.

    Raises:
        LimitOverrunError: It is too long, and nothing of it was read.
        InvalidBlockError: It is no frame.
    """
    block: bytes = await reader.readuntil(_END)
    if not block.startswith(START_BLOCK):
        raise InvalidBlockError
    return block[len(START_BLOCK) : -len(_END)]


def names_of(certificate: dict[str, object]) -> frozenset[str]:
    """The names in a peer's certificate: its DNS names, and the common name of its subject."""
    names = {str(name) for kind, name in certificate.get("subjectAltName", ()) if kind == "DNS"}  # type: ignore[attr-defined]
    for part in certificate.get("subject", ()):  # type: ignore[attr-defined]
        names |= {str(value) for kind, value in part if kind == "commonName"}
    return frozenset(names)
