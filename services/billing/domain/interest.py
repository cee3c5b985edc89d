"""Interest on late payment (dröjsmålsränta): simple, day by day on what was still unpaid; an unknown rate leaves it unknown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from math import floor

from services.billing.domain.correcting import Document
from services.billing.domain.owed import Payment
from services.billing.domain.terms import Period
from shared.money import ZERO, Money

_PER_CENT = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """The reference rate of a period in per cent a year; `rate` None = nobody has verified it."""

    period: Period
    rate: Fraction | None


@dataclass(frozen=True, slots=True)
class InterestTerms:
    """How interest is counted: the margin above the reference rate (percentage points), and the days a yearly rate is spread over."""

    margin: Fraction
    days_of_year: int
    rates: tuple[ReferenceRate, ...]

    def rate_on(self, day: date) -> Fraction | None:
        """The yearly rate of interest on a day, as a share of the debt; None while the reference rate is missing.

        Source:
            Räntelagen (1975:635) 6 § and 9 §.
        """
        reference = next((one.rate for one in self.rates if day in one.period), None)
        return None if reference is None else (reference + self.margin) * _PER_CENT


@dataclass(frozen=True, slots=True)
class Interest:
    """Interest so far; `amount` None = a reference rate is missing for some of the days."""

    days: int
    amount: Money | None


def interest_on(document: Document, credited: Money, payments: Sequence[Payment], as_of: date, terms: InterestTerms) -> Interest:
    """Interest on one invoice from the day after its due date through a day.

    What a payment settled bears interest through the day of payment. What a credit note took back was never owed and bears none.

    Args:
        document: The invoice.
        credited: What credit notes have taken off it.
        payments: The payments on it.
        as_of: The last day counted.
        terms: Rates.

    Source:
        Räntelagen (1975:635) 3 § and 6 § (from the due date, reference rate and eight percentage points).
    """
    parts = list(_stretches(document, credited, payments, as_of, terms))
    days = sum(part.days for part in parts)
    if any(part.rate is None for part in parts):
        return Interest(days, None)
    exact = sum((part.rest.ore * part.rate * part.days / terms.days_of_year for part in parts if part.rate is not None), Fraction(0))
    return Interest(days, Money(floor(exact + Fraction(1, 2))))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days on which neither the rest nor the rate changed."""

    days: int
    rest: Money
    rate: Fraction | None


def _stretches(document: Document, credited: Money, payments: Sequence[Payment], as_of: date, terms: InterestTerms) -> Iterator[_Stretch]:
    own = [one for one in payments if one.number == document.number]
    changes = {document.due_on, as_of}
    changes |= {one.paid_on for one in own}
    changes |= {one.period.first - timedelta(days=1) for one in terms.rates}
    days = sorted(day for day in changes if document.due_on <= day <= as_of)
    for before, through in pairwise(days):
        rest = document.amount - credited - Money(sum(one.amount.ore for one in own if one.paid_on <= before))
        if rest > ZERO:
            yield _Stretch((through - before).days, rest, terms.rate_on(through))
