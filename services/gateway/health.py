"""Whether the gateway and everything behind it can do its work, and the numbers to watch."""

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from sqlalchemy import text

from services.gateway.upstreams import Upstream, UpstreamUnavailable
from shared.db import Database

READY: Final = "ready"
NOT_READY: Final = "not_ready"
_LIMIT_SECONDS: Final = 2.0
_OK: Final = 200


async def readiness(database: Database, upstreams: Mapping[str, Upstream]) -> dict[str, str]:
    """Ask our own database and every service at the same time, two seconds at most: `ready` or `not_ready` by part."""
    names = list(upstreams)
    found = await asyncio.gather(_database_ready(database), *(_service_ready(upstreams[name]) for name in names))
    return {name: READY if ready else NOT_READY for name, ready in zip(["gateway", *names], found, strict=True)}


async def _database_ready(database: Database) -> bool:
    try:
        async with asyncio.timeout(_LIMIT_SECONDS), database.transaction() as work:
            await work.connection.execute(text("SELECT 1"))
    except Exception:  # noqa: BLE001  # whatever the driver raises, the database is not there
        return False
    return True


async def _service_ready(upstream: Upstream) -> bool:
    try:
        status, _ = await upstream.fetch("/health/ready", _LIMIT_SECONDS)
    except UpstreamUnavailable:
        return False
    return status == _OK


def health_routes(upstreams: Mapping[str, Upstream], registry: CollectorRegistry) -> APIRouter:
    """The addresses of operators and load balancers."""
    router = APIRouter()

    @router.get("/health/live", summary="The process runs")
    async def live() -> dict[str, str]:
        """Answers as long as the process does."""
        return {"status": "live"}

    @router.get("/health/ready", summary="Everything behind the gateway can do its work")
    async def ready(request: Request) -> Response:
        """200 when the gateway's database and every service are ready, else 503; `parts` says which is not."""
        parts = await readiness(request.app.state.database, upstreams)
        if all(state == READY for state in parts.values()):
            return JSONResponse({"status": READY, "parts": parts})
        return JSONResponse({"status": NOT_READY, "parts": parts}, 503, {"Retry-After": "1"})

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """The numbers of this process in Prometheus' text form."""
        return Response(generate_latest(registry) + generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
