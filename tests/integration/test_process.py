"""The process's own HTTP parts: the internal listener, and the limit on a request's head."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from dirigent.http_protocol import LARGEST_HEAD, Bounded
from dirigent.leaving import Leaving
from dirigent.serving import Internal, Server, _server
from shared.http.app import ANSWER_HEADERS
from shared.http.problems import catalogue
from tests.patience import until


def an_app(name: str) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/hello")
    async def hello(request: Request) -> dict[str, str]:
        return {"service": name, "raw": request.scope["raw_path"].decode()}

    return app


@asynccontextmanager
async def serving(**services: FastAPI) -> AsyncIterator[int]:
    server: Server = _server(Internal(services or {"planning": an_app("planning"), "billing": an_app("billing")}))
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port = int(opened.getsockname()[1])
        task = asyncio.create_task(server.serve(sockets=[opened]))
        await until(lambda: server.started)
        yield port
        server.should_exit = True
        await task


async def exchange(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    async with asyncio.timeout(5):
        answer = await reader.read(4096)
    writer.close()
    return answer


@pytest.mark.parametrize("service", ["planning", "billing"])
async def test_each_service_is_served_below_its_own_name(service: str) -> None:
    async with serving() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get(f"/{service}/v1/hello")).json() == {"service": service, "raw": "/v1/hello"}


@pytest.mark.parametrize("path", ["/", "/v1/hello", "/gateway/v1/hello", "/planning", "/planningx/v1/hello"])
async def test_nothing_else_is_served(path: str) -> None:
    async with serving() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get(path)).status_code == httpx.codes.NOT_FOUND


async def test_a_head_within_the_limit_is_read() -> None:
    async with serving() as port:
        answer = await exchange(port, b"GET /planning/v1/hello HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (LARGEST_HEAD // 2) + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /planning/v1/hello HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (LARGEST_HEAD * 4),
        b"GET /" + b"x" * (LARGEST_HEAD * 4),
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * LARGEST_HEAD,
    ],
    ids=["one long header", "a long path", "many headers"],
)
async def test_a_head_that_does_not_end_is_refused_as_a_problem(head: bytes) -> None:
    async with serving() as port:
        answer = await exchange(port, head)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("begun", [b"", b"GET /planning/v1/hello HTTP/1.1\r\nHost: x\r\nX: a"], ids=["nothing", "half a head"])
async def test_whoever_does_not_come_to_an_end_is_not_waited_for(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounded, "head_seconds", 0.05)
    async with serving() as port:
        answer = await exchange(port, begun)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("length", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come_to_an_end_is_not_waited_for(length: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounded, "body_seconds", 0.05)
    taking = FastAPI()

    @taking.post("/v1/hello")
    async def hello(request: Request) -> int:
        return len(await request.body())

    begun = b"POST /planning/v1/hello HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n1\r\n"
    async with serving(planning=taking) as port:
        answer = await exchange(port, begun)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request.too_slow" in answer


async def test_a_connection_may_wait_for_its_answer_longer_than_a_head_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bounded, "head_seconds", 0.05)
    monkeypatch.setattr(Bounded, "body_seconds", 0.05)
    slow = FastAPI()

    @slow.get("/v1/hello")
    async def hello() -> dict[str, str]:
        await asyncio.sleep(0.3)
        return {"service": "slow"}

    async with serving(planning=slow) as port:
        assert (await exchange(port, b"GET /planning/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /planning/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /planning/v1/hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"POST /planning/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET /planning/v1/hello HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW /planning/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n",
        b"not http at all\r\n\r\n",
    ],
    ids=["length and chunks", "chunks and length", "two lengths", "NUL in a header", "NUL in the path", "unknown method", "no HTTP"],
)
async def test_what_could_be_read_in_two_ways_is_refused_as_a_whole_problem(request_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRIGENT_PUBLIC_URL", "http://dirigent.test")
    async with serving() as port:
        answer = await exchange(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 400 ")
    head, _, body = answer.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    told = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-request-id"] == told["request_id"] == str(UUID(told["request_id"]))
    assert told["type"] == "http://dirigent.test/problems/request.unreadable"
    assert (told["status"], told["code"]) == (400, "request.unreadable")
    assert told["title"] == catalogue()["request.unreadable"].title["en"]
    assert told["detail"] == catalogue()["request.unreadable"].meaning["en"]


async def test_a_request_that_still_waits_when_the_process_leaves_hears_when_to_come_again() -> None:
    app, begun = FastAPI(), asyncio.Event()

    @app.get("/v1/poll")
    async def poll() -> None:
        begun.set()
        await asyncio.sleep(60)

    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        async with serving(planning=app) as port:
            waiting = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/planning/v1/poll"))
            await begun.wait()
        answer = await waiting
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "service.unavailable"


async def test_what_the_answer_says_whoever_gives_it_is_said_by_a_process_that_leaves_too() -> None:
    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        scope[ANSWER_HEADERS] = [(b"ratelimit-remaining", b"7")]
        raise asyncio.CancelledError

    transport = httpx.ASGITransport(Leaving(waiting, "http://dirigent.test"))
    async with httpx.AsyncClient(transport=transport, base_url="http://dirigent.test") as client:
        answer = await client.get("/v1/notices")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["ratelimit-remaining"]) == (503, "1", "7")
