"""Counting everything anew, from the stays alone, and telling where the derived tables say something else; for `dirigent doctor`."""

from collections.abc import Collection
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from services.billing.domain.charge import last_day
from services.billing.domain.reasons import ReviewDecision
from services.billing.repository import averages, ledger, soundness
from services.billing.repository.averages import Average
from services.billing.repository.ledger import Pair
from services.billing.usecases.gathering import gather
from services.billing.usecases.ledger import stay_months
from services.billing.usecases.rollup import average_of
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work

_KEPT_DECIMALS: Final = Decimal("0.000001")
MUNICIPALITIES_AT_A_TIME: Final = 50


async def stays_that_differ(work: Work) -> list[UUID]:
    """The stays that are not the newest version told, or count in some month otherwise than the law says of them.

    A patient who still waits, in a municipality whose last month has ended and is not counted yet, is under way and no fault.
    """
    rules, today = await rules_now(work), local_date(work.at)
    turning = {code for code, _ in await soundness.unturned(work, Month.of(today))}
    found = {*await soundness.strayed(work), *await soundness.behind(work)}
    async for cases in soundness.cases(work):
        decisions: dict[UUID, list[ReviewDecision]] = {}
        for decision in await ledger.decisions(work, cases):
            decisions.setdefault(decision.stay, []).append(decision)
        kept = await soundness.stay_months(work, cases)
        under_way = set()
        counted = set()
        for stay in await ledger.stays(work, cases, rules):
            if stay.ended_at is None and stay.municipality in turning:
                under_way.add(stay.case_id)
            counted |= set(stay_months(stay, rules, decisions.get(stay.case_id, ()), today))
        found |= {line.case_id for line in kept ^ counted} - under_way
    return sorted(found)


async def months_that_differ(work: Work) -> list[Pair]:
    """The months whose numbers are not what calculating them anew gives; those that wait to be counted after their end are passed over."""
    this_month = Month.of(local_date(work.at))
    kept = {(one.municipality, one.month): one for one in await averages.everything(work)}
    pairs = await averages.all_pairs(work) - await soundness.unturned(work, this_month)
    counted: dict[Pair, Average] = {}
    for month in sorted({month for _, month in pairs}):
        codes = sorted(code for code, other in pairs if other == month)
        for first in range(0, len(codes), MUNICIPALITIES_AT_A_TIME):
            counted |= await _counted(work, codes[first : first + MUNICIPALITIES_AT_A_TIME], month)
    return sorted(pair for pair in pairs if kept.get(pair) != counted[pair])


async def _counted(work: Work, codes: Collection[str], month: Month) -> dict[Pair, Average]:
    nothing = {(code, month): Average(code, month, complete=local_date(work.at) > last_day(month)) for code in codes}
    inputs = await gather(work, codes, month)
    return nothing | {(code, month): _as_kept(average_of(one.basis())) for code, one in inputs.items()}


def _as_kept(average: Average) -> Average:
    return replace(average, excess_days=average.excess_days.quantize(_KEPT_DECIMALS, ROUND_HALF_UP))
