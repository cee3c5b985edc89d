"""When planning has started: a unit that is concerned now took its admission notice on, or told of its planning."""

from services.planning.domain.case import CaseStatus
from services.planning.domain.fold import fold
from services.planning.domain.parties import Recipient, Returned
from tests.builders import DIRECTORY, GOTEBORG, HARRYDA, admitted, hours, ready


def test_planning_starts_when_a_party_takes_the_admission_on() -> None:
    party = {Recipient("municipality", GOTEBORG)}
    assert fold([admitted()], DIRECTORY, planned_by=party).status is CaseStatus.PLANNING
    assert fold([admitted(), ready()], DIRECTORY, planned_by=party).status is CaseStatus.READY


def test_who_is_no_party_any_more_has_not_started_the_planning() -> None:
    moved = admitted("fix", 1, corrects="admitted", municipality=HARRYDA)
    old, new = Recipient("municipality", GOTEBORG), Recipient("municipality", HARRYDA)
    assert fold([admitted(), moved], DIRECTORY, planned_by={old}).status is CaseStatus.ADMITTED
    assert fold([admitted(), moved], DIRECTORY, planned_by={new}).status is CaseStatus.PLANNING
    returned = [Returned(old, hours(2))]
    assert fold([admitted()], DIRECTORY, planned_by={old}, returned=returned).status is CaseStatus.ADMITTED
