"""The beats of the service: as long as an api process can write to the database, notices can be given without paper.

The api beats and not the worker: what counts is whether wards can state something. Of several processes each beats, and one is enough.
"""

import asyncio
from datetime import timedelta

import structlog

from services.planning import usecases
from shared.db import Database, Role

_log = structlog.get_logger(__name__)


async def keep_beating(database: Database, *, every: float, outage_after: float) -> None:
    """Beat until cancelled. A beat that fails is left out: the next one that succeeds sees the gap."""
    while True:
        try:
            async with database.transaction(role=Role.WORKER) as work:
                await usecases.beat(work, timedelta(seconds=outage_after))
        except Exception as error:  # noqa: BLE001  # a beat outlives whatever makes it impossible; that is its purpose
            _log.warning("beat.failed", error=type(error).__name__)
        await asyncio.sleep(every)
