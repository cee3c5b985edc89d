"""Runs a program until it ends or a signal asks it to end; asking again while it stops changes nothing."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

from dirigent.failure import CannotStart

_ASKED_TO_STOP: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_BASE: Final = 128


def _nothing(_line: str) -> None: ...


def run(main: Coroutine[Any, Any, int | None], *, say: Callable[[str], None] = _nothing, farewell: str = "") -> int:
    """Run to the end and give the exit code: that of `main`, 1 after a clear line when it cannot start, 128 + signal when asked to end.

    The first SIGINT, SIGTERM or SIGHUP cancels `main`, whose `finally` blocks then stop everything in order, undisturbed by more of them;
    `say` hears that it is stopping, and the farewell once it has stopped.
    """
    try:
        return asyncio.run(_until_signal(main, say, farewell))
    except CannotStart as failure:
        print(f"dirigent: {failure}", file=sys.stderr)
        return 1


async def _until_signal(main: Coroutine[Any, Any, int | None], say: Callable[[str], None], farewell: str) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    received: list[signal.Signals] = []

    def ask(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            task.cancel()
            _to_a_terminal_that_may_be_gone(say, "\nstopping …")

    for number in _ASKED_TO_STOP:
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # started with nohup: it shall outlive its terminal
        loop.add_signal_handler(number, ask, number)
    try:
        return await task or 0
    except asyncio.CancelledError:
        if not received:
            raise
        _to_a_terminal_that_may_be_gone(say, f"stopped; {farewell}" if farewell else "stopped")
        return SIGNAL_BASE + received[0]


def _to_a_terminal_that_may_be_gone(say: Callable[[str], None], line: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        say(line)
