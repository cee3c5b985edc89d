"""Redis frozen or full: nothing is refused or lost, mailboxes and webhooks go on (P5); killed and flushed it is while the demo plays.

Each test proves that its fault struck.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from dirigent.county.secrets import read_secrets
from dirigent.replay.api import PublicApi
from dirigent.replay.command import secret_of
from dirigent.supervisor.system import Options, System, running
from shared.dates import now
from tests.integration.notifications.receivers import receiver
from tests.journeys.stories import County, Stay
from tests.patience import until

NOTICES = 20
MUNICIPALITY = "1499"
# Ten times what is promised: webhooks within 5 s, through the stream's long poll.
WITHIN_SECONDS = 50.0


async def frozen(system: System, struck: list[str]) -> None:
    """Stopped, and never resumed while anything is measured: connections to it hang."""
    pid = system.children["redis"]
    os.kill(pid, signal.SIGSTOP)
    struck.append("stopped")
    try:
        await asyncio.sleep(3600)
    finally:
        os.kill(pid, signal.SIGCONT)


async def full(system: System, struck: list[str]) -> None:
    """It refuses every write."""
    async with redis.asyncio.Redis.from_url(system.redis_url) as client:
        await client.config_set("maxmemory", "1")
        with pytest.raises(redis.RedisError):
            await client.set("more", "x")
        struck.append("refused")
        await asyncio.sleep(3600)


Fault = Callable[[System, list[str]], Coroutine[Any, Any, None]]


@asynccontextmanager
async def suffering(system: System, fault: Fault) -> AsyncIterator[list[str]]:
    struck: list[str] = []
    going_on = asyncio.create_task(fault(system, struck))
    try:
        await until(lambda: struck or going_on.done())
        yield struck
        assert not going_on.done(), going_on
    finally:
        going_on.cancel()
        with suppress(asyncio.CancelledError):
            await going_on


@pytest.mark.parametrize("fault", [frozen, full])
async def test_without_redis_nothing_is_refused_and_everyone_is_told(fresh: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    monkeypatch.setenv("DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS", "http://127.0.0.1:*")
    options = Options(data=fresh, port=0, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(running(options))
        secrets = read_secrets(fresh)
        api = await stack.enter_async_context(PublicApi(system.public_url, lambda client: secret_of(secrets, client)))
        hook = await stack.enter_async_context(receiver())
        county = County(api)
        subscribed = await county.post(f"kommun-{MUNICIPALITY}", "/v1/subscriptions", {"url": hook.url, "types": ["notice.admission"]})
        assert subscribed.status == 201, subscribed
        struck = await stack.enter_async_context(suffering(system, fault))
        for _ in range(NOTICES):
            answer = await county.post_event(Stay(municipality=MUNICIPALITY).admission(now() - timedelta(hours=1)))
            assert answer.status == 201, answer
        await until(lambda: len(set(hook.ids())) >= NOTICES, WITHIN_SECONDS)
        assert struck
        assert len((await county.mailbox(f"kommun-{MUNICIPALITY}")).entries) == NOTICES
        assert len(set(hook.ids())) == NOTICES
