"""The case as a fold over its events, one rule a test."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from services.planning.domain.case import TRANSITIONS, CaseState, CaseStatus, CaseTrigger
from services.planning.domain.events import CaseEvent, Compulsory, EventKey, EventType, Need
from services.planning.domain.findings import EXPLANATIONS, Finding, FindingCode
from services.planning.domain.fold import fold
from services.planning.domain.parties import Recipient
from tests.builders import (
    ALL_NEEDS,
    CARE_CENTRE,
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    SOURCE,
    WARD,
    admitted,
    block_ended,
    block_started,
    cancelled,
    date_changed,
    deceased,
    declined,
    discharged,
    hours,
    leave_ended,
    leave_started,
    person_changed,
    placed,
    ready,
    sip_contested,
    transferred,
    withdrawn,
)


def case_of(*events: CaseEvent) -> CaseState:
    return fold(events, DIRECTORY)


def found(*events: CaseEvent) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.event.id) for finding in case_of(*events).findings]


def recipients_of(state: CaseState) -> Sequence[str]:
    return [str(party.recipient) for party in state.parties]


ONE_OF_EACH = {
    EventType.ADMITTED: admitted("again", 1),
    EventType.PLANNED_DISCHARGE_CHANGED: date_changed(),
    EventType.READY: ready(),
    EventType.READY_WITHDRAWN: withdrawn(),
    EventType.DISCHARGED: discharged(),
    EventType.DECEASED: deceased(),
    EventType.TRANSFERRED: transferred(),
    EventType.LEAVE_STARTED: leave_started(),
    EventType.LEAVE_ENDED: leave_ended(),
    EventType.OUTPATIENT_BLOCK_STARTED: block_started(),
    EventType.OUTPATIENT_BLOCK_ENDED: block_ended(),
    EventType.PERSON_CHANGED: person_changed(),
    EventType.MUNICIPALITY_PLACED: placed(),
    EventType.MEASURES_DECLINED: declined(),
    EventType.SIP_CONTESTED: sip_contested(),
}


def test_the_table_answers_every_event_in_every_status() -> None:
    triggers = [kind for kind in EventType if kind is not EventType.EVENT_CANCELLED]
    assert set(TRANSITIONS) == set(product(CaseStatus, [*triggers, *CaseTrigger]))


def test_every_status_can_be_reached() -> None:
    assert {step.status for step in TRANSITIONS.values()} | {CaseStatus.CANCELLED} == set(CaseStatus)


def test_nothing_leaves_the_end_of_a_stay() -> None:
    for (status, _trigger), step in TRANSITIONS.items():
        if status in {CaseStatus.DISCHARGED, CaseStatus.DECEASED}:
            assert step.status is status


def test_each_event_does_to_an_admitted_case_what_the_table_says() -> None:
    for kind, event in ONE_OF_EACH.items():
        assert case_of(admitted(), event).status is TRANSITIONS[CaseStatus.ADMITTED, kind].status


def test_every_finding_is_explained() -> None:
    assert set(EXPLANATIONS) == set(FindingCode)
    assert all(EXPLANATIONS.values())


def test_a_case_without_events_awaits_its_admission() -> None:
    assert case_of() == CaseState(CaseStatus.AWAITING_ADMISSION)


def test_a_plain_stay_has_no_findings() -> None:
    state = case_of(admitted(), date_changed(), ready(), withdrawn(), ready("ready-2", 80), discharged())
    assert (state.status, state.findings) == (CaseStatus.DISCHARGED, ())
    assert [period.key.id for period in state.ready] == ["ready", "ready-2"]
    assert state.ready[0].withdrawn_at == hours(60)
    assert state.ready[1].withdrawn_at is None
    assert state.planned_discharge_date == date(2026, 11, 11)
    assert state.ward == WARD
    assert state.last_sign_of_life_at == hours(120)


def test_a_withdrawal_takes_a_ready_case_back_to_planning() -> None:
    assert case_of(admitted(), ready(), withdrawn()).status is CaseStatus.PLANNING


def test_death_ends_the_stay() -> None:
    state = case_of(admitted(), ready(), deceased())
    assert state.status is CaseStatus.DECEASED
    assert state.death is not None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (ready(), "ready_without_admission"),
        (withdrawn(), "withdrawal_without_admission"),
        (date_changed(), "planned_date_without_admission"),
        (discharged(), "discharged_without_admission"),
        (deceased(), "deceased_without_admission"),
    ],
)
def test_what_is_stated_without_an_admission_is_kept_and_found(event: CaseEvent, code: str) -> None:
    state = case_of(event)
    assert state.status is CaseStatus.AWAITING_ADMISSION
    assert state.findings == (Finding(FindingCode(code), event.key),)
    assert state.story == (event,)
    assert state.parties == ()


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (ready(at=-1), "ready_before_admitted"),
        (discharged(at=-1), "discharged_before_admitted"),
        (deceased(at=-1), "deceased_before_admitted"),
        (date_changed(at=-1), "planned_date_before_admitted"),
    ],
)
def test_what_happened_before_the_admission_is_found_but_counts(event: CaseEvent, code: str) -> None:
    state = case_of(event, admitted())
    assert [finding.code for finding in state.findings] == [code]
    assert state.status is TRANSITIONS[CaseStatus.ADMITTED, event.type].status


def test_of_two_admissions_the_one_sent_first_stands() -> None:
    late_but_earlier = admitted("late", -5, sent=3, municipality=HARRYDA)
    state = case_of(late_but_earlier, admitted())
    assert state.admission is not None
    assert state.admission.key.id == "admitted"
    assert ("two_admissions", "late") in found(late_but_earlier, admitted())


def test_of_two_ready_notices_without_a_withdrawal_the_one_sent_first_is_the_notice() -> None:
    earlier_but_late = ready("late", 30, sent=90)
    state = case_of(admitted(), earlier_but_late, ready())
    assert [(period.key.id, period.sent_at) for period in state.ready] == [("ready", hours(40))]
    assert found(admitted(), earlier_but_late, ready()) == [("ready_twice", "ready")]


def test_of_two_discharges_the_one_sent_first_stands() -> None:
    state = case_of(admitted(), discharged(), discharged("other", 118, sent=125))
    assert state.discharge is not None
    assert state.discharge.time == hours(120)
    assert [finding.code for finding in state.findings] == ["two_discharges"]


def test_a_withdrawal_without_readiness_is_found() -> None:
    assert found(admitted(), withdrawn()) == [("withdrawal_without_ready", "withdrawn")]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (ready(at=121), "ready_after_discharge"),
        (withdrawn(at=121), "withdrawal_after_discharge"),
        (date_changed(at=121), "planned_date_after_discharge"),
        (deceased(at=121), "deceased_after_discharge"),
        (admitted("again", 121), "two_admissions"),
    ],
)
def test_what_happens_after_the_discharge_is_found_and_changes_no_status(event: CaseEvent, code: str) -> None:
    state = case_of(admitted(), discharged(), event)
    assert state.status is CaseStatus.DISCHARGED
    assert [finding.code for finding in state.findings] == [code]


def test_a_ready_notice_sent_after_the_day_of_discharge_is_found_once() -> None:
    assert found(admitted(), ready(sent=150), discharged()) == [("ready_after_discharge", "ready")]
    assert found(admitted(), ready(at=150), discharged()) == [("ready_after_discharge", "ready")]


def test_a_ready_notice_sent_later_on_the_day_of_discharge_is_fine() -> None:
    assert found(admitted(), ready(sent=121), discharged()) == []


def test_a_withdrawal_after_the_discharge_withdraws_nothing() -> None:
    assert case_of(admitted(), ready(), discharged(), withdrawn(at=121)).ready[0].withdrawal is None


def test_a_missing_planned_date_is_found_until_one_is_known() -> None:
    assert found(admitted(planned=None)) == [("planned_date_missing", "admitted")]
    assert found(admitted(planned=None), date_changed()) == []
    assert found(admitted(), date_changed(day=None)) == [("planned_date_missing", "admitted")]


def test_who_cannot_be_reached_is_found() -> None:
    assert found(admitted(municipality="0180")) == [("municipality_unknown", "admitted")]
    assert found(admitted(municipality=None)) == [("municipality_missing", "admitted")]
    assert found(admitted(outpatient_unit="SE2321000131-X")) == [("outpatient_unit_unknown", "admitted")]
    assert found(admitted(outpatient_unit=None)) == [("outpatient_unit_missing", "admitted")]
    assert found(admitted(needs=())) == [("needs_missing", "admitted")]
    assert found(admitted(needs=["municipal_social"], outpatient_unit=None)) == []


def test_an_event_from_the_future_is_found_but_five_minutes_of_clock_are_forgiven() -> None:
    assert found(admitted(), discharged(at=120, sent=119)) == [("happened_after_sent", "discharged")]
    assert found(admitted(), discharged(at=120, sent=119.95)) == []


def test_a_correction_to_a_later_time_is_not_from_the_future() -> None:
    assert found(admitted(), discharged(), discharged("fix", 140, sent=141, corrects="discharged")) == []


# --- corrections and cancellations


def test_a_correction_replaces_its_original_and_keeps_its_sent_time() -> None:
    state = case_of(admitted(), ready(), ready("fix", 44, sent=90, corrects="ready"))
    (period,) = state.ready
    assert (period.key.id, period.ready_at, period.sent_at) == ("ready", hours(44), hours(40))


def test_of_several_corrections_the_one_sent_latest_counts() -> None:
    first, second = ready("fix-1", 44, sent=90, corrects="ready"), ready("fix-2", 42, sent=91, corrects="ready")
    assert case_of(admitted(), second, first, ready()).ready[0].ready_at == hours(42)


def test_a_correction_of_a_correction_corrects_the_original() -> None:
    chain = [ready("fix-1", 44, sent=90, corrects="ready"), ready("fix-2", 42, sent=91, corrects="fix-1")]
    (period,) = case_of(admitted(), ready(), *chain).ready
    assert (period.key.id, period.ready_at) == ("ready", hours(42))


def test_a_correction_waits_for_its_original() -> None:
    fix = ready("fix", 44, sent=90, corrects="ready")
    state = case_of(admitted(), fix)
    assert state.ready == ()
    assert state.findings == (Finding(FindingCode.CORRECTION_WAITS, fix.key),)
    assert case_of(admitted(), fix, ready()).findings == ()


def test_a_correction_of_another_type_has_no_effect() -> None:
    assert found(admitted(), ready(), discharged(corrects="ready")) == [("correction_type_differs", "discharged")]


def test_corrections_that_correct_each_other_have_no_effect() -> None:
    circle = [ready("a", corrects="b"), ready("b", corrects="a"), ready("self", corrects="self")]
    state = case_of(admitted(), *circle)
    assert state.ready == ()
    assert {finding.code for finding in state.findings} == {FindingCode.CORRECTION_IN_CIRCLE}


def test_another_sender_cannot_correct_or_cancel() -> None:
    elsewhere = EventKey(SOURCE + "X", "theirs")
    foreign = replace(cancelled("admitted"), key=elsewhere)
    assert case_of(admitted(), foreign).status is CaseStatus.ADMITTED
    assert found(admitted(), foreign) == [("cancellation_waits", "theirs")]


def test_a_cancellation_beats_corrections() -> None:
    state = case_of(admitted(), ready(), cancelled("ready"), ready("fix", 44, sent=200, corrects="ready"))
    assert (state.status, state.ready, state.findings) == (CaseStatus.ADMITTED, (), ())


def test_a_cancelled_correction_leaves_the_original() -> None:
    state = case_of(admitted(), ready(), ready("fix", 44, sent=90, corrects="ready"), cancelled("fix"))
    assert state.ready[0].ready_at == hours(40)


def test_a_cancellation_waits_for_its_target() -> None:
    assert found(admitted(), cancelled("ready")) == [("cancellation_waits", "cancel-ready")]
    assert case_of(admitted(), cancelled("ready", sent=10), ready()).ready == ()


def test_a_cancelled_cancellation_takes_nothing_away() -> None:
    state = case_of(admitted(), ready(), cancelled("ready", at=50), cancelled("cancel-ready", at=55))
    assert state.status is CaseStatus.READY
    assert state.ready[0].sent_at == hours(40)


def test_a_corrected_cancellation_takes_away_what_the_correction_names() -> None:
    state = case_of(
        admitted(), ready(), discharged(), cancelled("ready", at=125), cancelled("discharged", "fix", 126, corrects="cancel-ready")
    )
    assert state.status is CaseStatus.READY


def test_two_cancellations_of_each_other_leave_the_later_one() -> None:
    state = case_of(admitted(), ready(), cancelled("y", "x", 50), cancelled("x", "y", 51))
    assert state.status is CaseStatus.READY
    assert state.findings == ()


def test_a_cancelled_admission_cancels_the_case_without_findings() -> None:
    state = case_of(admitted(), ready(), cancelled("admitted"))
    assert (state.status, state.parties, state.findings) == (CaseStatus.CANCELLED, (), ())
    assert state.about is not None


def test_a_new_admission_after_a_cancelled_one_starts_the_stay_anew() -> None:
    state = case_of(admitted(), cancelled("admitted", at=1), admitted("new", 2))
    assert state.status is CaseStatus.ADMITTED
    assert {party.since for party in state.parties} == {hours(2)}


# --- parties


@pytest.mark.parametrize(
    ("needs", "recipients"),
    [
        (["municipal_social"], ["municipality:1480"]),
        (["municipal_health"], ["municipality:1480", f"unit:{CARE_CENTRE}"]),
        (["outpatient"], [f"unit:{CARE_CENTRE}"]),
        (ALL_NEEDS, ["municipality:1480", f"unit:{CARE_CENTRE}"]),
        ([], []),
    ],
)
def test_needs_decide_who_is_concerned(needs: Sequence[Need], recipients: Sequence[str]) -> None:
    assert recipients_of(case_of(admitted(needs=needs))) == recipients


def test_outpatient_care_is_always_told_where_municipal_health_care_is() -> None:
    assert Recipient("unit", CARE_CENTRE) in {party.recipient for party in case_of(admitted(needs=["municipal_health"])).parties}


def test_a_corrected_registration_makes_the_new_municipality_a_party_from_then_on() -> None:
    state = case_of(admitted(), admitted("fix", 0, sent=50, corrects="admitted", municipality=HARRYDA))
    assert {(party.recipient.code, party.since) for party in state.parties} == {(HARRYDA, hours(50)), (CARE_CENTRE, hours(0))}


def test_a_municipality_that_was_corrected_away_and_back_is_a_party_from_its_return() -> None:
    away = admitted("away", 0, sent=50, corrects="admitted", municipality=HARRYDA)
    back = admitted("back", 0, sent=60, corrects="admitted", municipality=GOTEBORG)
    since = {party.recipient.code: party.since for party in case_of(admitted(), away, back).parties}
    assert since == {GOTEBORG: hours(60), CARE_CENTRE: hours(0)}


def test_a_correction_that_leaves_the_parties_alone_moves_no_time() -> None:
    state = case_of(admitted(), admitted("fix", 1, sent=50, corrects="admitted", planned=None))
    assert {party.since for party in state.parties} == {hours(0)}


def test_a_cancelled_ready_notice_moves_no_party() -> None:
    assert {party.since for party in case_of(admitted(), ready(), cancelled("ready")).parties} == {hours(0)}


# --- SIP


@pytest.mark.parametrize(
    ("needs", "required"),
    [
        (["municipal_social", "outpatient"], True),
        (["municipal_health", "outpatient"], True),
        (["municipal_social", "municipal_health"], False),
        (["outpatient"], False),
        ([], False),
    ],
)
def test_a_sip_is_required_when_region_and_municipality_both_have_measures(needs: Sequence[Need], required: bool) -> None:
    assert case_of(admitted(needs=needs)).sip_required is required


@pytest.mark.parametrize("compulsory", ["opt", "orv"])
def test_no_sip_is_required_under_compulsory_outpatient_care(compulsory: Compulsory) -> None:
    assert case_of(admitted(), ready(compulsory=compulsory)).sip_required is False


def test_the_latest_readiness_says_whether_care_is_compulsory() -> None:
    state = case_of(admitted(), ready(compulsory="opt"), withdrawn(), ready("ready-2", 80))
    assert state.sip_required is True
