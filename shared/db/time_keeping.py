"""One time for all processes: that of the database they share, so that no machine's wrong clock moves a due time or an amount (P8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from shared.db.database import Database, is_unavailable, tell_time

ASKED_EVERY_SECONDS: Final = 10.0


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
