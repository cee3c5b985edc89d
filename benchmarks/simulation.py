"""How long it takes to try seven rule sets on a county's year: 37 000 stays, read from billing's tables, every month and municipality.

The stays are made up and written straight into the tables; the calculation is that of the job and of `dirigent simulate-agreements`.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Final

import uvloop
from sqlalchemy import text

from benchmarks.ground import Ground, ground
from benchmarks.report import Finding, below, show
from dirigent.county.load import load_county
from dirigent.simulate_agreements import leave_what_is_loaded, simulate_all
from services.billing.repository import ledger
from services.billing.usecases import Debtor, enter_debtors
from services.billing.usecases.simulations import Wish
from shared.dates import Month
from shared.db import Database
from shared.events.facts import PlanInvited, StayChanged
from shared.events.stay_parts import ReadyNotice
from shared.identifiers import uuid7

STAYS: Final = 37_000
PROFILES: Final = (
    "law-2018",
    "law-2018-psychiatry-transition",
    "vgr-interim-2018",
    "vgr-2018",
    "stockholm-2020",
    "average3-generic",
    "next-month-trigger",
)
FIRST, LAST = Month(2024, 1), Month(2024, 12)  # a year with a price
TARGET_S: Final = 10.0
HELD_UP_MS: Final = 50.0
_AT_ONCE: Final = 1_000
_TICK: Final = 0.005


def stays() -> Iterator[tuple[StayChanged, PlanInvited | None]]:
    """A year: one stay in ten psychiatric, two thirds leave on the day, few wait long, a third needs a plan, some notices are late."""
    county, random = load_county(), Random(1)  # the same year every time
    codes, weights = [one.code for one in county.municipalities], [one.weight for one in county.municipalities]
    wards = [ward.unit for hospital in county.hospitals for ward in hospital.wards]
    centre = county.care_centres[0].unit
    for number in range(STAYS):
        days = random.choices((0, random.randint(1, 7), random.randint(8, 40)), (60, 35, 5))[0]
        code = random.choices(codes, weights)[0]
        left = datetime(2024, 1, 1, 10, tzinfo=UTC) + timedelta(days=random.randint(0, 365), minutes=random.randint(0, 300))
        ready = datetime.combine(left.date() - timedelta(days=days), left.time(), UTC) - timedelta(minutes=random.randint(0, 120))
        admitted = ready - timedelta(days=random.randint(1, 9))
        sip = random.random() < 0.3
        case = uuid7()
        told = StayChanged(
            case_id=case,
            case_version=1,
            provider=county.organisation,
            ward=random.choice(wards),
            care_type="psychiatric" if number % 10 == 0 else "somatic",
            admitted_at=admitted,
            municipality=code,
            need_judged_at=admitted,
            admission_notice_sent_at=admitted + timedelta(hours=30 if random.random() < 0.02 else 1),
            ready=(ReadyNotice(notice_sent_at=ready, ready_at=ready),),
            discharged_at=left,
            last_sign_of_life_at=left,
            sip_required=sip,
        )
        called = ready + timedelta(days=random.choice((0, 1, 2, 2, 5)))
        everybody = (f"municipality:{code}", f"unit:{centre}")
        invited = PlanInvited(plan_id=uuid7(), case_id=case, invitation_id=uuid7(), invited_at=called, invited_by=centre, called=everybody)
        yield told, invited if sip and called < left + timedelta(days=1) else None


async def fill(database: Database) -> None:
    """Write the year into billing's tables."""
    county = load_county()
    async with database.transaction() as work:
        await enter_debtors(work, [Debtor(one.code, one.name, one.organisation, date(2018, 1, 1)) for one in county.municipalities])
    made = stays()
    while some := list(islice(made, _AT_ONCE)):
        async with database.transaction() as work:
            await ledger.keep(work, [told for told, _ in some])
            await ledger.keep_invitations(work, [invited for _, invited in some if invited is not None])


async def measure(ground: Ground) -> list[Finding]:
    """Fill, then try everything once."""
    access = ground.access["billing"]
    database = Database(access.app, application="benchmark")
    await fill(database)
    await database.close()
    owner = Database(access.owner, role=None, application="benchmark")
    async with owner.transaction() as work:
        await work.connection.execute(text("ANALYZE"))
    await owner.close()
    begun, worked = time.perf_counter(), time.process_time()
    outcomes = await simulate_all(access.app, Wish(PROFILES, FIRST, LAST), lambda _done, _total: None)
    took, worked = time.perf_counter() - begun, time.process_time() - worked
    # By itself: looking at the loop every few milliseconds slows down what is measured above.
    gaps: list[float] = []
    ticking = asyncio.create_task(_tick(gaps))
    await simulate_all(access.app, Wish(PROFILES, LAST, LAST), lambda _done, _total: None)
    ticking.cancel()
    months = len({(one.municipality, one.month) for one in outcomes})
    detail = f"{worked:.1f} s of a core, {months} months of municipalities"
    return [
        below(f"simulation of {len(PROFILES)} rule sets over {STAYS} stays", took, TARGET_S, "s", detail),
        below("event loop held up meanwhile, p99", 1_000 * _p99(gaps), HELD_UP_MS, "ms", f"at most {1_000 * max(gaps):.0f} ms"),
    ]


async def _tick(gaps: list[float]) -> None:
    before = time.perf_counter()
    while True:
        await asyncio.sleep(_TICK)
        now = time.perf_counter()
        gaps.append(now - before - _TICK)
        before = now


def _p99(gaps: list[float]) -> float:
    return sorted(gaps)[len(gaps) * 99 // 100]


async def run() -> list[Finding]:
    """The whole measurement, with the garbage collector set as in the command."""
    leave_what_is_loaded()
    async with ground("billing") as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
