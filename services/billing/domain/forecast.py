"""How a running month will probably end (prognos), for one municipality, from its patients who wait and its own recent months.

The method, exact and without chance, so that the same facts always give the same forecast; no bill ever rests on it:

1. What has ended in the month counts as it counted.
2. A patient who waits goes on like those stays of the recent months that lasted longer than she has waited so far, each as likely as the
   other. Where none did, she is taken to be there when the month ends.
3. Patients who are not ready yet come, and leave, as they did in the same number of last days of the recent months, on average.

The error is found by doing the same for each of the recent months, on the day with as many days left, and comparing with how it ended.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from services.billing.domain.charge import last_day
from shared.dates import Month


@dataclass(frozen=True, slots=True)
class Past:
    """A stay that has ended: its last day and its waiting days. `times` of them are alike."""

    ended_on: date
    days: int
    times: int = 1

    @property
    def ready_on(self) -> date:
        """The day the waiting began."""
        return self.ended_on - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Charging:
    """What of a rule set bears on a forecast.

    `averaged` says whether stays are taken into an average at all; those over `long_over` days (None = never) are charged by themselves
    from the day after `free_days`, and each month when `monthly`.
    """

    averaged: bool
    long_over: int | None
    free_days: int
    monthly: bool

    def alone(self, days: int) -> bool:
        """Whether a stay of so many days is charged by itself."""
        return not self.averaged or (self.long_over is not None and days > self.long_over)

    def charged(self, days: int) -> int:
        """The days of such a stay that are charged."""
        return max(0, days - self.free_days)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a month comes to: expected numbers, so none of them need be whole."""

    stays: Fraction = Fraction(0)
    in_average: Fraction = Fraction(0)
    sum_days: Fraction = Fraction(0)
    individual_days: Fraction = Fraction(0)

    @property
    def average(self) -> Fraction | None:
        """The average, None without stays."""
        return self.sum_days / self.in_average if self.in_average else None

    def __add__(self, other: "Outlook") -> "Outlook":
        return Outlook(
            self.stays + other.stays,
            self.in_average + other.in_average,
            self.sum_days + other.sum_days,
            self.individual_days + other.individual_days,
        )


@dataclass(frozen=True, slots=True)
class Error:
    """How far the same method was from the truth: over how many months, and by how many days of the average, as a mean of absolutes."""

    months: int
    mean_absolute_days: Fraction


@dataclass(frozen=True, slots=True)
class Forecast:
    """The month's end, the months and stays it rests on, and its error where that could be found."""

    outlook: Outlook
    months: int
    stays: int
    error: Error | None


@dataclass(frozen=True, slots=True)
class Window:
    """What a forecast rests on: at most so many months back, and no fewer stays in them than this."""

    months: int
    fewest: int


def forecast(
    so_far: Outlook, waiting_since: Sequence[date], past: Sequence[Past], today: date, charging: Charging, window: Window
) -> Forecast | None:
    """How the month of `today` will probably end, as it stands at the end of that day.

    Args:
        so_far: What has ended in the month, as the rules counted it.
        waiting_since: For each patient who waits and would count, the first of her waiting days.
        past: Stays of the municipality that counted and ended before this month, of twice as many months as the window has.
        today: The day.
        charging: How the rule set charges.
        window: What the forecast may rest on.

    Returns:
        None where the recent months hold too few stays to go by.
    """
    month, story = Month.of(today), _Story.of(past)
    recent = story.before(month, window)
    basis = story.of_months(recent)
    if _number(basis) < window.fewest:
        return None
    outlook = so_far + _to_come(waiting_since, story, recent, today, charging)
    return Forecast(outlook, len(recent), _number(basis), _error(waiting_since, story, recent, today, charging, window))


