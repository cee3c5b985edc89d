"""Reading averages: what each reader may see, and the running month as it would end today."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from services.billing.domain.basis import COUNTED, CountedAs, MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.disclosure import Disclosure, Groups, disclosure
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.reasons import ReviewDecision
from services.billing.repository import averages, debtors, ledger, months
from services.billing.repository.averages import Average
from services.billing.repository.debtors import Debtor
from services.billing.usecases.ledger import finish
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound
from shared.money import Money

SMALLEST_GROUP: Final = 5
"""Groups smaller than this are shown to others only as such (domain rule 4)."""
EVERYTHING: Final = Disclosure(average=True, by_itself=True)


@dataclass(frozen=True, slots=True)
class AverageView:
    """One municipality's month as one reader may see it; `own` = the reader is the municipality itself or the region."""

    debtor: Debtor
    average: Average
    forecast: Average | None = None
    shown: Disclosure = EVERYTHING
    own: bool = True


async def averages_of_month(work: Work, month: Month, reader: str | None) -> list[AverageView]:
    """Every municipality's average of a month.

    Args:
        work: The transaction.
        month: Which month.
        reader: The municipality that reads, None for the region. Of others it sees closed months only, as they were closed.
    """
    known = await debtors.on(work, last_day(month))
    found = await averages.of_month(work, month)
    running = local_date(work.at) <= last_day(month)
    forecasts = await _forecasts(work, month, found) if running else {}
    own = [
        AverageView(debtor, found.get(code, Average(code, month, complete=not running)), forecasts.get(code))
        for code, debtor in known.items()
        if reader in {None, code}
    ]
    if reader is None:
        return own
    closed = await months.closed_calculations(work, month, month)
    others = [_closed(known[code], one, body) for (code, one), body in closed.items() if code in known and code != reader]
    return sorted([*own, *others], key=lambda view: view.debtor.municipality)


async def averages_of_municipality(work: Work, municipality: str, first: Month, last: Month, reader: str | None) -> list[AverageView]:
    """One municipality's averages from month to month; to others only the closed ones, as they were closed.

    Raises:
        NotFound: There is no such municipality.
    """
    debtor = (await debtors.on(work, last_day(last))).get(municipality)
    if debtor is None:
        raise NotFound
    if reader not in {None, municipality}:
        closed = await months.closed_calculations(work, first, last, municipality)
        return [_closed(debtor, month, body) for (_, month), body in closed.items()]
    this_month = Month.of(local_date(work.at))
    views = []
    for one in await averages.of_municipality(work, municipality, first, last):
        forecasts = await _forecasts(work, one.month, {municipality: one}) if one.month >= this_month else {}
        views.append(AverageView(debtor, one, forecasts.get(municipality)))
    return views


def exact_average(average: Average) -> Fraction | None:
    """The average as an exact fraction, None without stays."""
    return Fraction(average.sum_days, average.in_average) if average.in_average else None


def _closed(debtor: Debtor, month: Month, body: str) -> AverageView:
    """A month of somebody else's, from the calculation it was closed on: what comes later would stand out as a difference."""
    told: dict[str, Any] = json.loads(body)
    average = Average(
        debtor.municipality,
        month,
        complete=True,
        stays=told["stays"],
        in_average=told["in_average"],
        sum_days=told["sum_days"],
        excess_days=Decimal(0) if told["excess"] is None else _decimal(Fraction(told["excess"]["days"])),
        long_stays=told["long_stays"],
        individual_days=told["individual_days"],
        amount_ore=None if told["amount"] is None else Money.of_kronor(told["amount"]).ore,
    )
    still_there = sum(1 for line in told["lines"] if line["ended_on"] is None and line["counted_as"] in COUNTED)
    individual = average.stays - average.in_average - average.long_stays
    groups = Groups(average.in_average, average.long_stays, individual, still_there)
    return AverageView(debtor, average, shown=disclosure(groups, SMALLEST_GROUP), own=False)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


async def _forecasts(work: Work, month: Month, found: Mapping[str, Average]) -> dict[str, Average]:
    """The running month as it would end if every patient who waits were discharged now."""
    rules = await rules_now(work)
    cases = await ledger.waiting(work, month)
    decisions: dict[UUID, list[ReviewDecision]] = {}
    for decision in await ledger.decisions(work, cases):
        decisions.setdefault(decision.stay, []).append(decision)
    sums = dict(found)
    for stay in await ledger.stays(work, cases):
        so_far = sums.get(stay.municipality or "")
        agreement = None if so_far is None else rules.agreement(so_far.municipality, month)
        if so_far is None or agreement is None:
            continue
        gone = replace(stay, discharged_at=work.at)
        basis = settle_month([gone], rules, so_far.municipality, month, decisions=decisions.get(stay.case_id, ()))
        sums[so_far.municipality] = _with(so_far, basis)
    return {code: _priced(one, found[code], rules) for code, one in sums.items()}


def _with(so_far: Average, basis: MonthBasis) -> Average:
    counted = [line for line in basis.lines if line.counted_as in {CountedAs.AVERAGE, CountedAs.LONG, CountedAs.INDIVIDUAL}]
    amounts = [None if line.amount is None else line.amount.ore for line in counted]
    known = so_far.amount_ore is not None and None not in amounts
    return replace(
        so_far,
        stays=so_far.stays + basis.stays,
        in_average=so_far.in_average + basis.in_average,
        sum_days=so_far.sum_days + basis.sum_days,
        long_stays=so_far.long_stays + basis.long_stays,
        individual_days=so_far.individual_days + basis.individual_days,
        open_stays=0,
        amount_ore=(so_far.amount_ore or 0) + sum(amount or 0 for amount in amounts) if known else None,
    )


def _priced(sums: Average, so_far: Average, rules: RuleBook) -> Average:
    """Price the excess of the forecast; the amount so far already holds its own excess, which is taken out first."""
    bare = finish(replace(so_far, amount_ore=0), rules, complete=False)
    if sums.amount_ore is None or bare.amount_ore is None:
        return finish(replace(sums, amount_ore=None), rules, complete=False)
    return finish(replace(sums, amount_ore=sums.amount_ore - bare.amount_ore), rules, complete=False)
