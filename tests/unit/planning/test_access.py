"""Who may do what with which case, plan, notice and deviation: the one table, read by somebody who knows the work."""

from dataclasses import replace

import pytest

from services.planning.domain.access import (
    RULES,
    Action,
    CaseFacts,
    PlanFacts,
    Reason,
    Which,
    Who,
    decide,
    leads,
    standing_in_case,
    takes_part,
)
from tests.builders import CARE_CENTRE, GOTEBORG, HARRYDA, OTHER_CARE_CENTRE, OTHER_WARD, WARD

REGION, GOTEBORG_NUMBER, HARRYDA_NUMBER = "2321000131", "2120001355", "2120001264"
GOTEBORG_UNIT = f"SE{GOTEBORG_NUMBER}-E1"
TEAM = f"SE{REGION}-TEAM1"
A_WARD = Who(REGION, (WARD,), "ward", of_region=True, sends_events=True)
ANOTHER_WARD = replace(A_WARD, unit_prefixes=(OTHER_WARD,))
A_CARE_CENTRE = Who(REGION, (CARE_CENTRE,), "care", of_region=True)
ANOTHER_CARE_CENTRE = replace(A_CARE_CENTRE, unit_prefixes=(OTHER_CARE_CENTRE,))
A_MUNICIPALITY = Who(GOTEBORG_NUMBER, (f"SE{GOTEBORG_NUMBER}-",), "municipality", GOTEBORG)
ANOTHER_MUNICIPALITY = Who(HARRYDA_NUMBER, (f"SE{HARRYDA_NUMBER}-",), "municipality", HARRYDA)
HISTORY = Who(REGION, (f"SE{REGION}-",), "history", imports_history=True)
FOREIGN = (ANOTHER_WARD, ANOTHER_CARE_CENTRE, ANOTHER_MUNICIPALITY)
CASE = CaseFacts(WARD, CARE_CENTRE, frozenset({f"municipality:{GOTEBORG}"}), frozenset({WARD, CARE_CENTRE, GOTEBORG_UNIT}))
PLAN = PlanFacts(CARE_CENTRE, frozenset({CARE_CENTRE}), frozenset({CARE_CENTRE, GOTEBORG_UNIT}), of_a_stay=True, main_unit=GOTEBORG_UNIT)
EVERYTHING = Which(CASE, PLAN, WARD, REGION, CARE_CENTRE, GOTEBORG_UNIT, frozenset({WARD}))
OPEN = {Action.STATE_OUTAGE, Action.END_OUTAGE, Action.CONFIRM_OUTAGE, Action.KEEP_DIRECTORY}
ABOUT_A_CASE = [action for action in Action if action not in OPEN]


def test_every_action_has_its_rule() -> None:
    assert set(RULES) == set(Action)


@pytest.mark.parametrize(
    ("who", "reason"), [(A_WARD, Reason.WARD), (A_CARE_CENTRE, Reason.CARE_UNIT), (A_MUNICIPALITY, Reason.MUNICIPALITY)]
)
def test_a_case_is_its_wards_its_care_units_and_its_municipalitys(who: Who, reason: Reason) -> None:
    decision = decide(who, Action.READ_CASE, Which(CASE))
    assert (decision.allowed, decision.known, decision.reason) == (True, True, reason)
    assert standing_in_case(who, CASE) is reason


@pytest.mark.parametrize("who", FOREIGN)
@pytest.mark.parametrize("action", ABOUT_A_CASE)
def test_inside_the_region_too_another_ward_or_care_centre_learns_nothing(who: Who, action: Action) -> None:
    decision = decide(who, action, EVERYTHING)
    assert (decision.allowed, decision.known, decision.reason) == (False, False, Reason.FOREIGN)


@pytest.mark.parametrize("action", ABOUT_A_CASE)
def test_what_others_learn_nothing_of_some_party_may_know_of(action: Action) -> None:
    assert any(decide(who, action, EVERYTHING).known for who in (A_WARD, A_CARE_CENTRE, A_MUNICIPALITY))


def test_a_member_of_the_team_reads_what_the_team_reads() -> None:
    case = replace(CASE, outpatient_unit=TEAM)
    assert not decide(ANOTHER_CARE_CENTRE, Action.READ_CASE, Which(case)).known
    member = replace(ANOTHER_CARE_CENTRE, teams=frozenset({TEAM}))
    assert decide(member, Action.READ_CASE, Which(case)).reason is Reason.TEAM


