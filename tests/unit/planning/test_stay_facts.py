"""What billing is told of a stay."""

from dataclasses import fields
from datetime import timedelta

from services.planning.domain.events import CaseEvent
from services.planning.domain.fold import fold
from services.planning.domain.stay import ReadySnapshot, StaySnapshot, stay_facts
from shared.events.facts import StayChanged
from shared.events.stay_parts import ReadyNotice
from tests.builders import (
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    WARD,
    admitted,
    cancelled,
    deceased,
    discharged,
    hours,
    person_changed,
    ready,
    withdrawn,
)


def facts_of(*events: CaseEvent) -> StaySnapshot:
    snapshot = stay_facts(fold(events, DIRECTORY))
    assert snapshot is not None
    return snapshot


def test_the_snapshot_has_the_fields_of_the_fact() -> None:
    assert {field.name for field in fields(StaySnapshot)} == set(StayChanged.model_fields) - {"case_id", "case_version", "joined_cases"}
    assert {field.name for field in fields(ReadySnapshot)} == set(ReadyNotice.model_fields)


def test_a_plain_stay_is_told_with_its_sent_times() -> None:
    facts = facts_of(admitted(sent=1), ready(sent=41), discharged(), deceased(at=130))
    assert (facts.provider, facts.ward, facts.care_type, facts.municipality) == ("2321000131", WARD, "somatic", GOTEBORG)
    assert (facts.admitted_at, facts.admission_notice_sent_at) == (hours(0), hours(1))
    assert facts.ready == (ReadySnapshot(hours(41), hours(40), None, "none"),)
    assert (facts.discharged_at, facts.deceased_at, facts.last_sign_of_life_at) == (hours(120), hours(130), hours(130))
    assert (facts.sip_required, facts.cancelled, facts.findings) == (True, False, ("deceased_after_discharge",))


def test_nothing_is_told_while_no_admission_is_known() -> None:
    assert stay_facts(fold([ready()], DIRECTORY)) is None


def test_a_cancelled_stay_is_told_as_such() -> None:
    facts = facts_of(admitted(), ready(), cancelled("admitted"))
    assert facts.cancelled
    assert facts.admission_notice_sent_at is None


def test_the_24_hours_run_from_the_later_judgement() -> None:
    assert facts_of(admitted(judged_at=30)).need_judged_at == hours(30)
    assert facts_of(admitted(judged_at=-30)).need_judged_at == hours(0)


def test_nobody_is_liable_when_nothing_municipal_is_needed() -> None:
    facts = facts_of(admitted(needs=["outpatient"]), ready())
    assert (facts.municipality, facts.admission_notice_sent_at) == (None, None)


def test_a_municipality_outside_the_directory_has_no_admission_notice() -> None:
    facts = facts_of(admitted(municipality="0180"), ready())
    assert (facts.municipality, facts.admission_notice_sent_at) == ("0180", None)
    assert facts.ready[0].notice_sent_at == hours(40)


def test_after_a_corrected_registration_the_days_of_the_new_municipality_count_from_its_own_ready_notice() -> None:
    fix = admitted("fix", 0, sent=40 + 72, corrects="admitted", municipality=HARRYDA)
    facts = facts_of(admitted(), ready(), fix, discharged(at=200))
    assert facts.municipality == HARRYDA
    assert facts.admission_notice_sent_at == facts.ready[0].notice_sent_at == hours(112)
    assert facts.ready[0].ready_at == hours(112) - timedelta(hours=72)


def test_a_readiness_withdrawn_before_the_municipality_was_a_party_is_not_told() -> None:
    fix = admitted("fix", 0, sent=70, corrects="admitted", municipality=HARRYDA)
    facts = facts_of(admitted(), ready(), withdrawn(), ready("ready-2", 80), fix)
    assert [one.notice_sent_at for one in facts.ready] == [hours(80)]


def test_what_was_asked_of_the_municipality_is_told_and_nothing_else_of_the_needs() -> None:
    assert facts_of(admitted(needs=["outpatient", "municipal_social"]), ready()).municipal_needs == ("municipal_social",)
    assert facts_of(admitted(needs=["outpatient"]), ready()).municipal_needs == ()


def test_after_a_real_move_the_notices_to_the_other_municipality_are_told_beside() -> None:
    facts = facts_of(admitted(), ready(), person_changed(at=60, sent=61, moved=True))
    (other,) = facts.other_municipalities
    assert (facts.municipality, other.municipality, other.admission_notice_sent_at) == (GOTEBORG, HARRYDA, hours(61))
    assert [notice.notice_sent_at for notice in other.ready] == [hours(61)]
    assert facts_of(admitted(), ready()).other_municipalities == ()
