"""Which notices a case calls for, and how mailboxes get there without changing what was sent."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.events import CaseEvent, Need
from services.planning.domain.fold import fold
from services.planning.domain.notices import LEGAL_BASIS, NoticeType, SentNotice, WantedNotice, changes, wanted_notices
from tests.builders import (
    CARE_CENTRE,
    DIRECTORY,
    GOTEBORG,
    HARRYDA,
    a_person,
    a_personnummer,
    admitted,
    cancelled,
    date_changed,
    deceased,
    discharged,
    hours,
    mailbox_after,
    ready,
    withdrawn,
)

SOCIAL_ONLY: Sequence[Need] = ("municipal_social",)


def notices_of(*events: CaseEvent) -> tuple[WantedNotice, ...]:
    return wanted_notices(fold(events, DIRECTORY))


def told(code: str, *events: CaseEvent) -> list[tuple[str, float]]:
    """What one recipient is told, and how many hours after the start."""
    start = hours(0)
    return [
        (notice.type.value.removeprefix("notice."), (notice.sent_at - start) / timedelta(hours=1))
        for notice in notices_of(*events)
        if notice.recipient.code == code
    ]


def entered(*stories: Sequence[CaseEvent]) -> list[SentNotice]:
    """The mailboxes after the case was folded once for each of these growing stories."""
    standing: list[SentNotice] = []
    for story in stories:
        standing = mailbox_after(standing, changes(standing, notices_of(*story), hours(500)))
    return standing


def live(standing: Sequence[SentNotice]) -> set[tuple[str, str]]:
    over = {NoticeStatus.SUPERSEDED, NoticeStatus.CANCELLED}
    return {(notice.origin, notice.fingerprint) for notice in standing if notice.status not in over}


def test_a_plain_stay_sends_the_statutory_chain_to_every_party() -> None:
    story = [admitted(), date_changed(), ready(), withdrawn(), ready("ready-2", 80), discharged()]
    chain = [
        ("admission", 0),
        ("planned_discharge_changed", 20),
        ("ready", 40),
        ("ready_withdrawn", 60),
        ("ready", 80),
        ("discharged", 120),
    ]
    assert told(GOTEBORG, *story) == chain
    assert told(CARE_CENTRE, *story) == chain


def test_every_statutory_notice_names_its_paragraph() -> None:
    assert set(LEGAL_BASIS) == set(NoticeType)
    basis = {notice.type: notice.legal_basis for notice in notices_of(admitted(), date_changed(), ready(), discharged())}
    assert basis == {
        NoticeType.ADMISSION: "lag (2017:612) 2 kap. 1-3 §§",
        NoticeType.PLANNED_DISCHARGE_CHANGED: "lag (2017:612) 2 kap. 4 §",
        NoticeType.READY: "lag (2017:612) 3 kap. 1 §",
        NoticeType.DISCHARGED: "lag (2017:612) 3 kap. 2 §",
    }


def test_the_admission_notice_holds_the_statutory_content_and_nothing_more() -> None:
    (notice,) = notices_of(admitted(needs=SOCIAL_ONLY))
    assert set(notice.person) == {"type", "id", "name", "registered_address"}
    assert notice.content == {"planned_discharge_date": "2026-11-09"}


def test_the_other_notices_say_who_but_not_where_the_patient_lives() -> None:
    for notice in notices_of(admitted(), date_changed(), ready(), withdrawn(), discharged(), deceased()):
        if notice.type is not NoticeType.ADMISSION:
            assert set(notice.person) == {"type", "id", "name"}


def test_nothing_personal_stands_in_content_origin_or_fingerprint() -> None:
    for notice in notices_of(admitted(), date_changed(), ready(), withdrawn(), discharged()):
        beside = f"{notice.origin} {notice.fingerprint} {notice.content}"
        assert a_personnummer() not in beside
        assert "Test" not in beside


def test_free_text_of_the_ward_never_reaches_a_mailbox() -> None:
    assert all("Feber" not in str(notice) for notice in notices_of(admitted(), ready(), withdrawn()))


def test_death_is_told() -> None:
    assert told(GOTEBORG, admitted(), deceased()) == [("admission", 0), ("deceased", 100)]


def test_nobody_is_told_before_the_admission_is_known() -> None:
    assert notices_of(ready(), discharged()) == ()


def test_a_ready_notice_known_before_the_admission_is_sent_with_it() -> None:
    assert told(GOTEBORG, admitted(sent=50), ready()) == [("admission", 50), ("ready", 50)]


def test_a_new_municipality_gets_fresh_admission_and_ready_notices() -> None:
    fix = admitted("fix", 0, sent=50, corrects="admitted", municipality=HARRYDA)
    assert told(HARRYDA, admitted(), ready(), fix) == [("admission", 50), ("ready", 50)]
    assert told(GOTEBORG, admitted(), ready(), fix) == []
    assert told(CARE_CENTRE, admitted(), ready(), fix) == [("admission", 0), ("ready", 40)]


def test_an_admission_replaced_by_another_leaves_the_time_of_the_admission_notice() -> None:
    """The municipality has known of the patient all along; no ready notice may come to stand before its admission notice."""
    story = [admitted(), ready(), admitted("again", 0, sent=50), cancelled("admitted", at=60)]
    assert told(GOTEBORG, *story) == [("admission", 0), ("ready", 40)]


def test_a_new_municipality_is_not_told_what_was_over_before_it_came() -> None:
    fix = admitted("fix", 0, sent=70, corrects="admitted", municipality=HARRYDA)
    story = [admitted(), date_changed(), ready(), withdrawn(), ready("ready-2", 80), fix]
    assert told(HARRYDA, *story) == [("admission", 70), ("ready", 80)]
    first = next(notice for notice in notices_of(*story) if notice.recipient.code == HARRYDA)
    assert first.content == {"planned_discharge_date": "2026-11-11"}


def test_a_ready_notice_that_arrives_after_its_withdrawal_is_not_sent() -> None:
    assert told(GOTEBORG, admitted(), ready(sent=70), withdrawn()) == [("admission", 0)]


def test_an_older_change_of_date_that_arrives_late_does_not_set_the_clock_back() -> None:
    older, newer = date_changed("older", 10, date(2026, 11, 10), sent=30), date_changed("newer", 20, date(2026, 11, 12))
    assert told(GOTEBORG, admitted(), older, newer) == [("admission", 0), ("planned_discharge_changed", 20)]


def test_changes_of_date_sent_at_the_same_instant_are_all_told() -> None:
    both = [date_changed("one", 10, sent=20), date_changed("two", 11, sent=20)]
    assert told(GOTEBORG, admitted(sent=20), *both) == [("admission", 20)] + [("planned_discharge_changed", 20)] * 2


# --- the way from what was sent to what is wanted


def test_what_was_sent_and_is_still_wanted_is_left_alone() -> None:
    story = [admitted(), ready()]
    needed = changes(entered(story), notices_of(*story), hours(500))
    assert (needed.to_send, needed.to_cancel) == ((), ())


def test_a_changed_notice_is_sent_anew_and_supersedes_the_old_one() -> None:
    before = entered([admitted(needs=SOCIAL_ONLY)])
    fix = admitted("fix", needs=SOCIAL_ONLY, sent=5, corrects="admitted", planned=date(2026, 11, 20))
    needed = changes(before, notices_of(admitted(needs=SOCIAL_ONLY), fix), hours(500))
    (sent,) = needed.to_send
    assert (sent.supersedes, sent.revision, needed.to_cancel) == (before[0].id, 2, ())
    assert sent.notice.sent_at == hours(0)


def test_a_correction_that_changes_nothing_a_recipient_reads_sends_nothing() -> None:
    fix = admitted("fix", sent=5, corrects="admitted", care_type="psychiatric")
    needed = changes(entered([admitted()]), notices_of(admitted(), fix), hours(500))
    assert (needed.to_send, needed.to_cancel) == ((), ())


def test_a_corrected_address_renews_the_admission_notice_only() -> None:
    moved = a_person(registered_address={"street": "Testgatan 2", "postal_code": "411 02", "city": "Göteborg"})
    story = [admitted(needs=SOCIAL_ONLY), ready()]
    fix = admitted("fix", needs=SOCIAL_ONLY, sent=50, corrects="admitted", person=moved)
    needed = changes(entered(story), notices_of(*story, fix), hours(500))
    assert [sent.notice.type for sent in needed.to_send] == [NoticeType.ADMISSION]


def test_a_corrected_person_number_renews_every_notice() -> None:
    story = [admitted(needs=SOCIAL_ONLY), ready()]
    fix = admitted("fix", needs=SOCIAL_ONLY, sent=50, corrects="admitted", person=a_person(id=a_personnummer(7)))
    needed = changes(entered(story), notices_of(*story, fix), hours(500))
    assert [sent.notice.type for sent in needed.to_send] == [NoticeType.ADMISSION, NoticeType.READY]


def test_what_is_no_longer_wanted_is_cancelled_at_the_time_of_the_cancellation() -> None:
    before = entered([admitted(needs=SOCIAL_ONLY), ready()])
    needed = changes(before, notices_of(admitted(needs=SOCIAL_ONLY), ready(), cancelled("ready")), hours(50))
    (gone,) = needed.to_cancel
    assert gone.cancels == next(notice.id for notice in before if notice.origin.startswith("notice.ready"))
    assert (gone.sent_at, needed.to_send) == (hours(50), ())
    assert gone.origin == f"notice.cancelled {gone.cancels}"


def test_a_cancelled_case_cancels_everything_once() -> None:
    story = [admitted(), ready()]
    gone = [*story, cancelled("admitted")]
    standing = entered(story, gone)
    assert live(standing) == set()
    assert changes(standing, notices_of(*gone), hours(500)).to_cancel == ()


def test_a_notice_that_is_wanted_again_after_it_was_cancelled_is_sent_afresh() -> None:
    story = [admitted(needs=SOCIAL_ONLY), ready()]
    gone = [*story, cancelled("ready")]
    back = [*gone, cancelled("cancel-ready", at=140)]
    standing = entered(story, gone, back)
    revisions = [(notice.revision, notice.status) for notice in standing if notice.origin.startswith("notice.ready")]
    assert revisions == [(1, NoticeStatus.CANCELLED), (2, NoticeStatus.SENT)]


def test_a_returned_notice_is_not_sent_again_by_itself() -> None:
    (sent,) = entered([admitted(needs=SOCIAL_ONLY)])
    returned = SentNotice(sent.id, sent.origin, sent.fingerprint, sent.revision, NoticeStatus.RETURNED)
    assert changes([returned], notices_of(admitted(needs=SOCIAL_ONLY)), hours(500)).to_send == ()


@pytest.mark.parametrize("origin", ["notice.cancelled x", "notice.sip_invitation x", "notice.month_published x"])
def test_notices_that_do_not_follow_from_the_stay_are_not_touched(origin: str) -> None:
    (sent,) = entered([admitted(needs=SOCIAL_ONLY)])
    other = SentNotice(sent.id, origin, "", 1, NoticeStatus.SENT)
    assert changes([other], (), hours(500)).to_cancel == ()


def test_a_municipality_corrected_away_and_back_in_one_go_is_told_anew() -> None:
    away = admitted("away", needs=SOCIAL_ONLY, sent=50, corrects="admitted", municipality=HARRYDA)
    back = admitted("back", needs=SOCIAL_ONLY, sent=60, corrects="admitted")
    standing = entered([admitted(needs=SOCIAL_ONLY)], [admitted(needs=SOCIAL_ONLY), away, back])
    assert [(notice.revision, notice.status) for notice in standing] == [(1, NoticeStatus.SUPERSEDED), (2, NoticeStatus.SENT)]
