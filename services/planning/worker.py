"""Planning's share of a worker process: number and relay its stream, hear billing, and watch deadlines."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from services.planning import consumers, usecases
from services.planning.settings import Settings
from services.planning.vault import person_vault
from shared.db import Database, Work
from shared.streams.due import Claim, DueWorker
from shared.streams.runtime import StreamWorker, Task

LOOK_EVERY_SECONDS: Final = 1.0
CLOSE_EVERY_SECONDS: Final = 300.0
PAPER_EVERY_SECONDS: Final = 3_600.0
PAPER_AT_FIRST_SECONDS: Final = 300.0
REST_SECONDS: Final = 0.25
SEAL_EVERY_SECONDS: Final = 60.0
SEAL_AGAIN_SECONDS: Final = 86_400.0
RETENTION_EVERY_SECONDS: Final = 3_600.0
FORGET_EVERY_SECONDS: Final = 3_600.0
ERASED_AT_ONCE: Final = 20
REST_SHARE: Final = 4
JUDGED_AT_ONCE: Final = 2


def create_worker(settings: Settings | None = None) -> StreamWorker:
    """Planning's worker, told by the environment unless by `settings`."""
    settings = settings or Settings()
    person_vault()  # without its keys planning does not start

    async def remind(database: Database) -> None:
        async def look(claimed: Claim) -> bool:
            async with database.transaction() as work:
                await usecases.remind(work, claimed)
            return True

        await DueWorker(usecases.DEADLINES, look, at_once=settings.reminders_at_once, listen_url=settings.direct_url).run(database)

    async def judge(database: Database) -> None:
        async def fold_anew(claimed: Claim) -> bool:
            async with database.transaction() as work:
                await usecases.judge_paper_times(work, claimed)
            return True

        await DueWorker(usecases.PAPER_TIMES, fold_anew, at_once=JUDGED_AT_ONCE, listen_url=settings.direct_url).run(database)

    async def watch_silence(database: Database) -> None:
        while True:
            async with database.transaction() as work:
                await usecases.tell_of_silence(work, timedelta(hours=settings.silent_after_hours))
            await asyncio.sleep(settings.silence_every_seconds)

    tasks: dict[str, Task] = {
        "deadlines": watch_deadlines,
        "silence": watch_silence,
        "reminders": remind,
        "paper-times": judge,
        "measures": watch_measures,
        "months": close_months,
        "sealing": keep_sealing,
        "merges": keep_forgetting,
    }
    if settings.retention_years is not None:
        tasks["retention"] = partial(keep_retention, settings.retention_years)
    if settings.paper_folder is not None:
        tasks["paper"] = partial(_lay_paper, settings.paper_folder)
    return StreamWorker(
        "planning",
        settings,
        subscribers=("billing", "notifications"),
        consumes={"billing": consumers.BILLING},
        tasks=tasks,
    )


async def _lay_paper(folder: Path, database: Database) -> None:
    """Write each ward's list anew every hour, whole or not at all; a ward without open cases keeps none.

    In the first hour every few minutes: a new system gets its patients after it has started.
    """
    clock = asyncio.get_running_loop().time
    hourly_from = clock() + PAPER_EVERY_SECONDS
    while True:
        async with database.transaction() as work:
            pages = await usecases.paper_pages(work)
        await asyncio.to_thread(write_pages, folder, {page.file: page.html for page in pages})
        await asyncio.sleep(PAPER_EVERY_SECONDS if clock() >= hourly_from else PAPER_AT_FIRST_SECONDS)


def write_pages(folder: Path, pages: Mapping[str, str]) -> None:
    """Put pages into a folder that only its owner reads; a page that is no longer there is removed, and what a killed worker left."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.html.part"):
        left.unlink(missing_ok=True)
    for name, page in pages.items():
        part = folder / f"{name}.part"
        part.touch(mode=0o600)
        part.write_text(page, encoding="utf-8")
        part.replace(folder / name)
    for old in folder.glob("SE*.html"):
        if old.name not in pages:
            old.unlink(missing_ok=True)


async def watch_deadlines(database: Database) -> None:
    """Appoint deadlines behind the own stream for as long as the worker lives."""
    await _follow(database, usecases.watch_deadlines)


async def watch_measures(database: Database) -> None:
    """Keep the follow-up behind the own stream."""
    await _follow(database, usecases.watch_measures)


async def _follow(database: Database, step: Callable[[Work], Awaitable[int]]) -> None:
    """Take one short stretch of the own stream after another, resting longer than each took: numbering notices must never wait for it."""
    clock = asyncio.get_running_loop().time
    while True:
        begun = clock()
        async with database.transaction() as work:
            seen = await step(work)
        await asyncio.sleep(max(REST_SECONDS, REST_SHARE * (clock() - begun)) if seen else LOOK_EVERY_SECONDS)


async def keep_sealing(database: Database) -> None:
    """Seal every person with the key that seals now; once a day look at everything again."""
    clock = asyncio.get_running_loop().time
    again_at = clock() + SEAL_AGAIN_SECONDS
    while True:
        for place in usecases.PLACES:
            finished = False
            while not finished:
                async with database.transaction() as work:
                    finished = await usecases.seal_some(work, place)
                await asyncio.sleep(REST_SECONDS)
        await asyncio.sleep(SEAL_EVERY_SECONDS)
        if clock() >= again_at:
            again_at = clock() + SEAL_AGAIN_SECONDS
            async with database.transaction() as work:
                await usecases.look_again(work)


async def keep_retention(years: int, database: Database) -> None:
    """Erase who the patients were of cases, and plans without a stay, that are over and were not touched for so many years."""
    while True:
        async with database.transaction() as work:
            before = usecases.kept_since(work.at, years)
            erased = await usecases.erase_outlived(work, before, basis=f"retention {years} y", limit=ERASED_AT_ONCE)
        await asyncio.sleep(REST_SECONDS if erased else RETENTION_EVERY_SECONDS)


async def keep_forgetting(database: Database) -> None:
    """Remove merges of two numbers that waited for a stay for as long as they may."""
    while True:
        async with database.transaction() as work:
            await usecases.forget_merges(work)
        await asyncio.sleep(FORGET_EVERY_SECONDS)


async def close_months(database: Database) -> None:
    """Close months for others to see, the oldest first."""
    while True:
        async with database.transaction() as work:
            closed = await usecases.close_month(work)
        if closed is None:
            await asyncio.sleep(CLOSE_EVERY_SECONDS)
