"""The steps of a SIP."""

from dataclasses import replace
from datetime import date
from itertools import product
from uuid import UUID

import pytest

from services.planning.domain.age import birth_date, is_child
from services.planning.domain.events import Compulsory
from services.planning.domain.plan_contents import Measure, Measures, Meeting, agree, follow_up, hold, schedule
from services.planning.domain.plans import (
    CARE_PLAN_TRANSITIONS,
    CONSENTING,
    PLAN_TRANSITIONS,
    REFUSALS,
    Consent,
    Invitation,
    Plan,
    PlanKind,
    PlanStatus,
    PlanTrigger,
    check_kind,
    invite,
    move,
    open_plan,
    ready_says,
    record_consent,
    shares,
    withheld,
)
from shared.errors import Malformed, Refused
from shared.http.problems import catalogue
from tests.builders import CARE_CENTRE, hours

PLAN_ID = UUID(int=1)
CONSENTS = set(CONSENTING.values())
STEPS = {PlanTrigger.ANSWER, PlanTrigger.HOLD, PlanTrigger.AGREE, PlanTrigger.FOLLOW_UP}
CALLS = {PlanTrigger.INVITE, PlanTrigger.SCHEDULE}
NOT_ALLOWED = {
    PlanStatus.NEED: STEPS | CALLS | {PlanTrigger.WITHDRAW_CONSENT},
    PlanStatus.CONSENTED: STEPS,
    PlanStatus.REFUSED: STEPS | CALLS | {PlanTrigger.WITHDRAW_CONSENT},
    PlanStatus.WITHDRAWN: STEPS | CALLS,
    PlanStatus.INVITED: {PlanTrigger.AGREE, PlanTrigger.FOLLOW_UP},
    PlanStatus.HELD: set(),
    PlanStatus.FOLLOW_UP: set(),
    PlanStatus.CLOSED: set(PlanTrigger),
}
MUNICIPAL = "SE2120001355-E1"
TAKING_PART = {CARE_CENTRE, MUNICIPAL}


def an_invitation(number: int = 1, at: float = 10) -> Invitation:
    return Invitation(UUID(int=number), hours(at), CARE_CENTRE)


def a_plan(consent: Consent | None = "given", *, child: bool = False) -> Plan:
    return open_plan(PLAN_ID, CARE_CENTRE, hours(0), consent=consent, child=child)


def a_plan_that_is(status: PlanStatus, kind: PlanKind = PlanKind.SIP) -> Plan:
    return replace(a_plan(None), status=status, kind=kind)


def agreed(*measures: Measure, main: str = CARE_CENTRE) -> Measures:
    return Measures(("Hjälp hemma",), measures or (Measure("Hembesök", "unit", MUNICIPAL),), main, date(2026, 12, 1))


@pytest.mark.parametrize(("status", "trigger"), list(product(PlanStatus, PlanTrigger)))
def test_each_status_allows_what_the_table_says_and_refuses_the_rest(status: PlanStatus, trigger: PlanTrigger) -> None:
    if trigger in NOT_ALLOWED[status]:
        with pytest.raises(Refused) as refusal:
            move(a_plan_that_is(status), trigger)
        assert refusal.value.code == REFUSALS[status]
    else:
        assert move(a_plan_that_is(status), trigger) is PLAN_TRANSITIONS[status, trigger]


@pytest.mark.parametrize(("status", "trigger"), list(product(PlanStatus, PlanTrigger)))
def test_a_care_plan_goes_the_same_way_without_consent(status: PlanStatus, trigger: PlanTrigger) -> None:
    plan = a_plan_that_is(status, PlanKind.CARE_PLAN)
    if trigger in CONSENTS:
        with pytest.raises(Refused) as refusal:
            move(plan, trigger)
        assert refusal.value.code == "plan.consent_not_asked"
    elif status is PlanStatus.NEED and trigger in CALLS:
        assert move(plan, trigger) is {PlanTrigger.INVITE: PlanStatus.INVITED, PlanTrigger.SCHEDULE: PlanStatus.NEED}[trigger]
    elif trigger in NOT_ALLOWED[status]:
        with pytest.raises(Refused):
            move(plan, trigger)
    else:
        assert move(plan, trigger) is CARE_PLAN_TRANSITIONS[status, trigger]


