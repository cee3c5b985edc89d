"""The life of one notice."""

from itertools import product

import pytest

from services.planning.domain.acknowledgement import (
    NOTICE_TRANSITIONS,
    Acknowledgement,
    NoticeStanding,
    NoticeStatus,
    NoticeTrigger,
    acknowledge,
    move,
)
from shared.errors import Refused
from tests.builders import hours

REFUSED = {
    (NoticeStatus.RETURNED, NoticeTrigger.ACKNOWLEDGE),
    (NoticeStatus.RETURNED, NoticeTrigger.RETURN),
    (NoticeStatus.RETURNED, NoticeTrigger.FORWARD),
    (NoticeStatus.SUPERSEDED, NoticeTrigger.RETURN),
    (NoticeStatus.SUPERSEDED, NoticeTrigger.FORWARD),
    (NoticeStatus.SUPERSEDED, NoticeTrigger.SUPERSEDE),
    (NoticeStatus.SUPERSEDED, NoticeTrigger.CANCEL),
    (NoticeStatus.CANCELLED, NoticeTrigger.ACKNOWLEDGE),
    (NoticeStatus.CANCELLED, NoticeTrigger.RETURN),
    (NoticeStatus.CANCELLED, NoticeTrigger.FORWARD),
    (NoticeStatus.CANCELLED, NoticeTrigger.SUPERSEDE),
    (NoticeStatus.CANCELLED, NoticeTrigger.CANCEL),
}


@pytest.mark.parametrize(("status", "trigger"), list(product(NoticeStatus, NoticeTrigger)))
def test_each_status_allows_what_the_table_says_and_refuses_the_rest(status: NoticeStatus, trigger: NoticeTrigger) -> None:
    if (status, trigger) in REFUSED:
        with pytest.raises(Refused) as refusal:
            move(NoticeStanding(status), trigger)
        assert refusal.value.code == f"notice.{status}"
    else:
        assert move(NoticeStanding(status), trigger).status is NOTICE_TRANSITIONS[status, trigger]


def test_a_fetched_notice_is_delivered_and_fetching_again_changes_nothing() -> None:
    delivered = move(NoticeStanding(NoticeStatus.SENT), NoticeTrigger.FETCH)
    assert move(delivered, NoticeTrigger.FETCH) == delivered == NoticeStanding(NoticeStatus.DELIVERED)


def test_the_same_person_acknowledging_twice_changes_nothing() -> None:
    first = acknowledge(NoticeStanding(NoticeStatus.SENT), "Kim Testsson", hours(1))
    assert first == NoticeStanding(NoticeStatus.ACKNOWLEDGED, Acknowledgement("Kim Testsson", hours(1)))
    assert acknowledge(first, "Kim Testsson", hours(2)) == first


def test_another_person_cannot_acknowledge_what_somebody_took_on() -> None:
    first = acknowledge(NoticeStanding(NoticeStatus.DELIVERED), "Kim Testsson", hours(1))
    with pytest.raises(Refused, match="acknowledged_by_another"):
        acknowledge(first, "Robin Testsson", hours(2))


def test_a_superseded_notice_keeps_its_acknowledgement() -> None:
    taken_on = acknowledge(NoticeStanding(NoticeStatus.SENT), "Kim Testsson", hours(1))
    assert move(taken_on, NoticeTrigger.SUPERSEDE).acknowledgement == Acknowledgement("Kim Testsson", hours(1))


def test_a_superseded_notice_may_still_be_acknowledged_and_stays_superseded() -> None:
    late = acknowledge(NoticeStanding(NoticeStatus.SUPERSEDED), "Kim Testsson", hours(1))
    assert late == NoticeStanding(NoticeStatus.SUPERSEDED, Acknowledgement("Kim Testsson", hours(1)))
