"""What the gateway's tests start: settings, clients, small services behind it, real servers in front."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dirigent.http_protocol import Bounded
from services.gateway.app import create_app
from services.gateway.auth import Grant, SigningKeys
from services.gateway.clients import Client, register_client
from services.gateway.settings import Settings
from shared.dates import now
from shared.db import Database
from shared.http.app import install_problems
from tests.signing import a_key_set

PUBLIC_URL = "http://dirigent.test"
SECRET = "a-secret-for-tests-only"


def settings_for(database_url: str, folder: Path, **changed: Any) -> Settings:
    file = folder / "signing.json"
    if not file.exists():
        file.write_text(json.dumps(a_key_set()))
    values = {"upstreams": "inprocess", "environment": "demo"} | changed
    return Settings.model_validate({"database_url": database_url, "public_url": PUBLIC_URL, "signing_key_file": file} | values)


def a_client(**changed: Any) -> Client:
    values = {
        "client_id": "kommun-1480",
        "organisation": "2120001355",
        "unit_prefixes": ("SE2120001355-",),
        "role": "municipality",
        "scopes": ("cases:read", "notices:read"),
        "municipality": "1480",
    }
    return Client(**(values | changed))


async def register(database_url: str, client: Client, secret: str | None = SECRET) -> None:
    database = Database(database_url)
    try:
        async with database.transaction() as work:
            await register_client(work, client, secret)
    finally:
        await database.close()


def bearer(settings: Settings, client: Client | None = None) -> dict[str, str]:
    """The header of a client that has already fetched its token."""
    who = client or a_client()
    grant = Grant(who.client_id, who.organisation, who.unit_prefixes, who.role, who.scopes, who.municipality)
    keys = SigningKeys.load(settings.signing_key_file, settings.public_url)
    return {"Authorization": f"Bearer {keys.issue(grant, now())}"}


def an_echo(name: str) -> FastAPI:
    """A service that tells what reached it."""
    app = FastAPI(title=name)
    app.state.seen = []
    app.state.asleep = asyncio.Event()
    app.state.left = asyncio.Event()

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/v1/cases/{case_id}")
    async def sleeper(case_id: str, request: Request) -> Response:
        """Wait until the caller leaves or the test ends."""
        app.state.asleep.set()
        if case_id == "sleep":
            while (await request.receive())["type"] != "http.disconnect":
                pass
            app.state.left.set()
        if case_id == "fail":
            raise RuntimeError("189001019802")
        return Response("never", 418, {"Connection": "X-Own", "X-Own": "1", "X-Kept": "1"})

    @app.api_route("/{path:path}", methods=["GET", "POST"], include_in_schema=False)
    async def echo(request: Request, path: str) -> dict[str, Any]:
        body = await request.body()
        seen = {
            "service": name,
            "path": path,
            "raw_path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": [[key, value] for key, value in request.headers.items()],
            "body": len(body),
        }
        app.state.seen.append(seen)
        return seen

    install_problems(app, PUBLIC_URL)
    return app


def echoes() -> dict[str, FastAPI]:
    return {name: an_echo(name) for name in ("planning", "billing", "notifications")}


@asynccontextmanager
async def served(app: ASGIApp, lifespan: Literal["on", "off"] = "on", port: int = 0) -> AsyncIterator[str]:
    """A real server on a port of this machine, a free one unless named, for as long as the block lasts."""
    listening = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(app, http=Bounded, lifespan=lifespan, log_level="critical", timeout_graceful_shutdown=1))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


@asynccontextmanager
async def inside(settings: Settings, services: Mapping[str, ASGIApp] | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that forwards in-process; no socket anywhere."""
    app = create_app(settings, services if services is not None else echoes())
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, trust_env=False) as client:
            yield client


def side_by_side(services: Mapping[str, ASGIApp]) -> ASGIApp:
    """Every service under its own name, as the internal listener of an API process has them."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _, name, path = scope["path"].split("/", 2)
            scope = {**scope, "path": f"/{path}", "raw_path": scope["raw_path"].removeprefix(f"/{name}".encode())}
            await services[name](scope, receive, send)

    return choose


@asynccontextmanager
async def over_http(settings: Settings, services: Mapping[str, FastAPI]) -> AsyncIterator[str]:
    """The address of a real gateway that reaches its services over real HTTP."""
    async with served(side_by_side(services), lifespan="off") as internal:
        addresses = {f"{name}_url": f"{internal}/{name}" for name in services}
        async with served(create_app(settings.model_copy(update=addresses | {"upstreams": "http"}))) as address:
            yield address
