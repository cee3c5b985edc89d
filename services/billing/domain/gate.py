"""The data-quality gate (domain rule 3.8): what must be cleared before a month may be published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from services.billing.domain.averaging import is_averaged
from services.billing.domain.basis import AverageGroup, CountedAs, Finding, FindingCode, Line
from services.billing.domain.reasons import Exclusion, Reason
from services.billing.domain.stay import Stay
from services.billing.domain.terms import AverageTerms, Charging

_CODES: Final = {
    Reason.CONTRADICTORY_EVENTS: FindingCode.CONTRADICTORY_EVENTS,
    Reason.NO_SIGN_OF_LIFE: FindingCode.NO_SIGN_OF_LIFE,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A line of the month, the line it would be without any reason against it, and the reasons a named person decided.

    `terms` are those of the average it may be in, None when it is in none.
    """

    line: Line
    as_counted: Line
    confirmed: frozenset[Reason]
    terms: AverageTerms | None = None

    @property
    def undecided(self) -> tuple[Reason, ...]:
        """The reasons that still wait for a person: an open review, or a missing admission notice that nobody has confirmed."""
        return tuple(ground.reason for ground in open_grounds(self.line) if ground.reason not in self.confirmed)


def open_grounds(line: Line) -> tuple[Exclusion, ...]:
    """What a person may decide about a line: every reason it is held for, or that its admission notice was indeed never sent.

    Source:
        Domain rule 3.8, reviews.
    """
    if line.counted_as is CountedAs.REVIEW:
        return line.reasons
    missing_only = [ground.reason for ground in line.reasons] == [Reason.NO_ADMISSION_NOTICE]
    return line.reasons if line.counted_as is CountedAs.EXCLUDED and missing_only else ()


def inspect(held: Sequence[Held], groups: Iterable[AverageGroup], silent: Iterable[Stay] = ()) -> tuple[Finding, ...]:
    """List every finding of a month and say which ones block.

    An undecided stay blocks only when counting it and leaving it out can give different amounts, whatever is decided about the others.

    Args:
        held: All lines of the month.
        groups: The averages as they stand.
        silent: Patients still in hospital of whom nothing was heard.

    Source:
        Domain rule 3.8, reviews and data-quality gate.
    """
    findings: list[Finding] = []
    waiting = [(entry, undecided) for entry in held if (undecided := entry.undecided)]
    # Once for each average and not for each stay: a month can hold many reviews.
    averages = {id(entry.terms): entry.terms for entry, _ in waiting if entry.terms is not None}
    exceeding = {key: _can_exceed(terms, held) for key, terms in averages.items()}
    for entry, undecided in waiting:
        blocks = changes_amount(entry, can_exceed=exceeding.get(id(entry.terms), False))
        findings += [Finding(_code(reason), blocks, entry.line.stay, entry.line.ward) for reason in undecided]
    listed = {entry.line.stay for entry in held}
    findings += [Finding(FindingCode.NO_SIGN_OF_LIFE, False, stay.case_id, stay.ward) for stay in silent if stay.case_id not in listed]
    unpriced = {part.last for entry in held for part in entry.line.charges if part.amount is None}
    unpriced |= {group.excess.last for group in groups if group.excess.amount is None}
    findings += [Finding(FindingCode.MISSING_PRICE, True, day=day) for day in sorted(unpriced)]
    return tuple(findings)


def joined_findings(findings: Iterable[Finding], others: Iterable[Iterable[Finding]]) -> tuple[Finding, ...]:
    """The findings of a month with undecided disputes: what blocks it with them or without them blocks it.

    Args:
        findings: Those of the calculation that counts.
        others: Those of both.

    Source:
        Domain rule 3.8, dispute and data-quality gate.
    """
    found = {replace(finding, blocks=False): finding for finding in findings}
    for finding in (one for other in others for one in other):
        found.setdefault(replace(finding, blocks=False), finding)
        if finding.blocks:
            found[replace(finding, blocks=False)] = finding
    return tuple(found.values())


def changes_amount(entry: Held, *, can_exceed: bool) -> bool:
    """Whether counting this stay or not can give different amounts for some decision on the other undecided ones.

    A stay charged by itself changes the amount as soon as it has chargeable days. A stay of the average changes it when it is not exactly
    at the threshold and the excess can rise above zero at all (`can_exceed`). Where the average
    decides about the next month, any stay that moves it changes what is charged then.
    """
    stay, terms = entry.as_counted, entry.terms
    if stay.chargeable_days > 0:
        return True
    if terms is None or stay.counted_as is CountedAs.LONG:
        return False
    if terms.charges is Charging.NEXT_MONTH:
        return _weight(stay, terms) != 0 or terms.smallest_number > 1
    if terms.smallest_number > 1:
        return True
    return can_exceed and _weight(stay, terms) != 0


def _can_exceed(terms: AverageTerms, held: Iterable[Held]) -> bool:
    """Whether the excess of an average can rise above zero at all: with every undecided stay above the threshold counted."""
    days = count = 0
    most = Fraction(0)
    for other in held:
        if other.terms is not terms:
            continue
        if is_averaged(other.line):
            days, count = days + other.line.days, count + 1
        if other.undecided:
            most += max(Fraction(0), _weight(other.as_counted, terms))
    return days - terms.threshold * count + most > 0


def _weight(line: Line, terms: AverageTerms) -> Fraction:
    """What one stay adds to the sum above the threshold; nothing when it is charged by itself."""
    return line.days - terms.threshold if is_averaged(line) else Fraction(0)


def _code(reason: Reason) -> FindingCode:
    if reason is Reason.NO_ADMISSION_NOTICE:
        return FindingCode.READY_WITHOUT_ADMISSION_NOTICE
    return _CODES.get(reason, FindingCode.UNDECIDED_REVIEW)
