"""`dirigent doctor`: is what is stored still what was stored, and may it be trusted to stay?"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from dirigent.databases import Access
from dirigent.migrate import check
from dirigent.supervisor.system import Options, databases_of
from services.planning.usecases import measures_that_differ
from shared.db import Database, DatabaseUnsafe, Work
from shared.streams import feeds


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen in one service's database: how much was read, and everything that is not as it must be."""

    service: str
    feeds: int
    entries: int
    faults: tuple[str, ...]


def command(
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
) -> None:
    """Check durable settings, tables against their definitions, every feed (dense, unchanged, ending at its head), and the follow-up.

    Works beside a running system, and on the data folder of one that is stopped.
    """
    findings = asyncio.run(_examine(Options(data=data)))
    for finding in findings:
        print(f"{finding.service:14} {finding.feeds:6} feeds {finding.entries:9} entries  {'sound' if not finding.faults else 'NOT SOUND'}")
        for fault in finding.faults:
            print(f"{'':14} {fault}")
    raise typer.Exit(1 if any(finding.faults for finding in findings) else 0)


async def _examine(options: Options) -> list[Finding]:
    async with databases_of(options) as databases:
        return await examine(databases)


async def examine(databases: Mapping[str, Access]) -> list[Finding]:
    """Look at the databases of all services, one after the other."""
    differing = {line.partition(":")[0]: line for line in await check(databases)}
    return [await _examine_service(service, access, differing.get(service)) for service, access in databases.items()]


async def _examine_service(service: str, access: Access, differing: str | None) -> Finding:
    faults = [differing] if differing else []
    database = Database(access.app, pool_size=1, overflow=0, application="doctor")
    names: list[str] = []
    entries = 0
    try:
        try:
            await database.refuse_unsafe()
        except DatabaseUnsafe as unsafe:
            faults.append(str(unsafe))
        async with database.transaction() as work:
            # One view for all statements: a sequencer may be moving heads meanwhile.
            await work.connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            if await _has_feeds(work):
                entries = (await work.connection.execute(text("SELECT count(*) FROM feed_entries"))).scalar_one()
                union = "SELECT feed FROM feed_heads UNION SELECT DISTINCT feed FROM feed_entries ORDER BY feed"
                names = list((await work.connection.execute(text(union))).scalars())
            for name in names:
                fault = await feeds.verify(work, name)
                if fault:
                    faults.append(f"feed {fault.feed}, position {fault.position}: {fault.what}")
            if service == "planning" and not differing:
                faults += [
                    f"case {case_id}: the follow-up differs from what it is measured from" for case_id in await measures_that_differ(work)
                ]
    finally:
        await database.close()
    return Finding(service, len(names), entries, tuple(faults))


async def _has_feeds(work: Work) -> bool:
    return bool((await work.connection.execute(text("SELECT to_regclass('feed_heads') IS NOT NULL"))).scalar_one())
