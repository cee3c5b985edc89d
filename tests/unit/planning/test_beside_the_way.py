"""Transfers, leaves, outpatient blocks, changes of the person, and who placed her: one rule a test."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from services.planning.domain.case import CaseState, CaseStatus
from services.planning.domain.events import CaseEvent, EventKey, StayKey, Transfer
from services.planning.domain.fold import fold
from services.planning.domain.joining import joined, led_from, persons_of, told_apart
from services.planning.domain.notices import NoticeType, wanted_notices
from services.planning.domain.stay import stay_facts
from tests.builders import (
    CARE_CENTRE,
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    OTHER_SOURCE,
    OTHER_WARD,
    STAY,
    WARD,
    a_person,
    admitted,
    block_ended,
    block_started,
    cancelled,
    declined,
    discharged,
    hours,
    leave_ended,
    leave_started,
    person_changed,
    placed,
    ready,
    transferred,
    withdrawn,
)

CARE = "urn:hsa:SE2321000131-E000000000901"
THERE = StayKey(STAY.space, "NU-1")


def there(event: CaseEvent) -> CaseEvent:
    """The same event as the receiving ward states it, by its own id of the stay."""
    return replace(event, key=EventKey(OTHER_SOURCE, f"{event.key.id}-there"), stay=THERE)


def case_of(*events: CaseEvent) -> CaseState:
    return fold(events, DIRECTORY)


def found(*events: CaseEvent) -> list[tuple[str, str]]:
    return [(finding.code.value, finding.event.id) for finding in case_of(*events).findings]


def told(kind: NoticeType, code: str, *events: CaseEvent) -> list[tuple[float, dict[str, object]]]:
    return [
        ((notice.sent_at - hours(0)) / timedelta(hours=1), dict(notice.content))
        for notice in wanted_notices(case_of(*events))
        if notice.type is kind and notice.recipient.code == code
    ]


def leads(*events: CaseEvent) -> set[StayKey]:
    """Where the transfers of the first event's stay lead."""
    stay = events[0].stay
    return set(led_from({stay: events})[stay])


def liable(*events: CaseEvent) -> str | None:
    facts = stay_facts(case_of(*events))
    assert facts is not None
    return facts.municipality


def test_a_transfer_moves_the_ward_and_nothing_else() -> None:
    state = case_of(admitted(), ready(at=20), transferred())
    assert (state.status, state.ward, state.findings) == (CaseStatus.READY, OTHER_WARD, ())
    assert [period.sent_at for period in state.ready] == [hours(20)]


def test_a_cancelled_or_corrected_transfer_leaves_the_ward_as_it_then_is() -> None:
    assert case_of(admitted(), transferred(), cancelled("transferred")).ward == WARD
    elsewhere = transferred("fix", to_unit="SE2321000131-E000000000301", corrects="transferred", sent=31)
    assert case_of(admitted(), transferred(), elsewhere).ward == "SE2321000131-E000000000301"


def test_a_discharge_by_the_ward_the_patient_left_does_not_end_the_stay() -> None:
    moved = [admitted(), transferred(to_subject="NU-1"), discharged("left", 29)]
    assert (case_of(*moved).status, found(*moved)) == (CaseStatus.ADMITTED, [("discharged_after_transfer", "left")])
    state = case_of(*moved, there(discharged(at=50)))
    assert (state.status, state.discharge.time if state.discharge else None) == (CaseStatus.DISCHARGED, hours(50))


def test_the_receiving_wards_own_admission_is_no_second_one() -> None:
    moved = [admitted(), transferred(to_subject="NU-1"), there(admitted(at=30))]
    assert (found(*moved), case_of(*moved).admission) == ([], moved[0])


def test_a_transfer_joins_and_only_one_that_stands_does() -> None:
    away = transferred(to_subject="NU-1")
    assert leads(admitted(), away) == {THERE}
    assert leads(admitted(), away, cancelled("transferred")) == set()
    assert leads(transferred()) == set(), "the receiver keeps the id"
    assert leads(transferred(to_unit="SE5560000001-E1")) == {StayKey("5560000001", STAY.subject)}


def test_a_transfer_leads_into_the_record_system_of_the_receiving_ward() -> None:
    away = transferred(to_subject="NU-1")
    assert isinstance(away.data, Transfer)
    elsewhere = replace(away, data=replace(away.data, to_space="nu"))
    assert leads(admitted(), elsewhere) == {StayKey("nu", "NU-1")}


