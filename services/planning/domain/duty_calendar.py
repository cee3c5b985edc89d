"""When somebody reads a mailbox: weekly hours by the Swedish clock, closed days, holidays; and who takes over otherwise.

Deadlines and money never move by this. It only says which mailbox a notice that waits is brought to next.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from shared.dates import at_local_time, local_date, stockholm

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
END_OF_DAY: Final = time.max
_LOOKS_AHEAD: Final = timedelta(days=366)


class Hours(NamedTuple):
    """A stretch of one day on the wall clock, its end not included; `END_OF_DAY` = until midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class DutyCalendar:
    """The hours of each weekday (Monday first), the days that are closed anyhow, and the mailbox that takes over outside (jour)."""

    weekly: tuple[tuple[Hours, ...], ...]
    closed: frozenset[date] = frozenset()
    holidays_closed: bool = True
    outside: UUID | None = None


def attended(calendar: DutyCalendar, at: datetime, holidays: AbstractSet[date]) -> bool:
    """Whether somebody reads the mailbox at this instant."""
    clock = stockholm(at).time()
    return any(hours.start <= clock < hours.end for hours in hours_on(calendar, local_date(at), holidays))


def hours_on(calendar: DutyCalendar, day: date, holidays: AbstractSet[date]) -> tuple[Hours, ...]:
    """The hours of one day."""
    closed = day in calendar.closed or (calendar.holidays_closed and day in holidays)
    return () if closed else calendar.weekly[day.weekday()]


def next_attended(calendar: DutyCalendar, at: datetime, holidays: AbstractSet[date]) -> datetime | None:
    """The instant itself when somebody reads the mailbox then, else the next one from which somebody does; none within a year."""
    if attended(calendar, at, holidays):
        return at
    first = local_date(at)
    for ahead in range(_LOOKS_AHEAD.days):
        day = first + timedelta(days=ahead)
        starts = [at_local_time(day, hours.start.replace(fold=fold)) for hours in hours_on(calendar, day, holidays) for fold in (0, 1)]
        if later := [start for start in starts if start > at]:
            return min(later)
    return None


def reader_of(mailbox: UUID, calendar: DutyCalendar | None, at: datetime, holidays: AbstractSet[date]) -> UUID:
    """The mailbox to bring something to at this instant: its own while it is attended or nobody takes over, else the one outside."""
    if calendar is None or calendar.outside is None or attended(calendar, at, holidays):
        return mailbox
    return calendar.outside
