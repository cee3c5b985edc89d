"""What a child process is made of, before there is one."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dirigent.embedded.account import Account


async def _always(_pid: int) -> bool:
    return True


async def _nothing() -> None:
    return


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how: everything about a child except that it is running.

    `before` runs before every start, the first and all later ones; `is_ready` is asked with the pid until it says yes.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path
    account: Account
    environment: Mapping[str, str]
    log: Path
    before: Callable[[], Awaitable[None]] = _nothing
    is_ready: Callable[[int], Awaitable[bool]] = _always
    ready_within: float = 30.0
    stop_signal: int = signal.SIGTERM
    stop_within: float = 10.0
    death_signal: int = signal.SIGKILL
    pass_fds: tuple[int, ...] = ()
