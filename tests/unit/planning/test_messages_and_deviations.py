"""The lives of a message and of a deviation."""

from itertools import product

import pytest

from services.planning.domain.deviations import (
    DEVIATION_TRANSITIONS,
    DeviationStatus,
    DeviationTimes,
    DeviationTrigger,
    due_at,
    move,
    statistics,
)
from services.planning.domain.messages import MESSAGE_TRANSITIONS, MessageStatus, MessageTrigger, answered, check_text
from services.planning.statute import load_statute
from shared.errors import Refused
from tests.builders import hours

DEVIATION_REFUSED = {
    (DeviationStatus.REPORTED, DeviationTrigger.ANSWER): "deviation.not_assigned",
    **{(DeviationStatus.CLOSED, trigger): "deviation.closed" for trigger in DeviationTrigger},
}


@pytest.mark.parametrize(("status", "trigger"), list(product(MessageStatus, MessageTrigger)))
def test_a_question_is_answered_and_an_answer_is_not(status: MessageStatus, trigger: MessageTrigger) -> None:
    if status is MessageStatus.ANSWER:
        with pytest.raises(Refused, match="not_a_question"):
            answered(status)
    else:
        assert answered(status) is MESSAGE_TRANSITIONS[status, trigger] is MessageStatus.ANSWERED


def test_free_text_needs_consent_and_a_topic_alone_does_not() -> None:
    check_text(None, consented=False)
    check_text("Hur går det?", consented=True)
    with pytest.raises(Refused, match=r"consent\.missing"):
        check_text("Hur går det?", consented=False)


@pytest.mark.parametrize(("status", "trigger"), list(product(DeviationStatus, DeviationTrigger)))
def test_each_status_allows_what_the_table_says_and_refuses_the_rest(status: DeviationStatus, trigger: DeviationTrigger) -> None:
    if (status, trigger) in DEVIATION_REFUSED:
        with pytest.raises(Refused) as refusal:
            move(status, trigger)
        assert refusal.value.code == DEVIATION_REFUSED[status, trigger]
    else:
        assert move(status, trigger) is DEVIATION_TRANSITIONS[status, trigger]


def test_a_deviation_is_assigned_within_a_week_and_answered_within_a_month() -> None:
    statute = load_statute()
    assert due_at(DeviationStatus.REPORTED, hours(0), statute) == hours(7 * 24)
    assert due_at(DeviationStatus.ASSIGNED, hours(0), statute) == hours(30 * 24)
    assert due_at(DeviationStatus.ANSWERED, hours(0), statute) is None
    assert due_at(DeviationStatus.CLOSED, hours(0), statute) is None


def test_each_step_of_the_chain_tells_how_many_deviations_it_had_and_how_long_answers_took() -> None:
    seen = [
        DeviationTimes("discharge", "self_care", hours(0), hours(10), hours(20), None),
        DeviationTimes("discharge", "medication", hours(0), hours(30), None, None),
        DeviationTimes("discharge", "self_care", hours(0), None, None, hours(40)),
        DeviationTimes("admission", "notice_late", hours(0), None, None, hours(90)),
    ]
    admission, discharge = statistics(seen, hours(50))
    assert (admission.step, admission.reported, admission.overdue, admission.median_hours_to_answer) == ("admission", 1, 0, None)
    assert (discharge.reported, discharge.answered, discharge.closed, discharge.overdue) == (3, 2, 1, 1)
    assert discharge.median_hours_to_answer == "20.0"
    assert discharge.categories == {"medication": 1, "self_care": 2}


def test_an_odd_number_of_answers_has_its_middle_one_as_median() -> None:
    seen = [DeviationTimes("plan", "plan", hours(0), hours(took), None, None) for took in (5, 100, 7)]
    assert statistics(seen, hours(200))[0].median_hours_to_answer == "7.0"
