"""Billing's share of a worker process: its stream, planning's stream, and the turn of the month."""

import asyncio
from typing import Final

from services.billing.consumers import HANDLERS
from services.billing.settings import Settings
from services.billing.usecases.ledger import turn_month
from shared.db import Database
from shared.streams.runtime import StreamWorker

LOOK_EVERY_SECONDS: Final = 30.0


def create_worker(settings: Settings) -> StreamWorker:
    """Billing's part of the worker process."""
    return StreamWorker("billing", settings, subscribers=("planning",), consumes={"planning": HANDLERS}, tasks={"month-turn": turn_months})


async def turn_months(database: Database) -> None:
    """Count months that have ended, one municipality per transaction, until cancelled."""
    while True:
        async with database.transaction() as work:
            turned = await turn_month(work)
        if not turned:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
