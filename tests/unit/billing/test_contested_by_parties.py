"""What only one party says: a SIP requirement that is contested, and declined measures that only the debtor knows of afterwards."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.stay import Compulsory, Declined, Stay
from services.billing.domain.terms import DeclinedMeasures, LateNotice
from services.billing.translation import stay_of
from shared.events.facts import StayChanged
from shared.events.stay_parts import DeclinedStated
from tests.unit.billing.builders import GOTEBORG, a_ready_notice, a_stay, counted_as, decided, line_of, local, month_of, reasons
from tests.unit.billing.test_what_planning_tells import outcome

BOTH = frozenset({"municipal_social", "municipal_health"})
AFTER = "2020-03-25T09:00"
IN_TIME, LATE = "2020-03-10T10:00", "2020-03-18T10:00"


def contested(stay: Stay) -> Stay:
    return replace(stay, sip_contested=True)


@pytest.mark.parametrize("required", [True, False])
def test_a_contested_sip_requirement_is_held_where_the_invitation_is_missing(required: bool) -> None:
    stay = contested(a_stay(12, sip_required=required))
    assert outcome(stay)[:2] == ("review", ["sip_requirement_contested"])
    for decision, counted in ((ReviewOutcome.ACCEPT, "long"), (ReviewOutcome.EXCLUDE, "excluded")):
        basis = month_of([stay], decisions=[decided(stay, Reason.SIP_REQUIREMENT_CONTESTED, decision)])
        assert counted_as(basis, stay).value == counted


@pytest.mark.parametrize("required", [True, False])
def test_a_contested_sip_requirement_is_held_where_the_invitation_is_late_and_that_matters(required: bool) -> None:
    stay = contested(a_stay(12, sip_required=required, invited=[LATE]))
    assert outcome(stay)[:2] == ("review", ["sip_requirement_contested"])
    assert outcome(stay, late_sip_invitation=LateNotice.EXCLUDE)[:2] == ("review", ["sip_requirement_contested"])
    assert outcome(stay, late_sip_invitation=LateNotice.ACCEPT)[0] == "long"


@pytest.mark.parametrize("required", [True, False])
def test_a_contested_sip_requirement_holds_nothing_where_nothing_hangs_on_it(required: bool) -> None:
    assert outcome(contested(a_stay(12, sip_required=required, invited=[IN_TIME])))[:2] == ("long", [])
    short = contested(a_stay(2, sip_required=required))
    assert outcome(short)[:2] == ("average", ["uninvited_short_stay"] if required else [])
    compulsory = a_stay(12, ready=a_ready_notice("2020-03-08T09:00", compulsory=Compulsory.OPT), sip_required=required)
    assert "sip_requirement_contested" not in outcome(contested(compulsory))[1]


def test_a_decision_on_a_contested_requirement_is_open_again_when_somebody_was_called_after_all() -> None:
    stay = contested(a_stay(12, sip_required=True))
    decision = decided(stay, Reason.SIP_REQUIREMENT_CONTESTED, ReviewOutcome.EXCLUDE)
    called = contested(a_stay(12, sip_required=True, invited=[LATE], number=stay.case_id.int))
    assert counted_as(month_of([called], decisions=[decision]), called).value == "review"


def says(stay: Stay, at: str, municipality: str | None = GOTEBORG) -> Stay:
    return replace(stay, declined=(Declined(BOTH, local("2020-03-15T09:00"), UUID(int=1), local(at), municipality),))


def test_what_only_the_debtor_says_after_the_stay_is_held_and_not_believed() -> None:
    stay = says(a_stay(12), AFTER)
    assert outcome(stay)[:2] == ("review", ["declined_says_debtor"])
    assert outcome(stay, declined_measures=DeclinedMeasures.COUNTED)[0] == "long"
    basis = month_of([stay], decisions=[decided(stay, Reason.DECLINED_SAYS_DEBTOR, ReviewOutcome.EXCLUDE)])
    assert (counted_as(basis, stay).value, reasons(basis, stay)) == ("excluded", ["declined_says_debtor"])
    assert line_of(basis, stay).days == 12


@pytest.mark.parametrize(("at", "by"), [("2020-03-16T09:00", GOTEBORG), (AFTER, None), (AFTER, "1401")])
def test_what_another_says_or_the_debtor_in_time_excludes_as_before(at: str, by: str | None) -> None:
    assert outcome(says(a_stay(12), at, by))[:2] == ("excluded", ["measures_declined"])


def test_what_was_withdrawn_was_never_declined_whatever_was_told_beside_the_stay() -> None:
    at = local("2020-03-15T09:00")
    told = DeclinedStated(decline_id=UUID(int=1), measures=("municipal_social",), declined_at=at, stated_at=at, stated_by="SE2120001355-E1")
    fact = StayChanged(
        case_id=UUID(int=9), case_version=1, provider="2321000131", ward="SE2321000131-E1", care_type="somatic", declined=(told,)
    )
    beside = [Declined(frozenset(told.measures), at, told.decline_id), Declined(frozenset({"outpatient"}), at, UUID(int=2))]
    assert [one.id for one in stay_of(fact, declined=beside).declined] == [UUID(int=1), UUID(int=2)]
    gone = fact.model_copy(update={"declined": (told.model_copy(update={"withdrawn": True}),)})
    assert [one.id for one in stay_of(gone, declined=beside).declined] == [UUID(int=2)]
