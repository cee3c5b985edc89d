"""The stream over a real Redis with a real dramatiq worker: delivered, wiped, forged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import dramatiq
import redis
import uvicorn
from dramatiq.middleware import AsyncIO
from sqlalchemy import text

from dirigent.databases import Access
from dirigent.supervisor.sockets import free_port
from shared.db import Database
from shared.events.facts import MailboxPolled
from shared.streams.outbox import stage_facts
from shared.streams.queue import REJECTED_ACTOR, make_broker
from shared.streams.relay import queue_of
from shared.streams.runtime import StreamWorker, _Parts, _rejected
from shared.streams.settings import WorkerSettings
from tests.integration.streams.conftest import a_fact, producing_app, take_effect
from tests.services import SERVICE_KEY


@asynccontextmanager
async def _working(parts: list[StreamWorker], redis_url: str) -> AsyncIterator[None]:
    """What `run_workers` does, inside a test: signals belong to pytest."""
    broker = make_broker(redis_url, SERVICE_KEY, [AsyncIO(), _Parts(parts)])
    for part in parts:
        part.declare(broker)
    dramatiq.actor(actor_name=REJECTED_ACTOR, queue_name="rejected", broker=broker)(_rejected)
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=50)
    await asyncio.to_thread(worker.start)
    try:
        yield
    finally:
        await asyncio.to_thread(worker.stop, timeout=4_000)
        broker.close()
        broker.client.close()


@asynccontextmanager
async def _listening(url: str, port: int) -> AsyncIterator[None]:
    """The producer's internal address on a real socket."""
    database = Database(url)
    server = uvicorn.Server(uvicorn.Config(producing_app(database), port=port, log_level="error", lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # they belong to pytest
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        await database.close()


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  # what is waited for lies in another process's database
            await asyncio.sleep(0.05)


async def test_facts_travel_by_queue_and_survive_a_wiped_and_forged_redis(new_database: Callable[[str], Access], redis_url: str) -> None:
    producing, consuming = new_database("planning").app, new_database("billing").app
    port = free_port()
    common: dict[str, Any] = {
        "DIRIGENT_REDIS_URL": redis_url,
        "DIRIGENT_SERVICE_KEY": SERVICE_KEY,
        "DIRIGENT_PLANNING_URL": f"http://127.0.0.1:{port}",
        "pool_size": 2,
    }
    parts = [
        StreamWorker("planning", WorkerSettings(database_url=producing, **common), subscribers=("billing",)),
        StreamWorker("billing", WorkerSettings(database_url=consuming, **common), consumes={"planning": {MailboxPolled.kind: take_effect}}),
    ]
    watching, writing = Database(consuming), Database(producing)

    async def counted() -> tuple[int, int, int]:
        async with watching.transaction() as work:
            row = (await work.connection.execute(text("SELECT position, delivered, repaired FROM stream_cursors"))).one_or_none()
        return (0, 0, 0) if row is None else (row.position, row.delivered, row.repaired)

    async def publish(first: int, last: int) -> None:
        for number in range(first, last):
            async with writing.transaction() as work:
                await stage_facts(work, [(a_fact(number), None)])

    async def reached(position: int) -> bool:
        return (await counted())[0] >= position

    async with _listening(producing, port), _working(parts, redis_url):
        client = redis.Redis.from_url(redis_url)
        await publish(0, 100)
        await _until(lambda: reached(100))
        _position, delivered, _repaired = await counted()
        assert delivered > 0, "positive control: the queue carried something"

        name = queue_of("billing", "planning")
        client.rpush(f"dirigent:{name}", "forged")
        client.hset(f"dirigent:{name}.msgs", "forged", b"x" * 64 + b'{"actor_name":"billing.planning","args":["planning",1,[]]}')
        for number in range(100, 200, 10):
            await publish(number, number + 10)
            client.flushall()
        await _until(lambda: reached(200))
        client.close()
    async with watching.transaction() as work:
        applied = (await work.connection.execute(text("SELECT body FROM idempotency_keys ORDER BY key"))).scalars().all()
    assert [int(body) for body in applied] == list(range(200))
    await watching.close()
    await writing.close()
