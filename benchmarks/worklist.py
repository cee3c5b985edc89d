"""How long the work list of a unit with 1 000 open cases takes in the database, among the cases of the whole county.

What must hold is the time that PostgreSQL itself needs for the five statements; the whole of it, with reading the rows and deriving
the duties from them, is shown beside it. Half of the cases are ready for discharge; as many again as the unit has are over, and stand
in the same tables.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import islice
from typing import Final
from uuid import UUID

import uvloop
from sqlalchemy import TextClause, text

from benchmarks.ground import Ground, ground
from benchmarks.report import Finding, below, show
from benchmarks.stories import Event, Stories
from dirigent.county.load import load_county
from services.planning import usecases
from services.planning.repository import directory
from services.planning.repository import worklist as rows
from shared.dates import now
from shared.db import Database, Work
from shared.http.auth import Caller

OPEN_CASES: Final = 1_000
OTHER_CASES: Final = 4_000
RUNS: Final = 200
TARGET_MS: Final = 50.0
_AT_ONCE: Final = 200
_FIRST: Final = UUID(int=0)


async def measure(ground: Ground) -> list[Finding]:
    """Fill the tables, then ask as the municipality and as its care centre."""
    county = load_county()
    municipality = county.municipalities[0]
    centre = county.care_centres_of(municipality.code)[0]
    scopes = frozenset({"cases:read"})
    kommun = Caller("kommun", municipality.organisation, (municipality.unit,), scopes, "municipality", municipality.code)
    care = Caller("care", county.organisation, (centre.unit,), scopes, "care")
    database = Database(ground.planning.app, application="benchmark")
    try:
        await _fill(database, municipality.code, centre.unit)
        await _analyze(ground.planning.owner)
        return [finding for caller in (kommun, care) for finding in await _ask(database, caller)]
    finally:
        await database.close()


async def _fill(database: Database, code: str, centre: str) -> None:
    stories = Stories("worklist")
    events: list[Event] = []
    for number in range(OPEN_CASES * 2 + OTHER_CASES):
        admission, ready, discharge = stories.stay()
        if number < OPEN_CASES * 2:
            admission["data"] |= {"person": admission["data"]["person"] | {"registered_municipality": code}, "outpatient_unit": centre}
        events += [admission, *([ready] if number % 2 else []), *([discharge] if number >= OPEN_CASES else [])]
    ward = Caller("ward", load_county().organisation, (f"SE{load_county().organisation}-",), frozenset({"events:write"}), "ward")
    rest = iter(events)
    while some := list(islice(rest, _AT_ONCE)):
        async with database.transaction() as work:
            await usecases.accept(work, [usecases.statement(event, ward, now(), None) for event in some])


async def _analyze(owner_url: str) -> None:
    """What autovacuum does after a while: the owner's statistics of the tables."""
    owner = Database(owner_url, role=None, application="benchmark")
    async with owner.transaction() as work:
        await work.connection.execute(text("ANALYZE"))
    await owner.close()


async def _ask(database: Database, caller: Caller) -> list[Finding]:
    async def derive(work: Work) -> int:
        return len((await usecases.work_list(work, caller, after=_FIRST, limit=OPEN_CASES, request_id="benchmark")).owed)

    in_database = [await _in_database(database, caller) for _ in range(RUNS)]
    duties, whole = await _timed(database, caller, derive)
    what = f"work list of {caller.client_id} with {OPEN_CASES} open cases"
    return [
        below(f"{what}, database, p99", _p99(in_database), TARGET_MS, "ms", f"p50 {_p50(in_database):.1f} ms"),
        Finding(f"{what}, derived whole", f"p50 {_p50(whole):.1f} ms, p99 {_p99(whole):.1f} ms, {duties} duties"),
    ]


async def _in_database(database: Database, caller: Caller) -> float:
    """How long PostgreSQL itself says that planning and executing the statements of one work list took, together."""
    async with database.transaction() as work:
        ids = await rows.open_cases(work, caller, after=_FIRST, limit=OPEN_CASES)
        if len(ids) != OPEN_CASES:
            raise SystemExit(f"{len(ids)} open cases instead of {OPEN_CASES}")
        boxes = [box.id for box in await directory.mailboxes_of(work, caller)]
        statements = [(rows.OPEN_OF_CALLER, rows.asked_by(caller, _FIRST, OPEN_CASES)), *rows.about_cases(ids, boxes)]
        return sum([await _explained(work, statement, asked) for statement, asked in statements])


async def _explained(work: Work, statement: TextClause, asked: Mapping[str, object]) -> float:
    told = (await work.connection.execute(text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.text}"), asked)).scalar_one()
    return float(told[0]["Planning Time"]) + float(told[0]["Execution Time"])


async def _timed(database: Database, caller: Caller, act: Callable[[Work], Awaitable[int]]) -> tuple[int, list[float]]:
    found, took = 0, []
    for _ in range(RUNS):
        async with database.transaction(reader=caller.reader) as work:
            begun = time.perf_counter()
            found = await act(work)
            took.append(1_000 * (time.perf_counter() - begun))
    return found, took


def _p50(took: Iterable[float]) -> float:
    return _at(took, 0.5)


def _p99(took: Iterable[float]) -> float:
    return _at(took, 0.99)


def _at(took: Iterable[float], share: float) -> float:
    in_order = sorted(took)
    return in_order[int(len(in_order) * share)]


async def run() -> list[Finding]:
    """The whole measurement."""
    async with ground() as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