def test_access_moves_with_the_case() -> None:
    moved = replace(CASE, ward=OTHER_WARD, parties=frozenset({f"municipality:{HARRYDA}"}))
    assert [decide(who, Action.READ_CASE, Which(moved)).known for who in (A_WARD, A_MUNICIPALITY)] == [False, False]
    assert [decide(who, Action.READ_CASE, Which(moved)).allowed for who in (ANOTHER_WARD, ANOTHER_MUNICIPALITY)] == [True, True]


def test_a_ward_of_another_organisation_is_not_read_by_its_units_alone() -> None:
    elsewhere = Who("5560000001", (WARD,), "ward")
    assert not decide(elsewhere, Action.READ_CASE, Which(CaseFacts(WARD))).known


def test_without_units_nothing_is_anybodys() -> None:
    nobody = Who(REGION, (), "ward")
    assert not any(decide(nobody, action, EVERYTHING).known for action in ABOUT_A_CASE)


@pytest.mark.parametrize(
    ("action", "who", "unit", "reason"),
    [
        (Action.SET_CARE_CONTACT, A_CARE_CENTRE, CARE_CENTRE, Reason.CARE_UNIT),
        (Action.SET_CARE_CONTACT, A_WARD, WARD, Reason.NOT_THE_CARE_UNIT),
        (Action.SET_CARE_CONTACT, A_WARD, CARE_CENTRE, Reason.UNIT_FOREIGN),
        (Action.STATE_REASON, A_WARD, WARD, Reason.WARD),
        (Action.STATE_REASON, A_CARE_CENTRE, CARE_CENTRE, Reason.NOT_THE_WARD),
        (Action.CONTEST_SIP, A_MUNICIPALITY, GOTEBORG_UNIT, Reason.MUNICIPALITY),
        (Action.CONTEST_SIP, A_CARE_CENTRE, CARE_CENTRE, Reason.NOT_THE_WARD),
        (Action.CONTEST_BLOCK, A_MUNICIPALITY, GOTEBORG_UNIT, Reason.NOT_THE_REGION),
        (Action.CONTEST_BLOCK, A_CARE_CENTRE, CARE_CENTRE, Reason.CARE_UNIT),
        (Action.PLACE, A_CARE_CENTRE, CARE_CENTRE, Reason.NOT_A_MUNICIPALITY),
        (Action.PLACE, A_MUNICIPALITY, GOTEBORG_UNIT, Reason.MUNICIPALITY),
        (Action.SEND_MESSAGE, A_WARD, CARE_CENTRE, Reason.UNIT_FOREIGN),
        (
            Action.SEND_MESSAGE,
            replace(A_CARE_CENTRE, unit_prefixes=(CARE_CENTRE, OTHER_CARE_CENTRE)),
            OTHER_CARE_CENTRE,
            Reason.NOT_CONCERNED,
        ),
        (Action.OPEN_PLAN, A_MUNICIPALITY, GOTEBORG_UNIT, Reason.NOT_THE_REGION),
        (Action.INFORM_PATIENT, A_MUNICIPALITY, None, Reason.NOT_THE_WARD),
    ],
)
def test_a_step_is_its_owners_and_the_others_may_know_of_the_case(action: Action, who: Who, unit: str | None, reason: Reason) -> None:
    decision = decide(who, action, Which(CASE, unit=unit))
    assert (decision.known, decision.reason) == (True, reason)
    assert decision.allowed == (reason in {Reason.WARD, Reason.CARE_UNIT, Reason.MUNICIPALITY})


def test_a_plan_is_led_by_its_unit_and_gone_on_with_by_the_one_that_is_responsible() -> None:
    about = Which(CASE, PLAN)
    assert [decide(who, Action.LEAD_PLAN, about).allowed for who in (A_CARE_CENTRE, A_MUNICIPALITY, A_WARD)] == [True, False, False]
    assert [decide(who, Action.GO_ON_WITH_PLAN, about).allowed for who in (A_CARE_CENTRE, A_MUNICIPALITY, A_WARD)] == [True, True, False]
    assert [decide(who, Action.TAKE_PART_IN_PLAN, about).allowed for who in (A_CARE_CENTRE, A_MUNICIPALITY, A_WARD)] == [True, True, False]
    assert decide(A_WARD, Action.READ_PLAN, about).reason is Reason.WARD, "who may see the case may know that there is a plan"
    assert decide(HISTORY, Action.LEAD_PLAN, Which(None, replace(PLAN, left=True))).allowed
    assert not decide(A_CARE_CENTRE, Action.READ_PLAN, Which(None, replace(PLAN, left=True, units=frozenset()))).known


