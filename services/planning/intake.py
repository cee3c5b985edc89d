"""The hot path: events that arrive while a batch commits are gathered and written together, each answered after its own commit.

No timer: the first event starts a batch at once, with whatever else the event loop has in hand; those that come while it is under way
make the next. One batch of at most 200 is in flight per process; a full queue is 503. With `gathered` off every event runs the same
code in a transaction of its own.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from services.planning.usecases.intake import Accepted, Statement, accept
from shared.db import Database, is_unavailable
from shared.http.problems import HttpProblem

_log = structlog.get_logger(__name__)

BATCH: Final = 200
QUIET_TURNS: Final = 3
"""A request is read in one turn of the event loop and handled in a later one; a turn takes microseconds."""
TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.1
RETRY_AFTER: Final = {"Retry-After": "1"}

Outcome = Accepted | HttpProblem


@dataclass(slots=True)
class _Waiting:
    """One statement whose sender waits for its answer."""

    statement: Statement
    answered: asyncio.Future[Outcome]


class Intake:
    """Takes statements in; one for each process."""

    def __init__(self, database: Database, *, gathered: bool, queue: int) -> None:
        self._database = database
        self._gathered = gathered
        self._room = queue
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def take(self, statement: Statement) -> Outcome:
        """Accept one statement; returns after its transaction has committed.

        Raises:
            HttpProblem: 503 when too much waits already, or the database cannot be written to; nothing was lost, the sender repeats.
        """
        if not self._gathered:
            return (await self.take_batch([statement]))[0]
        if len(self._waiting) >= self._room:
            raise HttpProblem("service.unavailable", headers=RETRY_AFTER)
        answered: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(statement, answered))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await answered

    async def take_batch(self, statements: Sequence[Statement]) -> list[Outcome]:
        """Accept many statements of one sender in one transaction, one outcome each."""
        try:
            return await self._accept_again(statements)
        except Exception as error:  # a fault of one item must not refuse the others
            if is_unavailable(error) or len(statements) == 1:
                raise
            _log.warning("intake.one_by_one", items=len(statements), error=type(error).__name__)
        return [await self._alone(statement) for statement in statements]

    async def close(self) -> None:
        """Let what is under way end."""
        while self._writing is not None:
            await self._writing

    async def _alone(self, statement: Statement) -> Outcome:
        try:
            return (await self._accept_again([statement]))[0]
        except Exception as error:  # noqa: BLE001  # becomes this item's outcome
            _log.warning("intake.item_failed", error=type(error).__name__)
            return HttpProblem("service.unavailable" if is_unavailable(error) else "service.failed", headers=RETRY_AFTER)

    async def _accept_again(self, statements: Sequence[Statement]) -> list[Outcome]:
        """One transaction; the whole of it again when the database could not do it, which the event keys make safe."""
        tried = 0
        while True:
            tried += 1
            try:
                async with self._database.transaction() as work:
                    outcomes = await accept(work, statements)
            except Exception as error:
                if tried == TRIES or not is_unavailable(error):
                    raise
            else:
                return outcomes
            await asyncio.sleep(_PAUSE_SECONDS * tried)

    async def _write(self) -> None:
        """Write batch after batch until nobody waits."""
        try:
            while self._waiting:
                batch = await self._gather()
                try:
                    outcomes: Sequence[Outcome] = await self.take_batch([waiting.statement for waiting in batch])
                except Exception as error:  # noqa: BLE001  # becomes the answer of everyone in the batch
                    self._fail(batch, error)
                    continue
                for waiting, outcome in zip(batch, outcomes, strict=True):
                    if not waiting.answered.done():
                        waiting.answered.set_result(outcome)
        finally:
            self._writing = None

    async def _gather(self) -> list[_Waiting]:
        """Take those who wait, and those whose requests the event loop has in hand: it turns as long as that brings somebody.

        Without this the first of many answered clients to come back would get a batch, and a commit, of its own.
        """
        quiet = 0
        while quiet < QUIET_TURNS and len(self._waiting) < BATCH:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = 0 if len(self._waiting) > before else quiet + 1
        return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.answered.done():
                waiting.answered.set_exception(error)
