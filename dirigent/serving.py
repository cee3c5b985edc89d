"""Serving: the gateway on the public listener, the services behind it on the internal one. A worker process never loads this."""

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from dirigent.http_protocol import Bounded
from dirigent.leaving import Leaving
from dirigent.loading import loading
from shared.streams.outbox import FACTS_FEED

_LEAVES_WITHIN: Final = 2
_KEEP_ALIVE: Final = 75
_NEW_OBJECTS: Final = 10_000


class Internal:
    """Serves each service below its own name, for its neighbours only."""

    def __init__(self, services: Mapping[str, ASGIApp]) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on to the service that the first part of its path names."""
        name, _, _ = scope["path"].removeprefix("/").partition("/")
        service = self._services.get(name)
        if service is None or not scope["path"].startswith(f"/{name}/"):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        inner = dict(scope)
        inner["path"] = scope["path"].removeprefix(f"/{name}")
        inner["raw_path"] = scope["raw_path"].removeprefix(f"/{name}".encode("ascii"))
        await service(inner, receive, send)


class Server(uvicorn.Server):
    """A server that leaves the signals to the process, which may hold two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def _server(app: ASGIApp) -> Server:
    return Server(
        uvicorn.Config(
            Leaving(app, os.environ.get("DIRIGENT_PUBLIC_URL", "")),
            loop="none",
            http=Bounded,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who calls is what a token says; forwarded addresses would only be somebody's claim.
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LEAVES_WITHIN,
        )
    )


async def serve(
    services: Mapping[str, FastAPI], gateway: FastAPI | None, public: socket.socket | None, internal: socket.socket | None
) -> None:
    """Serve until SIGTERM or SIGINT: the gateway on the public socket, the services behind it on the internal one."""
    # The gateway runs the lifespans of the services it was given.
    first = [gateway] if gateway is not None else list(services.values())
    async with AsyncExitStack() as stack:
        for app in first:
            await stack.enter_async_context(app.router.lifespan_context(app))
        servers: list[tuple[Server, socket.socket]] = []
        if gateway is not None and public is not None:
            servers.append((_server(gateway), public))
        if internal is not None:
            servers.append((_server(Internal(services)), internal))
        _leave_what_is_loaded()
        await _serve_until_signal(servers, services)


def _leave_what_is_loaded() -> None:
    """Keep the garbage collector from walking through all our modules again and again: that was a quarter of the intake's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


async def _serve_until_signal(servers: Sequence[tuple[Server, socket.socket]], services: Mapping[str, FastAPI]) -> None:
    def leave() -> None:
        for server, _ in servers:
            server.should_exit = True
        for service in services.values():
            # Every worker waits for its streams at all times; for its sake no stop takes as long as a server may.
            service.state.watcher.end(FACTS_FEED)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave)
    async with asyncio.TaskGroup() as group:
        for server, opened in servers:
            group.create_task(server.serve(sockets=[opened]))


def serve_services(names: Sequence[str], public: socket.socket | None, internal: socket.socket | None) -> None:
    """Make the applications of these services, and serve them until told to end."""
    gateway: FastAPI | None = None
    with loading():
        services: dict[str, FastAPI] = {
            name: importlib.import_module(f"services.{name}.api").create_app() for name in names if name != "gateway"
        }
        if "gateway" in names:
            gateway = importlib.import_module("services.gateway.app").create_app(services=services or None, demo_issuer=_demo_issuer())
    uvloop.run(serve(services, gateway, public, internal))


def _demo_issuer() -> object | None:
    """What staff sign in through where the operator names nothing: in a demo on this very machine, and nowhere else."""
    if os.environ.get("DIRIGENT_ENVIRONMENT") != "demo" or os.environ.get("DIRIGENT_GATEWAY_STAFF_ISSUERS_FILE"):
        return None
    # Loaded where it is needed: a process without the gateway does without all of this.
    here = importlib.import_module("dirigent.demo_issuer")
    try:
        made: object = here.demo_issuer(os.environ.get("DIRIGENT_PUBLIC_URL", "").rstrip("/"), "demo")
    except here.NotHere:
        return None
    return made