def test_a_municipality_leads_a_plan_without_a_stay_and_takes_part_in_one_of_a_stay() -> None:
    own = PlanFacts(GOTEBORG_UNIT, frozenset({GOTEBORG_UNIT}), frozenset({GOTEBORG_UNIT}), of_a_stay=False)
    assert leads(A_MUNICIPALITY, own)
    assert not leads(A_MUNICIPALITY, replace(own, of_a_stay=True))
    assert takes_part(A_MUNICIPALITY, replace(own, of_a_stay=True))
    assert not takes_part(ANOTHER_MUNICIPALITY, own)


def test_a_deviation_is_its_reporters_and_its_answerers() -> None:
    about = Which(CASE, reporter=CARE_CENTRE, assigned_to=GOTEBORG_UNIT)
    assert [decide(who, Action.READ_DEVIATION, about).known for who in (A_CARE_CENTRE, A_MUNICIPALITY, A_WARD)] == [True, True, False]
    assert [decide(who, Action.ANSWER_DEVIATION, about).allowed for who in (A_CARE_CENTRE, A_MUNICIPALITY)] == [False, True]
    assert [decide(who, Action.CLOSE_DEVIATION, about).allowed for who in (A_CARE_CENTRE, A_MUNICIPALITY)] == [True, False]
    assert decide(A_CARE_CENTRE, Action.ASSIGN_DEVIATION, replace(about, case=None)).reason is Reason.CASE_LOST


@pytest.mark.parametrize("missing", ["protected_reader", "taken_on", "one_by_id"])
def test_a_protected_person_is_named_to_a_named_reader_who_took_it_on_and_asks_for_this_one(missing: str) -> None:
    about = Which(unit=GOTEBORG_UNIT, owner=GOTEBORG_NUMBER, taken_on=True, one_by_id=True)
    reader = replace(A_MUNICIPALITY, protected_reader=True)
    assert decide(reader, Action.READ_PROTECTED, about).allowed
    if missing == "protected_reader":
        reader = A_MUNICIPALITY
    else:
        about = replace(about, taken_on=missing != "taken_on", one_by_id=missing != "one_by_id")
    assert decide(reader, Action.READ_PROTECTED, about).reason is Reason.NOT_A_NAMED_READER


def test_a_mailbox_is_of_the_organisation_and_the_unit_both() -> None:
    mailbox = Which(unit=CARE_CENTRE, owner=REGION)
    assert decide(A_CARE_CENTRE, Action.READ_MAILBOX, mailbox).allowed
    assert not decide(ANOTHER_CARE_CENTRE, Action.READ_MAILBOX, mailbox).known
    assert not decide(Who("5560000001", (CARE_CENTRE,), "care"), Action.READ_MAILBOX, mailbox).known


@pytest.mark.parametrize(
    ("who", "unit", "allowed"),
    [(A_WARD, WARD, True), (A_WARD, None, True), (A_WARD, OTHER_WARD, False), (A_CARE_CENTRE, None, False), (A_MUNICIPALITY, None, False)],
)
def test_an_outage_is_stated_by_whoever_is_cut_off(who: Who, unit: str | None, allowed: bool) -> None:
    assert decide(who, Action.STATE_OUTAGE, Which(unit=unit)).allowed is allowed


def test_the_region_keeps_the_directory_and_a_municipality_its_own_part() -> None:
    assert decide(A_CARE_CENTRE, Action.KEEP_DIRECTORY, Which(owner=GOTEBORG_NUMBER)).allowed
    assert decide(A_MUNICIPALITY, Action.KEEP_DIRECTORY, Which(owner=GOTEBORG_NUMBER)).allowed
    assert not decide(A_MUNICIPALITY, Action.KEEP_DIRECTORY, Which(owner=REGION)).allowed
    assert not decide(A_MUNICIPALITY, Action.CONFIRM_OUTAGE, Which()).known


def test_a_private_care_provider_is_no_municipality_and_not_the_region_either() -> None:
    provider = Who("5560000001", ("SE5560000001-",), "care", decides_reviews=True)
    assert not decide(provider, Action.CONFIRM_OUTAGE, Which()).known
    assert not decide(provider, Action.STATE_OUTAGE, Which()).allowed
    assert [decide(provider, Action.KEEP_DIRECTORY, Which(owner=owner)).allowed for owner in (GOTEBORG_NUMBER, "5560000001")] == [
        False,
        True,
    ]
    assert leads(provider, PlanFacts("SE5560000001-V1", frozenset({"SE5560000001-V1"}), frozenset(), of_a_stay=True)), (
        "its plans are the region's"
    )
