"""What each unit owes in a case, derived from the rules; one sentence of them each."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.planning.domain.case import CaseStatus
from services.planning.domain.duties import CaseAtHand, OpenNotice, PartyAt, duties_of_units, open_duties
from services.planning.domain.duty_rules import EXPLAINED, Duty, DutyRule
from services.planning.domain.party_status import PartyStatus
from services.planning.domain.plan_duties import PlanOpened, UnitAt
from services.planning.statute import load_statute
from tests.builders import ALL_NEEDS, CARE_CENTRE, GOTEBORG, WARD, hours

STATUTE = load_statute()
MUNICIPAL_UNIT = "SE2120001355-E1"
MUNICIPALITY = PartyAt(UUID(int=1), MUNICIPAL_UNIT, f"municipality:{GOTEBORG}", hours(0))
CENTRE = PartyAt(UUID(int=2), CARE_CENTRE, f"unit:{CARE_CENTRE}", hours(0))
PLAN = UUID(int=7)
CALLED = frozenset({f"municipality:{GOTEBORG}"})


def a_case(**changed: Any) -> CaseAtHand:
    case = CaseAtHand(
        id=UUID(int=9),
        status=CaseStatus.ADMITTED,
        ward=WARD,
        admitted_at=hours(0),
        ready_notice_sent_at=None,
        planned_discharge_date=date(2026, 11, 9),
        needs=frozenset(ALL_NEEDS),
        sip_required=True,
        outpatient_unit=CARE_CENTRE,
        has_care_contact=False,
        parties=(MUNICIPALITY, CENTRE),
    )
    return replace(case, **changed)


def ready_case(**changed: Any) -> CaseAtHand:
    return a_case(**({"status": CaseStatus.READY, "ready_notice_sent_at": hours(40)} | changed))


def owed(case: CaseAtHand, unit: str, at: float = 1) -> dict[str, Duty]:
    return {duty.rule.value: duty for duty in duties_of_units(open_duties(case, STATUTE, hours(at)), frozenset({unit}))}


def test_every_unit_that_got_the_admission_notice_is_to_begin_planning_and_the_law_gives_no_number() -> None:
    duty = owed(a_case(), MUNICIPAL_UNIT)["start_planning"]
    assert (duty.since, duty.by) == (hours(0), None)
    assert owed(a_case(parties=(MUNICIPALITY._replace(status=PartyStatus.RECEIVED), CENTRE)), MUNICIPAL_UNIT) == {}


def test_a_party_answers_within_a_day_of_the_ready_notice() -> None:
    assert owed(ready_case(), MUNICIPAL_UNIT)["answer_ward"].by == hours(64)
    assessing = ready_case(parties=(MUNICIPALITY._replace(status=PartyStatus.ASSESSING),))
    assert list(owed(assessing, MUNICIPAL_UNIT)) == ["answer_ward"]


@pytest.mark.parametrize("status", [PartyStatus.READY_FROM, PartyStatus.NEEDS, PartyStatus.NO_MEASURES])
def test_whoever_has_answered_owes_the_ward_nothing_more(status: PartyStatus) -> None:
    assert owed(ready_case(parties=(MUNICIPALITY._replace(status=status),)), MUNICIPAL_UNIT) == {}


def test_a_party_that_came_in_after_the_ready_notice_answers_from_when_it_did() -> None:
    late = ready_case(parties=(MUNICIPALITY._replace(since=hours(50)),))
    assert owed(late, MUNICIPAL_UNIT)["answer_ward"].by == hours(74)


def test_the_care_contact_is_to_be_appointed_before_the_planned_day_of_discharge() -> None:
    assert owed(a_case(), CARE_CENTRE)["appoint_care_contact"].by == datetime(2026, 11, 8, 23, 0, tzinfo=UTC)
    assert owed(a_case(planned_discharge_date=None), CARE_CENTRE)["appoint_care_contact"].by is None
    assert "appoint_care_contact" not in owed(a_case(has_care_contact=True), CARE_CENTRE)


def test_a_required_plan_is_opened_before_and_called_within_three_days_of_the_ready_notice() -> None:
    assert owed(a_case(), CARE_CENTRE)["open_plan"].by is None
    assert owed(a_case(sip_required=False), CARE_CENTRE).keys() == {"start_planning", "appoint_care_contact"}
    duty = owed(ready_case(plans=(PlanOpened(PLAN, "consented", lead=UnitAt(CARE_CENTRE)),)), CARE_CENTRE)["invite_to_plan"]
    assert duty.by == datetime(2026, 11, 8, 23, 0, tzinfo=UTC)
    assert duty.fulfilled_by(UUID(int=9)) == f"POST /v1/plans/{PLAN}/invitations"


def test_a_plan_that_must_first_be_opened_is_called_to_by_opening_it() -> None:
    assert owed(ready_case(), CARE_CENTRE)["invite_to_plan"].fulfilled_by(UUID(int=9)) == "POST /v1/plans"


@pytest.mark.parametrize(("state", "invited"), [("invited", True), ("refused", False), ("withdrawn", True)])
def test_nobody_is_to_be_called_twice_or_against_the_patients_will(state: str, invited: bool) -> None:
    plan = PlanOpened(PLAN, state, called=CALLED if invited else frozenset())
    assert "invite_to_plan" not in owed(ready_case(plans=(plan,)), CARE_CENTRE)


def test_a_notice_is_owed_an_acknowledgement_even_after_discharge() -> None:
    notice = OpenNotice(UUID(int=5), "notice.discharged", UUID(int=1), MUNICIPAL_UNIT, hours(100))
    (duty,) = open_duties(a_case(status=CaseStatus.DISCHARGED, notices=(notice,)), STATUTE, hours(101))
    assert (duty.rule, duty.by, duty.fulfilled_by(UUID(int=9))) == (
        DutyRule.ACKNOWLEDGE,
        hours(124),
        f"POST /v1/notices/{UUID(int=5)}/acknowledgement",
    )


def test_the_ward_keeps_what_the_others_plan_by() -> None:
    assert owed(a_case(), WARD) == {}
    assert list(owed(a_case(planned_discharge_date=None), WARD)) == ["state_planned_date"]
    assert list(owed(a_case(needs=frozenset(), parties=()), WARD)) == ["state_needs"]
    assert list(owed(a_case(), WARD, at=24 * 6)) == []
    assert list(owed(a_case(), WARD, at=24 * 7)) == ["renew_planned_date"]
    assert owed(ready_case(), WARD, at=24 * 7) == {}


@pytest.mark.parametrize("status", [CaseStatus.DISCHARGED, CaseStatus.DECEASED, CaseStatus.CANCELLED])
def test_a_stay_that_is_over_asks_for_no_more_planning(status: CaseStatus) -> None:
    assert open_duties(a_case(status=status), STATUTE, hours(1)) == ()


def test_the_earliest_deadline_comes_first_and_what_has_none_comes_last() -> None:
    limits = [duty.by for duty in open_duties(ready_case(), STATUTE, hours(41))]
    dated = [by for by in limits if by is not None]
    assert limits == [*sorted(dated), *[None] * (len(limits) - len(dated))]


def test_every_duty_says_why_by_which_paragraph_and_how_it_is_done() -> None:
    assert set(EXPLAINED) == set(DutyRule)
    for rule, told in EXPLAINED.items():
        beside = rule.value.endswith("_deviation") or rule is DutyRule.ANSWER_QUESTION
        assert told.why
        assert told.legal_basis.startswith("lag (2017:612)") is not beside
        assert told.legal_basis.endswith("§") or told.legal_basis.endswith("§§")
        assert told.fulfilled_by.split()[1].startswith("/v1/")


@pytest.mark.parametrize(("rule", "case"), [("start_planning", a_case()), ("answer_ward", ready_case())])
def test_a_unit_that_was_told_in_two_of_its_mailboxes_owes_one_answer(rule: str, case: CaseAtHand) -> None:
    later = MUNICIPALITY._replace(mailbox=UUID(int=3), since=hours(2))
    told_twice = replace(case, parties=(later, MUNICIPALITY, CENTRE))
    (duty,) = [one for one in open_duties(told_twice, STATUTE, hours(1)) if (one.unit, one.rule) == (MUNICIPAL_UNIT, rule)]
    assert duty.mailbox == MUNICIPALITY.mailbox, "the one that was told first"
