"""The demo's one way to ask: an answer that must be a success, and waiting for something that comes by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from dirigent.replay.api import PublicApi

PATIENCE_SECONDS: Final = 120.0
LOOK_AGAIN_SECONDS: Final = 0.25

Found = TypeVar("Found")


class DemoError(Exception):
    """The demo cannot go on: a call that must succeed was refused, or something that must come did not."""


async def ask(api: PublicApi, client: str, path: str, params: Mapping[str, str | int] | None = None) -> Any:
    """Read something.

    Raises:
        DemoError: It was refused.
    """
    answer = await api.call(client, "GET", path, params=params)
    if not answer.ok:
        raise DemoError(f"{client} GET {path}: {answer.status} {answer.code}")
    return answer.body


async def tell(api: PublicApi, client: str, path: str, body: object, *, key: str) -> Any:
    """Have something done, once for each key.

    Raises:
        DemoError: It was refused.
    """
    answer = await api.call(client, "POST", path, body=body, key=key)
    if not answer.ok:
        raise DemoError(f"{client} POST {path}: {answer.status} {answer.code}")
    return answer.body


async def until(what: str, look: Callable[[], Awaitable[Found | None]], *, patience: float = PATIENCE_SECONDS) -> Found:
    """Look again and again until there is something.

    Raises:
        DemoError: It did not come in time.
    """
    deadline = time.monotonic() + patience
    while True:
        found = await look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"waited {patience:.0f} s in vain: {what}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
