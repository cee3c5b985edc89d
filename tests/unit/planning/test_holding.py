"""Where nobody declared that wards share their stay ids, an id alone gives no ward another ward's patient: one rule a test."""

from dataclasses import replace
from itertools import pairwise, permutations
from time import process_time

import pytest

from services.planning.domain.case import CaseState, CaseStatus
from services.planning.domain.events import CaseEvent, EventKey, EventType, StayKey, Transfer
from services.planning.domain.fold import fold
from services.planning.domain.joining import led_from
from shared.identifiers import uuid7
from tests.builders import (
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    OTHER_WARD,
    STAY,
    WARD,
    a_person,
    a_personnummer,
    admitted,
    block_ended,
    block_started,
    cancelled,
    date_changed,
    deceased,
    discharged,
    hours,
    leave_ended,
    leave_started,
    person_changed,
    ready,
    transferred,
    withdrawn,
)

THIRD_WARD = "SE2321000131-E000000000301"
DECLARED = STAY._replace(space="2321000131/su")
STRANGER = a_person(id=a_personnummer(1), registered_municipality=HARRYDA)


def by_other(event: CaseEvent, ward: str = OTHER_WARD) -> CaseEvent:
    """The same event as another ward of the care provider states it under the same id of the stay."""
    return replace(event, key=EventKey(f"urn:hsa:{ward}", f"{event.key.id}-other"))


def declared(*events: CaseEvent) -> list[CaseEvent]:
    """The same events by wards that declared one record system."""
    data = [replace(event.data, to_space=DECLARED.space) if isinstance(event.data, Transfer) else event.data for event in events]
    return [replace(event, stay=DECLARED, data=told) for event, told in zip(events, data, strict=True)]


def case_of(*events: CaseEvent) -> CaseState:
    """The case, which must be the same in whatever order the events come."""
    states = [fold(order, DIRECTORY) for order in permutations(events)]
    assert all(state == states[0] for state in states)
    return states[0]


def found(state: CaseState) -> set[tuple[str, str]]:
    return {(finding.code.value, finding.event.id) for finding in state.findings if "holder" in finding.code}


def concerned(state: CaseState) -> set[str]:
    return {party.recipient.code for party in state.parties if party.recipient.kind == "municipality"}


@pytest.mark.parametrize("at", [-50, 0, 10, 40], ids=["before the admission", "with it", "after it", "much later"])
def test_another_ward_moves_nobody_whatever_time_it_states(at: float) -> None:
    state = case_of(admitted(), by_other(transferred(at=at, sent=41)))
    assert (state.ward, state.transfers, found(state)) == (WARD, (), {("transfer_not_by_holder", "transferred-other")})


def test_whom_the_holder_moved_her_to_moves_her_on() -> None:
    state = case_of(admitted(), transferred(), by_other(transferred("onward", at=40, to_unit=THIRD_WARD)))
    assert (state.ward, found(state)) == (THIRD_WARD, set())


def test_a_ward_that_the_patient_has_left_moves_her_no_more() -> None:
    state = case_of(admitted(), transferred(), transferred("again", at=40, to_unit=THIRD_WARD))
    assert (state.ward, found(state)) == (OTHER_WARD, {("transfer_not_by_holder", "again")})


def test_in_a_declared_stay_space_any_ward_of_it_moves_her_and_speaks_of_her() -> None:
    said = declared(admitted(), by_other(transferred(to_unit=THIRD_WARD)), by_other(ready(at=35)), by_other(discharged()))
    state = case_of(*said)
    assert (state.ward, state.status, found(state)) == (THIRD_WARD, CaseStatus.DISCHARGED, set())


def test_a_space_is_shared_only_by_wards_that_both_declared_it() -> None:
    """A ward of another provider whose space is called like the number of this one shares nothing with its wards."""
    foreign = replace(transferred("foreign"), key=EventKey("urn:hsa:SE5560000001-E1", "foreign"))
    state = case_of(admitted(), foreign)
    assert (state.ward, found(state)) == (WARD, {("transfer_not_by_holder", "foreign")})


