"""What a plan asks of whom, step by step, with or without a stay; one sentence of the rules each."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.planning.domain.case import CaseStatus
from services.planning.domain.deviations import DeviationStatus
from services.planning.domain.duties import CaseAtHand, OpenDeviation, OpenQuestion, open_duties
from services.planning.domain.duty_rules import Duty
from services.planning.domain.limits import measures_due, question_due
from services.planning.domain.plan_duties import Called, MeetingKnown, PlanOpened, UnitAt, meeting_over, plan_duties
from services.planning.domain.plans import PlanKind
from services.planning.statute import load_statute
from tests.builders import CARE_CENTRE, WARD, hours

STATUTE = load_statute()
LEAD = UnitAt(CARE_CENTRE, UUID(int=2))
MUNICIPAL = UnitAt("SE2120001355-E1", UUID(int=1))
PLAN, CALL, CASE = UUID(int=7), UUID(int=8), UUID(int=9)
MEETS = hours(50)


def a_plan(state: str, **changed: Any) -> PlanOpened:
    return replace(PlanOpened(PLAN, state, lead=LEAD, opened_at=hours(0)), **changed)


def invited(**changed: Any) -> PlanOpened:
    called = Called(CALL, MUNICIPAL, hours(1), MEETS)
    meeting = MeetingKnown(hours(1), MEETS, held=False)
    return replace(a_plan("invited", unanswered=(called,), meeting=meeting), **changed)


def owed(plan: PlanOpened, *, over: bool = False) -> dict[str, Duty]:
    return {duty.rule.value: duty for duty in plan_duties(plan, STATUTE, over=over)}


@pytest.mark.parametrize(
    ("state", "kind", "rule", "call"),
    [
        ("need", PlanKind.SIP, "ask_consent", f"PUT /v1/plans/{PLAN}/consent"),
        ("consented", PlanKind.SIP, "invite_to_plan", f"POST /v1/plans/{PLAN}/invitations"),
        ("need", PlanKind.CARE_PLAN, "invite_to_plan", f"POST /v1/plans/{PLAN}/invitations"),
    ],
)
def test_before_anybody_is_called_the_plans_own_unit_takes_the_next_step(state: str, kind: PlanKind, rule: str, call: str) -> None:
    duties = owed(a_plan(state, kind=kind))
    assert list(duties) == [rule]
    assert (duties[rule].unit, duties[rule].by, duties[rule].fulfilled_by(None)) == (CARE_CENTRE, None, call)


@pytest.mark.parametrize("state", ["refused", "withdrawn", "closed"])
def test_a_plan_against_the_patients_will_or_at_its_end_asks_nothing(state: str) -> None:
    assert owed(a_plan(state, meeting=MeetingKnown(hours(1), MEETS, held=False))) == {}


def test_who_was_called_answers_before_the_meeting() -> None:
    duty = owed(invited())["answer_invitation"]
    assert (duty.unit, duty.mailbox, duty.since, duty.by) == (*MUNICIPAL, hours(1), MEETS)
    assert duty.fulfilled_by(None) == f"POST /v1/plans/{PLAN}/invitations/{CALL}/answer"


def test_the_plans_own_unit_does_not_answer_itself_and_nobody_answers_after_the_meeting() -> None:
    assert "answer_invitation" not in owed(invited(unanswered=(Called(CALL, LEAD, hours(1)),)))
    held = invited(state="held", meeting=MeetingKnown(hours(51), MEETS, held=True))
    assert "answer_invitation" not in owed(held)
    again = replace(held, unanswered=(Called(CALL, MUNICIPAL, hours(60), hours(90)),))
    assert owed(again)["answer_invitation"].by == hours(90)


def test_a_meeting_is_overdue_when_its_day_has_passed_and_it_was_not_held() -> None:
    duty = owed(invited(meeting=MeetingKnown(hours(1), datetime(2026, 11, 12, 22, 30, tzinfo=UTC), held=False)))["hold_meeting"]
    assert (duty.unit, duty.by) == (CARE_CENTRE, datetime(2026, 11, 12, 23, 0, tzinfo=UTC))
    assert meeting_over(datetime(2026, 11, 12, 23, 0, tzinfo=UTC)) == datetime(2026, 11, 13, 23, 0, tzinfo=UTC)
    assert owed(invited(meeting=None))["hold_meeting"].by is None
    assert "hold_meeting" not in owed(a_plan("held", meeting=MeetingKnown(hours(51), MEETS, held=True)))
    assert "hold_meeting" in owed(a_plan("follow_up", meeting=MeetingKnown(hours(80), hours(99), held=False)))


def test_measures_are_written_within_a_week_of_the_meeting() -> None:
    duty = owed(a_plan("held", meeting=MeetingKnown(hours(51), MEETS, held=True)))["write_measures"]
    assert (duty.unit, duty.by) == (CARE_CENTRE, hours(50 + 7 * 24))
    assert measures_due(MEETS, STATUTE) == duty.by


def test_the_unit_with_the_main_responsibility_follows_up_on_the_day_that_was_set() -> None:
    agreed = a_plan("held", responsible=MUNICIPAL, agreed_at=hours(52), follow_up_on=date(2026, 12, 1))
    duty = owed(agreed)["follow_up"]
    assert (duty.unit, duty.since, duty.by) == (MUNICIPAL.unit, hours(52), datetime(2026, 12, 1, 23, 0, tzinfo=UTC))
    assert owed(replace(agreed, state="follow_up", follow_up_on=None)).keys() == {"close_plan"}


def test_after_a_death_nothing_is_left_of_a_plan_but_to_close_it() -> None:
    assert owed(invited(), over=True).keys() == {"close_plan"}
    for status in (CaseStatus.DECEASED, CaseStatus.CANCELLED):
        assert [duty.rule for duty in open_duties(CaseAtHand(CASE, status, plans=(invited(),)), STATUTE, hours(60))] == ["close_plan"]


def test_a_plan_goes_on_after_the_discharge_and_without_a_stay() -> None:
    rules = {"answer_invitation", "hold_meeting"}
    for case in (CaseAtHand(CASE, CaseStatus.DISCHARGED, plans=(invited(),)), CaseAtHand(PLAN, plans=(invited(stay=False),))):
        assert {duty.rule.value for duty in open_duties(case, STATUTE, hours(60))} == rules


def test_a_plan_without_a_stay_rests_on_the_law_of_health_care_and_a_care_plan_on_its_own_paragraph() -> None:
    assert owed(invited())["hold_meeting"].legal_basis == "lag (2017:612) 4 kap. 2 §"
    assert owed(invited(kind=PlanKind.CARE_PLAN))["hold_meeting"].legal_basis == "lag (2017:612) 4 kap. 1 §"
    assert owed(invited(stay=False))["hold_meeting"].legal_basis == "hälso- och sjukvårdslagen (2017:30) 16 kap. 4 §"


def test_who_calls_by_the_statutory_limit_is_not_told_of_the_same_call_twice() -> None:
    plan = PlanOpened(PLAN, "consented", lead=LEAD, opened_at=hours(0))
    case = CaseAtHand(CASE, CaseStatus.ADMITTED, sip_required=True, plans=(plan,))
    (duty,) = open_duties(case, STATUTE, hours(1))
    assert (duty.rule, duty.by) == ("invite_to_plan", None)


def test_a_question_is_answered_within_a_day() -> None:
    case = CaseAtHand(CASE, CaseStatus.DISCHARGED, questions=(OpenQuestion(UUID(int=5), MUNICIPAL, hours(3)),))
    (duty,) = open_duties(case, STATUTE, hours(4))
    assert (duty.rule, duty.unit, duty.mailbox, duty.by) == ("answer_question", *MUNICIPAL, hours(27))
    assert duty.by == question_due(hours(3), STATUTE)
    assert duty.fulfilled_by(CASE) == f"POST /v1/cases/{CASE}/messages"


@pytest.mark.parametrize("state", [DeviationStatus.REPORTED, DeviationStatus.ASSIGNED, DeviationStatus.ANSWERED])
def test_each_step_of_a_deviation_is_the_duty_of_the_unit_whose_turn_it_is(state: DeviationStatus) -> None:
    due = None if state is DeviationStatus.ANSWERED else hours(99)
    one = OpenDeviation(UUID(int=6), state, UnitAt(WARD), hours(3), due)
    (duty,) = open_duties(CaseAtHand(CASE, CaseStatus.DISCHARGED, deviations=(one,)), STATUTE, hours(4))
    verb = {"reported": "assign", "assigned": "answer", "answered": "close"}[state.value]
    assert (duty.rule, duty.unit, duty.by) == (f"{verb}_deviation", WARD, due)
    assert duty.fulfilled_by(CASE) == f"POST /v1/deviations/{UUID(int=6)}/{verb}"


def test_the_ward_corrects_whom_it_addressed_when_a_party_returned_its_notice() -> None:
    case = CaseAtHand(CASE, CaseStatus.ADMITTED, ward=WARD, admitted_at=hours(0), needs=frozenset({"outpatient"}), returned=True)
    rules = {duty.rule.value: duty for duty in open_duties(case, STATUTE, hours(1))}
    assert rules["correct_addressing"].unit == WARD
    assert "correct_addressing" not in {duty.rule for duty in open_duties(replace(case, returned=False), STATUTE, hours(1))}
