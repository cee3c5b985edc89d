"""Redis frozen or full: nothing is refused or lost, mailboxes and webhooks go on (P5); killed and flushed it is while the demo plays.

What billing makes known goes through planning to a webhook: two streams, each of them late once (measured together 1.1 s, from then on a
tenth of a second for all of it).

Each test proves that its fault struck.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import pytest
import redis.asyncio

from dirigent.county.secrets import read_secrets
from dirigent.replay.api import Answer, PublicApi
from dirigent.replay.command import secret_of
from dirigent.supervisor.system import Options, System, running
from shared.dates import now
from tests.integration.notifications.receivers import Receiver, receiver
from tests.journeys.stories import County, Stay
from tests.journeys.test_from_month_to_money import MONTH, import_stays, prepare, step
from tests.patience import until

NOTICES = 20
IMPORTED = (2, 5, 6, 7)
MUNICIPALITY = "1499"
# What is promised of every webhook, which is four times what was measured of the slowest; and ten times the measured of most of them.
WITHIN_SECONDS = 5.0
MOSTLY_SECONDS = 1.0
ADMISSION, PUBLISHED, ACCEPTED = "notice.admission", "notice.month_published", "notice.month_accepted"


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


class Told:
    """What came by webhook, and how long each message took."""

    def __init__(self, hook: Receiver) -> None:
        self.hook = hook
        self.took: list[float] = []

    def count(self, kind: str) -> int:
        return len({headers["webhook-id"] for _, headers, body in self.hook.received if json.loads(body)["type"] == kind})

    async def of(self, kind: str, act: Awaitable[Answer]) -> None:
        """Do something, and wait until a webhook tells of it."""
        before, begun = self.count(kind), monotonic()
        answer = await act
        assert answer.ok, answer
        await until(lambda: self.count(kind) > before)
        self.took.append(monotonic() - begun)


@pytest.mark.parametrize("fault", [frozen, full])
async def test_without_redis_nothing_is_refused_and_everyone_is_told(fresh: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    monkeypatch.setenv("DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS", "http://127.0.0.1:*")
    options = Options(data=fresh, port=0, environment="demo", steps=("dirigent.seed",), say=lambda _line: None)
    debtor = f"kommun-{MUNICIPALITY}"
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(running(options))
        secrets = read_secrets(fresh)
        api = await stack.enter_async_context(PublicApi(system.public_url, lambda client: secret_of(secrets, client)))
        told = Told(await stack.enter_async_context(receiver()))
        county = County(api)
        for client, types in ((debtor, [ADMISSION, PUBLISHED]), ("office", [ACCEPTED])):
            subscribed = await county.post(client, "/v1/subscriptions", {"url": told.hook.url, "types": types})
            assert subscribed.status == 201, subscribed
        await import_stays(county, MUNICIPALITY, *IMPORTED)
        await county.counted(MUNICIPALITY, MONTH, len(IMPORTED))
        calculation = (await prepare(county, MUNICIPALITY))["calculation"]
        struck = await stack.enter_async_context(suffering(system, fault))
        await told.of(PUBLISHED, step(county, "controller", MUNICIPALITY, "publish", calculation))
        await told.of(ACCEPTED, step(county, debtor, MUNICIPALITY, "sign", calculation))
        for _ in range(NOTICES):
            await told.of(ADMISSION, county.post_event(Stay(municipality=MUNICIPALITY).admission(now() - timedelta(hours=1))))
        assert struck
        entries = (await county.mailbox(debtor)).entries
        assert sum(entry["type"] == ADMISSION for entry in entries) == NOTICES + len(IMPORTED)
        assert told.count(ADMISSION) == NOTICES
        assert max(told.took) < WITHIN_SECONDS, told.took
        assert median(told.took) < MOSTLY_SECONDS, told.took
