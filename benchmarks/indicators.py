"""How long the follow-up of a county's year takes: 40 000 stays, asked for by the region, and by a municipality that sees others' blocks.

The rows are made up in the shape that measuring gives them; how long measuring takes is told of stays that are stated as in life.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from random import Random
from typing import Final

import msgspec
import uvloop
from sqlalchemy import text

from benchmarks.ground import Ground, ground
from benchmarks.report import Finding, below, show
from benchmarks.stories import Stories
from dirigent.county.load import load_county
from dirigent.seed import directory_of
from services.planning import usecases
from services.planning.api.indicators import shown
from services.planning.domain.measures import StayTold
from services.planning.repository import stay_measures
from services.planning.repository.indicators import By
from shared.dates import Month, now
from shared.db import Database, Work
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.sequencer import number_staged

STAYS: Final = 40_000
LIVE: Final = 2_000
LONG: Final = 7
RUNS: Final = 15
TARGET_MS: Final = 1_000.0
FIRST, LAST = Month(2025, 1), Month(2025, 12)
_LATER: Final = datetime(2026, 6, 1, tzinfo=UTC)
_AT_ONCE: Final = 200


def rows(at: datetime) -> Iterator[dict[str, object]]:
    """A year: a psychiatric stay in ten, two thirds without a day, few long ones, three notices to the municipality of each."""
    county, random = load_county(), Random(1)  # the same year every time
    codes, weights = [one.code for one in county.municipalities], [one.weight for one in county.municipalities]
    wards = [ward.unit for hospital in county.hospitals for ward in hospital.wards]
    for number in range(STAYS):
        days = random.choices((0, random.randint(1, 7), random.randint(8, 20)), (67, 29, 4))[0]
        code = random.choices(codes, weights)[0]
        called = random.choice((None, None, random.randint(0, 5)))
        stay = StayTold("psychiatric" if number % 10 == 0 else "somatic", random.choice(wards), code)
        yield {
            "case_id": uuid7(),
            "case_version": 9,
            "stay": msgspec.json.encode(stay).decode(),
            "care_type": stay.care_type,
            "municipality": code,
            "ward": stay.ward,
            "outpatient_unit": random.choice(county.care_centres_of(code)).unit,
            "month": date(2025, 1 + number % 12, 1),
            "waiting": "long" if days > LONG else "some_days" if days else "zero_days",
            "admission_notice": random.choice(("in_time", "in_time", "in_time", "late")),
            "notice_order": random.choice(("before", "before", "after")),
            "care_contact": random.choice(("before", "missing")),
            "sip_called": "not_required" if called is None else "in_time" if called <= 3 else "late",
            "sip_held": "not_required" if called is None else random.choice(("held", "held_by_video", "not_held")),
            "ready_from": random.choice(("answered", "not_answered")),
            "planned": random.choice(("before", "on_the_day", "after")),
            "outcome": random.choice(("readmitted", *["not_readmitted"] * 6)),
            "days": days,
            "called_after_days": called,
            "planned_days": random.randint(-2, 4),
            "days_before": min(1, days),
            "days_after": max(0, days - 1),
            "municipal_notices": "late",
            "municipal_minutes": [random.randint(1, 2_000) for _ in range(3)],
            "municipal_late": random.randint(0, 1),
            "municipal_open_since": [],
            "outpatient_notices": "in_time",
            "outpatient_minutes": [random.randint(1, 900)],
            "outpatient_late": 0,
            "outpatient_open_since": [],
            "deviations": [{"step": "ready", "minutes": 4_000}] if number % 30 == 0 else [],
            "measured_at": at,
        }


async def measure(ground: Ground) -> list[Finding]:
    """Fill, close, and ask."""
    county = load_county()
    database = Database(ground.planning.app, application="benchmark", by_key=True)
    region = Caller("controller", county.organisation, (), frozenset({"averages:read"}), "controller")
    one = county.municipalities[0]
    kommun = Caller("kommun", one.organisation, (one.unit,), frozenset({"averages:read"}), "municipality", one.code)
    try:
        async with database.transaction() as work:
            await usecases.load_directory(work, directory_of(county))
        measured = await _measure_live(database)
        async with database.transaction(datetime(2026, 1, 1, tzinfo=UTC)) as work:
            made = rows(work.at)
            while some := list(islice(made, 1_000)):
                await stay_measures.put(work, some)
        closing = await _close(database)
        owner = Database(ground.planning.owner, role=None, application="benchmark")
        async with owner.transaction() as work:
            await work.connection.execute(text("ANALYZE"))
        await owner.close()
        asked = [await _ask(database, region, by) for by in ("municipality", "hospital", "care_centre")]
        return [*asked, await _ask(database, kommun, "municipality"), measured, closing]
    finally:
        await database.close()


async def _ask(database: Database, caller: Caller, by: By) -> Finding:
    took, groups = [], 0
    for _ in range(RUNS):
        async with database.transaction() as work:
            begun = time.perf_counter()
            found = await usecases.follow_up(work, caller, by=by, first=FIRST, last=LAST, care_type=None)
            groups = len(shown(found, by, str(FIRST), str(LAST)).model_dump_json()) and len(found.groups)
            took.append(1_000 * (time.perf_counter() - begun))
    took.sort()
    detail = f"slowest of {RUNS} {took[-1]:.0f} ms, {groups} groups"
    return below(f"follow-up of {STAYS} stays by {by}, as {caller.role}, p50", took[RUNS // 2], TARGET_MS, "ms", detail)


async def _measure_live(database: Database) -> Finding:
    """How long measuring takes behind the stream."""
    stories = Stories("indicators")
    ward = Caller("ward", load_county().organisation, (f"SE{load_county().organisation}-",), frozenset({"events:write"}), "ward")
    rest = iter([event for _ in range(LIVE) for event in stories.stay()])
    while some := list(islice(rest, _AT_ONCE)):
        async with database.transaction() as work:
            await usecases.accept(work, [usecases.statement(event, ward, now(), None) for event in some])
    while (moved := await number_staged(database)) is not None and moved.entries:
        pass
    begun = time.perf_counter()
    facts = await _until_done(database, usecases.watch_measures)
    took = time.perf_counter() - begun
    return Finding(f"measuring {LIVE} stays behind the stream", f"{facts / took:.0f} facts/s, {1_000 * took / LIVE:.2f} ms a stay")


async def _until_done(database: Database, step: Callable[[Work], Awaitable[int]]) -> int:
    seen = 0
    while True:
        async with database.transaction() as work:
            more = await step(work)
        if not more:
            return seen
        seen += more


async def _close(database: Database) -> Finding:
    begun, months = time.perf_counter(), 0
    while True:
        async with database.transaction(_LATER) as work:
            if await usecases.close_month(work) is None:
                break
        months += 1
    return Finding("closing a month", f"{1_000 * (time.perf_counter() - begun) / max(months, 1):.0f} ms, {months} months")


async def run() -> list[Finding]:
    """The whole measurement."""
    async with ground() as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
