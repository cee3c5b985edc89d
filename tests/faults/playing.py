"""Playing the demo inside a test while something goes wrong, and what its table must be all the same."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from dirigent.county.secrets import read_secrets
from dirigent.demo.play import Demo
from dirigent.demo.record import Played
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.simulate.command import read_month
from dirigent.supervisor.system import Options, System, running

STAYS = 60
SEED = 3
LONGEST_SECONDS = 240
Fault = Callable[[System], Awaitable[None]]


@contextmanager
def _no_bar(_title: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _done: None


async def play(
    folder: Path, fault: Fault | None = None, *, split: bool = False, afterwards: Fault | None = None
) -> tuple[list[dict[str, Any]], System]:
    """Play the demo to its end, with a fault going on beside it; its table, after every check in it held.

    `afterwards` looks at the system that has played it, while it still runs.
    """
    options = Options(data=folder, port=0, split=split, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)
    told = io.StringIO()
    async with running(options) as system:
        secrets = read_secrets(folder)
        disturbing = asyncio.create_task(_disturb(fault, system)) if fault else None
        async with PublicApi(system.public_url, lambda client: secret_of(secrets, client)) as api:
            demo = Demo(api, Played(str(read_month(None)), SEED, STAYS), folder, Console(file=told), _no_bar)
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    held = await demo.play()
            except TimeoutError:
                raise AssertionError(f"the demo did not end: {told.getvalue()}") from None
        if disturbing is not None:
            disturbing.cancel()
            with suppress(asyncio.CancelledError):
                await disturbing
        assert held, told.getvalue()
        if afterwards is not None:
            await afterwards(system)
        return [row.as_dict() for row in demo.rows], system


async def _disturb(fault: Fault, system: System) -> None:
    await fault(system)
