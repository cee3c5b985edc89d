"""Which reminders open duties call for, and when."""

from uuid import UUID

import pytest

from services.planning.domain.duty_rules import Duty, DutyRule
from services.planning.domain.reminders import Step, reminders
from services.planning.statute import load_statute
from tests.builders import hours

STATUTE = load_statute()
BOX = UUID(int=1)


def a_duty(by: float | None = 24, *, since: float = 0, mailbox: UUID | None = BOX, at_once: bool = False) -> Duty:
    limit = None if by is None else hours(by)
    return Duty(DutyRule.ACKNOWLEDGE, "acknowledge 1", "unit", hours(since), limit, mailbox, None, at_once=at_once)


def steps(duty: Duty, imported_until: float | None = None) -> list[tuple[Step, float]]:
    known = None if imported_until is None else hours(imported_until)
    return [(one.step, (one.at - hours(0)).total_seconds() / 3600) for one in reminders([duty], STATUTE, imported_until=known)]


def test_a_duty_with_a_limit_is_reminded_of_four_hours_before_and_when_it_is_over() -> None:
    assert steps(a_duty()) == [(Step.SOON_DUE, 20), (Step.OVERDUE, 24)]


def test_what_is_due_within_four_hours_is_not_called_soon_due_as_well() -> None:
    assert steps(a_duty(3)) == [(Step.OVERDUE, 3)]


def test_what_must_reach_somebody_at_once_is_told_when_it_comes_in() -> None:
    assert steps(a_duty(at_once=True))[0] == (Step.CAME_IN, 0)


@pytest.mark.parametrize("duty", [a_duty(None), a_duty(mailbox=None)])
def test_a_duty_without_limit_or_mailbox_reminds_nobody(duty: Duty) -> None:
    assert steps(duty) == []


def test_what_was_imported_reminds_nobody_and_what_came_after_it_does() -> None:
    assert steps(a_duty(at_once=True), imported_until=0) == []
    assert steps(a_duty(since=1, by=25), imported_until=0) == [(Step.SOON_DUE, 21), (Step.OVERDUE, 25)]