def test_a_transfer_to_another_patients_stay_joins_nothing_and_is_a_finding() -> None:
    away, own = transferred(to_subject="NU-1"), persons_of([admitted()])
    assert own
    mistyped = told_apart(away, own, {THERE: {"190001019809"}})
    assert leads(admitted(), mistyped) == set()
    assert found(admitted(), mistyped) == [("transfer_to_other_person", "transferred")]
    for persons in ({THERE: own}, {THERE: frozenset[str]()}, {}):
        assert told_apart(away, own, persons) == away, "the same person, or none known yet"
    assert told_apart(away, {*own, "189001019802"}, {THERE: {"189001019802"}}) == away, "one number in common is enough"
    assert leads(admitted(), told_apart(away, set(), {THERE: own})) == set(), "a stay of nobody leads nowhere"
    kept = transferred()
    assert told_apart(kept, set(), {}) == kept, "the id is kept"


def test_only_who_has_the_patient_moves_her_on() -> None:
    taken = there(transferred("taken", at=26, to_unit="SE2321000131-E000000000301"))
    state = case_of(admitted(), taken, transferred(at=30, to_subject="NU-1"))
    assert (state.ward, [event.key.id for event in state.transfers]) == (OTHER_WARD, ["transferred"])
    assert ("transfer_not_by_holder", "taken-there") in [(finding.code, finding.event.id) for finding in state.findings]
    onward = there(transferred("onward", at=32, to_unit="SE2321000131-E000000000301"))
    assert case_of(admitted(), transferred(at=30, to_subject="NU-1"), onward).ward == "SE2321000131-E000000000301"


def test_the_joined_stay_cannot_cancel_the_transfer_that_joined_it() -> None:
    away = transferred(to_subject="NU-1")
    inside = replace(cancelled("transferred"), stay=THERE)
    assert case_of(admitted(), away, inside).ward == OTHER_WARD
    assert ("cancellation_waits", "cancel-transferred") in found(admitted(), away, inside)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_stays_are_joined_in_any_order(order: tuple[int, ...]) -> None:
    a, b, c, d = (StayKey("1", name) for name in "abcd")
    links = [(a, [b]), (b, [c]), (d, [])]
    assert joined(dict([links[place] for place in order])) == [frozenset({a, b, c}), frozenset({d})]


def test_a_leave_is_told_and_ended() -> None:
    state = case_of(admitted(), leave_started(), leave_ended())
    assert [(leave.start.time, leave.end.time if leave.end else None) for leave in state.leaves] == [(hours(45), hours(55))]
    said = told(NoticeType.LEAVE, GOTEBORG, admitted(), leave_started(), leave_ended())
    assert [(at, content["leave"]) for at, content in said] == [(45, "started"), (55, "ended")]


def test_leaves_that_do_not_fit_are_found() -> None:
    assert found(admitted(), leave_ended()) == [("leave_not_started", "back")]
    assert found(admitted(), leave_started(), leave_started("again", 46)) == [("leave_twice", "again")]
    assert ("leave_after_discharge", "leave") in found(admitted(), discharged(at=44), leave_started())
    assert found(leave_started()) == [("leave_without_admission", "leave")]


def test_of_two_leaves_at_once_the_one_sent_first_stands() -> None:
    state = case_of(admitted(), leave_started(sent=50), leave_started("again", 46, sent=47))
    assert [leave.start.key.id for leave in state.leaves] == ["again"]


def test_each_sender_states_its_own_outpatient_block() -> None:
    state = case_of(admitted(), block_started(), block_started("care", 52, source=CARE), block_ended("over", 60, source=CARE))
    assert [(block.start.key.id, block.end.key.id if block.end else None) for block in state.blocks] == [("block", None), ("care", "over")]


def test_an_end_by_another_ends_the_block_that_lasted_longest_and_may_contest_it() -> None:
    story = [admitted(), block_started(), replace(block_ended(source=CARE, contested=True), by_command=True)]
    assert case_of(*story).blocks[0].end is not None
    assert found(*story) == [("block_contested", "block-over")]


def test_a_block_may_end_after_the_discharge_but_not_begin_then() -> None:
    assert found(admitted(), block_started(), discharged(at=60), block_ended()) == []
    assert found(admitted(), discharged(at=40), block_started()) == [("block_after_discharge", "block")]


def test_a_wrong_registration_moves_the_stay_with_a_ready_notice_of_its_own() -> None:
    story = [admitted(), ready(), person_changed(at=20, sent=90)]
    state = case_of(*story)
    assert {party.recipient.code: party.since for party in state.parties if party.recipient.kind == "municipality"} == {HARRYDA: hours(90)}
    facts = stay_facts(state)
    assert facts is not None
    assert (facts.municipality, facts.ready[0].notice_sent_at) == (HARRYDA, hours(90))


