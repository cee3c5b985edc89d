"""Event streams pass the gateway as they come, both ways of reaching a service; whoever leaves is told to the other side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from services.gateway.app import create_app
from services.gateway.settings import Settings
from tests.integration.gateway.parts import bearer, over_http, served, settings_for
from tests.patience import until


@asynccontextmanager
async def in_process(settings: Settings, services: dict[str, FastAPI]) -> AsyncIterator[str]:
    async with served(create_app(settings, services)) as address:
        yield address


@pytest.fixture(params=[in_process, over_http], ids=["in-process", "over-http"])
def front(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def settings(gateway_database: str, tmp_path: Path) -> Settings:
    return settings_for(gateway_database, tmp_path, upstream_timeout=1.0)


def a_source(*, ends_after: int | None = None) -> FastAPI:
    """A service whose stream says something every now and then, and breaks after so many words."""
    app = FastAPI()
    app.state.open = 0

    async def words() -> AsyncIterator[bytes]:
        app.state.open += 1
        try:
            count = 0
            while ends_after is None or count < ends_after:
                count += 1
                yield f"data: {count}\n\n".encode()
                await asyncio.sleep(0.05)
            raise ConnectionResetError
        finally:
            app.state.open -= 1

    @app.get("/v1/stream")
    async def stream(_request: Request) -> StreamingResponse:
        return StreamingResponse(words(), media_type="text/event-stream")

    return app


async def test_each_word_arrives_when_it_is_said_and_beyond_the_time_limit_of_other_answers(front: Any, settings: Settings) -> None:
    source = a_source()
    async with (
        front(settings, {"notifications": source}) as address,
        httpx.AsyncClient(base_url=address, headers=bearer(settings), trust_env=False) as client,
    ):
        begun = asyncio.get_running_loop().time()
        async with client.stream("GET", "/v1/stream") as answer:
            lines = answer.aiter_lines()
            assert await anext(lines) == "data: 1"
            assert asyncio.get_running_loop().time() - begun < 1.0
            async for _ in lines:
                if asyncio.get_running_loop().time() - begun > 1.5:
                    break
        await until(lambda: source.state.open == 0, within=10)


async def test_a_source_that_breaks_ends_the_stream_and_not_the_gateway(settings: Settings) -> None:
    async with (
        over_http(settings, {"notifications": a_source(ends_after=3)}) as address,
        httpx.AsyncClient(base_url=address, headers=bearer(settings), trust_env=False) as client,
    ):
        for _ in range(2):
            answer = await client.get("/v1/stream")
            assert (answer.status_code, answer.text.count("data:")) == (200, 3)