@pytest.mark.parametrize("at", [-50, 0, 40])
def test_a_second_admission_by_another_ward_takes_nothing_over(at: float) -> None:
    state = case_of(admitted(sent=1), by_other(admitted(at=at, sent=2, municipality=HARRYDA)))
    assert (state.ward, concerned(state)) == (WARD, {GOTEBORG})
    assert found(state) == {("not_by_holder", "admitted-other")}
    assert ("two_admissions", "admitted-other") in [(finding.code, finding.event.id) for finding in state.findings]


def test_a_ward_that_admits_anew_gets_its_own_stay_back() -> None:
    other = by_other(admitted(at=5, municipality=HARRYDA))
    state = case_of(admitted(), other, cancelled("admitted", at=6), admitted("anew", at=7))
    assert (state.ward, concerned(state), state.admission and state.admission.key.id) == (WARD, {GOTEBORG}, "anew")


def test_what_another_ward_admitted_is_told_once_the_first_took_its_own_away() -> None:
    state = case_of(admitted(), by_other(admitted(at=5, municipality=HARRYDA)), cancelled("admitted", at=6))
    assert (state.ward, concerned(state)) == (OTHER_WARD, {HARRYDA})


def test_a_ward_that_spoke_before_the_admission_was_known_does_not_keep_the_case() -> None:
    early = [by_other(leave_started(sent=-2)), by_other(transferred("mine", at=1, sent=-1, to_unit=THIRD_WARD))]
    assert case_of(*early).ward == THIRD_WARD, "nobody else has said anything of it"
    assert case_of(*early, admitted()).ward == WARD


@pytest.mark.parametrize("amending", [cancelled("transferred"), transferred("fix", to_unit=THIRD_WARD, corrects="transferred", sent=50)])
def test_nobody_cancels_or_corrects_what_another_ward_stated(amending: CaseEvent) -> None:
    state = case_of(admitted(), transferred(), by_other(amending))
    assert state.ward == OTHER_WARD
    assert {finding.code for finding in state.findings} <= {"cancellation_waits", "correction_waits"}


_OTHERS: list[CaseEvent] = [
    date_changed("date", 20, hours(200).date()),
    ready(at=21),
    withdrawn(at=60),
    leave_started(),
    leave_ended(),
    block_started(),
    discharged(),
    deceased(),
]
NAMED = {
    EventType.PLANNED_DISCHARGE_CHANGED: "planned_date_not_by_holder",
    EventType.LEAVE_STARTED: "leave_not_by_holder",
    EventType.LEAVE_ENDED: "leave_not_by_holder",
}
"""What moves nothing that is charged has a name of its own, so that nobody must judge it before a bill."""


@pytest.mark.parametrize("event", _OTHERS, ids=[event.type.value for event in _OTHERS])
def test_whatever_else_another_ward_states_counts_and_is_found(event: CaseEvent) -> None:
    state = case_of(admitted(), by_other(event))
    assert f"{event.key.id}-other" in {told.key.id for told in state.story}
    assert found(state) == {(NAMED.get(event.type, "not_by_holder"), f"{event.key.id}-other")}
    assert state.ward == WARD


@pytest.mark.parametrize("event", [block_started(), block_ended(at=90)], ids=["a block", "the end of one"])
def test_a_ward_hides_nothing_by_naming_it_as_we_name_what_is_stated_with_a_command(event: CaseEvent) -> None:
    named = replace(event, key=EventKey(f"urn:hsa:{OTHER_WARD}", str(uuid7())))
    assert found(case_of(admitted(), named)) == {("not_by_holder", named.key.id)}
    assert found(case_of(admitted(), replace(named, by_command=True))) == set(), "it was its to state, as the command found"


def test_what_a_ward_corrects_of_its_own_command_is_a_wards_statement_again() -> None:
    stated = replace(by_other(block_started()), by_command=True)
    corrected = by_other(block_started("again", 70, corrects=stated.key.id))
    assert found(case_of(admitted(), stated, corrected)) == {("not_by_holder", stated.key.id)}


def test_a_ward_that_the_patient_has_left_is_found_and_one_that_she_is_coming_to_is_not() -> None:
    state = case_of(admitted(), by_other(ready(at=29)), transferred(at=30), leave_started(at=31))
    assert found(state) == {("leave_not_by_holder", "leave")}


