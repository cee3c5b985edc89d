"""LISTEN on a direct connection, for the sequencer (something was staged) and for long polls (a feed has grown)."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import asyncpg
import msgspec
import structlog
from sqlalchemy.engine import make_url

from shared.streams.sequencer import EVERY_FEED

_log = structlog.get_logger(__name__)
RECONNECT_SECONDS: Final = 0.5
PROBE_SECONDS: Final = 5.0


def plain_dsn(url: str) -> str:
    """The address without SQLAlchemy's driver name, as asyncpg itself reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


class Listener:
    """Keeps one connection that listens; when it is lost every callback is called once, since a notification may have been missed."""

    def __init__(self, url: str, callbacks: dict[str, Callable[[str], None]]) -> None:
        self._dsn = plain_dsn(url)
        self._callbacks = callbacks

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("listen.lost", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=5, server_settings={"application_name": "dirigent-listen"})
        try:
            for channel, callback in self._callbacks.items():
                await connection.add_listener(channel, lambda _c, _p, _ch, payload, call=callback: call(payload))
                callback("")
            while not connection.is_closed():
                await asyncio.sleep(PROBE_SECONDS)
                await connection.fetchval("SELECT 1", timeout=5)
        finally:
            connection.terminate()


class FeedWatcher:
    """Lets long polls of one process wait for feeds to grow."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._ended: set[str] = set()

    def told(self, payload: str) -> None:
        """Take a notification of the sequencer: the names of the feeds that grew, or all of them."""
        feeds: list[str] = msgspec.json.decode(payload) if payload else [EVERY_FEED]
        names = list(self._waiting) if EVERY_FEED in feeds else feeds
        for name in names:
            for event in self._waiting.get(name, ()):
                event.set()

    def watch(self, feed: str) -> "Watch":
        """Begin to watch a feed *before* reading it, so that nothing falls between the read and the wait."""
        return Watch(self._waiting, feed, self._ended)

    def end(self, feed: str) -> None:
        """Let nobody wait for a feed any more, now or later: this process is about to go, and whoever waits asks the next one."""
        self._ended.add(feed)
        self.told(msgspec.json.encode([feed]).decode())


class Watch:
    """One long poll's interest in one feed, as a context manager."""

    def __init__(self, waiting: dict[str, set[asyncio.Event]], feed: str, ended: set[str]) -> None:
        self._waiting = waiting
        self._feed = feed
        self._ended = ended
        self._event = asyncio.Event()

    def __enter__(self) -> "Watch":
        self._waiting[self._feed].add(self._event)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._waiting[self._feed].discard(self._event)
        if not self._waiting[self._feed]:
            del self._waiting[self._feed]

    async def wait(self, seconds: float) -> bool:
        """Wait until the feed has grown; False when the time is up, or nobody is to wait any more."""
        if self._feed in self._ended:
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return self._feed not in self._ended
