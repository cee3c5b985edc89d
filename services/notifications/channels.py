"""How a message leaves: one signed POST to a checked address, with narrow limits on everything that comes back."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from time import perf_counter
from types import TracebackType
from typing import Final, Self
from uuid import UUID
from weakref import WeakValueDictionary

import httptools
from standardwebhooks import Webhook

from services.notifications.domain.targets import Target, TargetRefused, read_target, refuse_private

TOTAL_SECONDS: Final = 15.0
READ_LIMIT: Final = 4_096
CONNECT_SECONDS: Final = 4.0
"""For one of several addresses; the last one has what is left."""
BODY_SECONDS: Final = 0.5
"""How long the rest of an answer is waited for, out of courtesy: its status is known already."""
_ADDRESSES_TRIED: Final = 4
_TLS_CLOSING_SECONDS: Final = 1.0
_RETRY_AFTER_LIMIT: Final = 100
_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200
# Threads of our own: names that are slow to resolve must not hold up anything else of the process.
_RESOLVERS: Final = ThreadPoolExecutor(64, "resolve")
# Of names that somebody only states there are as many as he likes; what is sent does not wait for those.
_RESOLVERS_OF_STATED: Final = ThreadPoolExecutor(8, "resolve-stated")
LOOKED_UP_AT_ONCE: Final = 2
"""For one receiver, counting those whose attempt was given up: their threads are taken until the system's resolver answers."""

Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: the same id and the same bytes at every attempt, signed with each secret that is valid now.

    `receiver`: whoever gets it, by the id of the subscription.
    """

    id: UUID
    url: str
    secrets: tuple[str, ...]
    body: str
    receiver: UUID


@dataclass(frozen=True, slots=True)
class Met:
    """What an attempt met: the receiver's status, or a code for why there was none."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None


class NoValidAnswer(Exception):
    """The receiver was there, and what it said was no answer."""


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name, as the system's resolver gives them."""
    return await _ask_system(_RESOLVERS, host, port)


async def resolve_stated(host: str, port: int) -> list[str]:
    """The same for a name that somebody states, to which nothing is sent yet."""
    return await _ask_system(_RESOLVERS_OF_STATED, host, port)


async def _ask_system(threads: ThreadPoolExecutor, host: str, port: int) -> list[str]:
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(threads, ask)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def refuse_peer(target: Target, wanted: str, peer: str) -> None:
    """Look once more at whom we are connected to, before anything is said.

    Raises:
        TargetRefused: It is not the address that was checked, or not a public one.
    """
    if ip_address(peer.partition("%")[0]) != ip_address(wanted.partition("%")[0]):
        raise TargetRefused("url_not_public")
    if not target.allowed:
        refuse_private([peer])


