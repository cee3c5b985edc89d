"""What a real month would have cost under other rule sets, on the same stays, decisions and prices; and how far each lies from our own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from services.billing.domain.basis import MonthBasis
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.terms import NoRuleInForce
from shared.dates import Month
from shared.money import ZERO, Money

IN_FORCE: Final = "in_force"
"""The name of the rules as they are: every stay under the rule set that really binds it."""
Books = Mapping[str, RuleBook]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one municipality's month comes to under one rule set; `amount` None = a price is missing."""

    profile: str
    municipality: str
    month: Month
    stays: int
    in_average: int
    sum_days: int
    excess_days: Fraction
    individual_days: int
    amount: Money | None

    @property
    def average(self) -> Fraction | None:
        """The exact average, None without stays in it."""
        return Fraction(self.sum_days, self.in_average) if self.in_average else None

    @property
    def days(self) -> Fraction:
        """All days that are charged."""
        return self.excess_days + self.individual_days


@dataclass(frozen=True, slots=True)
class Total:
    """Several months of one rule set together; `amount` None = a price is missing in `unpriced` of them."""

    profile: str
    stays: int
    excess_days: Fraction
    individual_days: int
    amount: Money | None
    unpriced: int


def profiles_known(book: RuleBook) -> tuple[str, ...]:
    """Every rule set that can be tried, the real one first."""
    return (IN_FORCE, *dict.fromkeys(agreement.name for agreement in book.agreements))


def books_for(book: RuleBook, profiles: Iterable[str]) -> dict[str, RuleBook]:
    """For each profile a rule book of its own in which it binds everybody; the rules in force are always among them.

    Raises:
        KeyError: There is no such profile.
    """
    named = {agreement.name: agreement for agreement in book.agreements}
    books = {IN_FORCE: book}
    for profile in profiles:
        if profile != IN_FORCE:
            books[profile] = book.as_if(named[profile])
    return books


def look_back(books: Books, municipalities: Iterable[str], month: Month) -> list[str]:
    """The municipalities whose month cannot be tried without the stays of the month before, because some rule set looks back at it."""
    return [code for code in municipalities if any(book.looks_back(code, month) for book in books.values())]


def outcomes_of(inputs: MonthInputs, books: Books, before: MonthInputs | None = None) -> list[Outcome]:
    """One month under every rule book; one that has no rules for the month gives nothing.

    Reviews that were decided count wherever the same reason stands on the same facts, and disputes as they stand.

    Args:
        inputs: The month.
        books: What to try it with, by profile.
        before: The month before, for the rule books that look back at it.
    """
    both = inputs if before is None else _together(inputs, before)
    found = []
    for profile, book in books.items():
        given = both if book.looks_back(inputs.municipality, inputs.month) else inputs
        try:
            basis = replace(given, book=book).basis()
        except NoRuleInForce:
            continue
        found.append(_outcome(profile, basis))
    return found


def _together(inputs: MonthInputs, before: MonthInputs) -> MonthInputs:
    """The stays of both months; what is known of a stay is the same in both."""
    here = {stay.case_id for stay in inputs.stays}
    return replace(
        inputs,
        stays=(*inputs.stays, *(stay for stay in before.stays if stay.case_id not in here)),
        decisions=(*inputs.decisions, *(one for one in before.decisions if one.stay not in here)),
        claims=(*inputs.claims, *(one for one in before.claims if one.stay not in here)),
    )


def _outcome(profile: str, basis: MonthBasis) -> Outcome:
    return Outcome(
        profile,
        basis.municipality,
        basis.month,
        basis.stays,
        basis.in_average,
        basis.sum_days,
        basis.excess_days,
        basis.individual_days,
        basis.amount,
    )


def totals_of(outcomes: Iterable[Outcome]) -> list[Total]:
    """The sum of each profile, in the order in which the profiles come first."""
    by_profile: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_profile.setdefault(outcome.profile, []).append(outcome)
    return [_total(profile, found) for profile, found in by_profile.items()]


def _total(profile: str, outcomes: Sequence[Outcome]) -> Total:
    known = [outcome.amount for outcome in outcomes if outcome.amount is not None]
    unpriced = len(outcomes) - len(known)
    return Total(
        profile,
        sum(outcome.stays for outcome in outcomes),
        sum((outcome.excess_days for outcome in outcomes), Fraction(0)),
        sum(outcome.individual_days for outcome in outcomes),
        None if unpriced else sum(known, ZERO),
        unpriced,
    )


def difference(amount: Money | None, in_force: Money | None) -> Money | None:
    """How much more than under the rules in force; None when one of the two is not known."""
    return None if amount is None or in_force is None else amount - in_force


def months_from(first: Month, last: Month) -> list[Month]:
    """Every month from one to another, both included."""
    months = []
    while first <= last:
        months.append(first)
        first = first.next
    return months


def next_group(municipalities: Sequence[str], stays: Mapping[str, int], room: int) -> Sequence[str]:
    """The first municipalities whose stays together find room in one transaction; at least one."""
    taken = 0
    for index, code in enumerate(municipalities):
        taken += stays.get(code, 0)
        if taken > room and index:
            return municipalities[:index]
    return municipalities
