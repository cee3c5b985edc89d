"""The month computed a second time, night by night, from the replayed file alone: what every sum of the demo is held against."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from dirigent.demo.story import CaseKey, Patient, read_patients, swedish_date

FREE_AVERAGE: Final = 3
LONG_IS_OVER: Final = 7
FREE_NIGHTS_OF_LONG: Final = 3
INVITE_WITHIN: Final = timedelta(days=3)
NOTIFY_WITHIN: Final = timedelta(hours=24)
SILENT_AFTER: Final = timedelta(days=30)
FIRST_WEEKEND_DAY: Final = 5
# How the demo's reviewer decides: what came late to the municipality is not charged, the rest is.
OUTCOMES: Final = {"late_admission_notice": "exclude", "late_sip_invitation": "accept", "no_sign_of_life": "accept"}


@dataclass(frozen=True, slots=True)
class Counted:
    """One stay of a month: how it counts, its days, and the nights it is charged for by itself."""

    counted_as: str
    days: int
    nights: tuple[date, ...] = ()
    closed: bool = True
    would_be: str = ""
    would_cost: tuple[date, ...] = ()


@dataclass(slots=True)
class MonthSum:
    """One municipality's month by the second calculation; amounts in öre."""

    municipality: str
    cases: dict[CaseKey, Counted] = field(default_factory=dict)
    amount: int = 0
    held: bool = False

    @property
    def in_average(self) -> int:
        """Stays the average is taken over."""
        return sum(1 for one in self.cases.values() if one.counted_as == "average")

    @property
    def sum_days(self) -> int:
        """Their days."""
        return sum(one.days for one in self.cases.values() if one.counted_as == "average")

    @property
    def average(self) -> Fraction | None:
        """The exact average."""
        return Fraction(self.sum_days, self.in_average) if self.in_average else None

    @property
    def excess_days(self) -> int:
        """Days above three for each stay."""
        return max(0, self.sum_days - FREE_AVERAGE * self.in_average)

    @property
    def long_stays(self) -> int:
        """Long stays that ended in the month."""
        return sum(1 for one in self.cases.values() if one.counted_as == "long" and one.closed)

    @property
    def individual_days(self) -> int:
        """Nights charged stay by stay."""
        return sum(len(one.nights) for one in self.cases.values() if one.counted_as == "long")


def recompute(lines: Iterable[str], first: date, prices: Mapping[int, int], decided: Collection[str] = ()) -> dict[str, MonthSum]:
    """Compute every municipality's month.

    Args:
        lines: The replay file.
        first: The first day of the month.
        prices: Öre per night, by year.
        decided: Municipalities whose reviews have been decided, each by `OUTCOMES`.
    """
    after = (first + timedelta(days=31)).replace(day=1)
    sums: dict[str, MonthSum] = {}
    for key, patient in read_patients(lines).items():
        if patient.municipality is None:
            continue
        month = sums.setdefault(patient.municipality, MonthSum(patient.municipality))
        counted = _count(patient, first, after, decided=patient.municipality in decided)
        if counted is not None:
            month.cases[key] = counted
    for month in sums.values():
        month.amount = _amount(month.cases.values(), after, prices)
        month.held = _held(month, after, prices)
    return sums


def _count(patient: Patient, first: date, after: date, *, decided: bool) -> Counted | None:
    """Where a stay stands in the month, None when it has no part in it."""
    left = patient.left_on
    closed = left is not None and first <= left < after
    if not patient.was_ready or (left is not None and left < first):
        return None
    if patient.ready_sent is None:
        return Counted("excluded", 0) if closed else None
    end = left if closed and left is not None else after
    waited = list(_nights(swedish_date(patient.ready_sent), end))
    days = len(waited)
    long = days > LONG_IS_OVER
    charged = _not_yet_charged(waited, first) if long else ()
    if not closed and not charged:
        return None
    would_be = "long" if long else "average"
    doubts = _doubts(patient, days, after, closed=closed)
    excluded = _is_excluded(patient, days) or (decided and any(OUTCOMES[doubt] == "exclude" for doubt in doubts))
    if excluded or (doubts and not decided):
        return Counted("excluded" if excluded else "review", days, (), closed, would_be, charged)
    return Counted(would_be, days, charged, closed)


