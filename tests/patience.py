"""Waiting for something that happens in another process or task: ask often, and give up late with a plain failure.

What counts is how long was waited between two questions, and of that a second at most: where the whole machine stands still for a minute,
nothing had the time to happen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE: Final = 60.0
_PAUSE: Final = 0.01
_MOST_AT_A_TIME: Final = 1.0


class _Waiting:
    def __init__(self, within: float) -> None:
        self._left = within
        self._asked_at = time.monotonic()

    def go_on(self) -> None:
        """Count the time since the last question.

        Raises:
            AssertionError: It was too long.
        """
        asked_at = time.monotonic()
        self._left -= min(asked_at - self._asked_at, _MOST_AT_A_TIME)
        self._asked_at = asked_at
        assert self._left > 0, "did not happen in time"


def eventually(condition: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait in this thread until a condition holds."""
    waiting = _Waiting(within)
    while not condition():
        waiting.go_on()
        time.sleep(_PAUSE)


async def until(condition: Callable[[], object | Awaitable[object]], within: float = PATIENCE) -> None:
    """Wait in the event loop until a condition, plain or awaitable, holds."""
    waiting = _Waiting(within)
    while True:
        held = condition()
        if await held if isinstance(held, Awaitable) else held:
            return
        waiting.go_on()
        await asyncio.sleep(_PAUSE)
