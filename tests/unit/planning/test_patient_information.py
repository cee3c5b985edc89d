"""What a patient is told when she goes home (N7)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.planning.domain.patient_information import ContactKnown, PlanKnown, patient_information
from shared.dates import parse_instant

NOW = parse_instant("2026-11-09T12:00:00+01:00")
CONTACT = ContactKnown("Anna Test", "Sjuksköterska", None, "Vårdcentral 1")
MEETING = PlanKnown(goes_on=True, consented=True, meets_at=NOW + timedelta(days=2))
AGREED = PlanKnown(goes_on=True, consented=True, main_responsibility="Socialtjänst", follow_up_on=date(2026, 12, 1))


def test_the_intended_measures_are_those_needed_and_not_declined() -> None:
    told = patient_information(["outpatient", "municipal_social", "municipal_health"], ["municipal_health"], None, [], NOW)
    assert told.intended == ("municipal_social", "outpatient")


def test_care_contact_meeting_and_plans_are_told_where_they_are_known() -> None:
    told = patient_information([], [], CONTACT, [MEETING, AGREED], NOW)
    assert (told.contact, told.meeting, told.plans) == (CONTACT, MEETING, (AGREED,))
    nothing = patient_information([], [], None, [], NOW)
    assert (nothing.contact, nothing.meeting, nothing.plans) == (None, None, ())


@pytest.mark.parametrize("lacking", [{"goes_on": False}, {"consented": False}])
def test_a_closed_plan_and_one_without_consent_are_not_told_of(lacking: dict[str, Any]) -> None:
    plan = replace(PlanKnown(goes_on=True, consented=True, meets_at=NOW, main_responsibility="Socialtjänst"), **lacking)
    told = patient_information([], [], None, [plan], NOW)
    assert (told.meeting, told.plans) == (None, ())


@pytest.mark.parametrize(("after", "told"), [(timedelta(), True), (timedelta(seconds=-1), False)])
def test_a_meeting_that_is_over_is_not_one_to_come(after: timedelta, told: bool) -> None:
    plan = PlanKnown(goes_on=True, consented=True, meets_at=NOW + after)
    assert (patient_information([], [], None, [plan], NOW).meeting is not None) is told


def test_of_several_meetings_the_next_one_is_told() -> None:
    later = PlanKnown(goes_on=True, consented=True, meets_at=NOW + timedelta(days=9))
    assert patient_information([], [], None, [later, MEETING], NOW).meeting == MEETING


def test_of_the_meetings_that_were_held_the_last_one_is_told_unless_the_patient_does_not_consent() -> None:
    first, last = (PlanKnown(goes_on=True, consented=True, held_at=NOW - timedelta(days=days)) for days in (9, 2))
    told = patient_information([], [], None, [first, last, replace(last, held_at=NOW, consented=False)], NOW)
    assert (told.meeting, told.held) == (None, last)
