"""Looking at the databases of all services, one after the other."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import text

from dirigent.databases import Access
from dirigent.doctor import billing, planning
from dirigent.doctor.checkpoints import ONE_VIEW, Checkpoint, has_feeds, rewritten_since
from dirigent.migrate import check
from shared.db import Database, DatabaseUnsafe, Role, Work
from shared.streams import feeds

_FEEDS: Final = text("SELECT feed FROM feed_heads UNION SELECT DISTINCT feed FROM feed_entries ORDER BY feed")
_COUNT: Final = text("SELECT count(*) FROM feed_entries")
# Counting a big month anew takes its time between two statements, longer than a request is ever allowed.
_PATIENCE: Final = text("SET LOCAL idle_in_transaction_session_timeout = '5min'")

OWN: Final[Mapping[str, Callable[[Work], Awaitable[list[str]]]]] = {"planning": planning.faults, "billing": billing.faults}
"""What else must hold in the database of a service."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen in one service's database: how much was read, and everything that is not as it must be."""

    service: str
    feeds: int
    entries: int
    faults: tuple[str, ...]


async def examine(databases: Mapping[str, Access], checkpoint: Checkpoint | None = None) -> list[Finding]:
    """Look at the databases of all services.

    Args:
        databases: How each is reached.
        checkpoint: What their feeds ended with earlier; whatever was rewritten before that is found.
    """
    differing = {line.partition(":")[0]: line for line in await check(databases)}
    return [await _examine_service(service, access, differing.get(service), checkpoint) for service, access in databases.items()]


async def _examine_service(service: str, access: Access, differing: str | None, checkpoint: Checkpoint | None) -> Finding:
    faults = [differing] if differing else []
    database = Database(access.app, role=Role.AUDITOR, pool_size=1, overflow=0, application="doctor")
    try:
        try:
            await database.refuse_unsafe()
        except DatabaseUnsafe as unsafe:
            faults.append(str(unsafe))
        async with database.transaction() as work:
            await work.connection.execute(ONE_VIEW)
            await work.connection.execute(_PATIENCE)
            seen = await look(work, service, checkpoint, derived=not differing)
    finally:
        await database.close()
    return replace(seen, faults=(*faults, *seen.faults))


async def look(work: Work, service: str, checkpoint: Checkpoint | None = None, *, derived: bool = True) -> Finding:
    """Look at everything that one transaction sees of a service's database.

    Args:
        work: The transaction; it should see one state throughout.
        service: Whose database it is.
        checkpoint: What its feeds ended with earlier.
        derived: Whether its tables are as they should be, so that what is derived can be derived anew.
    """
    faults: list[str] = []
    names: list[str] = []
    entries = 0
    if await has_feeds(work):
        entries = (await work.connection.execute(_COUNT)).scalar_one()
        names = list((await work.connection.execute(_FEEDS)).scalars())
    for name in names:
        fault = await feeds.verify(work, name)
        if fault:
            faults.append(f"feed {fault.feed}, position {fault.position}: {fault.what}")
    if checkpoint is not None:
        faults += await rewritten_since(work, service, checkpoint)
    if service in OWN and derived:
        faults += await OWN[service](work)
    return Finding(service, len(names), entries, tuple(faults))