def _nights(day: date, end: date) -> Iterator[date]:
    while day < end:
        yield day
        day += timedelta(days=1)


def _not_yet_charged(waited: list[date], first: date) -> tuple[date, ...]:
    """The nights of a long stay from the fourth on, without those that earlier months charged while the patient was still there.

    A month end at which the stay had lasted longer than seven days charged everything up to it; the last such end decides.
    """
    before = [night for night in waited if night < first]
    charged_before = set(before[FREE_NIGHTS_OF_LONG:]) if len(before) > LONG_IS_OVER else set()
    return tuple(night for night in waited[FREE_NIGHTS_OF_LONG:] if night not in charged_before)


def _is_excluded(patient: Patient, days: int) -> bool:
    """Whether the law or the agreement leaves the stay out, with nothing to judge."""
    return patient.died or (patient.sip_needed and not patient.invited and days > FREE_AVERAGE)


def _doubts(patient: Patient, days: int, after: date, *, closed: bool) -> list[str]:
    """What a person has to judge before the stay counts."""
    doubts = []
    if patient.notified.timestamp() - patient.judged.timestamp() > NOTIFY_WITHIN.total_seconds():
        doubts.append("late_admission_notice")
    if patient.sip_needed and patient.invited and days > FREE_AVERAGE and _called_late(patient):
        doubts.append("late_sip_invitation")
    if not closed and patient.last_heard is not None and swedish_date(patient.last_heard) < after - SILENT_AFTER:
        doubts.append("no_sign_of_life")
    return doubts


def _called_late(patient: Patient) -> bool:
    if patient.ready_sent is None:
        return False
    last = swedish_date(patient.ready_sent) + INVITE_WITHIN
    while last.weekday() >= FIRST_WEEKEND_DAY or _is_holiday(last):
        last += timedelta(days=1)
    return swedish_date(min(patient.invited)) > last


def _is_holiday(day: date) -> bool:
    """Swedish holidays, Midsummer Eve, Christmas Eve and New Year's Eve, from their definitions."""
    fixed = {(1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)}
    easter = _easter(day.year)
    moving = {easter + timedelta(days=offset) for offset in (-2, 0, 1, 39, 49)}
    midsummer_eve = next(date(day.year, 6, number) for number in range(19, 26) if date(day.year, 6, number).isoweekday() == 5)  # noqa: PLR2004
    return (day.month, day.day) in fixed or day in moving or day == midsummer_eve


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _amount(cases: Iterable[Counted], after: date, prices: Mapping[int, int]) -> int:
    """Öre: every night of a long stay at its own year's price, the excess at the price of the month's last day."""
    amount = 0
    stays = days = 0
    for one in cases:
        if one.counted_as == "long":
            amount += sum(prices[night.year] for night in one.nights)
        elif one.counted_as == "average":
            stays, days = stays + 1, days + one.days
    return amount + max(0, days - FREE_AVERAGE * stays) * prices[(after - timedelta(days=1)).year]


def _held(month: MonthSum, after: date, prices: Mapping[int, int]) -> bool:
    """Whether some decision on the stays under review could change the amount: tried with every outcome they can have together."""
    open_questions = [one for one in month.cases.values() if one.counted_as == "review"]
    if any(one.would_cost for one in open_questions if one.would_be == "long"):
        return True
    sure = [one for one in month.cases.values() if one.counted_as == "long"]
    outcomes = {(month.in_average, month.sum_days)}
    for one in open_questions:
        if one.would_be == "average":
            outcomes |= {(stays + 1, days + one.days) for stays, days in outcomes}
    amounts = {_amount([*sure, *_stays_with(stays, days)], after, prices) for stays, days in outcomes}
    return len(amounts) > 1


def _stays_with(stays: int, days: int) -> list[Counted]:
    """That many stays of the average with that many days in all."""
    return [Counted("average", days if number == 0 else 0) for number in range(stays)]
