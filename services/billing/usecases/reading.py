"""Reading months and averages: what each reader may see, and the running month as it would end today."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from services.billing.domain.basis import CountedAs, Finding, MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthState
from services.billing.domain.identity import content, fingerprint
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.settlement import settle
from services.billing.repository import averages, debtors, ledger, months
from services.billing.repository.averages import Average
from services.billing.repository.debtors import Debtor
from services.billing.repository.months import MonthRow
from services.billing.usecases.closing import basis_now
from services.billing.usecases.ledger import finish
from services.billing.usecases.rules import Rules, rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound

SMALL_GROUP: Final = 5
"""Groups smaller than this are shown to others only as such (domain rule 4)."""


@dataclass(frozen=True, slots=True)
class AverageView:
    """One municipality's month as one reader may see it; `hidden` = a group too small to show to others."""

    debtor: Debtor
    month: Month
    average: Average
    forecast: Average | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class MonthView:
    """A municipality's month: where it stands, the calculation it stands on (or would), and what the gate found."""

    debtor: Debtor
    row: MonthRow
    calculation: Mapping[str, Any]
    findings: Sequence[Finding]
    outdated: bool


async def averages_of_month(work: Work, month: Month, reader: str | None) -> list[AverageView]:
    """Every municipality's average of a month.

    Args:
        work: The transaction.
        month: Which month.
        reader: The municipality that reads, None for the region. Others than the municipality itself see months that are over only.
    """
    known = await debtors.on(work, last_day(month))
    found = await averages.of_month(work, month)
    running = local_date(work.at) <= last_day(month)
    forecasts = await _forecasts(work, month, found) if running else {}
    return [
        _view(debtor, found.get(code, Average(code, month)), forecasts.get(code), reader)
        for code, debtor in known.items()
        if reader in {None, code} or not running
    ]


async def averages_of_municipality(work: Work, municipality: str, first: Month, last: Month, reader: str | None) -> list[AverageView]:
    """One municipality's averages from month to month.

    Raises:
        NotFound: There is no such municipality.
    """
    debtor = (await debtors.on(work, last_day(last))).get(municipality)
    if debtor is None:
        raise NotFound
    this_month = Month.of(local_date(work.at))
    views = []
    for one in await averages.of_municipality(work, municipality, first, last):
        running = one.month >= this_month
        if running and reader not in {None, municipality}:
            continue
        forecasts = await _forecasts(work, one.month, {municipality: one}) if running else {}
        views.append(_view(debtor, one, forecasts.get(municipality), reader))
    return views


def _view(debtor: Debtor, average: Average, forecast: Average | None, reader: str | None) -> AverageView:
    others = reader not in {None, debtor.municipality}
    return AverageView(debtor, average.month, average, forecast, hidden=others and average.stays < SMALL_GROUP)


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
        basis = settle([gone], agreement, rules.tariffs, so_far.municipality, month, decisions=decisions.get(stay.case_id, ()))
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


def _priced(sums: Average, so_far: Average, rules: Rules) -> Average:
    """Price the excess of the forecast; the amount so far already holds its own excess, which is taken out first."""
    bare = finish(replace(so_far, amount_ore=0), rules, complete=False)
    if sums.amount_ore is None or bare.amount_ore is None:
        return finish(replace(sums, amount_ore=None), rules, complete=False)
    return finish(replace(sums, amount_ore=sums.amount_ore - bare.amount_ore), rules, complete=False)


async def months_of(work: Work, month: Month, reader: str | None) -> list[tuple[Debtor, MonthRow]]:
    """Where every municipality's month stands; a municipality sees its own only."""
    rows = await months.of_month(work, month)
    known = await debtors.on(work, last_day(month))
    return [(debtor, rows.get(code, MonthRow(code, month))) for code, debtor in known.items() if reader in {None, code}]


async def month_of(work: Work, municipality: str, month: Month, reader: str | None) -> MonthView:
    """One municipality's month with all its lines.

    Raises:
        NotFound: There is no such municipality, or it is not the reader's.
    """
    debtor = (await debtors.on(work, last_day(month))).get(municipality)
    if debtor is None or reader not in {None, municipality}:
        raise NotFound
    row = await months.find(work, municipality, month)
    basis = await basis_now(work, municipality, month)
    body = await months.calculation_body(work, row)
    calculation = content(basis) if body is None else json.loads(body)
    outdated = row.state is not MonthState.OPEN and fingerprint(basis) != row.sha256
    return MonthView(debtor, row, calculation, basis.findings, outdated)


def exact_average(average: Average) -> Fraction | None:
    """The average as an exact fraction, None without stays."""
    return Fraction(average.sum_days, average.in_average) if average.in_average else None
