"""The preconditions of liability and the open questions around them (domain 3.1 and 3.7)."""

from dataclasses import replace

import pytest

from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.stay import Compulsory, Invitation
from services.billing.domain.terms import DeathWhileReady, LateNotice, MissingInvitation, SundayRule
from shared.money import ZERO
from tests.unit.billing.builders import (
    LAW_2018,
    VGR_2018,
    a_ready_notice,
    a_stay,
    counted_as,
    decided,
    kronor,
    line_of,
    local,
    month_of,
    reasons,
)
from tests.unit.billing.test_billing_days import with_switches


def test_a_stay_without_an_admission_notice_is_excluded_under_every_agreement() -> None:
    stay = a_stay(10, admission_notice=None)
    for agreement in (LAW_2018, VGR_2018):
        assert reasons(month_of([stay], agreement), stay) == ["no_admission_notice"]


def test_an_admission_notice_within_twenty_four_hours_is_in_time() -> None:
    stay = a_stay(5, judged=local("2020-03-05T14:00"), admission_notice="2020-03-06T14:00")
    assert counted_as(month_of([stay]), stay) == "average"


def test_an_admission_notice_a_second_later_is_held_for_review_and_not_billed() -> None:
    stay = a_stay(5, judged=local("2020-03-05T14:00"), admission_notice="2020-03-06T14:00:01")
    basis = month_of([stay])
    assert (counted_as(basis, stay), reasons(basis, stay), basis.amount) == ("review", ["late_admission_notice"], ZERO)


@pytest.mark.parametrize(("sent", "counted"), [("2020-10-25T13:00", "average"), ("2020-10-25T13:00:01", "review")])
def test_twenty_four_hours_are_real_hours_the_night_the_clocks_go_back(sent: str, counted: str) -> None:
    stay = a_stay(5, discharged="2020-10-30T10:00", judged=local("2020-10-24T14:00"), admission_notice=sent)
    assert counted_as(month_of([stay], month="2020-10"), stay) == counted


@pytest.mark.parametrize(
    ("switch", "counted"), [(LateNotice.REVIEW, "review"), (LateNotice.EXCLUDE, "excluded"), (LateNotice.ACCEPT, "average")]
)
def test_a_late_notice_is_reviewed_excluded_or_accepted_as_the_switch_says(switch: LateNotice, counted: str) -> None:
    late_n1 = a_stay(5, judged=local("2020-03-05T14:00"), admission_notice="2020-03-08T14:00")
    late_n8 = a_stay(6, sip_required=True, invited=["2020-03-18T09:00"])
    for stay, name in ((late_n1, "late_admission_notice"), (late_n8, "late_sip_invitation")):
        basis = month_of([stay], with_switches(VGR_2018, **{name: switch}))
        assert (counted_as(basis, stay), reasons(basis, stay)) == (counted, [name])


def test_an_invitation_is_in_time_until_the_end_of_the_third_day() -> None:
    in_time = a_stay(6, sip_required=True, invited=["2020-03-17T23:59:59"])
    late = a_stay(6, sip_required=True, invited=["2020-03-18T00:00"])
    basis = month_of([in_time, late])
    assert (counted_as(basis, in_time), counted_as(basis, late)) == ("average", "review")


def test_an_invitation_before_the_ready_notice_is_in_time() -> None:
    stay = a_stay(6, sip_required=True, invited=["2020-03-10T09:00", "2020-03-30T09:00"])
    assert counted_as(month_of([stay]), stay) == "average"


