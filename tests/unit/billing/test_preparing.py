"""Domain rule 3.8: the machine prepares what is over, leaves alone what a person has touched, and its own work for a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.billing.domain.closing import MonthState
from services.billing.domain.persons import Actor
from services.billing.domain.preparing import MACHINE, MachineTerms, machine_may_prepare, months_due
from shared.dates import Month

AT = datetime(2026, 4, 10, 9, tzinfo=UTC)
ANNA = Actor("controller", "Anna Test")


def terms(after_days: int = 3, first: Month | None = None) -> MachineTerms:
    return MachineTerms(after_days, timedelta(minutes=60), first)


@pytest.mark.parametrize(
    ("today", "after_days", "first", "months"),
    [
        (date(2026, 4, 3), 3, None, []),
        (date(2026, 4, 4), 3, None, ["2026-03"]),
        (date(2026, 4, 1), 0, None, ["2026-03"]),
        (date(2026, 3, 31), 0, None, ["2026-02"]),
        (date(2026, 4, 30), 3, None, ["2026-03"]),
        (date(2026, 1, 4), 3, None, ["2025-12"]),
        (date(2026, 4, 4), 3, Month(2026, 1), ["2026-01", "2026-02", "2026-03"]),
        (date(2026, 4, 3), 3, Month(2026, 1), ["2026-01", "2026-02"]),
        (date(2026, 4, 4), 3, Month(2026, 4), []),
        (date(2026, 4, 4), 3, Month(2027, 1), []),
        (date(2026, 4, 1), 40, None, []),
    ],
)
def test_which_months_are_due(today: date, after_days: int, first: Month | None, months: list[str]) -> None:
    assert [str(month) for month in months_due(today, terms(after_days, first))] == months


@pytest.mark.parametrize("state", list(MonthState))
@pytest.mark.parametrize("by", [None, ANNA, MACHINE])
@pytest.mark.parametrize("hours", [0, 23, 24])
def test_what_is_the_machine_s_to_prepare(state: MonthState, by: Actor | None, hours: int) -> None:
    may = machine_may_prepare(state, by, None if by is None else AT - timedelta(hours=hours), AT, terms())
    assert may == (state is MonthState.OPEN or (state is MonthState.PREPARED and by == MACHINE and hours >= 24))


def test_the_machine_is_nobody_s_second_pair_of_eyes() -> None:
    assert MACHINE.named
    assert not MACHINE.is_same_person_as(ANNA)
