"""Whoever takes nothing of an answer holds neither it nor a connection for long: on a real socket, as processes serve."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from dirigent.http_protocol import Bounded
from tests.integration.test_process import serving

ASKING = b"GET /planning/v1/%s HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 8_000_000
"""Bytes: the kernel keeps at most half of it for a connection."""

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this kernel does not watch who takes what was sent")


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a connection has ended; whoever takes nothing has a second."""
    ended, lost = asyncio.Event(), Bounded.connection_lost

    def note(protocol: Bounded, error: Exception | None) -> None:
        lost(protocol, error)
        ended.set()

    monkeypatch.setattr(Bounded, "taking_seconds", 1.0)
    monkeypatch.setattr(Bounded, "connection_lost", note)
    return ended


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI()
    made.state.ended = asyncio.Event()

    async def words() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)  # what is sent to nobody waits for nothing
        finally:
            made.state.ended.set()

    @made.get("/v1/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(words())

    @made.get("/v1/page")
    async def page() -> Response:
        made.state.ended.set()
        return Response(b"x" * LARGE)

    return made


@pytest.mark.parametrize("what", [b"stream", b"page"])
async def test_whoever_takes_nothing_of_an_answer_is_left(app: FastAPI, left: asyncio.Event, what: bytes) -> None:
    loop = asyncio.get_running_loop()
    async with serving(planning=app) as port:
        with socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            opened.setblocking(False)
            await loop.sock_connect(opened, ("127.0.0.1", port))
            await loop.sock_sendall(opened, ASKING % what)
            await asyncio.wait_for(left.wait(), 20)
            await asyncio.wait_for(app.state.ended.wait(), 20)


async def test_whoever_takes_it_little_by_little_gets_all(app: FastAPI, left: asyncio.Event) -> None:
    async with serving(planning=app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16_384)
        writer.write(ASKING % b"page")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(32):
            await reader.readexactly(LARGE // 32)
            assert not left.is_set()
            await asyncio.sleep(0.05)  # longer in all than nothing may be taken for, and each far shorter
        writer.close()
