"""Who returned a notice as wrongly addressed is no party, until the ward names it anew."""

from datetime import datetime
from uuid import UUID

import pytest

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.case import CaseState
from services.planning.domain.events import CaseEvent
from services.planning.domain.findings import FindingCode
from services.planning.domain.fold import fold
from services.planning.domain.notices import NoticeType, SentNotice, changes, wanted_notices
from services.planning.domain.parties import Recipient, Returned
from services.planning.domain.stay import stay_facts
from tests.builders import CARE_CENTRE, DIRECTORY, GOTEBORG, HARRYDA, admitted, cancelled, hours, mailbox_after, ready

MINE = Recipient("municipality", GOTEBORG)
RETURN = Returned(MINE, hours(10))


def told(*events: CaseEvent, returned: Returned = RETURN) -> CaseState:
    return fold(events, DIRECTORY, returned=[returned])


def since(state: CaseState) -> dict[str, datetime]:
    return {party.recipient.code: party.since for party in state.parties}


def returned_findings(state: CaseState) -> list[str]:
    return [finding.about for finding in state.findings if finding.code is FindingCode.WRONGLY_ADDRESSED]


def test_who_returned_is_no_party_and_the_ward_sees_why() -> None:
    state = told(admitted(), ready())
    assert since(state) == {CARE_CENTRE: hours(0)}
    assert returned_findings(state) == [GOTEBORG]


def test_billing_learns_that_the_municipality_has_no_admission_notice() -> None:
    stay = stay_facts(told(admitted(), ready()))
    assert stay is not None
    assert stay.admission_notice_sent_at is None


def test_correcting_something_else_brings_nobody_back() -> None:
    state = told(admitted(), admitted("again", corrects="admitted", sent=20, planned=None))
    assert GOTEBORG not in since(state)
    assert returned_findings(state) == [GOTEBORG]


def test_the_right_municipality_becomes_a_party_when_it_is_named() -> None:
    state = told(admitted(), admitted("right", corrects="admitted", sent=20, municipality=HARRYDA))
    assert since(state)[HARRYDA] == hours(20)
    assert returned_findings(state) == []


def test_who_is_named_anew_after_another_was_is_a_party_from_then_on() -> None:
    other = admitted("other", corrects="admitted", sent=20, municipality=HARRYDA)
    state = told(admitted(), other, admitted("back", corrects="admitted", sent=30))
    assert since(state)[GOTEBORG] == hours(30)


def test_a_cancelled_and_repeated_admission_names_it_anew() -> None:
    state = told(admitted(), cancelled("admitted", sent=20), admitted("second", at=21))
    assert since(state)[GOTEBORG] == hours(21)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_the_order_of_arrival_does_not_matter(order: list[int]) -> None:
    events = [admitted(), ready(), admitted("again", corrects="admitted", sent=20, planned=None)]
    assert told(*(events[place] for place in order)) == told(*events)


def test_what_was_returned_is_not_cancelled_as_well_but_everything_else_is() -> None:
    before = mailbox_after([], changes([], wanted_notices(fold([admitted(), ready()], DIRECTORY)), hours(5)))
    mine = [notice for notice in before if notice.origin.endswith(str(MINE))]
    admission = next(notice for notice in mine if notice.origin.startswith(NoticeType.ADMISSION))
    standing = [
        SentNotice(one.id, one.origin, one.fingerprint, one.revision, NoticeStatus.RETURNED if one is admission else one.status)
        for one in before
    ]
    needed = changes(standing, wanted_notices(told(admitted(), ready())), hours(10))
    assert not needed.to_send
    assert {gone.cancels for gone in needed.to_cancel} == {notice.id for notice in mine} - {admission.id}


def test_who_is_named_anew_gets_everything_afresh() -> None:
    again = [
        admitted(),
        admitted("other", corrects="admitted", sent=20, municipality=HARRYDA),
        admitted("back", corrects="admitted", sent=30),
    ]
    first = wanted_notices(fold([admitted()], DIRECTORY))
    sent = [
        SentNotice(UUID(int=number), notice.origin, notice.fingerprint, 1, NoticeStatus.RETURNED) for number, notice in enumerate(first)
    ]
    needed = changes(sent, wanted_notices(told(*again)), hours(31))
    assert any(one.notice.recipient == MINE and one.revision == 2 and one.supersedes is None for one in needed.to_send)
