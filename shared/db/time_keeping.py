"""One time for all processes: that of the database they share, so that no machine's wrong clock moves a due time or an amount (P8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

import structlog
from sqlalchemy import text

from shared.dates import CLOCK, Clock
from shared.db.database import Database, is_unavailable

_log = structlog.get_logger(__name__)

ASKED_EVERY_SECONDS: Final = 10.0
_NOW: Final = text("SELECT clock_timestamp()")


async def tell_time(database: Database, clock: Clock = CLOCK) -> timedelta:
    """Ask the database what time it is, and set this process's clock by it; returns how far off that was."""
    async with database.engine.connect() as connection:
        asked = monotonic()
        instant = (await connection.execute(_NOW)).scalar_one()
        took = monotonic() - asked
    off = clock.tell(instant + timedelta(seconds=took / 2))
    if abs(off) > Clock.TOLERATED:
        _log.warning("clock.wrong", seconds=round(off.total_seconds(), 3))
    return off


@asynccontextmanager
async def keeping_time(database: Database) -> AsyncIterator[None]:
    """Set the clock before anything is done by it, and keep it set for as long as the block lasts."""
    await tell_time(database)
    keeping = asyncio.create_task(keep_time(database))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def keep_time(database: Database) -> None:
    """Ask again and again until cancelled; while the database is away the clock runs by itself."""
    while True:
        try:
            await tell_time(database)
        except Exception as error:
            if not is_unavailable(error):
                raise
        await asyncio.sleep(ASKED_EVERY_SECONDS)