@pytest.mark.parametrize(
    ("ready", "invited", "rule", "counted"),
    [
        ("2020-03-12T09:00", "2020-03-16T10:00", SundayRule.N8, "average"),  # the third day is a Sunday, so Monday is in time
        ("2020-03-12T09:00", "2020-03-17T10:00", SundayRule.N8, "review"),
        ("2020-03-12T09:00", "2020-03-16T10:00", SundayRule.OFF, "review"),
        ("2020-03-11T09:00", "2020-03-16T10:00", SundayRule.N8, "average"),  # Saturday
    ],
)
def test_a_limit_that_ends_on_a_weekend_waits_for_the_next_weekday(ready: str, invited: str, rule: SundayRule, counted: str) -> None:
    stay = a_stay(ready=ready, discharged="2020-03-18T10:00", sip_required=True, invited=[invited])
    assert counted_as(month_of([stay], with_switches(VGR_2018, statutory_sunday_rule=rule)), stay) == counted


def test_a_limit_that_ends_on_good_friday_waits_for_tuesday() -> None:
    stay = a_stay(ready="2020-04-07T09:00", discharged="2020-04-14T20:00", sip_required=True, invited=["2020-04-14T10:00"])
    assert counted_as(month_of([stay], month="2020-04"), stay) == "average"


@pytest.mark.parametrize(("rule", "counted"), [(SundayRule.N8, "review"), (SundayRule.N1_AND_N8, "average"), (SundayRule.OFF, "review")])
def test_the_sunday_rule_reaches_the_admission_notice_only_by_switch(rule: SundayRule, counted: str) -> None:
    stay = a_stay(5, judged=local("2020-03-13T10:00"), admission_notice="2020-03-16T16:00")  # Friday; Saturday; Monday
    assert counted_as(month_of([stay], with_switches(VGR_2018, statutory_sunday_rule=rule)), stay) == counted


@pytest.mark.parametrize(("days", "counted"), [(0, "average"), (3, "average"), (4, "excluded"), (8, "excluded")])
def test_an_uninvited_stay_of_at_most_three_days_stays_in_the_average(days: int, counted: str) -> None:
    stay = a_stay(days, sip_required=True)
    assert counted_as(month_of([stay]), stay) == counted


def test_a_short_stay_called_too_late_is_no_worse_than_one_never_called() -> None:
    stay = a_stay(2, sip_required=True, invited=["2020-03-28T09:00"])
    basis = month_of([stay])
    assert (counted_as(basis, stay), reasons(basis, stay)) == ("average", ["uninvited_short_stay"])


def test_every_uninvited_stay_is_excluded_by_switch() -> None:
    stay = a_stay(1, sip_required=True)
    agreement = with_switches(VGR_2018, missing_sip_invitation=MissingInvitation.EXCLUDE_ALL)
    assert counted_as(month_of([stay], agreement), stay) == "excluded"


@pytest.mark.parametrize("compulsory", [Compulsory.OPT, Compulsory.ORV])
def test_no_sip_is_required_under_compulsory_outpatient_care(compulsory: Compulsory) -> None:
    stay = a_stay(10, ready=a_ready_notice("2020-03-10T09:00", compulsory=compulsory), sip_required=True)
    assert counted_as(month_of([stay]), stay) == "long"


def test_a_patient_who_dies_while_ready_counts_nowhere() -> None:
    stay = a_stay(ready="2020-03-02T09:00", deceased="2020-03-20T09:00")
    basis = month_of([stay, a_stay(3)])
    assert (reasons(basis, stay), basis.in_average, basis.amount) == (["deceased_while_ready"], 1, ZERO)


def test_a_patient_who_dies_while_ready_counts_until_death_by_switch() -> None:
    stay = a_stay(ready="2020-03-02T09:00", deceased="2020-03-20T09:00")
    basis = month_of([stay], with_switches(VGR_2018, death_while_ready=DeathWhileReady.UNTIL_DEATH))
    assert (line_of(basis, stay).days, basis.individual_days) == (18, 15)


def test_death_after_discharge_changes_nothing() -> None:
    stay = a_stay(12, deceased="2020-03-25T09:00")
    assert month_of([stay]).amount == kronor(73_800)


def test_a_patient_registered_nowhere_makes_no_municipality_liable() -> None:
    basis = month_of([a_stay(12, municipality=None)])
    assert (basis.lines, basis.amount) == ((), ZERO)


