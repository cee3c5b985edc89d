"""The running month: what it would cost if every patient who waits left now, and how it will probably end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Final
from uuid import UUID

from services.billing.domain.basis import COUNTED, Line, MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.forecast import Charging, Forecast, Outlook, Past, Window, forecast
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.stay import CareType, Stay
from services.billing.domain.terms import Agreement, Model, OpenLongStay
from services.billing.domain.terms import Charging as Charges
from services.billing.repository import averages, ledger
from services.billing.repository.averages import Average
from services.billing.repository.everybody import read_everybodys
from services.billing.usecases.gathering import gather
from services.billing.usecases.rollup import average_of, average_terms, finish
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.money import Money

WINDOW: Final = Window(months=6, fewest=20)
"""What a forecast rests on: the last six months, and at least twenty stays in them (ours: with fewer, one stay moves it by a tenth)."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A forecast with its price; `amount` None = a price is missing."""

    forecast: Forecast
    excess_days: Fraction
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Running:
    """What the month would come to if everybody who waits left now, and what is expected; None where too little is known of it."""

    if_all_left: Average
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class _Open:
    """A patient who waits: what the rules would say of her if she left now."""

    stay: Stay
    basis: MonthBasis

    @property
    def line(self) -> Line | None:
        """Her line, None when she would not count."""
        return next((line for line in self.basis.lines if line.counted_as in COUNTED), None)


async def running_months(work: Work, month: Month, so_far: Mapping[str, Average]) -> dict[str, Running]:
    """Look ahead from the running month of these municipalities.

    Args:
        work: The transaction.
        month: The running month.
        so_far: What is known of it, by municipality.
    """
    rules, today = await rules_now(work), local_date(work.at)
    waiting = await _waiting(work, month, so_far, rules)
    whole = {code for code in so_far if average_terms(rules, code, month) is None}
    async with read_everybodys(work):
        whole |= {code for code, _ in await averages.contested(work, [(code, month) for code in so_far])}
    left = await _left_now(work, whole, month)
    first = month
    for _ in range(2 * WINDOW.months):
        first = first.previous
    past = await averages.past_stays(work, list(so_far), first, month.previous)
    found = {}
    for code, average in so_far.items():
        open_stays = waiting.get(code, ())
        ended = left.get(code) or _with_all(average, open_stays, rules)
        found[code] = Running(ended, _expected(average, open_stays, past.get(code, ()), today, rules))
    return found


async def _waiting(work: Work, month: Month, so_far: Mapping[str, Average], rules: RuleBook) -> dict[str, list[_Open]]:
    cases = await ledger.waiting(work, month, list(so_far))
    decisions: dict[UUID, list[ReviewDecision]] = {}
    for decision in await ledger.decisions(work, cases):
        decisions.setdefault(decision.stay, []).append(decision)
    found: dict[str, list[_Open]] = {}
    for stay in await ledger.stays(work, cases, rules):
        code = stay.municipality
        if code is not None and code in so_far and rules.agreement(code, month) is not None:
            basis = settle_month([_gone(stay, work)], rules, code, month, decisions=decisions.get(stay.case_id, ()))
            found.setdefault(code, []).append(_Open(stay, basis))
    return found


def _gone(stay: Stay, work: Work) -> Stay:
    return replace(stay, discharged_at=work.at)


async def _left_now(work: Work, municipalities: Collection[str], month: Month) -> dict[str, Average]:
    """The months that are more than their stays added up, calculated as if everybody had left."""
    if not municipalities:
        return {}
    found = {}
    for code, inputs in (await gather(work, sorted(municipalities), month)).items():
        stays = tuple(_gone(stay, work) if stay.ended_at is None and stay.ready else stay for stay in inputs.stays)
        found[code] = replace(average_of(replace(inputs, stays=stays, as_of=month.next.first).basis()), complete=False)
    return found


def _with_all(so_far: Average, open_stays: Sequence[_Open], rules: RuleBook) -> Average:
    """The month with everybody who waits added; the amount so far already holds its own excess, which is taken out first."""
    bare = finish(replace(so_far, amount_ore=0), rules, complete=False)
    sums = so_far
    for one in open_stays:
        sums = _with(sums, one.basis)
    if sums.amount_ore is None or bare.amount_ore is None:
        return finish(replace(sums, amount_ore=None), rules, complete=False)
    return finish(replace(sums, amount_ore=sums.amount_ore - bare.amount_ore), rules, complete=False)


def _with(so_far: Average, basis: MonthBasis) -> Average:
    amounts = [None if line.amount is None else line.amount.ore for line in basis.lines if line.counted_as in COUNTED]
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


def _expected(so_far: Average, open_stays: Sequence[_Open], past: Sequence[Past], today: date, rules: RuleBook) -> Expected | None:
    agreement = rules.agreement(so_far.municipality, so_far.month)
    if agreement is None or so_far.month != Month.of(today):
        return None
    known = Outlook(Fraction(so_far.stays), Fraction(so_far.in_average), Fraction(so_far.sum_days), Fraction(so_far.individual_days))
    lines = [one.line for one in open_stays]
    since = [today - timedelta(days=line.days) for line in lines if line is not None]
    found = forecast(known, since, past, today, charging_of(agreement, so_far.month), WINDOW)
    return None if found is None else _priced(found, so_far, agreement, rules)


def charging_of(agreement: Agreement, month: Month) -> Charging:
    """What of a rule set a forecast goes by; of several care types the somatic rules, for a forecast is no bill."""
    day = last_day(month)
    terms = agreement.average_on(day, CareType.SOMATIC)
    care = agreement.care_on(CareType.SOMATIC, day)
    if terms is None or (care is not None and care.model is Model.INDIVIDUAL):
        return Charging(averaged=False, long_over=None, free_days=0 if care is None else care.free_days, monthly=False)
    monthly = terms.open_long_stay is OpenLongStay.MONTHLY
    return Charging(averaged=True, long_over=terms.long_over, free_days=terms.bill_from_day - 1, monthly=monthly)


def _priced(found: Forecast, so_far: Average, agreement: Agreement, rules: RuleBook) -> Expected:
    """What is known so far keeps its amount without the excess so far; what is expected on top has the price of the month's last day."""
    outlook, terms = found.outlook, agreement.average_on(last_day(so_far.month), CareType.SOMATIC)
    over = Fraction(0)
    if terms is not None and terms.charges is Charges.EXCESS:
        over = max(over, outlook.sum_days - terms.threshold * outlook.in_average)
    entry = rules.tariffs.on(last_day(so_far.month))
    price = None if entry is None else entry.price
    if price is None or so_far.amount_ore is None:
        return Expected(found, over, None)
    more_days = over - Fraction(so_far.excess_days) + outlook.individual_days - so_far.individual_days
    return Expected(found, over, Money(so_far.amount_ore + floor(price.ore * more_days + Fraction(1, 2))))
