"""Who may no longer come in: clients revoked, or told that tokens from before an instant do not hold; sessions that have ended.

Every gateway process reads it from the gateway's own database when it is told of a change, and every ten seconds all the same. A process
that could not look for a minute lets nobody in: a revoked client is out within 60 seconds, whatever fails in between.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from time import monotonic
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.gateway import repository
from services.gateway.auth import TOKEN_LIFETIME
from shared.db import Database, Work
from shared.streams.listener import Listener
from shared.streams.runtime import keep

CHANNEL: Final = "clients"
LOOK_EVERY_SECONDS: Final = 10.0
TRUSTED_FOR_SECONDS: Final = 60.0
_TRY_AGAIN_SECONDS: Final = 1.0
# A token lives five minutes: whoever was revoked longer ago holds none. Twice that leaves room for clocks that differ.
_MATTERS_FOR: Final = 2 * TOKEN_LIFETIME
_NEVER: Final = float("-inf")

_log = structlog.get_logger(__name__)


class KnownRevocations:
    """What this process knows: a look in a dictionary for every request."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._looked = _NEVER
        self._cut: Mapping[str, float] = {}

    @property
    def current(self) -> bool:
        """Whether we have looked within the last minute."""
        return self.clock() - self._looked < TRUSTED_FOR_SECONDS

    def refuses(self, client_id: str, issued_at: int) -> bool:
        """Whether a token was taken back. Of the very second of a cut we cannot tell, so those of it are refused."""
        return issued_at <= self._cut.get(client_id, _NEVER)

    def take(self, revoked: Mapping[str, datetime | None], looked: float) -> set[str]:
        """Take over what was read; None: every token, whenever issued. Returns the clients that are new or cut later than before."""
        cut = {client_id: float("inf") if before is None else before.timestamp() for client_id, before in revoked.items()}
        fresh = {client_id for client_id, before in cut.items() if before > self._cut.get(client_id, _NEVER)}
        self._cut, self._looked = cut, looked
        return fresh


@asynccontextmanager
async def watching(watch: "Watch") -> AsyncIterator[None]:
    """Look once, then keep looking for as long as the block lasts."""
    await watch.look()
    running = asyncio.create_task(keep("gateway.revocations", watch.run))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Watch:
    """Keeps the knowledge of one process fresh."""

    def __init__(
        self,
        database: Database,
        listen_url: str,
        known: KnownRevocations,
        drop: Callable[[str], None],
        look_at_sessions: Callable[[Work], Awaitable[None]],
    ) -> None:
        """Begin with nothing known.

        Args:
            database: The gateway's.
            listen_url: Its address for LISTEN.
            known: What to keep fresh.
            drop: Called with every client whose tokens were taken back, to forget what is remembered of them.
            look_at_sessions: Called whenever we look, to forget those that have ended.
        """
        self._database = database
        self._known = known
        self._drop = drop
        self._look_at_sessions = look_at_sessions
        self._told = asyncio.Event()
        self._listener = Listener(listen_url, {CHANNEL: lambda _whose: self._told.set()})

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listener.run())
            group.create_task(self._keep_looking())

    async def look(self) -> None:
        """Read once who was revoked, and which sessions have ended."""
        begun = self._known.clock()
        async with self._database.transaction() as work:
            rows = await repository.revoked_since(work, work.at - _MATTERS_FOR)
            await self._look_at_sessions(work)
        for client_id in self._known.take(rows, begun):
            _log.info("client.tokens_refused", client=client_id)
            self._drop(client_id)

    async def _keep_looking(self) -> None:
        while True:
            self._told.clear()
            pause = LOOK_EVERY_SECONDS
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self.look()
            except (OSError, TimeoutError, SQLAlchemyError) as error:
                _log.warning("revocations.not_read", error=type(error).__name__)
                pause = _TRY_AGAIN_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._told.wait()
            except TimeoutError:
                continue
