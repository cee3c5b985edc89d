"""The live average: a municipality's month, replaced in the transaction that moved one of its stays, never incremented.

Where a month is the sum of its stays plus the excess of one common average, its stays are added up by the database. Where it is not, for
instance because a dispute waits for a decision or the month before decides over this one, the whole month is calculated.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.identity import decimal_text
from services.billing.domain.month import RuleBook
from services.billing.domain.pricing import excess_of
from services.billing.domain.terms import Agreement, AverageTerms, RuleSetBy, in_force_for
from services.billing.repository import averages as rows
from services.billing.repository.averages import Alert, Average
from services.billing.repository.ledger import Pair
from services.billing.usecases.gathering import gather
from shared.dates import Month, local_date
from shared.db import Work
from shared.events.facts import AveragePassed
from shared.money import Money
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class Running:
    """One average of a running month, exactly, and the thresholds that somebody is to be told of when it is above them."""

    average: Fraction | None
    stays: int
    alert_above: tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A month in numbers, and each average taken in it."""

    average: Average
    running: tuple[Running, ...]


async def replace_months(work: Work, pairs: Collection[Pair], rules: RuleBook) -> None:
    """Put what these months come to now in the place of what stood there, and tell of averages that went above a threshold."""
    if not pairs:
        return
    moved = {*pairs, *((code, month.next) for code, month in pairs if rules.looks_back(code, month.next))}
    await rows.lock(work, moved)
    counted = await _count(work, moved, rules)
    await rows.replace(work, [one.average for one in counted])
    await _tell_passed(work, counted)


async def rebuild(work: Work, rules: RuleBook) -> int:
    """Put every month there is anew from how its stays count, for instance after the rollup was lost; returns how many there were.

    Nobody is told of an average by it.
    """
    pairs = await rows.all_pairs(work)
    await rows.lock(work, pairs)
    sums = await rows.add_up_all(work)
    await rows.replace(work, [one.average for one in await _counted(work, pairs, rules, sums)])
    return len(pairs)


async def _count(work: Work, pairs: Collection[Pair], rules: RuleBook) -> list[Counted]:
    """What these months come to, from their stays."""
    sums = {(one.municipality, one.month): one for one in await rows.add_up(work, pairs)}
    return await _counted(work, pairs, rules, sums)


async def _counted(work: Work, pairs: Collection[Pair], rules: RuleBook, sums: Mapping[Pair, Average]) -> list[Counted]:
    """Months from the sums of their stays, those that are more than that from the stays themselves."""
    today = local_date(work.at)
    contested = await rows.contested(work, pairs)
    counted, whole = [], []
    for pair in sorted(pairs):
        terms = None if pair in contested else average_terms(rules, *pair)
        if terms is None:
            whole.append(pair)
        else:
            counted.append(_finished(sums.get(pair, Average(*pair)), terms, rules, complete=today > last_day(pair[1])))
    for month in {month for _, month in whole}:
        codes = [code for code, other in whole if other == month]
        inputs = await gather(work, codes, month)
        counted += [_calculated(inputs[code].basis(), rules) for code in codes if code in inputs]
        counted += [Counted(Average(code, month, complete=today > last_day(month)), ()) for code in codes if code not in inputs]
    return counted


def average_terms(rules: RuleBook, municipality: str, month: Month) -> tuple[AverageTerms, ...] | None:
    """The terms of the one common average of a month, none when no rule set takes any; None when the month is more than its stays added up.

    A rule set that is chosen by the ready notice can still charge a stay that ends after its time; one chosen by discharge cannot.
    """
    may_charge = [
        one
        for one in in_force_for(rules.agreements, rules.region, municipality)
        if one.period.first <= last_day(month)
        and (one.rule_set_by is RuleSetBy.READY_NOTICE or one.period.overlaps(month.first, last_day(month)))
    ]
    averaging = [one for one in may_charge if one.average]
    if not averaging:
        return ()
    if len(averaging) > 1 or not _sums_up(averaging[0], month):
        return None
    return averaging[0].averages_on(last_day(month))


def _sums_up(agreement: Agreement, month: Month) -> bool:
    return agreement.adds_up and last_day(month) in agreement.period and len(agreement.averages_on(last_day(month))) <= 1


def finish(sums: Average, rules: RuleBook, *, complete: bool) -> Average:
    """Add the excess of the one common average and its price to the sums of the stays."""
    terms = average_terms(rules, sums.municipality, sums.month) or ()
    return _finished(sums, terms, rules, complete=complete).average


def _finished(sums: Average, terms: tuple[AverageTerms, ...], rules: RuleBook, *, complete: bool) -> Counted:
    if not terms:
        return Counted(replace(sums, complete=complete), ())
    excess = excess_of(sums.sum_days, sums.in_average, terms[0], rules.tariffs, sums.month)
    together = None if excess.amount is None or sums.amount_ore is None else Money(sums.amount_ore) + excess.amount
    average = replace(sums, complete=complete, excess_days=decimal_of(excess.days), amount_ore=None if together is None else together.ore)
    exact = Fraction(sums.sum_days, sums.in_average) if sums.in_average else None
    return Counted(average, (Running(exact, sums.in_average, terms[0].alert_above),))


def _calculated(basis: MonthBasis, rules: RuleBook) -> Counted:
    """A month that was calculated as a whole; each of its averages is watched by the terms of its own rule set."""
    terms = {
        (agreement.name, one.threshold): one.alert_above
        for agreement in in_force_for(rules.agreements, rules.region, basis.municipality)
        for one in agreement.averages_on(last_day(basis.month))
    }
    running = tuple(Running(group.average, group.in_average, terms.get((group.agreement, group.threshold), ())) for group in basis.groups)
    return Counted(average_of(basis), running)


def average_of(basis: MonthBasis) -> Average:
    """The numbers of a calculated month."""
    return Average(
        basis.municipality,
        basis.month,
        basis.complete,
        basis.stays,
        basis.in_average,
        basis.sum_days,
        decimal_of(basis.excess_days),
        basis.long_stays,
        basis.individual_days,
        basis.open_stays,
        None if basis.amount is None else basis.amount.ore,
    )


def decimal_of(value: Fraction) -> Decimal:
    """Days as the rollup keeps them."""
    return Decimal(value.numerator) / value.denominator


async def _tell_passed(work: Work, counted: Collection[Counted]) -> None:
    """Tell of each average of a running month that is above a threshold for the first time.

    Also of the month before this one, for what happened on its last days comes in on the first ones of this. Older months are only ever
    corrected, and nobody is to be alarmed of them.
    """
    this_month = Month.of(local_date(work.at))
    passed = [
        Alert(one.average.municipality, one.average.month, above, running.average, running.stays)
        for one in counted
        if one.average.month in {this_month, this_month.previous}
        for running in one.running
        for above in running.alert_above
        if running.average is not None and running.average > above
    ]
    new = await rows.keep_alerts(work, passed)
    await stage_facts(
        work,
        [
            (
                AveragePassed(
                    municipality=one.municipality,
                    month=str(one.month),
                    threshold=plain_decimal(one.threshold),
                    average=decimal_text(one.average),
                    stays=one.stays,
                    passed_at=work.at,
                ),
                None,
            )
            for one in new
        ],
    )


def plain_decimal(value: Fraction) -> str:
    """A threshold as it is written in an agreement: with one decimal at least."""
    text = decimal_text(value).rstrip("0")
    return f"{text}0" if text.endswith(".") else text
