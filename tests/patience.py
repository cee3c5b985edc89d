"""Waiting for something that happens in another process or task: ask often, and give up late with a plain failure."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE: Final = 60.0
_PAUSE: Final = 0.01


def eventually(condition: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait in this thread until a condition holds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(_PAUSE)


async def until(condition: Callable[[], object | Awaitable[object]], within: float = PATIENCE) -> None:
    """Wait in the event loop until a condition, plain or awaitable, holds."""
    deadline = time.monotonic() + within
    while True:
        held = condition()
        if await held if isinstance(held, Awaitable) else held:
            return
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(_PAUSE)
