"""Programs that run to their end during a start, and work that goes on side by side in it."""

import asyncio
import contextlib
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dirigent.embedded.account import own_account
from dirigent.failure import CannotStart
from dirigent.supervisor.child import open_log, telling_line


async def run_step(argv: Sequence[str], environment: Mapping[str, str], *, folder: Path, log: Path) -> None:
    """Run a program to its end.

    Raises:
        CannotStart: It failed; the message is the last telling line it wrote.
    """
    with open_log(log) as output:
        begin = output.tell()
        process = await asyncio.create_subprocess_exec(
            *own_account().command(*argv, death_signal=signal.SIGKILL),
            cwd=folder,
            env=dict(environment),
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if code != 0:
        raise CannotStart(f"{telling_line(log, begin)}; see {log}")


@contextlib.contextmanager
def one_failure() -> Iterator[None]:
    """Around a task group: raise the first failure itself instead of a group of them."""
    try:
        yield
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
