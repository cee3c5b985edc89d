"""One process of Dirigent: `python -m dirigent.process api|worker SERVICE... [--public WHERE] [--internal WHERE]`.

WHERE is `fd:N` for a socket that the parent opened, or HOST:PORT. An api process serves the gateway on its public listener and
the services behind it, each below its own name, on its internal one, which no route of the gateway leads to.
"""

import argparse
import importlib
import os
import socket
import sys
import traceback
from collections.abc import Sequence

from pydantic import ValidationError

from dirigent.databases import SERVICES
from dirigent.failure import CannotStart
from dirigent.loading import loading
from dirigent.supervisor.sockets import listen
from shared.logging import set_up


def _worker(names: Sequence[str]) -> None:
    with loading():
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
            with loading():
                serving = importlib.import_module("dirigent.serving")
            serving.serve_services(chosen.services, _opened(chosen.public), _opened(chosen.internal))
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
