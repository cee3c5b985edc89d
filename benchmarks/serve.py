"""One api process with the product's intake below /ours, the baseline below /textbook, and a handler that does nothing below /noop.

`python -m benchmarks.serve HOST:PORT`: the same server, protocol and loop as `python -m dirigent.process api planning`.
"""

import sys

import uvloop
from fastapi import FastAPI, Request, Response

from benchmarks import textbook
from dirigent.serving import serve
from dirigent.supervisor.sockets import listen
from services.planning.api import create_app
from shared.logging import set_up
from shared.streams.listener import FeedWatcher


def _noop() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/events")
    async def post_event(request: Request) -> Response:
        await request.body()
        return Response(b"{}", 201, media_type="application/json")

    return app


def main() -> None:
    set_up("WARNING")
    host, _, port = sys.argv[1].rpartition(":")
    services = {"ours": create_app(), "textbook": textbook.create_app(), "noop": _noop()}
    for beside in ("textbook", "noop"):
        services[beside].state.watcher = FeedWatcher()  # as every service has one; nobody follows these
    uvloop.run(serve(services, None, None, listen(host, int(port))))


if __name__ == "__main__":
    main()