@dataclass(frozen=True, slots=True)
class _Story:
    """The stays that ended, by the month they ended in."""

    months: Mapping[Month, Sequence[Past]]

    @classmethod
    def of(cls, past: Iterable[Past]) -> "_Story":
        months: dict[Month, list[Past]] = {}
        for stay in past:
            months.setdefault(Month.of(stay.ended_on), []).append(stay)
        return cls(months)

    def before(self, month: Month, window: Window) -> list[Month]:
        """The months a forecast of `month` rests on: those before it, no further back than anything is known of the municipality."""
        found: list[Month] = []
        while self.months and len(found) < window.months and (month := month.previous) >= min(self.months):
            found.append(month)
        return found

    def of_months(self, months: Iterable[Month]) -> list[Past]:
        """The stays that ended in these months."""
        return [stay for month in months for stay in self.months.get(month, ())]


def _number(past: Iterable[Past]) -> int:
    return sum(stay.times for stay in past)


def _ended(lengths: Iterable[tuple[int, int]], charging: Charging, *, before: int = 0, share: int = 1) -> Outlook:
    """What stays come to that end in the month, each given by its days and how many there are of it; `share` divides all of it."""
    stays = in_average = sum_days = individual = 0
    for days, times in lengths:
        stays += times
        if charging.alone(days):
            individual += (charging.charged(days) - before) * times
        else:
            in_average += times
            sum_days += days * times
    return Outlook(Fraction(stays, share), Fraction(in_average, share), Fraction(sum_days, share), Fraction(individual, share))


def _to_come(waiting_since: Iterable[date], story: _Story, recent: Sequence[Month], today: date, charging: Charging) -> Outlook:
    """What the rest of the month adds: patients who wait, and those who are not ready yet."""
    left = (last_day(Month.of(today)) - today).days
    lengths = sorted(stay.days for stay in story.of_months(recent) for _ in range(stay.times))
    total = _ended(
        [(stay.days, stay.times) for month in recent for stay in _came_late(story, month, left)], charging, share=len(recent) or 1
    )
    for since in waiting_since:
        total += _goes_on(since, lengths, today, charging)
    return total


def _came_late(story: _Story, month: Month, left: int) -> list[Past]:
    """The stays that began and ended in the last days of a month."""
    begin = last_day(month) - timedelta(days=left)
    return [stay for stay in story.of_months([month]) if stay.ready_on > begin]


def _goes_on(since: date, lengths: Sequence[int], today: date, charging: Charging) -> Outlook:
    """A patient who waits: each longer stay of the recent months is as likely."""
    month, waited = Month.of(today), (today - since).days
    before = _so_far(since, month.first, charging)
    still = _so_far(since, month.next.first, charging) - before
    longer = lengths[bisect_right(lengths, waited) :]
    if not longer:
        return Outlook(individual_days=Fraction(still))
    in_time = longer[: bisect_right(longer, waited + (last_day(month) - today).days)]
    left = _ended([(days, 1) for days in in_time], charging, before=before, share=len(longer))
    return left + Outlook(individual_days=Fraction(still * (len(longer) - len(in_time)), len(longer)))


def _so_far(since: date, day: date, charging: Charging) -> int:
    """The days of a patient who is still there that the months before `day` have charged."""
    days = (day - since).days
    return charging.charged(days) if charging.averaged and charging.monthly and charging.alone(days) else 0


def _error(
    waiting_since: Sequence[date], story: _Story, months: Sequence[Month], today: date, charging: Charging, window: Window
) -> Error | None:
    """The same method on each of the recent months, held against how they ended."""
    left, off = (last_day(Month.of(today)) - today).days, []
    known = story.of_months(story.months)
    for month in months:
        recent = story.before(month, window)
        ended = _of(story.of_months([month]), charging)
        if _number(story.of_months(recent)) < window.fewest or ended.average is None:
            continue
        day = max(month.first, last_day(month) - timedelta(days=left))
        so_far = _of([stay for stay in story.of_months([month]) if stay.ended_on <= day], charging)
        waited = [stay.ready_on for stay in known if day < stay.ended_on and stay.ready_on <= day for _ in range(stay.times)]
        waited += [since for since in waiting_since if since <= day]
        found = so_far + _to_come(waited, story, recent, day, charging)
        if found.average is not None:
            off.append(abs(found.average - ended.average))
    return Error(len(off), sum(off, Fraction(0)) / len(off)) if off else None


def _of(past: Iterable[Past], charging: Charging) -> Outlook:
    return _ended([(stay.days, stay.times) for stay in past], charging)