def test_a_cancelled_stay_and_another_municipality_s_stay_are_no_part_of_the_month() -> None:
    assert month_of([a_stay(12, cancelled=True), a_stay(12, municipality="1481")]).lines == ()


def test_all_reasons_of_a_stay_are_named() -> None:
    stay = a_stay(10, admission_notice=None, sip_required=True)
    assert reasons(month_of([stay]), stay) == ["no_admission_notice", "no_sip_invitation"]


@pytest.mark.parametrize(("outcome", "counted"), [(ReviewOutcome.ACCEPT, "average"), (ReviewOutcome.EXCLUDE, "excluded")])
def test_a_decided_review_is_followed(outcome: ReviewOutcome, counted: str) -> None:
    stay = a_stay(6, sip_required=True, invited=["2020-03-18T09:00"])
    basis = month_of([stay], decisions=[decided(stay, Reason.LATE_SIP_INVITATION, outcome)])
    assert (counted_as(basis, stay), reasons(basis, stay)) == (counted, ["late_sip_invitation"])


def test_a_decision_on_one_reason_leaves_another_open() -> None:
    stay = a_stay(6, sip_required=True, invited=["2020-03-18T09:00"])
    basis = month_of([stay], decisions=[decided(stay, Reason.LATE_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)])
    assert counted_as(basis, stay) == "review"


def test_a_stay_that_ended_before_the_agreement_is_named_and_not_charged() -> None:
    stay = a_stay(12, discharged="2018-09-24T10:00")
    assert reasons(month_of([stay], month="2018-09"), stay) == ["agreement_not_in_force"]


def test_a_call_that_went_to_another_municipality_is_no_invitation_of_the_one_that_pays() -> None:
    stay = a_stay(10, sip_required=True, invited=["2020-03-11T09:00"])
    stranger = replace(stay, invitations=(Invitation(local("2020-03-11T09:00"), frozenset({"1490"})),))
    assert month_of([stay]).amount == kronor(7 * 8200)
    assert (month_of([stranger]).amount, reasons(month_of([stranger]), stranger)) == (ZERO, ["no_sip_invitation"])


def test_a_late_call_to_the_municipality_is_late_however_early_others_were_called() -> None:
    early, late = local("2020-03-11T09:00"), local("2020-03-19T09:00")
    stay = replace(
        a_stay(10, sip_required=True), invitations=(Invitation(early, frozenset({"1490"})), Invitation(late, frozenset({"1480", "1490"})))
    )
    assert (reasons(month_of([stay]), stay), line_of(month_of([stay]), stay).invited_at) == (["late_sip_invitation"], late)


def test_a_decision_no_longer_holds_when_the_facts_it_was_taken_on_have_changed() -> None:
    stay = a_stay(6, sip_required=True, invited=["2020-03-18T09:00"])
    decision = decided(stay, Reason.LATE_SIP_INVITATION, ReviewOutcome.ACCEPT)
    later = replace(stay, invitations=(Invitation(local("2020-03-19T09:00"), frozenset({"1480"})),))
    unrelated = replace(stay, last_sign_of_life_at=local("2020-03-19T09:00"))
    assert counted_as(month_of([stay], decisions=[decision]), stay) == "average"
    assert counted_as(month_of([unrelated], decisions=[decision]), unrelated) == "average"
    assert counted_as(month_of([later], decisions=[decision]), later) == "review"


def test_a_patient_found_waiting_in_march_may_have_been_forgotten_in_april() -> None:
    stay = a_stay(ready="2020-02-20T09:00", sign_of_life="2020-02-20T09:00")
    decision = decided(stay, Reason.NO_SIGN_OF_LIFE, ReviewOutcome.ACCEPT)
    assert counted_as(month_of([stay], decisions=[decision]), stay) == "long"
    assert counted_as(month_of([stay], month="2020-04", decisions=[decision]), stay) == "review"
