"""What days cost: each day charged by itself at its own price, the excess of an average at the price of its month (domain rule 3.4)."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from itertools import groupby
from math import floor

from services.billing.domain.basis import PricedDays
from services.billing.domain.charge import last_day
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import AverageTerms, Period
from shared.dates import Month


def price_days(days: Iterable[date], tariffs: Tariffs) -> tuple[PricedDays, ...]:
    """Price each care day by its own date, so that New Year splits a stay into two prices.

    Source:
        Domain rule 3.4 (individually charged days are priced by their own date).
    """
    parts = []
    for entry, run in groupby(days, key=tariffs.on):
        group = list(run)
        price, source = (None, "") if entry is None else (entry.price, entry.source)
        parts.append(PricedDays(group[0], group[-1], Fraction(len(group)), price, source))
    return tuple(parts)


def excess_of(days: int, count: int, terms: AverageTerms, tariffs: Tariffs, month: Month, within: Period | None = None) -> PricedDays:
    """The days above the free average of `count` stays that waited `days` days together, exactly; exactly at the threshold is free.

    Args:
        days: What the stays waited together.
        count: How many they are.
        terms: The average model.
        tariffs: Day prices.
        month: The month of discharge.
        within: The time of an agreement that may have begun or ended in the month; the price is that of its last day in it.

    Source:
        VGR agreement 2018-09-25: monthly average per municipality, settled for what was actually exceeded; price of the month of discharge.
    """
    first, last = month.first, last_day(month)
    if within is not None:
        first, last = max(first, within.first), last if within.last is None else min(last, within.last)
    entry = tariffs.on(last)
    price, source = (None, "") if entry is None else (entry.price, entry.source)
    return PricedDays(first, last, days_above(days, count, terms), price, source)


def days_above(days: int, count: int, terms: AverageTerms) -> Fraction:
    """How many of the days lie above the threshold, rounded only where the agreement says so; none for too few stays.

    Source:
        VGR agreement 2018-09-25 ("over 3.0"); domain rule 3.7, rounding of excess days and smallest number of stays.
    """
    if count < terms.smallest_number:
        return Fraction(0)
    over = max(Fraction(0), days - terms.threshold * count)
    if terms.excess_decimals is None:
        return over
    scale = 10**terms.excess_decimals
    return Fraction(floor(over * scale + Fraction(1, 2)), scale)
