"""What the hop through the gateway costs on the real intake route: in the same process, and over HTTP with aiohttp and with httpx.

`python -m benchmarks.gateway_hop [--bare] [--seconds 2] [--clients 16] [--rounds 5]` prints each way's throughput as a share of calling
the service directly: the median of the rounds, in each of which all are measured in turn, for a machine's speed changes from minute to
minute. The gateway is the product's own door; only the way to the service differs.
`--bare` puts a service behind it that does nothing, so that the hop itself is seen and not the database.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from statistics import median
from typing import Final

import httpx
import uvloop
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from benchmarks.ground import Ground, ground, program, until_ready
from benchmarks.load import Plan, measure
from dirigent.serving import serve
from dirigent.supervisor.sockets import free_port, listen
from services.gateway.admission import Admission
from services.gateway.door import Door, Traffic
from services.gateway.limits import RateLimit
from services.gateway.routes import RouteMap
from services.gateway.upstreams import InProcess, OverHttp, Upstream, UpstreamUnavailable, end_to_end, open_session, read_body
from services.planning.api import create_app
from services.planning.settings import Settings
from shared.http.access import ROUTES
from shared.http.app import install_problems
from shared.http.auth import TokenVerifier
from shared.logging import set_up

WAYS: Final = ("direct", "inprocess", "aiohttp", "httpx")
_UNLIMITED: Final = 10**9


class OverHttpx:
    """The same hop as the product's, with httpx in place of aiohttp."""

    def __init__(self, base_url: str, client: httpx.AsyncClient) -> None:
        self._base = base_url
        self._client = client

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        url = f"{self._base}{scope['raw_path'].decode()}"
        try:
            answer = await self._client.request(scope["method"], url, headers=end_to_end(scope["headers"]), content=body)
        except httpx.HTTPError as error:
            raise UpstreamUnavailable(type(error).__name__) from error
        headers = end_to_end((name.lower(), value) for name, value in answer.headers.raw)
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def fetch(self, path: str, seconds: float) -> tuple[int, bytes]:
        answer = await self._client.get(f"{self._base}{path}", timeout=seconds)
        return answer.status_code, answer.content


class NobodyRevoked:
    """What a gateway without a database of its own knows of revoked clients; the look itself costs the same."""

    current = True

    def __init__(self) -> None:
        self._cut: dict[str, float] = {}

    def refuses(self, client_id: str, issued_at: int) -> bool:
        return issued_at <= self._cut.get(client_id, float("-inf"))


def _service(bare: bool) -> FastAPI:
    if not bare:
        return create_app()
    app = FastAPI(openapi_url=None)

    @app.post("/v1/events")
    async def post_event(request: Request) -> Response:
        await request.body()
        return Response(b"{}", 201, media_type="application/json")

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


async def _upstream(way: str, base_url: str, stack: AsyncExitStack, bare: bool) -> Upstream:
    if way == "inprocess":
        service = _service(bare)
        await stack.enter_async_context(service.router.lifespan_context(service))
        return InProcess(service)
    if way == "aiohttp":
        return OverHttp(base_url, await stack.enter_async_context(open_session()), 35)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
    return OverHttpx(base_url, await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=35, limits=limits)))


def _gateway(way: str, base_url: str, bare: bool) -> FastAPI:
    """The product's door in front of planning, without the addresses that need the gateway's own database."""
    upstreams: dict[str, Upstream] = {}

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            upstreams["planning"] = await _upstream(way, base_url, stack, bare)
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    settings = Settings()
    app.add_middleware(
        Door,
        routes=RouteMap(ROUTES),
        upstreams=upstreams,
        admission=Admission(
            TokenVerifier.from_file(settings.token_keys_file, issuer=settings.public_url),
            NobodyRevoked(),
            failures=RateLimit(_UNLIMITED, _UNLIMITED),
        ),
        rate=RateLimit(_UNLIMITED, _UNLIMITED),
        traffic=Traffic(CollectorRegistry()),
    )
    install_problems(app, settings.public_url)
    return app


def serve_one(way: str, port: int, base_url: str, bare: bool) -> None:
    set_up("WARNING")
    if way == "direct":
        uvloop.run(serve({"planning": _service(bare)}, None, None, listen("127.0.0.1", port)))
    else:
        uvloop.run(serve({}, _gateway(way, base_url, bare), listen("127.0.0.1", port), None))


@contextmanager
def _running(on: Ground, way: str, bare: bool) -> Iterator[tuple[int, str]]:
    """Start what a way needs; yields the port and path to send to."""
    flags = ["--bare"] if bare else []
    with ExitStack() as stack:
        service_port = free_port()
        base_url = f"http://127.0.0.1:{service_port}/planning"
        if way != "inprocess":
            stack.enter_context(program(on, "benchmarks.gateway_hop", "--serve", "direct", str(service_port), *flags, log="service.log"))
            asyncio.run(until_ready(service_port, "/planning/health/ready"))
        if way == "direct":
            yield service_port, "/planning/v1/events"
            return
        port = free_port()
        stack.enter_context(
            program(on, "benchmarks.gateway_hop", "--serve", way, str(port), "--upstream", base_url, *flags, log=f"{way}.log")
        )
        asyncio.run(until_ready(port, "/health/ready"))
        yield port, "/v1/events"


def compare(on: Ground, *, clients: int, seconds: float, rounds: int, bare: bool) -> dict[str, list[float]]:
    """Events per second of every way, in turns so that a noisy neighbour hits them all alike."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way in WAYS if number % 2 == 0 else reversed(WAYS):
            with _running(on, way, bare) as (port, path):
                for run_seconds, kept in ((1.0, False), (seconds, True)):
                    run = f"{way}-{secrets.token_hex(4)}"
                    plan = Plan(port, path, on.ward_token(), clients, run_seconds, int((12_000 if bare else 4_000) * run_seconds), run)
                    result = measure(plan)
                    if kept:
                        found[way].append(result.per_second)
    return found


async def main() -> None:
    reader = argparse.ArgumentParser(prog="python -m benchmarks.gateway_hop", description=__doc__)
    reader.add_argument("--bare", action="store_true")
    reader.add_argument("--seconds", type=float, default=2.0)
    reader.add_argument("--clients", type=int, default=16)
    reader.add_argument("--rounds", type=int, default=5)
    chosen = reader.parse_args()
    async with ground() as on:
        found = await asyncio.to_thread(compare, on, clients=chosen.clients, seconds=chosen.seconds, rounds=chosen.rounds, bare=chosen.bare)
    print(f"POST /v1/events, {chosen.clients} clients, share of calling the service directly in the same round")
    for way in WAYS:
        share = median(one / direct for one, direct in zip(found[way], found["direct"], strict=True))
        print(f"  {way:<10} {median(found[way]):7.0f}/s  {100 * share:4.0f} %   rounds: {', '.join(f'{one:.0f}' for one in found[way])}")


if __name__ == "__main__":
    if "--serve" in sys.argv:
        upstream = sys.argv[sys.argv.index("--upstream") + 1] if "--upstream" in sys.argv else ""
        serve_one(sys.argv[2], int(sys.argv[3]), upstream, "--bare" in sys.argv)
    else:
        asyncio.run(main())
