"""The data-quality gate (domain rule 3.8): what must be cleared before a month may be published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from services.billing.domain.basis import CountedAs, Finding, FindingCode, Line, PricedDays
from services.billing.domain.reasons import Exclusion, Reason
from services.billing.domain.stay import Stay
from services.billing.domain.terms import AverageTerms

_CODES: Final = {
    Reason.CONTRADICTORY_EVENTS: FindingCode.CONTRADICTORY_EVENTS,
    Reason.NO_SIGN_OF_LIFE: FindingCode.NO_SIGN_OF_LIFE,
}


@dataclass(frozen=True, slots=True)
class Held:
    """A line of the month, the line it would be without any reason against it, and the reasons a named person decided."""

    line: Line
    as_counted: Line
    confirmed: frozenset[Reason]

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


def inspect(
    held: Sequence[Held], excess: PricedDays | None, terms: AverageTerms | None, silent: Iterable[Stay] = ()
) -> tuple[Finding, ...]:
    """List every finding of a month and say which ones block.

    An undecided stay blocks only when counting it and leaving it out can give different amounts, whatever is decided about the others.

    Args:
        held: All lines of the month.
        excess: The excess of the average as it stands.
        terms: The average model in force, None when the rule set has none.
        silent: Patients still in hospital of whom nothing was heard.

    Source:
        Domain rule 3.8, reviews and data-quality gate.
    """
    undecided = [entry for entry in held if entry.undecided]
    findings: list[Finding] = []
    for entry in undecided:
        blocks = changes_amount(entry.as_counted, [other.as_counted for other in undecided], [item.line for item in held], terms)
        findings += [Finding(_code(reason), blocks, entry.line.stay, entry.line.ward) for reason in entry.undecided]
    listed = {entry.line.stay for entry in held}
    findings += [Finding(FindingCode.NO_SIGN_OF_LIFE, False, stay.case_id, stay.ward) for stay in silent if stay.case_id not in listed]
    unpriced = {part.last for entry in held for part in entry.line.charges if part.amount is None}
    if excess is not None and excess.amount is None:
        unpriced.add(excess.last)
    findings += [Finding(FindingCode.MISSING_PRICE, True, day=day) for day in sorted(unpriced)]
    return tuple(findings)


def changes_amount(stay: Line, undecided: Sequence[Line], lines: Sequence[Line], terms: AverageTerms | None) -> bool:
    """Whether counting this stay or not can give different amounts for some decision on the other undecided ones.

    A stay charged by itself changes the amount as soon as it has chargeable days. A stay of the average changes it when it is not exactly
    at the threshold and the excess can rise above zero at all: with every undecided stay above the threshold counted.
    """
    if stay.counted_as is not CountedAs.AVERAGE:
        return stay.chargeable_days > 0
    if terms is None:
        return False
    if terms.smallest_number > 1:
        return True
    counted = sum((line.days - terms.threshold for line in lines if line.counted_as is CountedAs.AVERAGE), Fraction(0))
    most = counted + sum((max(Fraction(0), _weight(line, terms)) for line in undecided), Fraction(0))
    return _weight(stay, terms) != 0 and most > 0


def _weight(line: Line, terms: AverageTerms) -> Fraction:
    """What one stay adds to the sum above the threshold; nothing when it is charged by itself."""
    return line.days - terms.threshold if line.counted_as is CountedAs.AVERAGE else Fraction(0)


def _code(reason: Reason) -> FindingCode:
    if reason is Reason.NO_ADMISSION_NOTICE:
        return FindingCode.READY_WITHOUT_ADMISSION_NOTICE
    return _CODES.get(reason, FindingCode.UNDECIDED_REVIEW)
