"""P3: for given events and sent times, any order of arrival and any duplication ends in the same case.

`DIRIGENT_HISTORIES` sets how many random histories are played.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.events import CaseEvent, Compulsory, EventKey, EventType, Need, StayKey
from services.planning.domain.fold import fold
from services.planning.domain.notices import NoticeType, SentNotice, changes, wanted_notices
from services.planning.domain.outages import Outage
from services.planning.domain.statements import BY_COMMAND
from services.planning.domain.stay import stay_facts
from tests.builders import (
    CARE_CENTRE,
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    OTHER_CARE_CENTRE,
    OTHER_SOURCE,
    OTHER_WARD,
    STAY,
    WARD,
    a_person,
    a_personnummer,
    admitted,
    an_outage,
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
    mailbox_after,
    on_paper,
    person_changed,
    placed,
    ready,
    sip_contested,
    transferred,
    withdrawn,
)

HISTORIES: Final = int(os.environ.get("DIRIGENT_HISTORIES", "300"))
_settings = settings(max_examples=HISTORIES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

_HOURS = st.integers(0, 30).map(lambda step: step * 6.0)
_STAYS = st.sampled_from([STAY, STAY, STAY, STAY._replace(subject="NU-2026-000456"), StayKey("5560000001", "X-1")])
"""Most events under one id of the stay; the others as after a transfer to another ward or another provider."""
_BY_ANOTHER_WARD = st.sampled_from([False, False, True])
"""Some events are another ward's, with and without a transfer to it, and where the two share a stay space and where they do not."""
_COMPULSORY: st.SearchStrategy[Compulsory] = st.sampled_from(("none", "none", "opt", "orv"))
_PAPER = st.none() | st.integers(-4, 20).map(lambda step: step * 6.0)
_GIVEN_ON_PAPER = {
    EventType.ADMITTED,
    EventType.PLANNED_DISCHARGE_CHANGED,
    EventType.READY,
    EventType.READY_WITHDRAWN,
    EventType.DISCHARGED,
}
_SUBJECTS = st.sampled_from([None, "NU-2026-000456"])
_NEEDS: list[tuple[Need, ...]] = [(), ("municipal_social",), ("outpatient",), ("municipal_social", "municipal_health", "outpatient")]


@st.composite
def an_event(draw: st.DrawFn, number: int) -> CaseEvent:
    """Any event: times and sent times collide often, corrections and cancellations name anything, themselves included."""
    kind = draw(st.sampled_from([*EventType, EventType.ADMITTED, EventType.EVENT_CANCELLED]))
    event_id, at, sent = f"e{number}", draw(_HOURS), draw(_HOURS)
    corrects = draw(st.none() | st.integers(0, 9).map(lambda target: f"e{target}"))
    make: dict[EventType, Callable[[], CaseEvent]] = {
        EventType.ADMITTED: lambda: admitted(
            event_id,
            at,
            sent=sent,
            corrects=corrects,
            municipality=draw(st.sampled_from([GOTEBORG, GOTEBORG, HARRYDA, "0180", None])),
            outpatient_unit=draw(st.sampled_from([CARE_CENTRE, OTHER_CARE_CENTRE, None])),
            needs=draw(st.sampled_from(_NEEDS)),
        ),
        EventType.PLANNED_DISCHARGE_CHANGED: lambda: date_changed(event_id, at, hours(at + 48).date(), sent=sent, corrects=corrects),
        EventType.READY: lambda: ready(event_id, at, sent=sent, corrects=corrects, compulsory=draw(_COMPULSORY)),
        EventType.READY_WITHDRAWN: lambda: withdrawn(event_id, at, sent=sent, corrects=corrects),
        EventType.DISCHARGED: lambda: discharged(event_id, at, sent=sent, corrects=corrects),
        EventType.DECEASED: lambda: deceased(event_id, at, sent=sent, corrects=corrects),
        EventType.TRANSFERRED: lambda: transferred(event_id, at, sent=sent, corrects=corrects, to_subject=draw(_SUBJECTS)),
        EventType.LEAVE_STARTED: lambda: leave_started(event_id, at, sent=sent, corrects=corrects),
        EventType.LEAVE_ENDED: lambda: leave_ended(event_id, at, sent=sent, corrects=corrects),
        EventType.OUTPATIENT_BLOCK_STARTED: lambda: block_started(event_id, at, sent=sent, corrects=corrects),
        EventType.OUTPATIENT_BLOCK_ENDED: lambda: block_ended(event_id, at, sent=sent, corrects=corrects, contested=draw(st.booleans())),
        EventType.PERSON_CHANGED: lambda: person_changed(
            event_id,
            at,
            sent=sent,
            corrects=corrects,
            municipality=draw(st.sampled_from([GOTEBORG, HARRYDA, None])),
            moved=draw(st.booleans()),
            person=draw(st.sampled_from([None, None, a_person(id=a_personnummer(1))])),
        ),
        EventType.MUNICIPALITY_PLACED: lambda: placed(
            event_id,
            at,
            sent=sent,
            corrects=corrects,
            municipality=draw(st.sampled_from([HARRYDA, "0180"])),
            stated_by=draw(st.sampled_from([GOTEBORG, HARRYDA])),
        ),
        EventType.MEASURES_DECLINED: lambda: declined(event_id, at, sent=sent, corrects=corrects),
        EventType.SIP_CONTESTED: lambda: sip_contested(event_id, at, sent=sent, corrects=corrects, contested=draw(st.booleans())),
        EventType.EVENT_CANCELLED: lambda: cancelled(f"e{draw(st.integers(0, 9))}", event_id, at, sent=sent, corrects=corrects),
    }
    given = draw(_PAPER) if kind in _GIVEN_ON_PAPER else None
    event = replace(make[kind](), stay=draw(_STAYS))
    if not event.by_command and draw(_BY_ANOTHER_WARD):
        event = replace(event, key=EventKey(OTHER_SOURCE, event_id), by_command=kind in BY_COMMAND and draw(st.booleans()))
    return event if given is None else on_paper(event, given)


