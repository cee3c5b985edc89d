"""`dirigent checkpoint`: write down what every feed ends with, to be kept where nobody who reaches the databases can reach it."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dirigent.doctor.checkpoints import Checkpoint, take_checkpoint
from dirigent.failure import CannotStart
from dirigent.supervisor.system import Options, databases_of


def command(
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this new file.", show_default="standard output")] = None,
) -> None:
    """Write down position and running hash of every feed of all services; `dirigent doctor --checkpoint FILE` holds them to it."""
    told = asyncio.run(_take(Options(data=data))).model_dump_json(indent=2) + "\n"
    if out is None:
        sys.stdout.write(told)
        return
    _write(out, told)
    print(f"wrote {out}", file=sys.stderr)


async def _take(options: Options) -> Checkpoint:
    async with databases_of(options) as databases:
        return await take_checkpoint(databases)


def _write(path: Path, told: str) -> None:
    """A checkpoint is never written over: an older one is what a rewrite would be found with."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(told)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise CannotStart(f"{path} exists already; a checkpoint is never written over") from None
    except OSError as error:
        raise CannotStart(f"{path} cannot be written: {error.strerror}") from None