def test_every_refusal_stands_in_the_catalogue() -> None:
    assert set(REFUSALS.values()) <= set(catalogue())


def test_a_plan_needs_no_hospital_stay() -> None:
    assert a_plan().case_id is None


def test_with_consent_the_units_are_invited() -> None:
    invited = invite(a_plan(), an_invitation())
    assert (invited.status, invited.invitations) == (PlanStatus.INVITED, (an_invitation(),))


def test_a_second_invitation_leaves_the_first() -> None:
    again = invite(invite(a_plan(), an_invitation()), an_invitation(2, 20))
    assert [invitation.sent_at for invitation in again.invitations] == [hours(10), hours(20)]


@pytest.mark.parametrize(("consent", "code"), [("refused", "plan.consent_refused"), (None, "plan.consent_missing")])
def test_nobody_is_invited_without_the_patients_consent(consent: Consent | None, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        invite(a_plan(consent), an_invitation())
    assert refusal.value.code == code


def test_the_patient_may_change_her_mind() -> None:
    assert record_consent(a_plan("refused"), "given").status is PlanStatus.CONSENTED
    assert record_consent(invite(a_plan(), an_invitation()), "refused").status is PlanStatus.REFUSED


def test_with_a_withdrawn_consent_sharing_stops_and_with_a_new_one_the_units_are_called_again() -> None:
    withdrawn = record_consent(invite(a_plan(), an_invitation()), "withdrawn")
    assert (shares(a_plan()), shares(withdrawn), withdrawn.status) == (True, False, PlanStatus.WITHDRAWN)
    assert record_consent(withdrawn, "given").status is PlanStatus.CONSENTED


def test_nothing_is_shared_before_the_patient_was_asked_except_in_a_care_plan() -> None:
    assert not shares(a_plan(None))
    assert shares(a_plan_that_is(PlanStatus.NEED, PlanKind.CARE_PLAN))


def test_guardians_answer_for_a_child_and_for_nobody_else() -> None:
    assert record_consent(a_plan(None, child=True), "given", "guardian").status is PlanStatus.CONSENTED
    with pytest.raises(Malformed, match="guardian_of_adult"):
        record_consent(a_plan(None), "given", "guardian")


@pytest.mark.parametrize(("on", "child"), [(date(2026, 3, 1), True), (date(2026, 3, 2), False), (date(2026, 3, 3), False)])
def test_a_child_is_of_age_on_the_eighteenth_birthday(on: date, child: bool) -> None:
    assert is_child(date(2008, 3, 2), on) is child


@pytest.mark.parametrize("number", ["201003202387", "201003802387", "20100320K061"])
def test_every_kind_of_number_begins_with_the_day_of_birth(number: str) -> None:
    assert birth_date(number) == date(2010, 3, 20)


@pytest.mark.parametrize(
    ("consent", "leads", "takes_part", "why"),
    [
        ("given", True, True, None),
        ("withdrawn", True, True, None),
        ("given", False, True, None),
        ("given", False, False, "not_participant"),
        (None, False, True, "consent_missing"),
        ("refused", False, True, "consent_refused"),
        ("withdrawn", False, True, "consent_withdrawn"),
    ],
)
def test_what_a_plan_says_is_for_those_who_take_part_while_consent_stands(
    consent: Consent | None, leads: bool, takes_part: bool, why: str | None
) -> None:
    assert withheld(replace(a_plan(), consent=consent), leads=leads, takes_part=takes_part) == why


def test_a_meeting_has_a_place_or_a_link() -> None:
    assert schedule(a_plan(), Meeting(hours(40), link="https://video.test/1")) is PlanStatus.CONSENTED
    assert [Meeting(hours(1), place="Hemma").by_video, Meeting(hours(1), link="https://video.test/1").by_video] == [False, True]
    with pytest.raises(Malformed, match="meeting_nowhere"):
        schedule(a_plan(), Meeting(hours(40)))
    with pytest.raises(Malformed, match="meeting_nowhere"):
        hold(a_plan(), Meeting(hours(1)), hours(2))


def test_a_meeting_is_held_when_it_has_been() -> None:
    invited = invite(a_plan(), an_invitation())
    assert hold(invited, Meeting(hours(40), "Hemma"), hours(40)) is PlanStatus.HELD
    with pytest.raises(Malformed, match="not_yet"):
        hold(invited, Meeting(hours(40), "Hemma"), hours(39))


def test_measures_are_the_units_that_take_part_or_of_relatives_and_patient() -> None:
    measures = agreed(Measure("Hembesök", "unit", MUNICIPAL), Measure("Handla", "relative"), Measure("Träna", "patient"))
    assert agree(a_plan_that_is(PlanStatus.HELD), measures, TAKING_PART) is PlanStatus.HELD


def test_a_measure_nobody_answers_for_is_named() -> None:
    measures = agreed(
        Measure("Hembesök", "unit"), Measure("Läkemedel", "unit", "SE2120001264-E1"), Measure("Träna", "patient", MUNICIPAL), main="SE-X"
    )
    with pytest.raises(Malformed) as refusal:
        agree(a_plan_that_is(PlanStatus.HELD), measures, TAKING_PART)
    assert [error.pointer for error in refusal.value.errors] == [
        "/measures/0/unit",
        "/measures/1/unit",
        "/measures/2/unit",
        "/main_responsibility",
    ]


def test_what_names_no_measures_cannot_be_followed_up() -> None:
    held = a_plan_that_is(PlanStatus.HELD)
    assert follow_up(held, agreed=True, held_at=hours(5), at=hours(6)) is PlanStatus.FOLLOW_UP
    with pytest.raises(Refused, match="measures_missing"):
        follow_up(held, agreed=False, held_at=hours(5), at=hours(6))
    with pytest.raises(Malformed, match="not_yet"):
        follow_up(held, agreed=True, held_at=hours(7), at=hours(6))


@pytest.mark.parametrize(
    ("kind", "ready", "stated"),
    [
        (PlanKind.SIP, None, None),
        (PlanKind.SIP, "none", None),
        (PlanKind.CARE_PLAN, "opt", None),
        (PlanKind.CARE_PLAN, "orv", "orv"),
        (PlanKind.CARE_PLAN, None, "opt"),
    ],
)
def test_the_kind_of_a_plan_follows_the_readiness_or_what_is_stated_before_it(
    kind: PlanKind, ready: Compulsory | None, stated: Compulsory | None
) -> None:
    check_kind(kind, ready=ready, stated=stated)


@pytest.mark.parametrize(
    ("kind", "ready", "stated", "code"),
    [
        (PlanKind.SIP, "opt", None, "plan.compulsory"),
        (PlanKind.SIP, "orv", None, "plan.compulsory"),
        (PlanKind.CARE_PLAN, "none", None, "plan.not_compulsory"),
        (PlanKind.CARE_PLAN, "none", "opt", "plan.not_compulsory"),
        (PlanKind.CARE_PLAN, "opt", "orv", "plan.not_compulsory"),
    ],
)
def test_a_plan_of_the_other_kind_than_the_readiness_asks_for_is_refused(
    kind: PlanKind, ready: Compulsory, stated: Compulsory | None, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_kind(kind, ready=ready, stated=stated)
    assert refused.value.code == code


@pytest.mark.parametrize(("kind", "stated"), [(PlanKind.SIP, "opt"), (PlanKind.CARE_PLAN, None)])
def test_compulsory_care_is_stated_of_a_care_plan_that_no_readiness_speaks_for_and_of_nothing_else(
    kind: PlanKind, stated: Compulsory | None
) -> None:
    with pytest.raises(Malformed) as wrong:
        check_kind(kind, ready=None, stated=stated)
    assert [error.pointer for error in wrong.value.errors] == ["/compulsory"]


def test_a_readiness_speaks_while_it_stands() -> None:
    first = {"withdrawn_at": "2026-11-05T12:00:00Z", "compulsory": "orv"}
    assert ready_says({"ready": []}) is None
    assert ready_says({"ready": [first]}) is None
    assert ready_says({"ready": [first, {"withdrawn_at": None, "compulsory": "opt"}]}) == "opt"
