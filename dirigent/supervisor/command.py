"""`dirigent up`: everything on one machine, until Ctrl-C."""

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from dirigent.supervisor.folder import chosen_folder
from dirigent.supervisor.signals import SIGNAL_BASE, run
from dirigent.supervisor.sockets import LOOPBACK
from dirigent.supervisor.system import Options, System, running

_ORDERLY = {SIGNAL_BASE + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


def command(
    split: Annotated[bool, typer.Option("--split", help="Every service's api and worker as a process of its own.")] = False,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    host: Annotated[str, typer.Option(envvar="DIRIGENT_HOST", help="Address to listen on.")] = LOOPBACK,
    port: Annotated[int, typer.Option(envvar="DIRIGENT_PORT", min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 8080,
    environment: Annotated[
        Literal["demo", "production"], typer.Option(envvar="DIRIGENT_ENVIRONMENT", help="demo loads a made-up county.")
    ] = "production",
) -> None:
    """Start PostgreSQL, Redis, gateway, services and workers, and keep them running until Ctrl-C."""
    steps = ("dirigent.seed",) if environment == "demo" else ()
    options = Options(data=data, host=host, port=port, split=split, environment=environment, steps=steps)
    farewell = f"the data stay in {chosen_folder(data).path}, the next start goes on from them"
    code = run(_up(options), say=partial(print, flush=True), farewell=farewell)
    raise typer.Exit(0 if code in _ORDERLY else code)


async def _up(options: Options) -> None:
    async with running(options) as system:
        _tell(system)
        await asyncio.Event().wait()


def _tell(system: System) -> None:
    print(f"Dirigent is ready: {system.public_url} (documentation: {system.public_url}/docs)")
    print(f"  data  {system.folder.path}")
    print(f"  logs  {system.folder.path / 'logs'}")
    print("  Ctrl-C stops it.", flush=True)