def test_after_a_withdrawn_readiness_the_next_ready_notice_says_who_is_liable() -> None:
    moved = person_changed(at=70, moved=True)
    assert liable(admitted(), ready(), withdrawn(), moved) == HARRYDA
    assert liable(admitted(), ready(), withdrawn(), moved, ready("again", 80)) == HARRYDA


def test_a_reserve_number_that_became_a_personnummer_sends_the_notices_anew() -> None:
    reserve = a_person(type="reservnummer", id="18900101K065")
    known = person_changed(municipality=GOTEBORG)
    first, second = case_of(admitted(person=reserve)), case_of(admitted(person=reserve), known)
    assert first.person_ids == (("reservnummer", "18900101K065"),)
    assert [kind for kind, _ in second.person_ids] == ["reservnummer", "personnummer"]
    prints = [{notice.origin: notice.fingerprint for notice in wanted_notices(state)} for state in (first, second)]
    assert prints[0].keys() == prints[1].keys()
    assert all(prints[0][origin] != prints[1][origin] for origin in prints[0])


def test_a_placing_municipality_is_a_party_from_the_statement_on_and_liable() -> None:
    story = [admitted(), ready(at=20), placed()]
    assert liable(*story) == HARRYDA
    assert {party.recipient.code: party.since for party in case_of(*story).parties}[HARRYDA] == hours(35)


def test_of_one_municipality_the_latest_statement_counts_and_two_that_differ_are_a_dispute() -> None:
    no = placed("no", 36, municipality=GOTEBORG, stated_by=HARRYDA)
    assert found(admitted(), placed(), no) == [("placement_disputed", "no")]
    assert liable(admitted(), placed(), no) == GOTEBORG
    assert found(admitted(), placed(), no, placed("agreed", 37, municipality=GOTEBORG)) == []


def test_a_placing_municipality_that_does_not_take_part_is_found() -> None:
    assert found(admitted(), placed(municipality="0180")) == [("placed_municipality_unknown", "placed")]


def test_of_a_protected_person_only_the_admission_notice_says_who_she_is() -> None:
    known = a_person(protected=True)
    notices = wanted_notices(case_of(admitted(person=a_person()), person_changed(municipality=GOTEBORG, person=known), ready()))
    said = {notice.type: set(notice.person) for notice in notices}
    assert said[NoticeType.ADMISSION] == {"type", "id", "name", "registered_address"}
    assert said[NoticeType.READY] == {"withheld"}
    assert all(notice.protected for notice in notices)


def test_under_compulsory_care_the_ready_notice_asks_for_a_care_plan() -> None:
    ((_, content),) = told(NoticeType.READY, GOTEBORG, admitted(), ready(compulsory="opt"))
    assert (content["compulsory"], content["care_plan"]) == ("opt", "lag (2017:612) 4 kap. 1 §")


def test_what_was_over_before_a_party_came_is_not_told_to_it() -> None:
    late = admitted("fix", 0, sent=100, corrects="admitted", municipality=HARRYDA)
    story = [admitted(), transferred(), leave_started(), leave_ended(), block_started(), block_ended(), late]
    assert told(NoticeType.LEAVE, HARRYDA, *story) == []
    assert told(NoticeType.OUTPATIENT_BLOCK, HARRYDA, *story) == []
    assert [at for at, _ in told(NoticeType.TRANSFERRED, HARRYDA, *story)] == [100], "where the patient is, is always told"


def test_what_the_patient_declined_is_told_to_every_party_unless_it_was_a_mistake() -> None:
    story = [admitted(), declined("no", 50, measures=("municipal_social", "municipal_health")), declined("wrong", 51)]
    for code in (GOTEBORG, CARE_CENTRE):
        told_once = told(NoticeType.DECLINED, code, *story, cancelled("wrong"))
        assert told_once == [
            (50, {"measures": ["municipal_health", "municipal_social"], "declined_at": "2026-11-05T15:05:00.000000Z", "stated_by": WARD})
        ]
        assert len(told(NoticeType.DECLINED, code, *story)) == 2
    late = admitted("fix", 0, sent=100, corrects="admitted", municipality=HARRYDA)
    assert [at for at, _ in told(NoticeType.DECLINED, HARRYDA, *story[:2], late)] == [100], "what stands bears on whoever comes in later"
