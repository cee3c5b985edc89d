"""Repair over HTTP, the answering side: a producer's reading of its own stream, and the long poll that all feeds share.

The address is served on an internal listener only; the gateway never routes it.
"""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from shared.db import Database, Reader, Role
from shared.errors import NotFound
from shared.http.feed_query import Limit, Position, Wait
from shared.streams import feeds
from shared.streams.listener import FeedWatcher
from shared.streams.outbox import FACTS_FEED
from shared.streams.repair import NotAService, check_service_token


def internal_router(service: str, service_key: str) -> APIRouter:
    """The internal address of a producing service: GET /internal/streams/{name}. Needs `app.state.database` and `.watcher`."""
    router = APIRouter(prefix="/internal", include_in_schema=False)

    def checked(request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise NotAService
        return check_service_token(service_key, token, audience=service)

    @router.get("/streams/{name}")
    async def read_stream(
        request: Request,
        name: str,
        _caller: Annotated[str, Depends(checked)],
        after: Position,
        epoch: Position = 0,
        limit: Limit = 500,
        wait: Wait = 0,
    ) -> Response:
        """The entries of this service's stream after a position, waiting for the next one if asked to."""
        if name != service:
            raise NotFound
        page = await long_poll(
            request.app.state.database, request.app.state.watcher, FACTS_FEED, after, limit, wait, epoch or None, role=Role.WORKER
        )
        rows = [[e.position, str(e.entry_id), e.kind, str(e.subject) if e.subject else None, e.body] for e in page.entries]
        return Response(msgspec.json.encode({"epoch": page.epoch, "head": page.head, "entries": rows}), media_type="application/json")

    return router


async def long_poll(  # noqa: PLR0913  # the parameters of the address, one to one, and who reads
    database: Database,
    watcher: FeedWatcher,
    feed: str,
    after: int,
    limit: int,
    wait: float,
    epoch: int | None,
    *,
    reader: Reader | None = None,
    role: Role | None = None,
) -> feeds.Page:
    """Read a feed; when there is nothing yet, wait for it to grow. No transaction is held while waiting.

    `reader` or `role` says for whom it reads, as row-level security must know it; as neither, a service's API reads nothing.
    """
    deadline = asyncio.get_running_loop().time() + wait
    with watcher.watch(feed) as watch:
        while True:
            async with database.transaction(reader=reader, role=role) as work:
                page = await feeds.read(work, feed, after=after, limit=limit, epoch=epoch)
            left = deadline - asyncio.get_running_loop().time()
            if page.entries or left <= 0 or not await watch.wait(left):
                return page
