"""One process of Dirigent: `python -m dirigent.process api|worker SERVICE... [--public WHERE] [--internal WHERE]`.

WHERE is `fd:N` for a socket that the parent opened, or HOST:PORT. An api process serves the gateway on its public listener and
the services behind it, each below its own name, on its internal one, which no route of the gateway leads to.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from dirigent.databases import SERVICES
from dirigent.failure import CannotStart
from dirigent.http_protocol import BoundedHead
from dirigent.leaving import Leaving
from dirigent.supervisor.sockets import listen
from shared.logging import set_up

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
            http=BoundedHead,
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
        await _serve_until_signal(servers)


def _leave_what_is_loaded() -> None:
    """Keep the garbage collector from walking through all our modules again and again: that was a quarter of the intake's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


async def _serve_until_signal(servers: Sequence[tuple[Server, socket.socket]]) -> None:
    def leave() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave)
    async with asyncio.TaskGroup() as group:
        for server, opened in servers:
            group.create_task(server.serve(sockets=[opened]))


def _api(names: Sequence[str], public: socket.socket | None, internal: socket.socket | None) -> None:
    services: dict[str, FastAPI] = {
        name: importlib.import_module(f"services.{name}.api").create_app() for name in names if name != "gateway"
    }
    gateway: FastAPI | None = None
    if "gateway" in names:
        gateway = importlib.import_module("services.gateway.app").create_app(services=services or None)
    uvloop.run(serve(services, gateway, public, internal))


def _worker(names: Sequence[str]) -> None:
    runtime = importlib.import_module("shared.streams.runtime")
    parts = []
    for name in names:
        settings = importlib.import_module(f"services.{name}.settings").Settings()
        parts.append(importlib.import_module(f"services.{name}.worker").create_worker(settings))
    runtime.run_workers(parts, redis_url=os.environ["DIRIGENT_REDIS_URL"], service_key=os.environ["DIRIGENT_SERVICE_KEY"])


def _opened(where: str | None) -> socket.socket | None:
    if where is None:
        return None
    if where.startswith("fd:"):
        return socket.socket(fileno=int(where.removeprefix("fd:")))
    host, _, port = where.rpartition(":")
    return listen(host.strip("[]"), int(port))


def main() -> int:
    """Run the process that the command line describes until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m dirigent.process", description=__doc__)
    parser.add_argument("kind", choices=("api", "worker"))
    parser.add_argument("services", nargs="+", choices=SERVICES)
    parser.add_argument("--public", metavar="WHERE", help="listener of the gateway")
    parser.add_argument("--internal", metavar="WHERE", help="listener of the services behind the gateway")
    chosen = parser.parse_args()
    if chosen.kind == "api" and not (chosen.public or chosen.internal):
        parser.error("an api process needs --public, --internal or both")
    set_up(os.environ.get("DIRIGENT_LOG_LEVEL", "INFO"))
    try:
        if chosen.kind == "worker":
            _worker(chosen.services)
        else:
            _api(chosen.services, _opened(chosen.public), _opened(chosen.internal))
    except ValidationError as error:
        wrong = ", ".join(".".join(str(part) for part in item["loc"]) for item in error.errors(include_input=False, include_context=False))
        print(f"dirigent: settings are missing or wrong: {wrong}", file=sys.stderr)
        return 1
    except CannotStart as failure:
        print(f"dirigent: {failure}", file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001  # the log gets everything, and last the one line that the supervisor shows
        traceback.print_exc()
        print(f"dirigent: {chosen.kind} {' '.join(chosen.services)}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
