"""Billing's share of a worker process: its stream, planning's stream, the turn of the month, preparing, and its jobs."""

import asyncio
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from services.billing.consumers import HANDLERS
from services.billing.domain.preparing import MachineTerms
from services.billing.repository.ledger import Pair
from services.billing.settings import Settings
from services.billing.usecases.ledger import turn_month
from services.billing.usecases.preparing import due_months, prepare_by_machine
from services.billing.usecases.simulations import go_on
from shared.db import Database
from shared.errors import BusinessError
from shared.streams.runtime import StreamWorker, Task

_log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS: Final = 30.0
PREPARE_EVERY_SECONDS: Final = 300.0
LOOK_FOR_JOBS_EVERY_SECONDS: Final = 1.0


def create_worker(settings: Settings) -> StreamWorker:
    """Billing's part of the worker process."""
    tasks: dict[str, Task] = {
        "month-turn": turn_months,
        "preparing": partial(prepare_months, settings.preparing),
        "simulations": simulate,
    }
    return StreamWorker("billing", settings, subscribers=("planning",), consumes={"planning": HANDLERS}, tasks=tasks)


async def turn_months(database: Database) -> None:
    """Count months that have ended, one municipality per transaction, until cancelled."""
    while True:
        async with database.transaction() as work:
            turned = await turn_month(work)
        if not turned:
            await asyncio.sleep(LOOK_EVERY_SECONDS)


async def prepare_months(terms: MachineTerms, database: Database) -> None:
    """Prepare months that are over, one municipality per transaction, until cancelled; each is looked at once in a while, not always."""
    looked: dict[Pair, datetime] = {}
    while True:
        await prepare_due(database, terms, looked)
        await asyncio.sleep(PREPARE_EVERY_SECONDS)


async def prepare_due(database: Database, terms: MachineTerms, looked: dict[Pair, datetime], at: datetime | None = None) -> None:
    """Prepare every month that is due and was not looked at within `terms.again_after`; one that is refused stops no other."""
    async with database.transaction(at) as work:
        due, instant = await due_months(work, terms), work.at
    for pair in due:
        if pair in looked and instant - looked[pair] < terms.again_after:
            continue
        looked[pair] = instant
        try:
            async with database.transaction(at) as work:
                await prepare_by_machine(work, *pair, terms)
        except BusinessError as error:
            _log.warning("prepare.refused", municipality=pair[0], month=str(pair[1]), code=error.code)


async def simulate(database: Database) -> None:
    """Work off simulations, a few municipalities of one month per transaction, until cancelled."""
    while True:
        async with database.transaction() as work:
            moved = await go_on(work)
        if not moved:
            await asyncio.sleep(LOOK_FOR_JOBS_EVERY_SECONDS)
