"""When somebody reads a mailbox, and who takes over otherwise."""

from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest

from services.planning.domain.duty_calendar import END_OF_DAY, DutyCalendar, Hours, attended, next_attended, reader_of
from services.planning.holidays import load_holidays

OFFICE = (Hours(time(8), time(16, 30)),)
ON_CALL, MINE = UUID(int=1), UUID(int=2)
WEEKDAYS_ONLY = DutyCalendar((OFFICE,) * 5 + ((), ()), frozenset({date(2026, 11, 5)}), outside=ON_CALL)
HOLIDAYS = load_holidays()


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    """November 2026: Swedish time is UTC + 1."""
    return datetime(2026, month, day, hour - 1, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "read"),
    [(at(6, 7, 59), False), (at(6, 8), True), (at(6, 16, 29), True), (at(6, 16, 30), False), (at(7, 12), False), (at(5, 12), False)],
)
def test_hours_hold_by_the_swedish_clock_with_their_end_not_included(instant: datetime, *, read: bool) -> None:
    assert attended(WEEKDAYS_ONLY, instant, HOLIDAYS) is read


def test_a_holiday_closes_a_mailbox_unless_its_calendar_says_otherwise() -> None:
    epiphany = datetime(2027, 1, 6, 11, tzinfo=UTC)
    assert not attended(WEEKDAYS_ONLY, epiphany, HOLIDAYS)
    assert attended(DutyCalendar((OFFICE,) * 7, holidays_closed=False), epiphany, HOLIDAYS)


def test_a_friday_evening_belongs_to_the_mailbox_on_call_and_monday_morning_to_its_own_again() -> None:
    assert reader_of(MINE, WEEKDAYS_ONLY, at(6, 18), HOLIDAYS) == ON_CALL
    assert next_attended(WEEKDAYS_ONLY, at(6, 18), HOLIDAYS) == at(9, 8)
    assert reader_of(MINE, WEEKDAYS_ONLY, at(9, 8), HOLIDAYS) == MINE


def test_a_mailbox_without_calendar_or_without_anybody_outside_keeps_what_it_has() -> None:
    alone = DutyCalendar(WEEKDAYS_ONLY.weekly)
    assert reader_of(MINE, None, at(7, 3), HOLIDAYS) == reader_of(MINE, alone, at(7, 3), HOLIDAYS) == MINE


def test_now_is_the_next_time_while_somebody_reads_and_a_calendar_without_hours_has_none() -> None:
    assert next_attended(WEEKDAYS_ONLY, at(6, 9), HOLIDAYS) == at(6, 9)
    assert next_attended(DutyCalendar(((),) * 7), at(6, 9), HOLIDAYS) is None


def test_until_midnight_means_to_the_last_moment_of_the_day() -> None:
    night = DutyCalendar(((Hours(time(20), END_OF_DAY),),) * 7)
    assert attended(night, at(6, 23, 59), HOLIDAYS)
    assert not attended(night, at(7, 1), HOLIDAYS)


def test_the_night_the_clocks_change_has_its_hours_too() -> None:
    early = DutyCalendar(((Hours(time(2), time(4)),),) * 7)
    assert next_attended(early, datetime(2026, 3, 28, 20, tzinfo=UTC), HOLIDAYS) is not None
    assert attended(early, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), HOLIDAYS), "02:30 the second time"
    half_past = DutyCalendar(((Hours(time(2, 30), time(4)),),) * 7)
    again = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert next_attended(half_past, datetime(2026, 10, 25, 1, 10, tzinfo=UTC), HOLIDAYS) == again, "asked at 02:10 the second time"


def test_holidays_are_listed_for_years_ahead_and_never_on_a_weekend() -> None:
    assert {day.year for day in HOLIDAYS} == set(range(2018, 2051))
    assert all(day.weekday() < 5 for day in HOLIDAYS)
