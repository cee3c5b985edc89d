"""Outpatient blocks, a refused SIP, declined measures, placements, leaves, transfers and times on paper (domain 3.1 and 3.7)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.stay import (
    CareType,
    Compulsory,
    ConsentAnswer,
    Declined,
    Leave,
    OutpatientBlock,
    Readiness,
    Stay,
)
from services.billing.domain.terms import BlockedBy, DeclinedMeasures, LateNotice, LeaveDays, SipRefused, TransferClock, WithdrawnReadiness
from services.billing.domain.wishes import all_measures_declined, sip_refused_since
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

SOCIAL, HEALTH = frozenset({"municipal_social"}), frozenset({"municipal_health"})
FIRST, SECOND = UUID(int=71), UUID(int=72)


def a_block(started: str, ended: str | None = None, *, contested: bool = False) -> OutpatientBlock:
    return OutpatientBlock(local(started), None if ended is None else local(ended), contested)


def blocked(stay: Stay, *blocks: OutpatientBlock) -> Stay:
    return replace(stay, blocks=blocks)


def answered(stay: Stay, *answers: tuple[str, bool], plan: UUID = FIRST) -> Stay:
    return replace(stay, consents=(*stay.consents, *(ConsentAnswer(plan, given, local(at)) for at, given in answers)))


def declining(stay: Stay, measures: frozenset[str], at: str = "2020-03-15T09:00") -> Stay:
    return replace(stay, declined=(*stay.declined, Declined(measures, local(at))))


def with_needs(stay: Stay, needs: frozenset[str]) -> Stay:
    return replace(stay, municipal_needs=needs)


def outcome(stay: Stay, **switches: Any) -> tuple[str, list[str], int]:
    basis = month_of([stay], with_switches(VGR_2018, **switches) if switches else VGR_2018)
    return counted_as(basis, stay).value, reasons(basis, stay), line_of(basis, stay).days


@pytest.mark.parametrize("agreement", [LAW_2018, VGR_2018])
def test_a_stay_that_outpatient_care_held_up_is_not_charged_under_any_agreement(agreement: Any) -> None:
    stay = blocked(a_stay(12), a_block("2020-03-12T10:00", "2020-03-13T10:00"))
    basis = month_of([stay], agreement)
    assert (reasons(basis, stay), basis.amount) == (["outpatient_block"], ZERO)


@pytest.mark.parametrize(
    ("started", "ended", "counted"),
    [
        ("2020-03-06T10:00", "2020-03-07T23:59", "long"),  # over before the ready notice of 8 March
        ("2020-03-06T10:00", "2020-03-08T23:59", "long"),  # over on its day: no night was lost
        ("2020-03-06T10:00", "2020-03-09T00:00", "excluded"),  # over the first night of waiting
        ("2020-03-10T08:00", "2020-03-10T20:00", "long"),  # some hours of one day
        ("2020-03-10T23:59", "2020-03-11T00:00", "excluded"),  # over one midnight
        ("2020-03-19T23:59", None, "excluded"),  # over the last night
        ("2020-03-20T00:00", None, "long"),  # stated on the day of discharge: it held nothing up
        ("2020-03-06T10:00", None, "excluded"),  # never answered
        ("2020-03-19T10:00", "2020-03-25T10:00", "excluded"),  # answered after the patient had left
    ],
)
def test_a_block_matters_when_it_lasted_over_a_night_of_the_waiting(started: str, ended: str | None, counted: str) -> None:
    assert outcome(blocked(a_stay(12), a_block(started, ended)))[0] == counted


def test_a_block_while_readiness_was_withdrawn_held_nothing_up() -> None:
    ready = (a_ready_notice("2020-03-02T09:00", "2020-03-05T09:00"), a_ready_notice("2020-03-09T09:00"))
    stay = blocked(a_stay(ready=ready, discharged="2020-03-20T09:00"), a_block("2020-03-06T09:00", "2020-03-08T09:00"))
    assert outcome(stay) == ("long", [], 11)
    assert outcome(stay, withdrawn_readiness=WithdrawnReadiness.SUM_OF_PERIODS)[0] == "long"
    assert outcome(stay, withdrawn_readiness=WithdrawnReadiness.FIRST_NOTICE)[0] == "excluded"


def test_a_zero_day_stay_was_held_up_by_nothing() -> None:
    assert outcome(blocked(a_stay(0), a_block("2020-03-18T09:00"))) == ("average", [], 0)


def test_only_the_blocked_days_are_free_by_switch() -> None:
    stay = blocked(a_stay(12), a_block("2020-03-10T10:00", "2020-03-12T10:00"), a_block("2020-03-11T10:00", "2020-03-13T10:00"))
    assert outcome(stay, outpatient_block=BlockedBy.BLOCKED_DAYS) == ("long", ["outpatient_block"], 9)


def test_the_clock_starts_when_the_last_block_ends_by_switch() -> None:
    stay = blocked(a_stay(12), a_block("2020-03-09T10:00", "2020-03-10T10:00"), a_block("2020-03-11T10:00", "2020-03-15T10:00"))
    assert outcome(stay, outpatient_block=BlockedBy.CLOCK_STARTS_AFTER) == ("average", ["outpatient_block"], 5)


@pytest.mark.parametrize(("ended", "days"), [("2020-03-10T12:00", 7), ("2020-03-10T12:00:01", 6)])
def test_the_noon_rule_looks_at_the_end_of_the_block_when_the_clock_starts_there(ended: str, days: int) -> None:
    stay = blocked(a_stay(12), a_block("2020-03-09T10:00", ended))
    agreement = with_switches(LAW_2018, outpatient_block=BlockedBy.CLOCK_STARTS_AFTER)
    assert month_of([stay], agreement).individual_days == days


@pytest.mark.parametrize("switch", list(BlockedBy))
def test_a_block_that_nobody_answered_leaves_nothing_to_charge_whatever_the_switch(switch: BlockedBy) -> None:
    assert outcome(blocked(a_stay(12), a_block("2020-03-07T10:00")), outpatient_block=switch)[:2] == ("excluded", ["outpatient_block"])


def test_a_block_stated_in_april_frees_march_too() -> None:
    stay = a_stay(ready="2020-03-10T09:00", discharged="2020-04-20T09:00")
    assert month_of([stay]).amount == kronor(19 * 8200)
    later = blocked(stay, a_block("2020-04-05T09:00", "2020-04-08T09:00"))
    assert (month_of([later]).amount, month_of([later], month="2020-04").amount) == (ZERO, ZERO)


@pytest.mark.parametrize("discharged", ["2020-04-20T09:00", None])
def test_a_block_stated_in_april_frees_only_its_own_days_by_switch(discharged: str | None) -> None:
    stay = a_stay(ready="2020-03-10T09:00", discharged=discharged)
    later = blocked(stay, a_block("2020-04-05T09:00", "2020-04-08T09:00"))
    agreement = with_switches(VGR_2018, outpatient_block=BlockedBy.BLOCKED_DAYS)
    assert month_of([later], agreement).individual_days == 19
    assert month_of([later], agreement, "2020-04").individual_days == (16 if discharged else 27)


def test_a_contested_block_is_held_for_a_person_and_decided_on_its_facts() -> None:
    stay = blocked(a_stay(12), a_block("2020-03-10T10:00", "2020-03-10T11:00", contested=True))
    assert outcome(stay)[:2] == ("review", ["outpatient_block_contested"])
    accepted = decided(stay, Reason.OUTPATIENT_BLOCK_CONTESTED, ReviewOutcome.ACCEPT)
    refused = decided(stay, Reason.OUTPATIENT_BLOCK_CONTESTED, ReviewOutcome.EXCLUDE)
    assert month_of([stay], decisions=[accepted]).amount == kronor(9 * 8200)
    assert month_of([stay], decisions=[refused]).amount == ZERO
    another = blocked(stay, *stay.blocks, a_block("2020-03-14T10:00", "2020-03-15T11:00", contested=True))
    assert counted_as(month_of([another], decisions=[accepted]), another) == "review"


def test_a_contested_block_counts_for_who_stated_it_until_the_patient_left() -> None:
    before = blocked(a_stay(12), a_block("2020-03-01T10:00", "2020-03-02T10:00", contested=True))
    after = blocked(a_stay(12), a_block("2020-03-20T10:00", "2020-03-20T10:30", contested=True))
    assert (outcome(before)[0], outcome(after)[0]) == ("review", "long")


def test_a_contested_block_beside_an_uncontested_one_changes_nothing() -> None:
    stay = blocked(a_stay(12), a_block("2020-03-10T10:00", "2020-03-10T11:00", contested=True), a_block("2020-03-12T10:00"))
    assert outcome(stay)[:2] == ("excluded", ["outpatient_block"])


@pytest.mark.parametrize("refused_at", ["2020-03-07T09:00", "2020-03-11T23:59:59"])
def test_nobody_had_to_call_a_patient_who_refused_a_sip_in_time(refused_at: str) -> None:
    stay = answered(a_stay(12, sip_required=True), (refused_at, False))
    assert outcome(stay)[:2] == ("long", ["sip_refused"])
    assert outcome(stay, sip_refused=SipRefused.REVIEW)[:2] == ("review", ["sip_refused"])


def test_a_refusal_after_the_time_to_call_does_not_heal_the_missing_call() -> None:
    stay = answered(a_stay(12, sip_required=True), ("2020-03-12T00:00", False))
    assert outcome(stay)[:2] == ("excluded", ["no_sip_invitation"])
    assert outcome(stay, sip_refused=SipRefused.REVIEW)[:2] == ("excluded", ["no_sip_invitation"])


def test_consent_withdrawn_after_a_call_in_time_changes_nothing() -> None:
    called = answered(a_stay(12, sip_required=True, invited=["2020-03-10T09:00"]), ("2020-03-09T09:00", True), ("2020-03-15T09:00", False))
    assert outcome(called)[:2] == ("long", [])


def test_consent_withdrawn_before_anybody_was_called_is_a_refusal_from_then_on() -> None:
    stay = a_stay(12, sip_required=True)
    in_time = answered(stay, ("2020-03-08T09:00", True), ("2020-03-10T09:00", False))
    too_late = answered(stay, ("2020-03-08T09:00", True), ("2020-03-13T09:00", False))
    assert (outcome(in_time)[1], outcome(too_late)[1]) == (["sip_refused"], ["no_sip_invitation"])


def test_consent_given_anew_makes_the_call_required_again() -> None:
    stay = answered(a_stay(12, sip_required=True), ("2020-03-09T09:00", False), ("2020-03-13T09:00", True))
    assert outcome(stay)[1] == ["no_sip_invitation"]


def test_a_plan_with_consent_outweighs_the_refusal_of_another() -> None:
    stay = answered(a_stay(12, sip_required=True), ("2020-03-09T09:00", False))
    assert outcome(answered(stay, ("2020-03-09T10:00", True), plan=SECOND))[1] == ["no_sip_invitation"]
    assert outcome(answered(stay, ("2020-03-09T08:00", True), plan=SECOND))[1] == ["no_sip_invitation"]
    assert outcome(answered(stay, ("2020-03-09T10:00", False), plan=SECOND))[1] == ["sip_refused"]


def test_the_first_no_of_an_unbroken_row_is_when_the_patient_refused_in_whatever_order_it_is_told() -> None:
    answers: Sequence[tuple[str, bool]] = (("2020-03-12T09:00", False), ("2020-03-08T09:00", True), ("2020-03-10T09:00", False))
    assert sip_refused_since(answered(a_stay(12), *answers)) == local("2020-03-10T09:00")
    assert sip_refused_since(a_stay(12)) is None


def test_a_short_stay_stays_in_the_average_when_a_refusal_is_for_a_person_to_judge() -> None:
    stay = answered(a_stay(2, sip_required=True), ("2020-03-19T09:00", False))
    assert outcome(stay, sip_refused=SipRefused.REVIEW)[:2] == ("average", ["uninvited_short_stay"])
    assert outcome(stay)[:2] == ("average", ["sip_refused"])


@pytest.mark.parametrize("compulsory", [Compulsory.OPT, Compulsory.ORV])
def test_a_refusal_is_of_no_account_under_compulsory_outpatient_care(compulsory: Compulsory) -> None:
    stay = a_stay(10, ready=a_ready_notice("2020-03-10T09:00", compulsory=compulsory), sip_required=True)
    assert outcome(answered(stay, ("2020-03-11T09:00", False)), sip_refused=SipRefused.REVIEW)[:2] == ("long", [])


@pytest.mark.parametrize(
    ("needs", "declined", "counted"),
    [
        (SOCIAL, SOCIAL, "excluded"),
        (SOCIAL, HEALTH, "long"),
        (SOCIAL | HEALTH, SOCIAL, "long"),
        (SOCIAL | HEALTH, SOCIAL | HEALTH, "excluded"),
        (frozenset(), SOCIAL, "long"),  # nothing was told of what was asked: only both together are everything
        (frozenset(), SOCIAL | HEALTH, "excluded"),
        (SOCIAL, frozenset({"outpatient"}), "long"),
    ],
)
def test_a_stay_is_excluded_only_when_every_municipal_measure_was_declined(
    needs: frozenset[str], declined: frozenset[str], counted: str
) -> None:
    assert outcome(declining(with_needs(a_stay(12), needs), declined))[0] == counted


def test_measures_may_be_declined_one_by_one() -> None:
    stay = with_needs(a_stay(12), SOCIAL | HEALTH)
    assert outcome(declining(declining(stay, HEALTH), SOCIAL))[:2] == ("excluded", ["measures_declined"])
    assert outcome(declining(stay, SOCIAL | HEALTH), declined_measures=DeclinedMeasures.COUNTED)[:2] == ("long", ["measures_declined"])


@pytest.mark.parametrize(("at", "declined"), [("2020-03-20T23:59", True), ("2020-03-21T00:00", False)])
def test_what_was_declined_after_the_stay_is_not_why_the_patient_waited(at: str, declined: bool) -> None:
    assert all_measures_declined(declining(a_stay(12), SOCIAL | HEALTH, at)) is declined


def test_a_disputed_placement_is_held_and_an_undisputed_one_is_not() -> None:
    stay = a_stay(12)
    assert outcome(replace(stay, placed_by=frozenset({"1480"})))[0] == "long"
    disputed = replace(stay, placed_by=frozenset({"1480", "1490"}))
    assert outcome(disputed)[:2] == ("review", ["placement_disputed"])
    accepted = decided(disputed, Reason.PLACEMENT_DISPUTED, ReviewOutcome.ACCEPT)
    assert counted_as(month_of([disputed], decisions=[accepted]), disputed) == "long"
    third = replace(disputed, placed_by=frozenset({"1480", "1481"}))
    assert counted_as(month_of([third], decisions=[accepted]), third) == "review"


@pytest.mark.parametrize(("switch", "days"), [(LeaveDays.COUNTED, 12), (LeaveDays.SKIPPED, 8)])
def test_leave_days_of_psychiatry_are_counted_or_skipped(switch: LeaveDays, days: int) -> None:
    leaves = (Leave(local("2020-04-10T09:00"), local("2020-04-13T18:00")), Leave(local("2020-04-19T20:00")))
    psychiatric = replace(a_stay(12, discharged="2020-04-20T11:00", care_type=CareType.PSYCHIATRIC), leaves=leaves)
    somatic = replace(a_stay(12, discharged="2020-04-20T11:00"), leaves=leaves)
    basis = month_of([psychiatric, somatic], with_switches(VGR_2018, leave_days=switch), "2020-04")
    assert (line_of(basis, psychiatric).days, line_of(basis, somatic).days) == (days, 12)
    assert reasons(basis, psychiatric) == ([] if switch is LeaveDays.COUNTED else ["leave_days_skipped"])


@pytest.mark.parametrize(
    ("moved", "days"),
    [
        (("2020-03-12T14:00",), 8),
        (("2020-03-12T14:00", "2020-03-15T09:00"), 5),
        (("2020-03-07T14:00",), 12),  # before the patient was ready
        (("2020-03-20T11:00",), 12),  # when she left
        (("2020-03-20T12:00",), 12),  # after she had left
    ],
)
def test_the_clock_goes_on_through_a_transfer_or_starts_anew_by_switch(moved: tuple[str, ...], days: int) -> None:
    stay = replace(a_stay(12), transfers=tuple(local(at) for at in moved))
    assert outcome(stay) == ("long", [], 12)
    assert outcome(stay, transfer_clock=TransferClock.RESTARTS)[2] == days


def test_the_noon_rule_looks_at_the_transfer_when_the_clock_starts_anew_there() -> None:
    stay = replace(a_stay(12), transfers=(local("2020-03-12T12:00:01"),))
    assert month_of([stay], with_switches(LAW_2018, transfer_clock=TransferClock.RESTARTS)).individual_days == 4


def on_paper(stay: Stay, claimed: str = "2020-03-05T09:00") -> Stay:
    return replace(stay, ready=tuple(replace(notice, claimed_at=local(claimed)) for notice in stay.ready))


def test_a_ready_notice_whose_time_on_paper_nobody_confirmed_is_held_and_counted_as_sent() -> None:
    stay = on_paper(a_stay(12))
    assert outcome(stay) == ("review", ["paper_time_unconfirmed"], 12)
    accepted = decided(stay, Reason.PAPER_TIME_UNCONFIRMED, ReviewOutcome.ACCEPT)
    assert month_of([stay], decisions=[accepted]).amount == kronor(9 * 8200)
    other = on_paper(stay, "2020-03-04T09:00")
    assert counted_as(month_of([other], decisions=[accepted]), other) == "review"


def test_a_time_on_paper_of_a_notice_that_does_not_count_holds_nothing() -> None:
    withdrawn = Readiness(local("2020-03-02T09:00"), local("2020-03-05T09:00"), claimed_at=local("2020-03-01T09:00"))
    stay = a_stay(ready=(withdrawn, a_ready_notice("2020-03-10T09:00")), discharged="2020-03-20T09:00")
    assert outcome(stay)[:2] == ("long", [])
    assert outcome(a_stay(ready=withdrawn, discharged="2020-03-20T09:00"))[:2] == ("excluded", ["ready_withdrawn"])


def test_a_ready_notice_sent_after_discharge_with_a_time_on_paper_says_that_an_outage_would_settle_it() -> None:
    stay = on_paper(a_stay(ready="2020-03-21T08:00", days=0))
    assert outcome(stay)[:2] == ("excluded", ["ready_after_discharge", "paper_time_unconfirmed"])


@pytest.mark.parametrize(
    ("switch", "reason"),
    [
        (LateNotice.REVIEW, "paper_time_unconfirmed"),
        (LateNotice.EXCLUDE, "paper_time_unconfirmed"),
        (LateNotice.ACCEPT, "late_admission_notice"),
    ],
)
def test_a_late_admission_notice_with_a_time_on_paper_is_judged_by_a_person(switch: LateNotice, reason: str) -> None:
    late = a_stay(5, judged=local("2020-03-05T14:00"), admission_notice="2020-03-08T14:00")
    stay = replace(late, admission_notice_claimed_at=local("2020-03-05T15:00"))
    assert outcome(stay, late_admission_notice=switch)[1] == [reason]
    in_time = a_stay(5, judged=local("2020-03-05T14:00"), admission_notice="2020-03-05T18:00")
    assert outcome(replace(in_time, admission_notice_claimed_at=local("2020-03-05T15:00")))[1] == []
