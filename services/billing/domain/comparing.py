"""A month of today's service held against ours (skuggdrift): every stay and municipality that differs, and our rule that explains it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final
from uuid import UUID

from services.billing.domain.basis import COUNTED, Line, MonthBasis
from services.billing.domain.identity import Json, decimal_text, money_text
from services.billing.domain.reasons import SOURCES, Reason
from services.billing.domain.stay import Stay
from shared.dates import Month
from shared.money import Money

FORMAT: Final = "dirigent-comparison/1"


class Kind(StrEnum):
    """What differs."""

    DAYS = "days"
    COUNTED = "counted"
    AMOUNT = "amount"
    MUNICIPALITY = "municipality"
    ONLY_THEIRS = "only_theirs"
    ONLY_OURS = "only_ours"


class Absence(StrEnum):
    """Why a stay that today's service lists is not in our month."""

    UNKNOWN_STAY = "unknown_stay"
    SAME_STAY = "same_stay"
    CANCELLED = "cancelled"
    OTHER_MUNICIPALITY = "other_municipality"
    NEVER_READY = "never_ready"
    STILL_IN_HOSPITAL = "still_in_hospital"
    OTHER_MONTH = "other_month"
    NOT_CALCULATED = "not_calculated"


ABSENCE_SOURCES: Final = {
    Absence.UNKNOWN_STAY: "No ward has told of a stay with this id",
    Absence.SAME_STAY: "Switch transfer_clock: a transfer inside inpatient care makes one stay of two ids",
    Absence.CANCELLED: "The ward cancelled the stay",
    Absence.OTHER_MUNICIPALITY: "Lag (2017:612) 5 kap. 1–2 §§",
    Absence.NEVER_READY: "Lag (2017:612) 5 kap. 3 §: no ready notice",
    Absence.STILL_IN_HOSPITAL: "Domain rule 3.4: a stay belongs to the month in which it ended",
    Absence.OTHER_MONTH: "Domain rule 3.4: a stay belongs to the month in which it ended",
    Absence.NOT_CALCULATED: "Domain rule 3.2: not ready, or not ready any more, within the month",
}


@dataclass(frozen=True, slots=True)
class TheirStay:
    """One stay as today's service lists it; `case` None = no stay of ours has its id, `amount` None = not stated for the stay."""

    line: int
    municipality: str
    case: UUID | None
    days: int
    counted: bool
    amount: Money | None


@dataclass(frozen=True, slots=True)
class TheirTotal:
    """What today's service charges a municipality for the month."""

    line: int
    municipality: str
    days: Fraction
    amount: Money


@dataclass(frozen=True, slots=True)
class Because:
    """A rule of ours that explains a difference: a reason against the stay, the clause that charged it, or why it is not there."""

    code: str
    source: str


