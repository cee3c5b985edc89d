"""Notices that were given on paper while the service or the network was down: when that time counts, and for whom."""

from datetime import timedelta

import pytest

from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent
from services.planning.domain.findings import FindingCode
from services.planning.domain.fold import fold
from services.planning.domain.lateness import judge_admission_notices
from services.planning.domain.notices import wanted_notices
from services.planning.domain.outages import Outage, paper_mark
from services.planning.domain.stay import StaySnapshot, stay_facts
from services.planning.statute import load_statute
from shared.dates import format_instant
from tests.builders import (
    DIRECTORY,
    HARRYDA,
    OTHER_WARD,
    WARD,
    admitted,
    an_outage,
    date_changed,
    discharged,
    hours,
    on_paper,
    person_changed,
    ready,
    withdrawn,
)

OUTAGE = an_outage(0, 30)
LATE = FindingCode.LATE_ADMISSION_NOTICE
UNCONFIRMED = FindingCode.PAPER_TIME_UNCONFIRMED


def judged(events: list[CaseEvent], *outages: Outage) -> CaseState:
    return judge_admission_notices(fold(events, DIRECTORY, outages=outages), load_statute())


def found(state: CaseState) -> set[FindingCode]:
    return {finding.code for finding in state.findings}


def told(state: CaseState) -> StaySnapshot:
    facts = stay_facts(state)
    assert facts is not None
    return facts


def test_an_admission_notice_given_on_paper_in_an_outage_is_in_time() -> None:
    event = on_paper(admitted(sent=31), 2)
    state = judged([event], OUTAGE)
    assert found(state).isdisjoint({LATE, UNCONFIRMED})
    facts = told(state)
    assert (facts.admission_notice_sent_at, facts.admission_notice_paper) == (hours(2), "counted")


def test_without_an_outage_it_counts_when_it_was_really_sent_and_a_person_must_decide() -> None:
    state = judged([on_paper(admitted(sent=31), 2)])
    assert found(state) >= {LATE, UNCONFIRMED}
    facts = told(state)
    assert (facts.admission_notice_sent_at, facts.admission_notice_paper) == (hours(31), "unconfirmed")
    assert facts.admission_notice_given_on_paper_at == hours(2)


def test_the_ready_notice_counts_from_the_paper_for_the_days_too() -> None:
    events = [admitted(), on_paper(ready(at=40, sent=60), 41), discharged()]
    counted, not_counted = told(judged(events, an_outage(40, 59))), told(judged(events))
    assert [(one.notice_sent_at, one.paper, one.given_on_paper_at) for one in counted.ready] == [(hours(41), "counted", hours(41))]
    assert [(one.notice_sent_at, one.paper, one.given_on_paper_at) for one in not_counted.ready] == [(hours(60), "unconfirmed", hours(41))]


def test_the_envelope_keeps_when_a_notice_was_really_sent_and_the_content_says_when_it_was_given() -> None:
    events = [on_paper(admitted(sent=31), 2), on_paper(ready(at=20, sent=32), 21)]
    for outages in ((), (OUTAGE,)):
        notices = wanted_notices(judged(events, *outages))
        assert {notice.sent_at for notice in notices} == {hours(31), hours(32)}
        assert {notice.content["given_on_paper_at"] for notice in notices} == {format_instant(hours(2)), format_instant(hours(21))}


def test_confirming_an_outage_says_nothing_new_in_the_mailboxes() -> None:
    events = [on_paper(admitted(sent=31), 2), on_paper(date_changed(sent=31), 22), on_paper(ready(at=20, sent=32), 21)]
    events += [on_paper(withdrawn(at=25, sent=33), 26), on_paper(discharged(at=29, sent=33), 29)]
    assert wanted_notices(judged(events)) == wanted_notices(judged(events, OUTAGE))


@pytest.mark.parametrize(
    ("given", "sent", "mark"),
    [
        (0, 31, "counted"),  # the very beginning
        (30, 31, "counted"),  # the very end
        (30.01, 31, "unconfirmed"),
        (-0.01, 31, "unconfirmed"),
        (2, 54, "counted"),  # 24 hours after its end
        (2, 54.01, "unconfirmed"),
        (2, 20, "counted"),  # stated while it lasted, from elsewhere
        (31, 31, "none"),  # no earlier than it was sent
    ],
)
def test_both_ends_of_an_outage_belong_to_it_and_it_must_be_stated_within_a_day_of_its_end(given: float, sent: float, mark: str) -> None:
    assert paper_mark(on_paper(ready(at=-1, sent=sent), given), [OUTAGE]) == mark


def test_the_outage_of_one_ward_explains_nothing_at_another() -> None:
    event = on_paper(ready(at=1, sent=31), 2)
    assert paper_mark(event, [an_outage(0, 30, scope=OTHER_WARD)]) == "unconfirmed"
    assert paper_mark(event, [an_outage(0, 30, scope=OTHER_WARD), an_outage(0, 30, scope=WARD[:13])]) == "counted"