def test_the_ward_that_admitted_her_may_tell_who_she_is_when_she_has_moved_on_for_it_may_correct_its_admission_then_too() -> None:
    changed = person_changed(at=40)
    state = case_of(admitted(), transferred(), changed)
    assert (concerned(state), found(state)) == ({HARRYDA}, set())
    assert found(case_of(admitted(), transferred(), admitted("again", sent=40, municipality=HARRYDA, corrects="admission"))) == set()
    further = by_other(transferred("on", at=35, to_unit=THIRD_WARD))
    assert found(case_of(admitted(), transferred(), further, by_other(changed))) == {("not_by_holder", "person-other")}


def test_another_ward_cannot_make_her_another_person() -> None:
    wrong = by_other(person_changed(person=STRANGER, municipality=HARRYDA))
    state = case_of(admitted(), wrong)
    assert (concerned(state), found(state)) == ({GOTEBORG}, {("person_change_not_by_holder", "person-other")})
    moved_on = case_of(admitted(), transferred(), wrong)
    assert (concerned(moved_on), found(moved_on)) == ({HARRYDA}, set()), "the ward that holds her says who she is"


def test_where_another_ward_knows_her_number_it_may_tell_where_she_lives() -> None:
    state = case_of(admitted(), by_other(person_changed()))
    assert (concerned(state), found(state)) == ({HARRYDA}, {("not_by_holder", "person-other")})


def test_who_is_told_of_a_change_hears_it_from_when_the_ward_that_stated_it_held_her() -> None:
    wrong = by_other(person_changed(at=10, person=STRANGER, municipality=HARRYDA))
    state = case_of(admitted(), wrong, transferred(at=5, sent=30))
    assert {party.recipient.code: party.since for party in state.parties}[HARRYDA] == hours(30)


def test_a_transfer_by_another_ward_joins_no_stays() -> None:
    there = StayKey(STAY.space, "NU-1")
    away = by_other(transferred(to_subject="NU-1"))
    assert led_from({STAY: [admitted(), away]}) == {STAY: frozenset()}
    own = [replace(by_other(admitted()), stay=there)]
    assert led_from({STAY: [admitted(), transferred(to_subject="NU-1")], there: own}) == {STAY: {there}, there: frozenset()}


def test_whom_a_stay_was_led_to_leads_it_on_in_whatever_order_the_stays_are_read() -> None:
    second, third = StayKey(STAY.space, "2"), StayKey(STAY.space, "3")
    onward = replace(by_other(transferred("onward", at=40, to_unit=THIRD_WARD, to_subject="3")), stay=second)
    admission = replace(by_other(admitted(), THIRD_WARD), stay=second)  # by a ward that she was not led to
    stays = {STAY: [admitted(), transferred(to_subject="2")], second: [admission, onward]}
    for order in (stays, dict(reversed(stays.items()))):
        assert led_from(order) == {STAY: {second}, second: {third}}
    assert led_from({second: stays[second]}) == {second: frozenset()}, "nothing led the patient to that ward"


def test_the_source_alone_tells_one_ward_from_another() -> None:
    """The control of all the above: the same events by the wards that held her, and nothing is found."""
    state = case_of(admitted(), transferred(), by_other(discharged()))
    assert (state.ward, state.status, found(state)) == (OTHER_WARD, CaseStatus.DISCHARGED, set())


def test_a_way_through_many_wards_costs_no_more_than_it_is_long() -> None:
    """Whoever speaks for many wards could keep everybody waiting with one stay; when each was looked at anew it took half a minute."""
    wards = [WARD, *(f"SE2321000131-E{number:012d}" for number in range(2_000))]
    moves = [
        replace(transferred(f"move-{number}", at=20 + number / 100, to_unit=to), key=EventKey(f"urn:hsa:{ward}", f"move-{number}"))
        for number, (ward, to) in enumerate(pairwise(wards))
    ]
    begun = process_time()
    assert led_from({STAY: [admitted(), *moves]}) == {STAY: frozenset()}
    state = fold([admitted(), *moves], DIRECTORY)
    assert process_time() - begun < 3
    assert (state.ward, len(state.transfers), found(state)) == (wards[-1], 2_000, set())