class Webhooks:
    """Posts webhooks. No proxy, no redirect, no connection kept: a connection belongs to one checked address and one receiver."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        permitted: Sequence[str] = (),
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._allowed = tuple(allowed)
        self._permitted = tuple(permitted)
        self._resolve = resolver
        self._looking_up: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is kept between messages."""

    async def post(self, message: Message, at: datetime) -> Met:
        """Make one attempt; `at` is signed as the time of sending. Whatever happens is told in the answer, never raised."""
        begun = perf_counter()
        status: int | None = None
        error: str | None = None
        retry_after: str | None = None
        try:
            async with asyncio.timeout(self._seconds):
                status, retry_after = await self._post(message, at)
        except TargetRefused as refused:
            error = refused.code
        except TimeoutError:
            error = "timeout"
        except ssl.SSLError:
            error = "tls_failed"
        except NoValidAnswer:
            error = "no_valid_answer"
        except (OSError, UnicodeError, ValueError):
            error = "not_reachable"
        return Met(round((perf_counter() - begun) * 1000), status, error, retry_after)

    async def _post(self, message: Message, at: datetime) -> tuple[int, str | None]:
        target = read_target(message.url, self._allowed, self._permitted)
        reader, writer = await self._connected(target, message.receiver)
        try:
            writer.write(_request(target, message, at))
            answer = await _read_answer(reader)
            writer.close()
            return answer
        finally:
            if not writer.is_closing():
                writer.transport.abort()

    async def _connected(self, target: Target, receiver: UUID) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first address that answers, and make sure of whom the name belongs to."""
        addresses = (await self._addresses_of(target, receiver))[:_ADDRESSES_TRIED]
        for address in addresses[:-1]:
            with suppress(OSError):  # the next one may be better; TimeoutError is one of these
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await self._connect(target, address)
        return await self._connect(target, addresses[-1])

    async def _connect(self, target: Target, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            await asyncio.get_running_loop().sock_connect(opened, (address, target.port))
            refuse_peer(target, address, opened.getpeername()[0])
            if target.scheme != "https":
                return await asyncio.open_connection(sock=opened, limit=READ_LIMIT)
            return await asyncio.open_connection(
                sock=opened, limit=READ_LIMIT, ssl=self._tls, server_hostname=target.host, ssl_shutdown_timeout=_TLS_CLOSING_SECONDS
            )
        except BaseException:
            opened.close()
            raise

    async def _addresses_of(self, target: Target, receiver: UUID) -> list[str]:
        """Resolve now, check what came back, and connect to exactly that: a name may mean something else a moment later."""
        try:
            addresses = await self._look_up(target, receiver)
        except OSError as error:
            raise TargetRefused("url_not_resolvable") from error
        if not target.allowed:
            refuse_private(addresses)
        if not addresses:
            raise TargetRefused("url_not_resolvable")
        return addresses

    async def _look_up(self, target: Target, receiver: UUID) -> list[str]:
        """Resolve the name in its receiver's turn. A lookup that nobody waits for any more keeps its turn until it has ended."""
        room = self._looking_up.get(receiver)
        if room is None:
            room = self._looking_up[receiver] = asyncio.Semaphore(LOOKED_UP_AT_ONCE)
        await room.acquire()
        asking = asyncio.ensure_future(self._resolve(target.host, target.port))
        asking.add_done_callback(partial(_leave, room))
        return await asyncio.shield(asking)


def _leave(room: asyncio.Semaphore, asked: asyncio.Future[list[str]]) -> None:
    """Make room for the next lookup; what became of one that was given up concerns nobody."""
    if not asked.cancelled():
        asked.exception()
    room.release()


def _request(target: Target, message: Message, at: datetime) -> bytes:
    body = message.body.encode("utf-8")
    signatures = " ".join(Webhook(secret).sign(str(message.id), at, message.body) for secret in message.secrets)
    head = (
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        "User-Agent: Dirigent",
        "Accept: */*",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"webhook-id: {message.id}",
        f"webhook-timestamp: {int(at.timestamp())}",
        f"webhook-signature: {signatures}",
    )
    return "\r\n".join((*head, "", "")).encode("ascii") + body


class _Answer:
    """What the parser finds: the final status, how long to wait, whether more is expected."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.retry_after: str | None = None
        self.complete = False
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self.retry_after = value[:_RETRY_AFTER_LIMIT].decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        if status >= _FIRST_FINAL:
            self.status = status
        elif status == _SWITCHING:
            raise NoValidAnswer
        else:  # an answer before the answer, such as 103 Early Hints
            self.retry_after = None

    def settle_for_status_line(self) -> None:
        """No more is read: of a head without an end the status stands, if it is a final one."""
        status = self.parser.get_status_code()
        self.status = status if status >= _FIRST_FINAL else None

    def on_message_complete(self) -> None:
        self.complete = self.status is not None


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, str | None]:
    answer, left = _Answer(), READ_LIMIT
    while answer.status is None and left > 0:
        left -= await _read_some(reader, answer, left)
    if answer.status is None:
        answer.settle_for_status_line()
    if answer.status is None:
        raise NoValidAnswer
    with suppress(NoValidAnswer, TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while not answer.complete and left > 0:
                left -= await _read_some(reader, answer, left)
    return answer.status, answer.retry_after


async def _read_some(reader: asyncio.StreamReader, answer: _Answer, most: int) -> int:
    try:
        piece = await reader.read(most)
    except OSError as error:
        raise NoValidAnswer from error
    if not piece:
        raise NoValidAnswer
    try:
        answer.parser.feed_data(piece)
    except httptools.HttpParserError as error:
        if answer.status is None:
            raise NoValidAnswer from error
        answer.complete = True
    return len(piece)
