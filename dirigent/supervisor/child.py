"""One supervised child process: started, waited for, restarted with back-off, stopped."""

import asyncio
import contextlib
import os
import re
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from dirigent.embedded.program import Program
from dirigent.failure import CannotStart

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
_PROVEN_AFTER: Final = 30.0
_FIRST_ATTEMPTS: Final = 3
_BETWEEN_ATTEMPTS: Final = 0.2
_POLL: Final = 0.02
_LARGEST_LOG: Final = 10_000_000
_TAIL: Final = 4_000
_TELLING: Final = re.compile(r"FATAL|PANIC|rror\b|dirigent: ")


@dataclass
class Child:
    """A program under supervision.

    Exits are noticed, not freezes: a child that hangs without ending is left alone until it is stopped.
    """

    program: Program
    say: Callable[[str], None] = field(default=lambda _line: None)
    starts: int = 0
    _process: Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _log_begins: int = 0

    @property
    def name(self) -> str:
        """The name of the program, for messages and logs."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the program, wait until it is ready, and keep it running from then on.

        Raises:
            CannotStart: It ended three times, or was not ready in time.
        """
        for attempt in range(_FIRST_ATTEMPTS):
            await asyncio.sleep(attempt * _BETWEEN_ATTEMPTS)
            process = await self._spawn()
            if await self._became_ready(process):
                self._keeper = asyncio.create_task(self._keep(process), name=f"keep {self.name}")
                return
            if process.returncode is None:
                await self._end(process)
                raise CannotStart(f"{self.name} was not ready within {self.program.ready_within:.0f} s; see {self.program.log}")
        raise CannotStart(f"{self.name} does not start: {telling_line(self.program.log, self._log_begins)}; see {self.program.log}")

    async def stop(self) -> None:
        """End the program in the gentle way, and in the hard way when it takes too long."""
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._process:
            await self._end(self._process)

    async def _keep(self, process: Process) -> None:
        pause = _FIRST_PAUSE
        while True:
            born = time.monotonic()
            code = await process.wait()
            pause = _FIRST_PAUSE if time.monotonic() - born > _PROVEN_AFTER else min(pause * 2, _LONGEST_PAUSE)
            self.say(f"{self.name} {_how_it_ended(code)}, starting it again")
            await asyncio.sleep(pause)
            try:
                process = await self._spawn()
            except (OSError, CannotStart) as error:
                self.say(f"{self.name} cannot be started: {error}")

    async def _spawn(self) -> Process:
        program = self.program
        await program.before()
        with open_log(program.log) as log:
            self._log_begins = log.tell()
            # Created from the main thread: the death signal fires when the *thread* that forked ends.
            # A session of its own, so that Ctrl-C on the terminal reaches only the supervisor, which stops everything in order.
            self._process = await asyncio.create_subprocess_exec(
                *program.account.command(*program.argv, death_signal=program.death_signal),
                cwd=program.folder,
                env=dict(program.environment),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=program.pass_fds,
                start_new_session=True,
            )
        self.starts += 1
        return self._process

    async def _became_ready(self, process: Process) -> bool:
        """Ask until it is ready; an exit ends the wait at once, even in the middle of a question."""
        asking = asyncio.create_task(self._ask(process.pid))
        ending = asyncio.create_task(process.wait())
        try:
            await asyncio.wait((asking, ending), timeout=self.program.ready_within, return_when=asyncio.FIRST_COMPLETED)
            return asking.done() and not ending.done()
        finally:
            for task in (asking, ending):
                task.cancel()
            await asyncio.gather(asking, ending, return_exceptions=True)

    async def _ask(self, pid: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                if await self.program.is_ready(pid):
                    return
            await asyncio.sleep(_POLL)

    async def _end(self, process: Process) -> None:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
            # A frozen child takes the signal only when it runs again.
            process.send_signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(process.wait(), self.program.stop_within)
        except TimeoutError:
            self.say(f"{self.name} did not stop within {self.program.stop_within:.0f} s, killing it")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one that has grown large is put aside first, so that two files are the most there ever are."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_name(path.name + ".1"))
    return open(path, "ab", opener=_privately)


def telling_line(log: Path, begin: int) -> str:
    """The line written from a position on that says most about why a program ended."""
    lines = [line.strip() for line in tail_of(log, begin).splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or ["it said nothing"])[-1].removeprefix("dirigent: ")


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def tail_of(log: Path, begin: int = 0) -> str:
    """The last part of a log file, from a position on; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(begin, log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
