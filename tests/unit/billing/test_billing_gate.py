"""The data-quality gate: what blocks a month, and what is only noted (domain 3.8)."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.basis import FindingCode, MonthBasis
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.stay import OutpatientBlock, Stay
from services.billing.domain.terms import LeaveDays, TransferClock
from services.planning.domain import findings as planning
from shared.money import ZERO, Money
from tests.unit.billing.builders import AGREEMENTS, LAW_2018, VGR_2018, a_stay, counted_as, decided, excess, kronor, local, month_of
from tests.unit.billing.test_billing_days import with_switches

HARMLESS = frozenset({"planned_date_not_by_holder", "leave_not_by_holder", "transfer_not_by_holder", "person_change_not_by_holder"})
"""The planned date and leave move no day that is charged; a transfer or another person stated by such a ward does not count at all."""


def codes(basis: MonthBasis) -> list[tuple[str, bool]]:
    return [(finding.code.value, finding.blocks) for finding in basis.findings]


def a_held_stay(days: int) -> Stay:
    """A stay held for review because its invitation came long after the third day."""
    return a_stay(days, sip_required=True, invited=["2020-03-30T09:00"])


def test_a_clean_month_has_no_findings() -> None:
    assert month_of([a_stay(5), a_stay(12)]).findings == ()


def test_an_undecided_review_blocks_when_it_can_change_the_amount() -> None:
    assert codes(month_of([a_stay(3), a_held_stay(5)])) == [("undecided_review", True)]


def test_an_undecided_review_is_only_noted_when_the_amount_stays_the_same() -> None:
    assert codes(month_of([a_stay(0), a_stay(0), a_held_stay(5)])) == [("undecided_review", False)]


def test_an_undecided_review_of_a_long_stay_blocks() -> None:
    assert codes(month_of([a_stay(0), a_held_stay(12)])) == [("undecided_review", True)]


def test_two_reviews_that_change_the_amount_only_together_both_block() -> None:
    basis = month_of([a_stay(0), a_held_stay(5), a_held_stay(5)])
    assert codes(basis) == [("undecided_review", True)] * 2


def test_a_decided_review_blocks_no_longer() -> None:
    stay = a_held_stay(12)
    decision = decided(stay, Reason.LATE_SIP_INVITATION, ReviewOutcome.ACCEPT)
    basis = month_of([stay], decisions=[decision])
    assert (basis.findings, basis.amount) == ((), kronor(73_800))


def test_a_missing_admission_notice_blocks_until_a_person_confirms_that_it_was_never_sent() -> None:
    stay = a_stay(12, admission_notice=None)
    confirmed = decided(stay, Reason.NO_ADMISSION_NOTICE, ReviewOutcome.EXCLUDE)
    assert codes(month_of([stay])) == [("ready_without_admission_notice", True)]
    assert month_of([stay], decisions=[confirmed]).findings == ()


def test_nobody_can_accept_a_stay_without_an_admission_notice() -> None:
    stay = a_stay(12, admission_notice=None)
    accepted = decided(stay, Reason.NO_ADMISSION_NOTICE, ReviewOutcome.ACCEPT)
    assert month_of([stay], decisions=[accepted]).amount == ZERO


def test_contradictory_events_hold_the_stay_for_a_person() -> None:
    stay = a_stay(12, findings=("case.contradiction",))
    basis = month_of([stay], with_switches(VGR_2018, contradictory_findings=frozenset({"case.contradiction"})))
    assert (counted_as(basis, stay), codes(basis)) == ("review", [("contradictory_events", True)])


@pytest.mark.parametrize(("outcome", "amount"), [(ReviewOutcome.ACCEPT, kronor(73_800)), (ReviewOutcome.EXCLUDE, ZERO)])
def test_what_a_ward_states_of_a_patient_it_does_not_hold_is_judged_before_it_is_billed(outcome: ReviewOutcome, amount: Money) -> None:
    stay = a_stay(12, findings=("not_by_holder",))
    held = month_of([stay])
    assert (counted_as(held, stay), codes(held), held.amount) == ("review", [("contradictory_events", True)], ZERO)
    judged = month_of([stay], decisions=[decided(stay, Reason.CONTRADICTORY_EVENTS, outcome)])
    assert (codes(judged), judged.amount) == ([], amount)


def test_what_was_judged_is_open_again_when_such_a_ward_ends_the_block_that_kept_the_stay_from_being_charged() -> None:
    block = OutpatientBlock(local("2020-03-01T08:00"), None)
    free = a_stay(12, findings=("not_by_holder",))
    judged = decided(free, Reason.CONTRADICTORY_EVENTS, ReviewOutcome.ACCEPT)
    kept, ended = replace(free, blocks=(block,)), replace(free, blocks=(replace(block, ended_at=local("2020-03-02T08:00")),))
    found = [counted_as(month_of([stay], decisions=[judged]), stay) for stay in (free, kept, ended)]
    assert found == ["long", "excluded", "review"]


@pytest.mark.parametrize("finding", sorted(HARMLESS))
def test_what_such_a_ward_states_that_moves_nothing_charged_is_nobodys_work(finding: str) -> None:
    assert month_of([a_stay(12, findings=(finding,))]).amount == kronor(73_800)


@pytest.mark.parametrize("name", AGREEMENTS)
def test_every_rule_set_waits_for_what_planning_can_find_and_a_bill_may_rest_on(name: str) -> None:
    """Without its code in the file of each, a statement by a ward that guessed an id of a stay would be found and billed all the same."""
    for switches in AGREEMENTS[name].switches:
        assert "not_by_holder" in switches.contradictory_findings
        assert switches.contradictory_findings <= {code.value for code in planning.FindingCode}
        assert not switches.contradictory_findings & HARMLESS
        assert (switches.leave_days, switches.transfer_clock) == (LeaveDays.COUNTED, TransferClock.GOES_ON), "else those move days"


def test_a_finding_that_contradicts_nothing_is_no_reason_to_wait() -> None:
    assert month_of([a_stay(12, findings=("planned_discharge_date.missing",))]).findings == ()


def test_a_patient_nobody_has_heard_of_is_not_charged_at_month_end() -> None:
    stay = a_stay(ready="2020-02-20T09:00", sign_of_life="2020-02-20T09:00")
    february, march = month_of([stay], month="2020-02"), month_of([stay], month="2020-03")
    assert (february.individual_days, march.individual_days) == (7, 0)
    assert codes(march) == [("no_sign_of_life", True)]


def test_a_silent_patient_who_costs_nothing_is_only_noted() -> None:
    stay = a_stay(ready="2020-03-28T09:00", sign_of_life="2020-02-01T09:00")
    assert codes(month_of([stay])) == [("no_sign_of_life", False)]


def test_a_missing_price_blocks_and_leaves_the_amount_unknown() -> None:
    basis = month_of([a_stay(12, discharged="2021-03-20T09:00")], month="2021-03")
    assert (codes(basis), basis.amount) == ([("missing_price", True)], None)


def test_a_missing_price_of_the_average_blocks_too() -> None:
    basis = month_of([a_stay(6, discharged="2021-03-20T09:00")], month="2021-03")
    assert (codes(basis), basis.amount, excess(basis)) == ([("missing_price", True)], None, 3)


def test_a_missing_price_that_nobody_needs_blocks_nothing() -> None:
    basis = month_of([a_stay(2, discharged="2021-03-20T09:00")], month="2021-03")
    assert (basis.findings, basis.amount) == ((), ZERO)


def test_last_year_s_price_never_fills_a_gap() -> None:
    stay = a_stay(ready="2020-12-20T09:00", discharged="2021-01-05T09:00")
    basis = month_of([stay], LAW_2018, "2021-01")
    assert [part.price for part in basis.lines[0].charges] == [kronor(8200), None]
    assert basis.amount is None


DAYS = st.integers(min_value=0, max_value=9)


@given(st.lists(DAYS, max_size=4), st.lists(DAYS, min_size=1, max_size=4))
def test_a_review_blocks_exactly_when_some_decision_on_it_changes_the_amount(counted: list[int], held: list[int]) -> None:
    """The rule in the gate is a closed form; here every combination of decisions is tried."""
    stays, reviews = [a_stay(days) for days in counted], [a_held_stay(days) for days in held]
    amounts = {}
    for outcomes in product(ReviewOutcome, repeat=len(reviews)):
        decisions = [decided(stay, Reason.LATE_SIP_INVITATION, outcome) for stay, outcome in zip(reviews, outcomes, strict=True)]
        amounts[outcomes] = month_of([*stays, *reviews], decisions=decisions).amount
    blocking = {
        finding.stay for finding in month_of([*stays, *reviews]).findings if finding.blocks and finding.code is FindingCode.UNDECIDED_REVIEW
    }
    for index, stay in enumerate(reviews):
        matters = any(
            amounts[outcomes] != amounts[(*outcomes[:index], other, *outcomes[index + 1 :])]
            for outcomes in amounts
            for other in ReviewOutcome
        )
        assert (stay.case_id in blocking) == matters
