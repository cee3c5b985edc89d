"""A party's planning status: every step from every other."""

from itertools import product

import pytest

from services.planning.domain.case import CaseStatus
from services.planning.domain.party_status import (
    OVER,
    Missing,
    PartyStatus,
    PlanningStatus,
    answers_the_ward,
    check_care_contact,
    check_declined,
    restate,
)
from shared.errors import Refused
from tests.builders import hours


@pytest.mark.parametrize(("before", "after"), [*product([None, *PartyStatus], PartyStatus)])
def test_any_answer_may_follow_any_other_but_planning_never_unbegins(before: PartyStatus | None, after: PartyStatus) -> None:
    known = None if before is None else PlanningStatus(before)
    if after is PartyStatus.RECEIVED and before not in {None, PartyStatus.RECEIVED}:
        with pytest.raises(Refused) as refused:
            restate(known, PlanningStatus(after), CaseStatus.READY)
        assert refused.value.code == "party.status_backwards"
    else:
        assert restate(known, PlanningStatus(after), CaseStatus.READY).status is after


@pytest.mark.parametrize("status", CaseStatus)
def test_nothing_is_planned_for_a_stay_that_is_over(status: CaseStatus) -> None:
    told = PlanningStatus(PartyStatus.READY_FROM, ready_from=hours(50))
    if status in OVER:
        with pytest.raises(Refused) as refused:
            restate(None, told, status)
        assert refused.value.code == "case.over"
        assert status.value in refused.value.detail
    else:
        assert restate(None, told, status) == told


def test_a_date_what_is_lacking_or_no_measures_answers_the_ward() -> None:
    assert {status for status in PartyStatus if answers_the_ward(status)} == {
        PartyStatus.READY_FROM,
        PartyStatus.NEEDS,
        PartyStatus.NO_MEASURES,
    }
    assert not answers_the_ward(None)


def test_a_care_contact_may_be_appointed_late_but_not_for_a_stay_that_was_none() -> None:
    check_care_contact(CaseStatus.DISCHARGED)
    for status in (CaseStatus.CANCELLED, CaseStatus.DECEASED):
        with pytest.raises(Refused):
            check_care_contact(status)


def test_only_what_is_needed_can_be_declined() -> None:
    check_declined(CaseStatus.DISCHARGED, frozenset({"municipal_social"}), frozenset({"municipal_social", "outpatient"}))
    with pytest.raises(Refused) as refused:
        check_declined(CaseStatus.READY, frozenset({"municipal_health"}), frozenset({"municipal_social"}))
    assert refused.value.code == "case.measure_not_needed"
    with pytest.raises(Refused):
        check_declined(CaseStatus.CANCELLED, frozenset(), frozenset())


def test_what_a_unit_lacks_is_said_in_a_closed_list_of_words() -> None:
    assert all(one.value.replace("_", "").isalpha() for one in Missing)
