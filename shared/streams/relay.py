"""The relay puts freshly numbered ranges on each subscriber's queue; what it cannot send it drops, and the subscriber repairs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker

from shared.streams.outbox import FACTS_FEED
from shared.streams.sequencer import Entry, Moved

_log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 0.02
MESSAGE_BYTES: Final = 256_000
WAITING_ENTRIES: Final = 5_000


def queue_of(subscriber: str, stream: str) -> str:
    """The queue, and the actor, on which a subscriber takes a stream."""
    return f"{subscriber}.{stream}"


class Relay:
    """Merges contiguous ranges for at most 20 ms or 256 kB a message; sends from one thread, so that a frozen Redis stops nobody."""

    def __init__(self, broker: RedisBroker, *, stream: str, subscribers: tuple[str, ...]) -> None:
        self._broker = broker
        self._stream = stream
        self._subscribers = subscribers
        self._waiting: list[Entry] = []
        self._epoch = 0
        self._grown = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"relay-{stream}")
        self.dropped = 0

    def moved(self, moved: Moved) -> None:
        """Take what the sequencer numbered; only the stream itself travels, mailboxes are polled."""
        facts = [entry for entry in moved.entries if entry.feed == FACTS_FEED]
        if not facts:
            return
        self._epoch = moved.epoch
        if len(self._waiting) + len(facts) > WAITING_ENTRIES:
            self.dropped += len(self._waiting)
            self._waiting = []
        self._waiting.extend(facts)
        self._grown.set()

    async def run(self) -> None:
        """Send until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._grown.wait()
            self._grown.clear()
            while self._waiting:
                entries, self._waiting = _first_message(self._waiting)
                await loop.run_in_executor(self._thread, self._send, self._epoch, entries)
                await asyncio.sleep(EVERY_SECONDS)

    def _send(self, epoch: int, entries: list[Entry]) -> None:
        rows = [
            [entry.position, str(entry.entry_id), entry.kind, str(entry.subject) if entry.subject else None, entry.body]
            for entry in entries
        ]
        for subscriber in self._subscribers:
            name = queue_of(subscriber, self._stream)
            message: dramatiq.Message[None] = dramatiq.Message(
                queue_name=name, actor_name=name, args=(self._stream, epoch, rows), kwargs={}, options={}
            )
            try:
                self._broker.enqueue(message)
            except redis.RedisError as error:
                self.dropped += len(entries)
                _log.warning("relay.dropped", subscriber=subscriber, entries=len(entries), error=type(error).__name__)

    def close(self) -> None:
        """Let the sending thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _first_message(waiting: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Cut off the longest contiguous run that fits one message."""
    size, count = 0, 0
    for index, entry in enumerate(waiting):
        size += len(entry.body) + 120
        if index and (size > MESSAGE_BYTES or entry.position != waiting[index - 1].position + 1):
            break
        count = index + 1
    return waiting[:count], waiting[count:]
