"""Counting days: boundaries, clock changes, New Year, leap day, withdrawn readiness."""

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

import pytest

from services.billing.domain.stay import CareType, Readiness, Stay
from services.billing.domain.terms import Agreement, OpenLongStay, Period, Switches, WithdrawnReadiness
from shared.dates import STOCKHOLM
from shared.money import ZERO, Money
from tests.unit.billing.builders import (
    LAW_2018,
    VGR_2018,
    a_ready_notice,
    a_stay,
    counted_as,
    excess,
    kronor,
    line_of,
    month_of,
    reasons,
)


def with_switches(agreement: Agreement, **values: object) -> Agreement:
    changed: tuple[Switches, ...] = tuple(replace(switches, **values) for switches in agreement.switches)  # type: ignore[arg-type]
    return replace(agreement, switches=changed)


def test_a_stay_of_exactly_seven_days_stays_in_the_average() -> None:
    basis = month_of([a_stay(7)])
    assert (excess(basis), basis.individual_days) == (4, 0)


def test_a_stay_of_eight_days_leaves_the_average() -> None:
    stay = a_stay(8)
    assert counted_as(month_of([stay]), stay) == "long"


def test_a_zero_day_stay_counts_in_the_denominator() -> None:
    basis = month_of([a_stay(0), a_stay(6)])
    assert (basis.in_average, basis.average, basis.amount) == (2, Fraction(3), ZERO)


@pytest.mark.parametrize(
    ("sent", "days"),
    [("2020-03-02T12:00:00", 1), ("2020-03-02T12:00:00.000001", 0), ("2020-03-02T12:00:01", 0), ("2020-03-02T11:59:59", 1)],
)
def test_noon_itself_is_not_after_noon(sent: str, days: int) -> None:
    assert month_of([a_stay(ready=sent, discharged="2020-03-06T08:00")], LAW_2018).individual_days == days


def test_noon_is_swedish_noon_in_summer_and_in_winter() -> None:
    winter = a_stay(ready="2020-03-27T12:30", discharged="2020-03-31T08:00")
    summer = a_stay(ready="2020-06-01T11:30", discharged="2020-06-05T08:00")
    assert month_of([winter], LAW_2018).individual_days == 0
    assert month_of([summer], LAW_2018, "2020-06").individual_days == 1


def test_the_average_model_has_no_noon_rule() -> None:
    stay = a_stay(ready="2020-03-02T23:59", discharged="2020-03-06T00:01")
    assert line_of(month_of([stay]), stay).days == 4


@pytest.mark.parametrize(
    ("ready", "discharged", "days"),
    [
        ("2020-03-28T23:30", "2020-03-30T00:15", 2),  # over the night of 23 hours
        ("2020-10-24T23:30", "2020-10-26T00:15", 2),  # over the night of 25 hours
        ("2020-10-25T02:30", "2020-10-25T23:00", 0),  # inside the day of 25 hours
        ("2020-02-28T09:00", "2020-03-01T09:00", 2),  # over the leap day
        ("2019-02-28T09:00", "2019-03-01T09:00", 1),  # no leap day
        ("2019-12-31T23:59", "2020-01-01T00:01", 1),  # over New Year, two minutes
        ("2020-03-05T00:00", "2020-03-05T23:59", 0),  # almost a whole day, but one date
    ],
)
def test_days_are_calendar_days_never_hours(ready: str, discharged: str, days: int) -> None:
    stay = a_stay(ready=ready, discharged=discharged)
    assert line_of(month_of([stay], month=discharged[:7]), stay).days == days


def test_a_ready_notice_sent_after_the_discharge_date_is_no_ready_notice() -> None:
    stay = a_stay(ready="2020-03-21T08:00", days=0)
    assert reasons(month_of([stay]), stay) == ["ready_after_discharge"]


def test_a_ready_notice_sent_later_on_the_day_of_discharge_gives_zero_days() -> None:
    stay = a_stay(ready="2020-03-20T23:00", days=0)
    basis = month_of([stay])
    assert (line_of(basis, stay).days, basis.stays) == (0, 1)


