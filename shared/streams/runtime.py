"""The worker process: dramatiq.Worker in our own process, and beside it each service's sequencer, relay, repairs and own tasks."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any, Final, Protocol

import dramatiq
import httpx
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO, Middleware
from sqlalchemy import text

from shared.db import Database, keep_time, tell_time
from shared.streams.consumer import Consumer, Handler
from shared.streams.following import Follower
from shared.streams.listener import Listener
from shared.streams.queue import REJECTED_ACTOR, make_broker
from shared.streams.relay import Relay, queue_of
from shared.streams.repair import HttpProducer
from shared.streams.sequencer import Sequencer
from shared.streams.settings import WorkerSettings

_log = structlog.get_logger(__name__)

ANSWERS_KEPT: Final = timedelta(days=90)
_FORGET: Final = text("DELETE FROM idempotency_keys WHERE created_at < :before")
_FORGET_EVERY_SECONDS: Final = 3_600.0
_WORKER_THREADS: Final = 4
_WORKER_TIMEOUT_MS: Final = 50
_STOP_MS: Final = 4_000
_BACK_OFF_FROM: Final = 0.2
_BACK_OFF_TO: Final = 5.0
# A producer that is started anew ends every poll: what the queue lost meanwhile must not wait for a pause that grew.
_FOLLOW_AGAIN_WITHIN: Final = 0.5

Task = Callable[[Database], Awaitable[None]]


class ServiceWorker(Protocol):
    """One service's share of a worker process."""

    name: str

    def declare(self, broker: RedisBroker) -> None:
        """Declare queues and actors; nothing is opened yet."""

    async def start(self) -> None:
        """Open what is needed and begin, in the event loop of the worker."""

    async def stop(self) -> None:
        """End every task and close what was opened."""


