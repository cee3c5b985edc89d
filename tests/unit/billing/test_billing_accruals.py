"""Accruals: stays as they had been on a day, whatever became of them later."""

from datetime import date

import pytest

from services.billing.domain.accruing import as_it_stood, basis_on
from services.billing.domain.month import MonthInputs
from shared.dates import Month, parse_day
from tests.unit.billing.builders import BOOK, a_ready_notice, a_stay, kronor, local, month_of


def test_who_had_left_by_the_day_is_taken_as_she_was() -> None:
    stay = a_stay(5)
    assert as_it_stood([stay], date(2020, 3, 20)) == (stay,)


@pytest.mark.parametrize("later", ["2020-03-21T00:00", "2020-04-10T09:00", None])
def test_who_was_still_there_is_taken_as_having_left_on_that_very_day(later: str | None) -> None:
    (stay,) = as_it_stood([a_stay(ready="2020-03-10T09:00", discharged=later)], date(2020, 3, 20))
    assert stay.ended_on == date(2020, 3, 20)
    assert month_of([stay]).lines[0].days == 10


def test_who_is_still_there_and_too_short_a_time_to_be_charged_is_estimated_as_leaving_on_the_last_day() -> None:
    """Four days by 31 March make an average of 4: one day too many, that the month itself will leave to April."""
    inputs = MonthInputs(
        "1480", Month.parse("2020-03"), (a_stay(ready="2020-03-27T09:00", discharged=None),), (), (), BOOK, date(2020, 6, 1)
    )
    assert [basis_on(inputs, date(2020, 3, day)).amount for day in (30, 31)] == [kronor(0), kronor(8_200)]


def test_who_died_later_had_not_died_yet() -> None:
    (stay,) = as_it_stood([a_stay(ready="2020-03-10T09:00", deceased="2020-04-01T09:00")], date(2020, 3, 20))
    assert (stay.died_in_care, stay.ended_on) == (False, date(2020, 3, 20))


@pytest.mark.parametrize(("day", "known"), [("2020-03-09", 0), ("2020-03-10", 1)])
def test_a_ready_notice_counts_from_the_day_it_was_sent(day: str, known: int) -> None:
    assert len(as_it_stood([a_stay(ready="2020-03-10T23:59")], parse_day(day))) == known


def test_a_readiness_that_was_withdrawn_later_still_stood() -> None:
    withdrawn = a_ready_notice("2020-03-10T09:00", withdrawn="2020-03-25T09:00")
    (before,) = as_it_stood([a_stay(ready=withdrawn, discharged="2020-04-10T09:00")], date(2020, 3, 20))
    (after,) = as_it_stood([a_stay(ready=withdrawn, discharged="2020-04-10T09:00")], date(2020, 3, 25))
    assert (before.ready[0].withdrawn_at, after.ready[0].withdrawn_at) == (None, local("2020-03-25T09:00"))