def test_a_second_notice_after_discharge_leaves_the_first_one_standing() -> None:
    stay = a_stay(ready=(a_ready_notice("2020-03-16T09:00"), a_ready_notice("2020-03-21T09:00")), days=0)
    assert line_of(month_of([stay]), stay).days == 4


def test_withdrawn_readiness_alone_makes_nobody_liable() -> None:
    stay = a_stay(ready=a_ready_notice("2020-03-02T09:00", "2020-03-10T09:00"), days=0)
    assert reasons(month_of([stay]), stay) == ["ready_withdrawn"]


@pytest.mark.parametrize(
    ("switch", "days"),
    [(WithdrawnReadiness.LAST_VALID, 4), (WithdrawnReadiness.SUM_OF_PERIODS, 11), (WithdrawnReadiness.FIRST_NOTICE, 18)],
)
def test_withdrawn_readiness_is_counted_as_the_switch_says(switch: WithdrawnReadiness, days: int) -> None:
    stay = a_stay(ready=(a_ready_notice("2020-03-02T09:00", "2020-03-09T09:00"), a_ready_notice("2020-03-16T09:00")), days=0)
    basis = month_of([stay], with_switches(VGR_2018, withdrawn_readiness=switch))
    assert line_of(basis, stay).days == days


def test_the_discharge_day_counts_only_by_switch() -> None:
    stay = a_stay(4)
    assert line_of(month_of([stay], with_switches(VGR_2018, count_discharge_day=True)), stay).days == 5


def test_days_of_a_long_stay_start_at_day_eight_by_switch() -> None:
    terms = tuple(replace(average, bill_from_day=8) for average in VGR_2018.average)
    assert month_of([a_stay(12)], replace(VGR_2018, average=terms)).individual_days == 5


@pytest.mark.parametrize(("decimals", "over"), [(None, Fraction(3, 4)), (1, Fraction(8, 10)), (2, Fraction(3, 4))])
def test_excess_days_are_exact_unless_an_agreement_rounds_them(decimals: int | None, over: Fraction) -> None:
    terms = tuple(replace(average, excess_decimals=decimals, threshold=Fraction("3.25")) for average in VGR_2018.average)
    basis = month_of([a_stay(4)], replace(VGR_2018, average=terms))
    assert (basis.excess_days, basis.amount) == (over, Money(int(820_000 * over)))


def test_too_few_stays_for_an_average_are_free() -> None:
    terms = tuple(replace(average, smallest_number=3) for average in VGR_2018.average)
    assert month_of([a_stay(7), a_stay(7)], replace(VGR_2018, average=terms)).amount == ZERO


def test_a_stay_takes_in_no_time_but_utc() -> None:
    with pytest.raises(ValueError, match="UTC"):
        Readiness(datetime(2020, 10, 25, 2, 30, tzinfo=STOCKHOLM))


def psychiatric(ready: str, discharged: str) -> Stay:
    return a_stay(ready=ready, discharged=discharged, care_type=CareType.PSYCHIATRIC)


@pytest.mark.parametrize(
    ("discharged", "ready", "counted", "charged"),
    [
        ("2018-12-31", "2018-11-30", "individual", 1),
        ("2019-12-31", "2019-12-01", "individual", 0),
        ("2019-12-31", "2019-11-30", "individual", 1),
        ("2020-01-01", "2019-12-24", "individual", 1),
        ("2020-03-31", "2020-03-24", "individual", 0),
        ("2020-04-01", "2020-03-24", "long", 5),
        ("2020-04-01", "2020-03-25", "average", 0),
    ],
)
def test_psychiatry_steps_from_thirty_free_days_to_seven_to_somatic_rules(discharged: str, ready: str, counted: str, charged: int) -> None:
    stay = psychiatric(f"{ready}T14:00", f"{discharged}T10:00")
    basis = month_of([stay], month=discharged[:7])
    assert (counted_as(basis, stay), basis.individual_days) == (counted, charged)


