"""The forecast of a month: what has ended counts, who waits goes on as others did, who is not ready yet comes as before."""

from datetime import date, timedelta
from fractions import Fraction
from random import Random

from services.billing.domain.forecast import Charging, Forecast, Outlook, Past, Window, forecast
from shared.dates import Month

VGR = Charging(averaged=True, long_over=7, free_days=3, monthly=True)
STATUTE = Charging(averaged=False, long_over=None, free_days=3, monthly=False)
HALF_A_YEAR = Window(months=6, fewest=4)
TODAY = date(2026, 10, 21)  # ten days left


def ended(month: str, day: int, days: int, times: int = 1) -> Past:
    return Past(date.fromisoformat(f"{month}-{day:02d}"), days, times)


def so_far(stays: int, sum_days: int, individual_days: int = 0) -> Outlook:
    return Outlook(Fraction(stays), Fraction(stays), Fraction(sum_days), Fraction(individual_days))


def found(past: list[Past], waiting: list[date] | None = None, known: Outlook | None = None, charging: Charging = VGR) -> Forecast:
    forecasted = forecast(known or Outlook(), waiting or [], past, TODAY, charging, HALF_A_YEAR)
    assert forecasted is not None
    return forecasted


EARLY = [ended("2026-09", 5, 2), ended("2026-09", 6, 4), ended("2026-09", 7, 4), ended("2026-09", 8, 6)]
"""A month in which nobody came during the last ten days."""


def test_what_has_ended_counts_as_it_is() -> None:
    assert found(EARLY, known=so_far(5, 17)).outlook == so_far(5, 17)


def test_a_patient_who_waits_goes_on_like_the_stays_that_were_longer() -> None:
    # Three days so far: the stays of four, four and six days are as likely, each ends in time.
    outlook = found(EARLY, [TODAY - timedelta(days=3)]).outlook
    assert outlook.stays == 1
    assert outlook.sum_days == Fraction(4 + 4 + 6, 3)


def test_a_patient_who_has_waited_longer_than_anybody_is_there_when_the_month_ends() -> None:
    outlook = found(EARLY, [TODAY - timedelta(days=8)]).outlook
    # On 1 November nineteen days: sixteen of them charged, and no stay of this month.
    assert outlook.stays == 0
    assert outlook.individual_days == 16


def test_days_that_an_earlier_month_charged_are_not_expected_again() -> None:
    since = date(2026, 9, 20)  # eleven days on 1 October: eight charged in September
    assert found(EARLY, [since]).outlook.individual_days == (42 - 3) - 8


def test_a_long_stay_is_expected_to_be_charged_by_itself() -> None:
    past = [*EARLY, ended("2026-09", 9, 12)]
    outlook = found(past, [TODAY - timedelta(days=6)]).outlook
    assert outlook.stays == 1
    assert outlook.in_average == 0
    assert outlook.individual_days == 9


def test_patients_who_are_not_ready_yet_come_as_in_the_last_days_of_the_months_before() -> None:
    late = [ended("2026-08", 25, 2), ended("2026-08", 30, 4), ended("2026-09", 29, 3)]
    outlook = found([*EARLY, *late, ended("2026-08", 28, 20)]).outlook
    assert (outlook.stays, outlook.sum_days) == (Fraction(3, 2), Fraction(9, 2))


def test_on_the_last_day_nothing_more_is_expected() -> None:
    day = date(2026, 10, 31)
    forecasted = forecast(so_far(4, 9), [], [*EARLY, ended("2026-09", 30, 0)], day, VGR, HALF_A_YEAR)
    assert forecasted is not None
    assert forecasted.outlook == so_far(4, 9)


def test_under_the_statute_each_stay_is_expected_to_be_charged_by_itself() -> None:
    outlook = found([*EARLY, ended("2026-09", 29, 5)], charging=STATUTE).outlook
    assert outlook.stays == 1
    assert outlook.average is None
    assert outlook.individual_days == 2


