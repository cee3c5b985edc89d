"""How a request reaches its service: inside the same process by ASGI, or over HTTP to another process."""

import asyncio
import json
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final, Protocol

import aiohttp
import yarl
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_ADDED_BY_AIOHTTP: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_BODY_STATED_BY_AIOHTTP: Final = frozenset({b"content-length", b"host", b"expect"})
_CONNECT_SECONDS: Final = 2.0
_STATED_BY_OUR_SERVER: Final = frozenset({b"date", b"server"})
# Shorter than uvicorn's five seconds, so that we never write into a connection that the service is just closing.
_KEEP_ALIVE_SECONDS: Final = 4.0
_CONNECTIONS: Final = 2048
# A stream has no end of its own; it sends something at least every heartbeat of its service (15 seconds unless it was told otherwise).
_STREAMED: Final = frozenset({b"/v1/stream"})
_STREAM_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=60.0)
_EVENTS: Final = "text/event-stream"
_IN_ONE_PIECE: Final = 256 * 1024
_INTERNAL_ANSWER_LIMIT: Final = 16 * 1024 * 1024

Headers = list[tuple[bytes, bytes]]


class UpstreamUnavailable(Exception):
    """The service cannot be reached, or did not answer in time; nothing was sent to the client yet."""


class ClientGone(Exception):
    """The client closed its connection; there is nobody to answer."""


class Upstream(Protocol):
    """One service, wherever it runs."""

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the service answer a request.

        Raises:
            UpstreamUnavailable: There is no answer, and none was begun.
            ClientGone: The client left before the answer.
        """

    async def fetch(self, path: str, seconds: float) -> tuple[int, bytes]:
        """Ask the service something for ourselves: status and body.

        Raises:
            UpstreamUnavailable: There is no answer.
        """


class InProcess:
    """A service whose ASGI application lives in this process: the hop costs a function call."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request over on a scope of its own: routing state of one application must not leak into the other."""
        inner = dict(scope)
        for name in ("app", "router", "endpoint", "route", "path_params", "fastapi_inner_astack", "fastapi_function_astack"):
            inner.pop(name, None)
        inner["state"] = dict(scope.get("state") or {})
        await self.app(inner, receive, send)

    async def fetch(self, path: str, seconds: float) -> tuple[int, bytes]:
        """Ask by ASGI, within a time limit."""
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"gateway"), (b"accept", b"application/json")],
            "client": ("127.0.0.1", 0),
            "server": ("127.0.0.1", 0),
            "state": {},
        }
        status = 0
        body = bytearray()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))

        try:
            async with asyncio.timeout(seconds):
                await self.app(scope, receive, send)
        except TimeoutError as error:
            raise UpstreamUnavailable("no answer in time") from error
        except Exception as error:  # whatever a broken service raises, it is not there for us
            raise UpstreamUnavailable(type(error).__name__) from error
        return status, bytes(body)


class OverHttp:
    """A service in another process, reached with one shared connection pool that knows no proxy, cookie or redirect."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, timeout_seconds: float) -> None:
        self._base = base_url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS)

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request whole (its size is limited already), ask, and pass the answer on: whole, or as it comes where it is a stream.

        When the client leaves, the request is given up, and the service learns of it.
        """
        body = await read_body(receive)
        asking = asyncio.create_task(self._ask(scope, body, send))
        leaving = asyncio.create_task(_until_disconnect(receive))
        try:
            await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise ClientGone
            whole = asking.result()
        finally:
            for task in (asking, leaving):
                task.cancel()
            await asyncio.gather(asking, leaving, return_exceptions=True)
        if whole is not None:
            status, headers, answer = whole
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    async def fetch(self, path: str, seconds: float) -> tuple[int, bytes]:
        """Ask by HTTP, within a time limit."""
        try:
            async with self._session.get(self._url(path, ""), timeout=aiohttp.ClientTimeout(total=seconds)) as answer:
                return answer.status, await answer.content.read(_INTERNAL_ANSWER_LIMIT)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamUnavailable(type(error).__name__) from error

    async def _ask(self, scope: Scope, body: bytes, send: Send) -> tuple[int, Headers, bytes] | None:
        """The whole answer; or None, when it was a stream that has been passed on."""
        url = self._url(scope["raw_path"].decode("ascii"), scope["query_string"].decode("latin-1"))
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in end_to_end(scope["headers"])
            if name not in _BODY_STATED_BY_AIOHTTP
        ]
        timeout = _STREAM_TIMEOUT if scope["raw_path"] in _STREAMED else self._timeout
        try:
            async with self._session.request(
                scope["method"], url, data=_payload(body), headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                kept = end_to_end((name.lower(), value) for name, value in answer.raw_headers)
                stated = [(name, value) for name, value in kept if name not in _STATED_BY_OUR_SERVER]
                if answer.content_type != _EVENTS:
                    return answer.status, stated, await answer.read()
                await send({"type": "http.response.start", "status": answer.status, "headers": stated})
                await _pass_on(answer, send)
                return None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UpstreamUnavailable(type(error).__name__) from error

    def _url(self, path: str, query: str) -> yarl.URL:
        return yarl.URL(f"{self._base}{path}?{query}" if query else f"{self._base}{path}", encoded=True)


async def _pass_on(answer: aiohttp.ClientResponse, send: Send) -> None:
    """Pass a stream on as it comes. When the service goes away in the middle it ends here: readers of events come back by themselves."""
    try:
        async for piece in answer.content.iter_any():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except (aiohttp.ClientError, TimeoutError):
        pass
    await send({"type": "http.response.body", "body": b""})


def _payload(body: bytes) -> bytes | BytesIO | None:
    """A large body goes out in pieces, so that the event loop can do something else between them."""
    return BytesIO(body) if len(body) > _IN_ONE_PIECE else body or None


def open_session() -> aiohttp.ClientSession:
    """The connection pool that all upstreams of one process share; call it inside the running loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS, force_close=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        skip_auto_headers=_ADDED_BY_AIOHTTP,
    )


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that travel on: without those of one connection only (RFC 9110 7.6.1), and without those that `Connection` names."""
    listed = list(headers)
    named = {token.strip().lower() for name, value in listed if name == b"connection" for token in value.split(b",")}
    return [(name, value) for name, value in listed if name not in HOP_BY_HOP and name not in named]


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        ClientGone: The client left in the middle of it.
    """
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def fetch_json(upstream: Upstream, path: str, seconds: float) -> dict[str, Any]:
    """A JSON object that a service shows inside.

    Raises:
        UpstreamUnavailable: There is no answer, or it is no JSON object.
    """
    status, body = await upstream.fetch(path, seconds)
    try:
        found = json.loads(body)
    except ValueError as error:
        raise UpstreamUnavailable("unreadable") from error
    if status != 200 or not isinstance(found, dict):  # noqa: PLR2004 (200 OK)
        raise UpstreamUnavailable(f"status {status}")
    return found
