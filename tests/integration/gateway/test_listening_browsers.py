"""What a browser listens to ends with its session, in every process and though nothing more is said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.gateway import endless, revocations
from tests.integration.gateway.staff_parts import COOKIE, Stand, a_stand, ours, sign_in
from tests.patience import PATIENCE

NEVER_BY_ITSELF: Final = 10 * PATIENCE
"""How seldom a process looks that was told nothing."""


def say_one_word(stand: Stand) -> None:
    """Let the stream of a stand say one word, and nothing more for as long as anybody listens."""

    async def words() -> AsyncIterator[bytes]:
        yield b": here\n\n"
        await asyncio.Event().wait()

    async def stream(_request: Request) -> Response:
        return StreamingResponse(words(), media_type="text/event-stream")

    stand.services["notifications"].router.routes.insert(0, Route("/v1/stream", stream))


async def test_it_ends_with_the_session_and_with_no_other_of_the_same_person(
    gateway_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endless, "LOOK_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(revocations, "LOOK_EVERY_SECONDS", NEVER_BY_ITSELF)
    async with AsyncExitStack() as stack:
        stand = await stack.enter_async_context(a_stand(gateway_database, tmp_path))
        other = await stack.enter_async_context(a_stand(gateway_database, tmp_path, public_url=stand.url))
        say_one_word(other)
        browsers, heard = [], []
        for _ in range(2):
            browser = await stack.enter_async_context(stand.browser())
            await sign_in(browser, "sven")
            await browser.post("/sign-in/role", data={"commission": "0"}, headers=ours(browser))
            session = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
            answer = await stack.enter_async_context(browser.stream("GET", f"{other.url}/v1/stream", headers=session))
            words = answer.aiter_raw()
            assert await anext(words) == b": here\n\n"
            browsers.append(browser)
            heard.append(asyncio.ensure_future(anext(words, b"the end")))
        await browsers[0].post("/sign-out", headers=ours(browsers[0]))
        assert await asyncio.wait_for(heard[0], PATIENCE) == b"the end"
        await asyncio.wait(heard[1:], timeout=0.5)
        assert not heard[1].done(), "the same person at another place"
        await browsers[1].post("/sign-in/role", data={"commission": "1"}, headers=ours(browsers[1]))
        assert await asyncio.wait_for(heard[1], PATIENCE) == b"the end"
