"""Repair over HTTP: the producer's internal reading of its own stream, and the client that asks for it.

The address is served on an internal listener only; the gateway never routes it. Each call carries a service token of 60 seconds.
"""

import asyncio
from datetime import timedelta
from typing import Annotated, Final

import httpx
import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from shared.dates import now
from shared.db import Database
from shared.errors import NotFound
from shared.identifiers import uuid7
from shared.streams import feeds
from shared.streams.consumer import Fetched, StreamEntry
from shared.streams.listener import FeedWatcher
from shared.streams.outbox import FACTS_FEED
from shared.streams.queue import derived_key

TOKEN_SECONDS: Final = 60
TOKEN_TYPE: Final = "service+jwt"  # noqa: S105  # the name of a token type, not a token
MAX_WAIT_SECONDS: Final = 25.0
_ALGORITHMS: Final = ["HS256"]


class NotAService(Exception):
    """The caller of an internal address showed no valid service token."""


def service_token(service_key: str, *, issuer: str, audience: str) -> str:
    """A token with which one service asks another for 60 seconds."""
    key = OctKey.import_key(derived_key(service_key, "internal"))
    at = now()
    claims = {"iss": issuer, "aud": audience, "iat": int(at.timestamp()), "exp": int((at + timedelta(seconds=TOKEN_SECONDS)).timestamp())}
    return jwt.encode({"alg": "HS256", "typ": TOKEN_TYPE}, claims | {"jti": str(uuid7())}, key, algorithms=_ALGORITHMS)


def check_service_token(service_key: str, token: str, *, audience: str) -> str:
    """The service that calls.

    Raises:
        NotAService: Missing, forged, expired or meant for somebody else.
    """
    key = OctKey.import_key(derived_key(service_key, "internal"))
    registry = jwt.JWTClaimsRegistry(
        now=lambda: int(now().timestamp()),
        leeway=5,
        iss={"essential": True},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    )
    try:
        decoded = jwt.decode(token, key, algorithms=_ALGORITHMS)
        registry.validate(decoded.claims)
    except (JoseError, ValueError) as error:
        raise NotAService from error
    if decoded.header.get("typ") != TOKEN_TYPE:
        raise NotAService
    return str(decoded.claims["iss"])


class HttpProducer:
    """Fetches missing ranges of a producer's stream with httpx."""

    def __init__(self, client: httpx.AsyncClient, *, stream: str, base_url: str, service_key: str, consumer: str) -> None:
        self._client = client
        self._stream = stream
        self._base_url = base_url
        self._service_key = service_key
        self._consumer = consumer

    async def fetch(self, *, epoch: int, after: int, limit: int) -> Fetched:
        """At most `limit` entries after a position, and where the stream ends.

        Raises:
            httpx.HTTPError: The producer did not answer, or refused.
        """
        token = service_token(self._service_key, issuer=self._consumer, audience=self._stream)
        answer = await self._client.get(
            f"{self._base_url}/internal/streams/{self._stream}",
            params={"epoch": epoch, "after": after, "limit": limit},
            headers={"Authorization": f"Bearer {token}"},
        )
        answer.raise_for_status()
        body = msgspec.json.decode(answer.content)
        return Fetched(body["epoch"], body["head"], [StreamEntry.of(row) for row in body["entries"]])


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
        after: Annotated[int, Query(ge=0)],
        epoch: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
        wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0,
    ) -> Response:
        """The entries of this service's stream after a position, waiting for the next one if asked to."""
        if name != service:
            raise NotFound
        page = await long_poll(request.app.state.database, request.app.state.watcher, FACTS_FEED, after, limit, wait, epoch or None)
        rows = [[e.position, str(e.entry_id), e.kind, str(e.subject) if e.subject else None, e.body] for e in page.entries]
        return Response(msgspec.json.encode({"epoch": page.epoch, "head": page.head, "entries": rows}), media_type="application/json")

    return router


async def long_poll(  # the parameters of the address, one to one
    database: Database, watcher: FeedWatcher, feed: str, after: int, limit: int, wait: float, epoch: int | None
) -> feeds.Page:
    """Read a feed; when there is nothing yet, wait for it to grow. No transaction is held while waiting."""
    deadline = asyncio.get_running_loop().time() + wait
    with watcher.watch(feed) as watch:
        while True:
            async with database.transaction() as work:
                page = await feeds.read(work, feed, after=after, limit=limit, epoch=epoch)
            left = deadline - asyncio.get_running_loop().time()
            if page.entries or left <= 0 or not await watch.wait(left):
                return page