@dataclass(frozen=True, slots=True)
class StayDifference:
    """One stay that differs; `theirs` or `ours` None = only the other side has it."""

    municipality: str
    case: UUID | None
    kinds: tuple[Kind, ...]
    theirs: TheirStay | None
    ours: Line | None
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class MonthDifference:
    """One municipality whose days or amount differ."""

    municipality: str
    kinds: tuple[Kind, ...]
    theirs: TheirTotal | None
    ours: MonthBasis | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of a month, and everything in which they differ."""

    month: Month
    stays: int
    municipalities: int
    differing_stays: tuple[StayDifference, ...]
    differing_months: tuple[MonthDifference, ...]

    @property
    def differing(self) -> int:
        """How many stays and municipalities differ."""
        return len(self.differing_stays) + len(self.differing_months)


def compare(
    month: Month, bases: Mapping[str, MonthBasis], stays: Sequence[TheirStay], totals: Sequence[TheirTotal], known: Mapping[UUID, Stay]
) -> Comparison:
    """Hold every stay and every municipality of both sides against each other.

    What counts for nothing on either side may be missing on the other one, or differ in its days: it changes no amount.

    Args:
        month: Which month.
        bases: Our months by municipality.
        stays: The stays that today's service lists.
        totals: What it charges each municipality.
        known: Stays of ours that it lists and that are in none of our months, as far as we know them.
    """
    ours = {line.stay: (code, line) for code, basis in bases.items() for line in basis.lines}
    found, seen = [], set[UUID]()
    for their in stays:
        pair = None if their.case is None else ours.get(their.case)
        if pair is None or their.case in seen:
            if their.counted:
                found.append(_only_theirs(their, month, repeated=their.case in seen, known=known))
            continue
        seen.add(pair[1].stay)
        difference = _difference(their, *pair)
        if difference is not None:
            found.append(difference)
    for case, (code, line) in ours.items():
        if case not in seen and _counts(line):
            found.append(StayDifference(code, case, (Kind.ONLY_OURS,), None, line, _because(line)))
    months = _differing_months(bases, totals)
    listed = {their.case for their in stays if their.case is not None}
    compared = len(ours.keys() | listed) + sum(1 for their in stays if their.case is None)
    return Comparison(month, compared, len(bases.keys() | {total.municipality for total in totals}), _ordered(found), months)


def _difference(their: TheirStay, municipality: str, line: Line) -> StayDifference | None:
    counts = _counts(line)
    if not counts and not their.counted:
        return None
    kinds = []
    if municipality != their.municipality:
        kinds.append(Kind.MUNICIPALITY)
    if counts != their.counted:
        kinds.append(Kind.COUNTED)
    if line.days != their.days:
        kinds.append(Kind.DAYS)
    if their.amount is not None and line.amount != their.amount:
        kinds.append(Kind.AMOUNT)
    if not kinds:
        return None
    because = _because(line)
    if Kind.MUNICIPALITY in kinds:
        because = (_absent(Absence.OTHER_MUNICIPALITY), *because)
    return StayDifference(their.municipality, line.stay, tuple(kinds), their, line, because)


def _counts(line: Line) -> bool:
    return line.counted_as in COUNTED


def _because(line: Line) -> tuple[Because, ...]:
    """The reasons that stand at a stay, and the clause that it is counted by, if it is."""
    reasons = tuple(Because(ground.reason.value, ground.source) for ground in line.reasons)
    return (*reasons, Because(line.counted_as.value, line.rule)) if _counts(line) else reasons


def _only_theirs(their: TheirStay, month: Month, *, repeated: bool, known: Mapping[UUID, Stay]) -> StayDifference:
    if repeated:
        because = _absent(Absence.SAME_STAY)
    elif their.case is None or their.case not in known:
        because = _absent(Absence.UNKNOWN_STAY)
    else:
        because = absence(known[their.case], their.municipality, month)
    return StayDifference(their.municipality, their.case, (Kind.ONLY_THEIRS,), their, None, (because,))


def absence(stay: Stay, municipality: str, month: Month) -> Because:
    """Why a stay we know is not in the month that we compare.

    Source:
        Lag (2017:612) 5 kap. 1–3 §§; domain rules 3.2 and 3.4.
    """
    if stay.cancelled:
        return _absent(Absence.CANCELLED)
    if stay.municipality is None:
        return Because(Reason.NO_REGISTERED_MUNICIPALITY.value, SOURCES[Reason.NO_REGISTERED_MUNICIPALITY])
    if stay.municipality != municipality:
        return _absent(Absence.OTHER_MUNICIPALITY)
    if not stay.ready:
        return _absent(Absence.NEVER_READY)
    if stay.ended_on is None:
        return _absent(Absence.STILL_IN_HOSPITAL)
    return _absent(Absence.NOT_CALCULATED if stay.ended_on in month else Absence.OTHER_MONTH)


def _absent(absence: Absence) -> Because:
    return Because(absence.value, ABSENCE_SOURCES[absence])


def _differing_months(bases: Mapping[str, MonthBasis], totals: Sequence[TheirTotal]) -> tuple[MonthDifference, ...]:
    theirs = {total.municipality: total for total in totals}
    found = []
    for code in sorted(bases.keys() | theirs.keys()):
        their, basis = theirs.get(code), bases.get(code)
        kinds = _month_kinds(their, basis)
        if kinds:
            found.append(MonthDifference(code, kinds, their, basis))
    return tuple(found)


def _month_kinds(their: TheirTotal | None, basis: MonthBasis | None) -> tuple[Kind, ...]:
    """What differs between the two sums; a side that is not there charges nothing."""
    if basis is None:
        return (Kind.ONLY_THEIRS,) if their is not None and (their.days or their.amount) else ()
    days = charged_days(basis)
    if their is None:
        return (Kind.ONLY_OURS,) if days or basis.amount != Money(0) else ()
    kinds = []
    if decimal_text(days) != decimal_text(their.days):  # a file holds no more decimals
        kinds.append(Kind.DAYS)
    if basis.amount != their.amount:
        kinds.append(Kind.AMOUNT)
    return tuple(kinds)


def charged_days(basis: MonthBasis) -> Fraction:
    """All days that a month charges."""
    return basis.excess_days + basis.individual_days


def _ordered(found: Sequence[StayDifference]) -> tuple[StayDifference, ...]:
    return tuple(sorted(found, key=lambda one: (one.municipality, one.theirs is None, one.theirs.line if one.theirs else 0, str(one.case))))


def comparison_content(comparison: Comparison) -> dict[str, Json]:
    """The comparison as it is kept and shown; a stay stands by its case, or by its line in the file, never by the ward's own id."""
    return {
        "format": FORMAT,
        "month": str(comparison.month),
        "stays": comparison.stays,
        "municipalities": comparison.municipalities,
        "differing_stays": [_stay_content(one) for one in comparison.differing_stays],
        "differing_months": [_month_content(one) for one in comparison.differing_months],
    }


def _stay_content(one: StayDifference) -> Json:
    theirs, ours = one.theirs, one.ours
    return {
        "municipality": one.municipality,
        "case": None if one.case is None else str(one.case),
        "differs": [kind.value for kind in one.kinds],
        "theirs": None
        if theirs is None
        else {"line": theirs.line, "days": theirs.days, "counted": theirs.counted, "amount": money_text(theirs.amount)},
        "ours": None
        if ours is None
        else {
            "days": ours.days,
            "counted_as": ours.counted_as.value,
            "chargeable_days": ours.chargeable_days,
            "amount": money_text(ours.amount),
        },
        "because": [{"code": ground.code, "source": ground.source} for ground in one.because],
    }


def _month_content(one: MonthDifference) -> Json:
    theirs, ours = one.theirs, one.ours
    return {
        "municipality": one.municipality,
        "differs": [kind.value for kind in one.kinds],
        "theirs": None if theirs is None else {"line": theirs.line, "days": decimal_text(theirs.days), "amount": money_text(theirs.amount)},
        "ours": None
        if ours is None
        else {
            "days": decimal_text(charged_days(ours)),
            "amount": money_text(ours.amount),
            "stays": ours.stays,
            "in_average": ours.in_average,
            "sum_days": ours.sum_days,
            "average": None if ours.average is None else decimal_text(ours.average),
            "excess_days": decimal_text(ours.excess_days),
            "individual_days": ours.individual_days,
            "agreement": ours.agreement,
        },
    }
