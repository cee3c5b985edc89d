"""The data-quality gate: what blocks a month, and what is only noted (domain 3.8)."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.basis import FindingCode, MonthBasis
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.stay import Stay
from shared.money import ZERO
from tests.unit.billing.builders import LAW_2018, VGR_2018, a_stay, counted_as, decided, excess, kronor, month_of
from tests.unit.billing.test_billing_days import with_switches


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
