"""The worked examples of the rule book, one by one (domain 3.9)."""

from fractions import Fraction

import pytest

from shared.money import ZERO
from tests.unit.billing.builders import LAW_2018, a_ready_notice, a_stay, counted_as, excess, kronor, line_of, month_of, reasons


@pytest.mark.parametrize(("sent", "days", "amount"), [("2020-03-02T10:00", 1, 8200), ("2020-03-02T13:15", 0, 0)])
def test_example_1_the_statute_gives_one_more_free_day_after_noon(sent: str, days: int, amount: int) -> None:
    stay = a_stay(ready=sent, discharged="2020-03-06T14:00")
    basis = month_of([stay], LAW_2018)
    assert (basis.individual_days, basis.amount) == (days, kronor(amount))


def test_example_2_an_average_below_three_is_free() -> None:
    basis = month_of([a_stay(days) for days in (0, 1, 3, 4, 6)])
    assert (basis.average, excess(basis), basis.amount) == (Fraction(14, 5), 0, ZERO)


def test_example_3_an_average_of_exactly_three_is_free() -> None:
    basis = month_of([a_stay(days) for days in (2, 3, 4)])
    assert (basis.average, excess(basis), basis.amount) == (Fraction(3), 0, ZERO)


def test_example_4_every_day_above_the_average_of_three_is_charged() -> None:
    basis = month_of([a_stay(days) for days in (2, 5, 6, 7)])
    assert (basis.average, excess(basis), basis.amount) == (Fraction(5), 8, kronor(65_600))


def test_example_5_a_long_stay_is_charged_by_itself_and_leaves_the_average() -> None:
    basis = month_of([a_stay(days) for days in (0, 1, 2, 3, 12)])
    assert (basis.average, excess(basis), basis.individual_days) == (Fraction(6, 4), 0, 9)
    assert (basis.stays, basis.in_average, basis.long_stays, basis.amount) == (5, 4, 1, kronor(73_800))


def test_example_6_eight_days_alone_are_individual_and_seven_days_alone_are_an_average() -> None:
    eight, seven = month_of([a_stay(8)]), month_of([a_stay(7)])
    assert (excess(eight), eight.individual_days, eight.average) == (0, 5, None)
    assert (excess(seven), seven.individual_days, seven.average) == (4, 0, Fraction(7))


def test_example_7_each_day_over_new_year_has_its_own_price_and_none_is_charged_in_december() -> None:
    stay = a_stay(ready="2019-12-28T10:00", discharged="2020-01-05T10:00")
    december, january = month_of([stay], month="2019-12"), month_of([stay], month="2020-01")
    assert (december.amount, december.lines, december.open_stays) == (ZERO, (), 1)
    assert [(int(part.days), part.price) for part in line_of(january, stay).charges] == [(1, kronor(7800)), (4, kronor(8200))]
    assert january.amount == kronor(40_600)


def test_example_7b_a_long_stay_is_charged_at_month_end_and_the_rest_at_discharge() -> None:
    stay = a_stay(ready="2022-03-20T10:00", discharged="2022-04-15T10:00")
    march, april = month_of([stay], month="2022-03"), month_of([stay], month="2022-04")
    assert (line_of(march, stay).days, march.individual_days, march.amount) == (12, 9, kronor(83_700))
    assert (line_of(april, stay).days, april.individual_days, april.amount) == (26, 14, kronor(130_200))
    assert (march.stays, april.stays) == (0, 1)


def test_example_8_a_long_stay_without_the_required_sip_invitation_is_excluded() -> None:
    stay = a_stay(10, sip_required=True)
    basis = month_of([stay])
    assert (reasons(basis, stay), basis.amount) == (["no_sip_invitation"], ZERO)
    assert line_of(basis, stay).reasons[0].source == "Lag (2017:612) 5 kap. 3 §"


def test_example_9_removing_one_stay_recomputes_the_whole_month() -> None:
    stays = [a_stay(days) for days in (2, 5, 6)]
    invoiced = month_of([*stays, a_stay(7)])
    proved = month_of([*stays, a_stay(7, admission_notice=None)])
    assert (proved.average, proved.amount) == (Fraction(13, 3), kronor(32_800))
    assert invoiced.amount is not None
    assert proved.amount is not None
    assert invoiced.amount - proved.amount == kronor(32_800)


def test_example_10_the_average_is_never_rounded_before_it_is_used() -> None:
    basis = month_of([a_stay(4), *(a_stay(3) for _ in range(25))])
    assert (basis.stays, basis.sum_days, excess(basis)) == (26, 79, 1)


def test_removing_a_zero_day_stay_raises_the_amount() -> None:
    zero, others = a_stay(0, number=9_001), [a_stay(5), a_stay(5)]
    without = a_stay(0, number=9_001, admission_notice=None)
    assert month_of([*others, zero]).amount == kronor(8200)
    assert month_of([*others, without]).amount == kronor(4 * 8200)


def test_a_patient_ready_twice_counts_from_the_last_notice() -> None:
    stay = a_stay(ready=(a_ready_notice("2020-03-02T09:00", "2020-03-09T09:00"), a_ready_notice("2020-03-16T09:00")), days=0)
    basis = month_of([stay])
    assert (line_of(basis, stay).days, counted_as(basis, stay)) == (4, "average")
