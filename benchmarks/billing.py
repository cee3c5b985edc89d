"""How long money takes: closing a county's month of 10 000 stays, explaining one, drawing an invoice, and a whole country's averages.

The stays are made up and taken in as planning would tell them; closing, explaining and drawing are the product's own use cases.
"""

import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import Final

import asyncpg
import uvloop

from benchmarks.ground import Ground, ground
from benchmarks.report import Finding, below, show
from dirigent.county.load import load_county
from dirigent.databases import dsn
from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.invoice import Issuer
from services.billing.domain.persons import Actor
from services.billing.usecases import Debtor, enter_debtors
from services.billing.usecases.bulk import ClosingTerms, Item, Outcome, act_on_many
from services.billing.usecases.closing import SilenceTerms
from services.billing.usecases.documents import Form, render_document
from services.billing.usecases.explaining import explanation_of
from services.billing.usecases.ledger import apply_stays
from services.billing.usecases.rollup import rebuild
from services.billing.usecases.rules import rules_now
from shared.dates import Month
from shared.db import Database
from shared.events.facts import StayChanged
from shared.events.stay_parts import ReadyNotice
from shared.identifiers import uuid7

STAYS: Final = 10_000
MONTH: Final = Month(2024, 3)  # a month with a price
CLOSED_AT: Final = datetime(2024, 5, 10, 10, tzinfo=UTC)
NATION: Final = 1_500_000
MUNICIPALITIES: Final = 290
EXPLAINED: Final = 200
RUNS: Final = 9
ROUNDS: Final = 3
CLOSING_S, NATION_TIMES, EXPLANATION_MS, PDF_MS = 1.0, 3.0, 200.0, 100.0
_AT_ONCE: Final = 200
_NEW_OBJECTS: Final = 10_000
_STEPS: Final = (
    (MonthAction.PREPARE, Actor("controller", "Controller")),
    (MonthAction.PUBLISH, Actor("controller", "Controller")),
    (MonthAction.SIGN, Actor("municipalities", "Handläggare")),
    (MonthAction.APPROVE, Actor("approver", "Attestant")),
    (MonthAction.ISSUE, Actor("approver", "Attestant")),
)
_FILL_NATION: Final = """
    INSERT INTO stay_months (case_id, month, municipality, counted_as, ended, days, individual_days, amount_ore)
    SELECT gen_random_uuid(), make_date(2025, 1 + n % 12, 1), codes[1 + (n / 12) % 290],
           CASE WHEN days > 7 THEN 'long' ELSE 'average' END, true, days,
           CASE WHEN days > 7 THEN days - 3 ELSE 0 END, CASE WHEN days > 7 THEN (days - 3) * 1160000 ELSE 0 END
    FROM (SELECT n, CAST($1 AS text[]) AS codes, CASE WHEN n % 3 < 2 THEN 0 ELSE (n % 1000 * 7919) % 12 END AS days
          FROM generate_series(1, CAST($2 AS integer)) AS n) AS stays
"""
_THREE_COLUMNS: Final = "SELECT municipality, month, days FROM stay_months"


def stays() -> Iterator[StayChanged]:
    """A month: two thirds leave on the day, few wait long, one in ten is psychiatric, some notices are late."""
    county, random = load_county(), Random(1)  # the same month every time
    codes, weights = [one.code for one in county.municipalities], [one.weight for one in county.municipalities]
    wards = [ward.unit for hospital in county.hospitals for ward in hospital.wards]
    for number in range(STAYS):
        days = random.choices((0, random.randint(1, 7), random.randint(8, 40)), (60, 35, 5))[0]
        left = datetime(2024, 3, 1, 10, tzinfo=UTC) + timedelta(days=random.randint(0, 30), minutes=random.randint(0, 300))
        ready = datetime.combine(left.date() - timedelta(days=days), left.time(), UTC) - timedelta(minutes=random.randint(0, 120))
        admitted = ready - timedelta(days=random.randint(1, 9))
        yield StayChanged(
            case_id=uuid7(),
            case_version=1,
            provider=county.organisation,
            ward=random.choice(wards),
            care_type="psychiatric" if number % 10 == 0 else "somatic",
            admitted_at=admitted,
            municipality=random.choices(codes, weights)[0],
            need_judged_at=admitted,
            admission_notice_sent_at=admitted + timedelta(hours=1),
            ready=(ReadyNotice(notice_sent_at=ready, ready_at=ready),),
            discharged_at=left,
            last_sign_of_life_at=left,
        )


async def measure(ground: Ground) -> list[Finding]:
    """Take the month in, close it, explain and draw a part of it; then a country's year."""
    access = ground.access["billing"]
    database = Database(access.app, application="benchmark")
    try:
        told = list(stays())
        live = await _take_in(database, told)
        await _analyse(access.owner)
        closing, outcomes = await _close(database)
        # The municipality whose month is the most like the one that the claim is about.
        sizes = Counter(fact.municipality or "" for fact in told)
        code = min(
            (one.municipality for one in outcomes if one.row and one.row.invoice_number), key=lambda one: abs(sizes[one] - EXPLAINED)
        )
        number = next(one.row.invoice_number for one in outcomes if one.municipality == code and one.row)
        explained = await _explain(database, code, sizes[code])
        drawn = await _draw(database, str(number), sizes[code])
        nation = await _rebuild_nation(database, access.owner)
        return [live, closing, explained, drawn, nation]
    finally:
        await database.close()


