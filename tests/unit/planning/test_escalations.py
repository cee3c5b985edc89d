"""When somebody else is told that nobody has taken a notice on."""

from uuid import UUID

import pytest

from services.planning.domain.alarms import EscalationStep, escalations
from services.planning.domain.duty_rules import Duty, DutyRule
from services.planning.statute import load_statute
from tests.builders import hours

STATUTE = load_statute()
BOX, NOTICE = UUID(int=1), UUID(int=2)


def a_duty(
    rule: DutyRule = DutyRule.ACKNOWLEDGE,
    *,
    since: float = 0,
    by: float | None = 24,
    mailbox: UUID | None = BOX,
    about: UUID | None = NOTICE,
) -> Duty:
    return Duty(rule, "acknowledge 2", "unit", hours(since), None if by is None else hours(by), mailbox, about)


def steps(*duties: Duty, imported_until: float | None = None) -> list[tuple[EscalationStep, float]]:
    known = None if imported_until is None else hours(imported_until)
    return [(one.step, (one.at - hours(0)).total_seconds() / 3600) for one in escalations(duties, STATUTE, imported_until=known)]


def test_contacts_are_told_at_the_limit_whoever_is_on_call_four_hours_later_and_the_operator_after_a_day() -> None:
    assert steps(a_duty()) == [(EscalationStep.CONTACT, 24), (EscalationStep.ON_CALL, 28), (EscalationStep.OPERATOR, 48)]


@pytest.mark.parametrize("duty", [a_duty(DutyRule.ANSWER_WARD), a_duty(by=None), a_duty(mailbox=None), a_duty(about=None)])
def test_only_notices_with_a_limit_in_a_mailbox_escalate(duty: Duty) -> None:
    assert steps(duty) == []


def test_what_was_imported_never_escalates_and_what_came_after_it_does() -> None:
    assert steps(a_duty(), imported_until=0) == []
    assert len(steps(a_duty(since=1, by=25), imported_until=0)) == 3


def test_earlier_steps_come_first_over_all_notices() -> None:
    found = steps(a_duty(), a_duty(by=20))
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert len(found) == 6
