"""How a message leaves: one signed POST to a checked address, with narrow limits on everything that comes back."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import httpx
from standardwebhooks import Webhook

from services.notifications.domain.targets import Target, TargetRefused, read_target, refuse_private

TOTAL_SECONDS: Final = 15.0
READ_LIMIT: Final = 4_096
_RETRY_AFTER_LIMIT: Final = 100

Resolve = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: the same id and the same bytes at every attempt."""

    id: UUID
    url: str
    secret: str
    body: str


@dataclass(frozen=True, slots=True)
class Met:
    """What an attempt met: the receiver's status, or a code for why there was none."""

    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: str | None = None


async def resolve(host: str, port: int) -> list[str]:
    """Every address of a host name, as the system's resolver gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Webhooks:
    """Posts webhooks. No proxy, no redirect, no connection kept: a connection belongs to one checked address and one receiver."""

    def __init__(
        self, allowed: Sequence[str] = (), *, resolver: Resolve = resolve, tls: ssl.SSLContext | None = None, seconds: float = TOTAL_SECONDS
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolver
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=tls or True,
            timeout=httpx.Timeout(seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"User-Agent": "Dirigent", "Accept": "*/*"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

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
        except (TimeoutError, httpx.TimeoutException):
            error = "timeout"
        except httpx.ConnectError as failed:
            error = "tls_failed" if _is_tls(failed) else "not_reachable"
        except (httpx.NetworkError, httpx.ProtocolError):
            error = "no_valid_answer"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, ValueError):
            error = "not_reachable"
        return Met(round((perf_counter() - begun) * 1000), status, error, retry_after)

    async def _post(self, message: Message, at: datetime) -> tuple[int, str | None]:
        target = read_target(message.url, self._allowed)
        address = await self._address_of(target)
        body = message.body.encode("utf-8")
        request = self._client.build_request(
            "POST",
            httpx.URL(scheme=target.scheme, host=address, port=target.port, raw_path=target.path.encode("ascii")),
            content=body,
            headers={
                "Host": target.authority,
                "Content-Type": "application/json",
                "webhook-id": str(message.id),
                "webhook-timestamp": str(int(at.timestamp())),
                "webhook-signature": Webhook(message.secret).sign(str(message.id), at, message.body),
            },
            extensions={"sni_hostname": target.host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            read = 0
            async for piece in answer.aiter_raw():
                read += len(piece)
                if read >= READ_LIMIT:
                    break
        finally:
            await answer.aclose()
        wanted = answer.headers.get("retry-after")
        return answer.status_code, wanted[:_RETRY_AFTER_LIMIT] if wanted else None

    async def _address_of(self, target: Target) -> str:
        """Resolve now, check what came back, and connect to exactly that: a name may mean something else a moment later."""
        try:
            addresses = await self._resolve(target.host, target.port)
        except OSError as error:
            raise TargetRefused("url_not_resolvable") from error
        if not target.allowed:
            refuse_private(addresses)
        if not addresses:
            raise TargetRefused("url_not_resolvable")
        return addresses[0]


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