async def _take_in(database: Database, told: list[StayChanged]) -> Finding:
    county = load_county()
    async with database.transaction(CLOSED_AT) as work:
        await enter_debtors(work, [Debtor(one.code, one.name, one.organisation, date(2018, 1, 1)) for one in county.municipalities])
    made, begun = iter(told), time.perf_counter()
    while some := list(islice(made, _AT_ONCE)):
        async with database.transaction(CLOSED_AT) as work:
            await apply_stays(work, some)
    took = time.perf_counter() - begun
    return Finding(f"live averages while {STAYS} stays come in", f"{STAYS / took:.0f} facts/s, {1_000 * took / STAYS:.2f} ms each")


async def _close(database: Database) -> tuple[Finding, list[Outcome]]:
    """Every municipality at once, each step in a transaction of its own, as the API takes it."""
    issuer = Issuer("2321000131", "Västra Götalandsregionen", 30)
    terms = ClosingTerms(SilenceTerms(timedelta(days=30), timedelta(days=7)), issuer)
    items = [Item(one.code, None) for one in load_county().municipalities]
    outcomes: list[Outcome] = []
    took = {}
    for action, actor in _STEPS:
        begun = time.perf_counter()
        async with database.transaction(CLOSED_AT) as work:
            outcomes = await act_on_many(work, MONTH, action, items, actor, terms)
        took[action] = time.perf_counter() - begun
        refused = [one for one in outcomes if one.row is None]
        if refused:
            raise RuntimeError(f"{action} was refused for {len(refused)} municipalities: {refused[0].error}")
        items = [Item(one.municipality, CalculationName(one.row.version or 0, one.row.sha256 or "")) for one in outcomes if one.row]
    all_steps = " ".join(f"{action} {1_000 * spent:.0f}" for action, spent in took.items())
    what = f"closing a month for {len(items)} municipalities, {STAYS} stays: calculating and keeping it"
    detail = f"every step, ms: {all_steps}; together {sum(took.values()):.1f} s"
    return below(what, took[MonthAction.PREPARE], CLOSING_S, "s", detail), outcomes


async def _explain(database: Database, code: str, size: int) -> Finding:
    took = []
    length = 0
    for _ in range(RUNS):
        async with database.transaction(CLOSED_AT) as work:
            begun = time.perf_counter()
            length = len(json.dumps(await explanation_of(work, code, MONTH, None), ensure_ascii=False))
            took.append(1_000 * (time.perf_counter() - begun))
    what = f"explanation of a month with {size} stays, p50"
    return below(what, _median(took), EXPLANATION_MS, "ms", f"slowest {max(took):.0f} ms, {length // 1_000} kB")


async def _draw(database: Database, number: str, size: int) -> Finding:
    took = []
    length = 0
    for _ in range(RUNS):
        async with database.transaction(CLOSED_AT) as work:
            begun = time.perf_counter()
            length = len((await render_document(work, number, None, Form.PDF)).content)
            took.append(1_000 * (time.perf_counter() - begun))
    return below(
        f"PDF of an invoice with {size} stays, p50", _median(took), PDF_MS, "ms", f"slowest {max(took):.0f} ms, {length // 1_000} kB"
    )


async def _rebuild_nation(database: Database, owner: str) -> Finding:
    """Turn by turn: every average of a country's year anew, and its three columns out of the database."""
    known = [one.code for one in load_county().municipalities]
    codes = [*known, *(f"N{number:03d}" for number in range(MUNICIPALITIES - len(known)))]
    admin = await asyncpg.connect(dsn(owner))
    try:
        # How stays count is all that this is about, not the stays.
        await admin.execute("ALTER TABLE stay_months DROP CONSTRAINT stay_months_case_id_fkey; TRUNCATE stay_months, averages")
        await admin.execute(_FILL_NATION, codes, NATION)
        await admin.execute("ANALYZE stay_months")
        rebuilt, copied, months = [], [], 0
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            async with database.transaction(CLOSED_AT) as work:
                months = await rebuild(work, await rules_now(work))
            rebuilt.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            await admin.copy_from_query(_THREE_COLUMNS, output=_thrown_away)
            copied.append(time.perf_counter() - begun)
    finally:
        await admin.close()
    ratio = _median([one / other for one, other in zip(rebuilt, copied, strict=True)])
    what = f"all averages of {NATION / 1_000_000:g} M stays, {months} months of municipalities, to copying three columns out"
    return Finding(
        what, f"{ratio:.1f} ×  ({_median(rebuilt):.1f} s to {_median(copied):.1f} s)", f"< {NATION_TIMES:g} ×", ratio < NATION_TIMES
    )


async def _thrown_away(_data: bytes) -> None:
    return


async def _analyse(owner: str) -> None:
    admin = await asyncpg.connect(dsn(owner))
    await admin.execute("ANALYZE")
    await admin.close()


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


async def run() -> list[Finding]:
    """The whole measurement, with the garbage collector set as in every process of the product."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    async with ground("billing") as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