@st.composite
def some_outages(draw: st.DrawFn) -> list[Outage]:
    """Outages that overlap, adjoin, or strike one ward only; most paper times lie inside one."""
    begun = draw(st.lists(st.tuples(_HOURS, st.sampled_from([6.0, 24.0, 96.0]), st.sampled_from(["", WARD, OTHER_WARD])), max_size=3))
    return [an_outage(since, since + lasts, scope=scope) for since, lasts, scope in begun]


@st.composite
def a_history(draw: st.DrawFn) -> list[CaseEvent]:
    return [draw(an_event(number)) for number in range(draw(st.integers(1, 9)))]


def arrivals(history: list[CaseEvent], random: Random) -> list[CaseEvent]:
    """The same events in another order, some of them twice."""
    arriving = history + random.choices(history, k=random.randrange(4))
    random.shuffle(arriving)
    return arriving


def live(mailbox: list[SentNotice]) -> list[tuple[str, str]]:
    over = {NoticeStatus.SUPERSEDED, NoticeStatus.CANCELLED}
    return sorted((notice.origin, notice.fingerprint) for notice in mailbox if notice.status not in over)


@_settings
@given(a_history(), some_outages(), st.randoms(use_true_random=False))
def test_any_order_and_any_duplication_end_in_the_same_case(history: list[CaseEvent], outages: list[Outage], random: Random) -> None:
    state = fold(history, DIRECTORY, outages=outages)
    other = fold(arrivals(history, random), DIRECTORY, outages=random.sample(outages, len(outages)) + outages[:1])
    assert other == state
    assert wanted_notices(other) == wanted_notices(state)
    assert stay_facts(other) == stay_facts(state)


@_settings
@given(a_history(), some_outages(), st.randoms(use_true_random=False))
def test_whatever_the_mailboxes_saw_on_the_way_they_end_with_what_the_case_calls_for(
    history: list[CaseEvent], outages: list[Outage], random: Random
) -> None:
    """Events and outages come in any order: of each outage we hear when some of the events are there."""
    mailbox: list[SentNotice] = []
    known: list[CaseEvent] = []
    heard: list[Outage] = []
    told: list[CaseEvent | Outage] = [*arrivals(history, random), *outages]
    random.shuffle(told)
    for one in told:
        (heard if isinstance(one, Outage) else known).append(one)  # type: ignore[arg-type]  # each into its own list
        at = one.until if isinstance(one, Outage) else one.sent_at
        mailbox = mailbox_after(mailbox, changes(mailbox, wanted_notices(fold(known, DIRECTORY, outages=heard)), at))
    wanted = wanted_notices(fold(history, DIRECTORY, outages=outages))
    assert live(mailbox) == sorted((notice.origin, notice.fingerprint) for notice in wanted)
    assert len({(notice.origin, notice.revision) for notice in mailbox}) == len(mailbox)


@_settings
@given(a_history())
def test_no_history_loses_an_event_or_sends_before_somebody_was_a_party(history: list[CaseEvent]) -> None:
    state = fold(history, DIRECTORY)
    accounted = {event.key for event in state.story} | {finding.event for finding in state.findings}
    amended = {EventKey(event.key.source, event.corrects) for event in history if event.corrects is not None}
    if not amended and all(event.type is not EventType.EVENT_CANCELLED for event in history):
        assert {event.key for event in history} == accounted | ({state.admission.key} if state.admission else set())
    since = {party.recipient: party.since for party in state.parties}
    for notice in wanted_notices(state):
        assert notice.sent_at >= since[notice.recipient]
    order = [(notice.recipient, notice.type is NoticeType.ADMISSION) for notice in wanted_notices(state)]
    for recipient in since:
        assert next(first for to, first in order if to == recipient), "the admission notice comes first"


@_settings
@given(a_history(), st.integers(0, 9))
def test_a_live_history_folds_to_the_same_parties_as_its_mailboxes_saw(history: list[CaseEvent], cut: int) -> None:
    """In the order they were sent, every fold on the way agrees with the sent times that the last fold derives."""
    live_order = sorted(history, key=lambda event: event.sent_at)
    instant = live_order[min(cut, len(live_order) - 1)].sent_at
    then = fold([event for event in live_order if event.sent_at <= instant], DIRECTORY)
    for party in fold(history, DIRECTORY).parties:
        if party.since <= instant:
            assert (party.recipient, party.since) in {(other.recipient, other.since) for other in then.parties}