def test_who_was_brought_in_afterwards_was_given_no_paper() -> None:
    events = [on_paper(admitted(sent=31), 2), on_paper(ready(at=20, sent=32), 21), person_changed(at=33, municipality=HARRYDA)]
    facts = told(judged(events, OUTAGE))
    assert (facts.municipality, facts.admission_notice_sent_at, facts.admission_notice_paper) == (HARRYDA, hours(33), "none")
    assert [(one.notice_sent_at, one.paper) for one in facts.ready] == [(hours(33), "none")]
    contents = [notice.content for notice in wanted_notices(judged(events, OUTAGE)) if notice.recipient.code == HARRYDA]
    assert len(contents) == 2
    assert all("given_on_paper_at" not in content for content in contents)


def test_who_was_a_party_when_the_paper_was_given_counts_from_it_however_she_became_one() -> None:
    events = [admitted(), person_changed(at=5, municipality=HARRYDA), on_paper(ready(at=20, sent=32), 21)]
    assert [(one.notice_sent_at, one.paper) for one in told(judged(events, OUTAGE)).ready] == [(hours(21), "counted")]


def test_whichever_of_the_two_is_stated_first_after_the_outage_both_count_from_paper() -> None:
    for sent_admission, sent_ready in ((31, 32), (32, 31)):
        events = [on_paper(admitted(sent=sent_admission), 2), on_paper(ready(at=20, sent=sent_ready), 21)]
        facts = told(judged(events, OUTAGE))
        assert (facts.admission_notice_sent_at, facts.ready[0].notice_sent_at) == (hours(2), hours(21))


def test_a_ready_notice_on_paper_never_counts_before_the_admission_notice() -> None:
    facts = told(judged([admitted(sent=31), on_paper(ready(at=20, sent=32), 21)], OUTAGE))
    assert facts.ready[0].notice_sent_at == hours(31)


def test_of_two_notices_of_one_readiness_the_one_that_counts_as_sent_first_is_its_n5() -> None:
    events = [admitted(), ready("again", at=41, sent=42), on_paper(ready(at=40, sent=60), 40.5)]
    counted = told(judged(events, an_outage(40, 59))).ready
    assert [(one.notice_sent_at, one.paper) for one in counted] == [(hours(40.5), "counted")]
    assert [(one.notice_sent_at, one.paper) for one in told(judged(events)).ready] == [(hours(42), "unconfirmed")]


def test_a_ready_notice_given_on_paper_before_the_discharge_is_none_after_it() -> None:
    events = [admitted(), on_paper(ready(at=40, sent=100), 41), discharged(at=60, sent=101)]
    assert FindingCode.READY_AFTER_DISCHARGE in found(judged(events))
    assert FindingCode.READY_AFTER_DISCHARGE not in found(judged(events, an_outage(40, 99)))


def test_a_correction_may_add_the_paper_time_that_was_forgotten_but_it_is_stated_only_then() -> None:
    original, forgotten = admitted(sent=31), on_paper(admitted("c1", sent=50, corrects="admitted"), 2)
    assert told(judged([original, forgotten], OUTAGE)).admission_notice_sent_at == hours(2)
    late = on_paper(admitted("c1", sent=55, corrects="admitted"), 2)
    assert told(judged([original, late], OUTAGE)).admission_notice_paper == "unconfirmed"


def test_repeating_the_paper_time_in_a_later_correction_does_not_state_it_anew() -> None:
    events = [on_paper(admitted(sent=31), 2), on_paper(admitted("c1", sent=90, corrects="admitted"), 2)]
    assert told(judged(events, OUTAGE)).admission_notice_paper == "counted"
    another = on_paper(admitted("c2", sent=91, corrects="admitted"), 3)
    assert told(judged([*events, another], OUTAGE)).admission_notice_paper == "unconfirmed"


def test_a_correction_without_the_paper_time_takes_it_back() -> None:
    events = [on_paper(admitted(sent=31), 2), admitted("c1", sent=32, corrects="admitted")]
    assert told(judged(events, OUTAGE)).admission_notice_paper == "none"
    assert found(judged(events)).isdisjoint({UNCONFIRMED})


def test_an_earlier_time_that_nobody_confirmed_keeps_the_question_open_though_a_later_one_counts() -> None:
    events = [admitted(), on_paper(ready("a", at=1, sent=60), 2), on_paper(ready("b", at=1, sent=61), 41)]
    facts = told(judged(events, an_outage(40, 59)))
    assert [(one.notice_sent_at, one.paper, one.given_on_paper_at) for one in facts.ready] == [(hours(41), "unconfirmed", hours(2))]


def test_what_may_be_stated_how_long_after_an_outage_is_a_dated_number() -> None:
    assert load_statute().at(hours(0)).paper_stated == timedelta(hours=24)