class StreamWorker:
    """The usual share: number and relay the service's own stream, consume others', run the service's own loops."""

    def __init__(
        self,
        name: str,
        settings: WorkerSettings,
        *,
        subscribers: Sequence[str] = (),
        consumes: Mapping[str, Mapping[str, Handler]] | None = None,
        tasks: Mapping[str, Task] | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._subscribers = tuple(subscribers)
        self._consumes = consumes or {}
        self._own_tasks = tasks or {}
        self._consumers: dict[str, Consumer] = {}
        self._running: list[asyncio.Task[None]] = []
        self._broker: RedisBroker | None = None

    def declare(self, broker: RedisBroker) -> None:
        """Declare an actor for each stream that is consumed."""
        self._broker = broker
        for stream in self._consumes:
            name = queue_of(self.name, stream)
            dramatiq.actor(actor_name=name, queue_name=name, broker=broker)(self._receiver(stream))

    def _receiver(self, stream: str) -> Callable[[str, int, list[list[Any]]], Awaitable[None]]:
        async def receive(_stream: str, epoch: int, rows: list[list[Any]]) -> None:
            consumer = self._consumers.get(stream)
            if consumer is None:
                return
            try:
                await consumer.receive(epoch, rows)
            except Exception as error:  # noqa: BLE001  # an actor never fails: the repair applies what this one could not
                _log.warning("stream.receive_failed", service=self.name, stream=stream, error=type(error).__name__)

        return receive

    async def start(self) -> None:
        """Open the database and the HTTP client of this worker; its loops begin when it has been told what time it is."""
        settings = self._settings
        self._database = Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.pool_size,
            overflow=settings.pool_overflow,
            application=f"{self.name}-worker",
            by_key=settings.by_key,
        )
        self._client = httpx.AsyncClient(trust_env=False)
        assert self._broker is not None  # noqa: S101  # declare() comes first, by the protocol
        self._relay = Relay(self._broker, stream=self.name, subscribers=self._subscribers)
        self._keep("start", self._begin)

    async def _begin(self) -> None:
        """Ask the time before anything is done by it; while the database is away nothing could be done anyhow."""
        await tell_time(self._database)
        sequencer = Sequencer(self._database, on_moved=self._relay.moved)
        listener = Listener(self._settings.direct_url, {"outbox": lambda _payload: sequencer.wake()})
        self._keep("time", partial(keep_time, self._database))
        self._keep("listener", listener.run)
        self._keep("sequencer", sequencer.run)
        self._keep("relay", self._relay.run)
        for stream, handlers in self._consumes.items():
            self._follow(stream, handlers)
        self._keep("old-answers", partial(_forget_old_answers, self._database))
        for name, task in self._own_tasks.items():
            self._keep(name, partial(task, self._database))

    def _follow(self, stream: str, handlers: Mapping[str, Handler]) -> None:
        producer = HttpProducer(
            self._client,
            stream=stream,
            base_url=self._settings.producer_url(stream),
            service_key=self._settings.service_key.get_secret_value(),
            consumer=self.name,
        )
        consumer = Consumer(self._database, stream=stream, handlers=handlers, producer=producer)
        self._consumers[stream] = consumer
        self._keep(f"following-{stream}", Follower(consumer, producer).run, _FOLLOW_AGAIN_WITHIN)

    def _keep(self, name: str, run: Callable[[], Awaitable[None]], longest_pause: float = _BACK_OFF_TO) -> None:
        self._running.append(asyncio.create_task(keep(f"{self.name}.{name}", run, longest_pause), name=f"{self.name}.{name}"))

    async def stop(self) -> None:
        """End the loops, then close what they used."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._relay.close()
        await self._client.aclose()
        await self._database.close()


async def keep(name: str, run: Callable[[], Awaitable[None]], longest_pause: float = _BACK_OFF_TO) -> None:
    """Run a loop until cancelled; when it fails, log and begin again with a growing pause."""
    pause = _BACK_OFF_FROM
    while True:
        begun = asyncio.get_running_loop().time()
        try:
            await run()
            return
        except Exception as error:  # noqa: BLE001  # a loop of the worker outlives every failure of what it works on
            if asyncio.get_running_loop().time() - begun > _BACK_OFF_TO:
                pause = _BACK_OFF_FROM
            _log.warning("task.failed", task=name, error=type(error).__name__, detail=_shape(error), again_in=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, longest_pause)


def _shape(error: BaseException) -> str:
    """What kind of database error it was, without the statement's values."""
    return type(getattr(error, "orig", None) or error.__cause__ or error).__name__


async def _forget_old_answers(database: Database) -> None:
    """Delete the first answers that no repetition is expected for any more."""
    while True:
        async with database.transaction() as work:
            await work.connection.execute(_FORGET, {"before": work.at - ANSWERS_KEPT})
        await asyncio.sleep(_FORGET_EVERY_SECONDS)


class _Parts(Middleware):
    """Starts and stops the services' shares in the event loop that dramatiq's AsyncIO middleware keeps."""

    def __init__(self, parts: Sequence[ServiceWorker]) -> None:
        self._parts = parts

    def after_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        for part in self._parts:
            _in_loop(part.start())

    def after_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        for part in reversed(self._parts):
            _in_loop(part.stop())


def _in_loop(step: Awaitable[None]) -> None:
    thread = get_event_loop_thread()
    assert thread is not None  # noqa: S101  # the AsyncIO middleware stands before ours
    thread.run_coroutine(step)


def run_workers(parts: Sequence[ServiceWorker], *, redis_url: str, service_key: str) -> None:
    """Run the worker process until SIGTERM or SIGINT; call it from the main thread."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    broker = make_broker(redis_url, service_key, [AsyncIO(), _Parts(parts)])
    for part in parts:
        part.declare(broker)
    dramatiq.actor(actor_name=REJECTED_ACTOR, queue_name="rejected", broker=broker)(_rejected)
    worker = dramatiq.Worker(broker, worker_threads=_WORKER_THREADS, worker_timeout=_WORKER_TIMEOUT_MS)
    worker.start()
    stopping.wait()
    worker.stop(timeout=_STOP_MS)
    broker.close()


def _rejected() -> None:
    _log.warning("queue.message_rejected")
