"""After a real move: who stays concerned in the case, and who is out of it (domain rules 2.2 and 3.7)."""

from datetime import datetime

from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent
from services.planning.domain.fold import fold
from services.planning.domain.notices import wanted_notices
from services.planning.domain.stay import stay_facts
from tests.builders import (
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    admitted,
    an_outage,
    cancelled,
    discharged,
    hours,
    on_paper,
    person_changed,
    ready,
    withdrawn,
)


def case_of(*events: CaseEvent) -> CaseState:
    return fold(events, DIRECTORY)


def liable(*events: CaseEvent) -> str | None:
    facts = stay_facts(case_of(*events))
    assert facts is not None
    return facts.municipality


def municipal_parties(*events: CaseEvent) -> dict[str, datetime]:
    return {party.recipient.code: party.since for party in case_of(*events).parties if party.recipient.kind == "municipality"}


def test_after_a_real_move_the_municipality_at_the_ready_notice_is_liable_and_is_a_party() -> None:
    before, after = [admitted(), ready(), person_changed(at=60, moved=True)], [admitted(), person_changed(moved=True), ready()]
    assert (liable(*before), municipal_parties(*before)) == (GOTEBORG, {GOTEBORG: hours(0), HARRYDA: hours(60)})
    assert (liable(*after), municipal_parties(*after)) == (HARRYDA, {HARRYDA: hours(25)})


def test_the_municipality_left_before_the_ready_notice_is_out_of_it_from_the_move_on() -> None:
    moved = person_changed(moved=True)
    assert municipal_parties(admitted(), moved) == {HARRYDA: hours(25)}
    assert municipal_parties(admitted(), ready(), person_changed(at=25, sent=61, moved=True)) == {HARRYDA: hours(61)}
    told = wanted_notices(case_of(admitted(), moved, ready(), discharged()))
    assert GOTEBORG not in {notice.recipient.code for notice in told}
    stays = person_changed(at=90, sent=30, moved=True)
    assert municipal_parties(admitted(), stays) == {GOTEBORG: hours(0), HARRYDA: hours(30)}, "she has not moved yet"


def test_a_withdrawn_readiness_keeps_nobody_who_was_left_meanwhile() -> None:
    story = [admitted(), ready(), person_changed(at=50, moved=True)]
    assert municipal_parties(*story).keys() == {GOTEBORG, HARRYDA}
    assert municipal_parties(*story, withdrawn(), ready("again", 80)).keys() == {HARRYDA}
    assert municipal_parties(*story, discharged(at=55), withdrawn()).keys() == {GOTEBORG, HARRYDA}, "too late to withdraw"


def test_a_move_after_the_end_of_the_stay_takes_it_from_nobody() -> None:
    assert municipal_parties(admitted(), discharged(at=40), person_changed(at=60, moved=True)).keys() == {GOTEBORG, HARRYDA}


def test_who_was_left_by_mistake_is_told_anew_and_its_days_count_from_then() -> None:
    moved = person_changed(moved=True)
    story = [admitted(), moved, ready(), cancelled(moved.key.id, at=70)]
    assert municipal_parties(*story) == {GOTEBORG: hours(70)}
    facts = stay_facts(case_of(*story))
    assert facts is not None
    assert (facts.municipality, facts.ready[0].notice_sent_at) == (GOTEBORG, hours(70))


def test_a_ready_notice_on_paper_before_the_move_keeps_who_is_liable_by_it() -> None:
    told = on_paper(ready(at=20, sent=40), 20)
    state = fold([admitted(), person_changed(moved=True), told], DIRECTORY, outages=[an_outage(19, 30)])
    assert {party.recipient.code for party in state.parties} >= {GOTEBORG, HARRYDA}
    facts = stay_facts(state)
    assert facts is not None
    assert facts.municipality == GOTEBORG