def test_psychiatry_under_the_statute_had_thirty_free_days_and_no_noon_rule_in_2018() -> None:
    early = psychiatric("2018-11-01T13:00", "2018-12-05T10:00")
    late = psychiatric("2019-01-02T13:00", "2019-01-07T10:00")
    assert month_of([early], LAW_2018, "2018-12").individual_days == 4
    assert month_of([late], LAW_2018, "2019-01").individual_days == 1


def test_somatic_and_psychiatric_stays_share_one_average_from_april_2020() -> None:
    stays = [psychiatric("2020-04-10T09:00", "2020-04-16T09:00"), a_stay(0, discharged="2020-04-16T09:00")]
    basis = month_of(stays, month="2020-04")
    assert (basis.in_average, basis.average) == (2, Fraction(3))


def test_a_psychiatric_stay_over_the_change_of_rules_loses_and_repeats_no_day() -> None:
    stay = psychiatric("2020-02-20T09:00", "2020-05-10T09:00")
    by_month = {name: month_of([stay], month=name).individual_days for name in ("2020-02", "2020-03", "2020-04", "2020-05")}
    assert by_month == {"2020-02": 0, "2020-03": 0, "2020-04": 68, "2020-05": 9}
    assert sum(by_month.values()) == (date(2020, 5, 10) - date(2020, 2, 20)).days - 3


def test_a_long_stay_of_many_months_is_charged_every_month_and_each_day_once() -> None:
    stay = a_stay(ready="2019-11-20T09:00", discharged="2020-02-02T09:00")
    months = ("2019-11", "2019-12", "2020-01", "2020-02")
    assert [month_of([stay], month=name).individual_days for name in months] == [8, 31, 31, 1]
    assert month_of([stay], month="2019-12").amount == kronor(31 * 7800)


def test_all_days_of_a_long_stay_are_charged_at_discharge_by_switch() -> None:
    stay = a_stay(ready="2022-03-20T10:00", discharged="2022-04-15T10:00")
    terms = tuple(replace(average, open_long_stay=OpenLongStay.AT_DISCHARGE) for average in VGR_2018.average)
    by_month = {name: month_of([stay], replace(VGR_2018, average=terms), name) for name in ("2022-03", "2022-04", "2022-05")}
    assert [basis.individual_days for basis in by_month.values()] == [0, 23, 0]
    assert by_month["2022-04"].amount == kronor(23 * 9_300)
    assert by_month["2022-03"].open_stays == 1


def test_a_long_stay_loses_and_repeats_no_day_when_the_switch_changes_while_it_lasts() -> None:
    stay = a_stay(ready="2022-02-10T10:00", discharged="2022-04-15T10:00")
    (terms,) = VGR_2018.averages_on(date(2022, 4, 30))
    later = replace(terms, period=Period(date(2022, 3, 1)), open_long_stay=OpenLongStay.AT_DISCHARGE)
    until = replace(terms, period=Period(terms.period.first, date(2022, 2, 28)))
    days = [month_of([stay], replace(VGR_2018, average=(until, later)), name).individual_days for name in ("2022-02", "2022-03", "2022-04")]
    assert days == [16, 0, 31 + 14]


def test_a_patient_still_in_hospital_is_charged_only_when_the_month_is_over() -> None:
    stay = a_stay(ready="2020-03-02T09:00", sign_of_life="2020-03-02T09:00")
    assert month_of([stay], as_of=date(2020, 3, 31)).amount == ZERO
    assert month_of([stay], as_of=date(2020, 4, 1)).individual_days == 27


def test_a_long_stay_discharged_on_the_first_was_charged_at_month_end() -> None:
    stay = a_stay(ready="2020-03-20T09:00", discharged="2020-04-01T09:00")
    march, april = month_of([stay]), month_of([stay], month="2020-04")
    assert (march.individual_days, april.individual_days, counted_as(april, stay)) == (9, 0, "long")