def test_a_small_municipality_has_no_forecast() -> None:
    assert forecast(so_far(1, 9), [], EARLY[:3], TODAY, VGR, HALF_A_YEAR) is None
    assert forecast(so_far(1, 9), [], [], TODAY, VGR, HALF_A_YEAR) is None
    assert forecast(so_far(1, 9), [], EARLY, TODAY, VGR, HALF_A_YEAR) is not None


def test_stays_of_more_than_half_a_year_ago_count_for_nothing() -> None:
    old = ended("2026-03", 30, 7, times=50)
    assert found([*EARLY, old]).outlook == found([*EARLY, ended("2026-04", 2, 7)]).outlook
    assert (found([*EARLY, old]).months, found([*EARLY, old]).stays) == (6, 4)


def test_alike_stays_may_be_given_together() -> None:
    apart = [*EARLY, *[ended("2026-08", 27, 5)] * 3]
    together = [*EARLY, ended("2026-08", 27, 5, times=3)]
    waiting = [TODAY - timedelta(days=1)]
    assert found(apart, waiting) == found(together, waiting)


def test_months_that_are_all_alike_are_forecast_without_error() -> None:
    past = [ended(f"2026-{month:02d}", day, days) for month in range(1, 10) for day, days in ((3, 1), (4, 3), (10, 2), (27, 4), (28, 2))]
    forecasted = found(past, known=so_far(3, 6))
    assert forecasted.error is not None
    assert forecasted.error.months == 6
    assert forecasted.error.mean_absolute_days == 0
    assert forecasted.outlook.average == Fraction(1 + 3 + 2 + 4 + 2, 5)


def test_the_error_is_what_the_method_was_off_by() -> None:
    # August is forecast from July, in which nobody came so late; then a stay of six days did.
    july = [ended("2026-07", 5, 2, times=4)]
    august = [ended("2026-08", 5, 2, times=3), ended("2026-08", 30, 6)]
    forecasted = forecast(Outlook(), [], [*july, *august], date(2026, 9, 20), VGR, HALF_A_YEAR)
    assert forecasted is not None
    assert forecasted.error is not None
    assert (forecasted.error.months, forecasted.error.mean_absolute_days) == (1, Fraction(3 * 2 + 6, 4) - 2)


def test_the_error_does_not_look_into_the_future() -> None:
    """What is expected of a past month changes by nothing that ended after the day it is expected from, except by how it ended."""
    july = [ended("2026-07", 5, 2, times=4)]
    august = [ended("2026-08", 5, 2, times=3), ended("2026-08", 28, 3)]
    one = forecast(Outlook(), [], [*july, *august], date(2026, 9, 20), VGR, HALF_A_YEAR)
    other = forecast(Outlook(), [], [*july, *august, ended("2026-08", 29, 3)], date(2026, 9, 20), VGR, HALF_A_YEAR)
    assert one is not None
    assert other is not None
    assert one.error is not None
    assert other.error is not None
    assert one.error.mean_absolute_days == Fraction(9, 4) - 2
    assert other.error.mean_absolute_days == Fraction(12, 5) - 2


def test_the_same_facts_in_any_order_give_the_same_forecast() -> None:
    random = Random(7)
    past = [
        Past(date(2025, 10, 1) + timedelta(days=random.randint(0, 364)), random.choice((0, 0, 0, 1, 2, 3, 5, 9, 20))) for _ in range(400)
    ]
    past = [stay for stay in past if Month.of(stay.ended_on) < Month.of(TODAY)]
    waiting = [TODAY - timedelta(days=random.randint(0, 20)) for _ in range(12)]
    first = found(past, waiting)
    for _ in range(5):
        random.shuffle(past)
        random.shuffle(waiting)
        assert found(past, waiting) == first
    assert first.error is not None
    assert first.error.months == 6
