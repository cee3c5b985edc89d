"""A place where somebody publishes keys, as a real server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from tests.integration.gateway.parts import served


class Published:
    """What is published now, and how often it was asked for."""

    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.keys = keys
        self.asked = 0
        self.answer: Response | None = None
        self.seconds = 0.0
        self.url = ""

    @property
    def origin(self) -> str:
        return self.url.rpartition("/")[0]


@asynccontextmanager
async def published(keys: list[dict[str, Any]]) -> AsyncIterator[Published]:
    told = Published(keys)
    app = FastAPI()

    @app.get("/keys")
    async def get_keys(request: Request) -> Response:
        told.asked += 1
        await asyncio.sleep(told.seconds)
        return told.answer or JSONResponse({"keys": told.keys})

    @app.get("/moved")
    async def moved() -> Response:
        return RedirectResponse("/keys")

    async with served(app, lifespan="off") as address:
        told.url = f"{address}/keys"
        yield told
