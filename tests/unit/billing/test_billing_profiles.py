"""Worked examples for each profile that is shipped (domain 3.5); those of `vgr-2018` and the statute stand with the rule book's own."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.billing.domain.identity import content
from services.billing.domain.month import RuleBook
from services.billing.domain.reasons import Reason
from services.billing.domain.stay import CareType
from services.billing.domain.terms import Charging
from shared.dates import Month
from shared.money import ZERO
from tests.unit.billing.builders import (
    AGREEMENTS,
    BOOK,
    LAW_2018,
    TARIFFS,
    VGR_2018,
    a_stay,
    by_book,
    counted_as,
    kronor,
    line_of,
    month_of,
    reasons,
    tried,
)

INTERIM = AGREEMENTS["vgr-interim-2018"]
TRANSITION = AGREEMENTS["law-2018-psychiatry-transition"]
STOCKHOLM = RuleBook(BOOK.agreements, TARIFFS, "2321000016")
GENERIC, TRIGGER = tried("average3-generic"), tried("next-month-trigger")


def days_charged(ready: str, discharged: str, care_type: CareType = CareType.SOMATIC) -> list[date]:
    """The days the interim agreement charges for one stay."""
    stay = a_stay(ready=ready, discharged=discharged, care_type=care_type)
    charges = line_of(month_of([stay], INTERIM, discharged[:7]), stay).charges
    return [date.fromordinal(day) for part in charges for day in range(part.first.toordinal(), part.last.toordinal() + 1)]


def test_interim_2018_five_weekdays_are_free_and_every_started_day_after_them_costs_4277_kronor() -> None:
    stay = a_stay(ready="2018-03-05T09:00", discharged="2018-03-15T10:00")  # a Monday; free until Friday, then Saturday to the Thursday
    basis = by_book([stay], "2018-03")
    assert (basis.agreement, basis.individual_days, basis.amount) == ("vgr-interim-2018", 6, kronor(6 * 4277))


@pytest.mark.parametrize(
    ("ready", "first"),
    [
        ("2018-03-05T09:00", date(2018, 3, 10)),  # Monday: Monday to Friday are free
        ("2018-03-05T23:59", date(2018, 3, 10)),  # no hour moves it
        ("2018-03-07T09:00", date(2018, 3, 14)),  # Wednesday: a weekend lies between
        ("2018-03-10T09:00", date(2018, 3, 17)),  # Saturday: the weekend is free and uses up none
        ("2018-03-28T09:00", date(2018, 4, 6)),  # Wednesday before Easter: neither Good Friday nor Easter Monday counts
        ("2018-06-04T09:00", date(2018, 6, 12)),  # the National Day is no weekday
    ],
)
def test_interim_2018_weekends_and_holidays_use_up_no_free_day(ready: str, first: date) -> None:
    assert days_charged(ready, "2018-07-01T10:00")[0] == first


def test_interim_2018_a_stay_within_the_free_weekdays_costs_nothing() -> None:
    assert days_charged("2018-03-05T09:00", "2018-03-09T10:00") == []
    assert days_charged("2018-03-05T09:00", "2018-03-10T10:00") == [date(2018, 3, 10)]


def test_interim_2018_psychiatry_has_thirty_free_days() -> None:
    assert len(days_charged("2018-03-01T09:00", "2018-03-31T10:00", CareType.PSYCHIATRIC)) == 1
    assert days_charged("2018-03-01T09:00", "2018-03-30T10:00", CareType.PSYCHIATRIC) == []


def test_the_transition_of_psychiatry_gives_thirty_free_days_and_no_noon() -> None:
    stay = a_stay(ready="2018-11-01T13:00", discharged="2018-12-05T10:00", care_type=CareType.PSYCHIATRIC, municipality="0180")
    basis = by_book([stay], "2018-12", municipality="0180")
    assert (line_of(basis, stay).agreement, basis.individual_days) == ("law-2018-psychiatry-transition", 4)


def test_the_statute_and_its_transition_hold_the_same_numbers_for_2018() -> None:
    (own,) = [terms for terms in LAW_2018.care if terms.care_type is CareType.PSYCHIATRIC and terms.period.first.year == 2018]
    assert (own,) == TRANSITION.care
    assert [replace(one, period=LAW_2018.switches[0].period) for one in TRANSITION.switches] == list(LAW_2018.switches)


def test_stockholm_takes_the_average_over_every_discharged_stay_however_long() -> None:
    stays = [a_stay(days, discharged="2022-03-20T10:00", municipality="0180") for days in (0, 1, 2, 3, 12)]
    basis = by_book(stays, "2022-03", municipality="0180", book=STOCKHOLM)
    assert (basis.average, basis.excess_days, basis.long_stays, basis.amount) == (Fraction(18, 5), Fraction(3), 0, kronor(3 * 9300))


@pytest.mark.parametrize(("month", "free", "excess"), [("2020-03", 5, 1), ("2021-03", 4, 2), ("2022-03", 3, 3), ("2026-03", 3, 3)])
def test_stockholm_lowers_the_free_days_step_by_step(month: str, free: int, excess: int) -> None:
    stay = a_stay(6, discharged=f"{month}-20T10:00", municipality="0180")
    basis = by_book([stay], month, municipality="0180", book=STOCKHOLM)
    assert (basis.groups[0].threshold, basis.excess_days) == (Fraction(free), Fraction(excess))


def test_stockholm_counts_a_notice_after_noon_as_sent_the_next_day() -> None:
    noon, late = (
        a_stay(ready=f"2022-03-10T{clock}", discharged="2022-03-20T10:00", municipality="0180") for clock in ("12:00:00", "12:00:01")
    )
    basis = by_book([noon, late], "2022-03", municipality="0180", book=STOCKHOLM)
    assert [line_of(basis, stay).days for stay in (noon, late)] == [10, 9]
    same_day = a_stay(ready="2022-03-20T13:00", discharged="2022-03-20T15:00", municipality="0180")
    assert by_book([same_day], "2022-03", municipality="0180", book=STOCKHOLM).sum_days == 0


def test_stockholm_has_an_average_of_its_own_for_psychiatry() -> None:
    somatic = [a_stay(days, discharged="2022-03-20T10:00", municipality="0180") for days in (2, 7)]
    psychiatric = [a_stay(d, discharged="2022-03-20T10:00", municipality="0180", care_type=CareType.PSYCHIATRIC) for d in (6, 6)]
    basis = by_book([*somatic, *psychiatric], "2022-03", municipality="0180", book=STOCKHOLM)
    assert [(group.care_types, group.threshold, group.average, group.excess.days) for group in basis.groups] == [
        ((CareType.SOMATIC,), Fraction(3), Fraction(9, 2), Fraction(3)),
        ((CareType.PSYCHIATRIC,), Fraction(5), Fraction(6), Fraction(2)),
    ]
    assert [group.stays for group in basis.groups] == [tuple(s.case_id for s in somatic), tuple(s.case_id for s in psychiatric)]
    assert (basis.amount, basis.excess, basis.in_average) == (kronor(5 * 9300), None, 4)
    assert not AGREEMENTS["stockholm-2020"].adds_up


def test_stockholm_never_lets_a_short_stay_in_one_care_free_a_long_one_in_the_other() -> None:
    stays = [a_stay(0, discharged="2022-03-20T10:00", municipality="0180") for _ in range(9)]
    stays.append(a_stay(8, discharged="2022-03-20T10:00", municipality="0180", care_type=CareType.PSYCHIATRIC))
    assert by_book(stays, "2022-03", municipality="0180", book=STOCKHOLM).excess_days == 3


@pytest.mark.parametrize(("days", "blocks"), [(4, False), (6, True)])
def test_an_undecided_stay_blocks_by_the_average_of_its_own_care_alone(days: int, blocks: bool) -> None:
    somatic = a_stay(9, discharged="2022-03-20T10:00", municipality="0180")
    held = a_stay(
        days,
        discharged="2022-03-20T10:00",
        municipality="0180",
        care_type=CareType.PSYCHIATRIC,
        sip_required=True,
        invited=["2022-03-30T09:00"],
    )
    basis = by_book([somatic, held], "2022-03", municipality="0180", book=STOCKHOLM)
    assert (counted_as(basis, held), basis.blocked) == ("review", blocks)


def test_the_generic_average_bills_the_exact_excess_and_no_stay_by_itself() -> None:
    basis = by_book([a_stay(days) for days in (0, 1, 2, 3, 12)], book=GENERIC)
    assert (basis.average, basis.excess_days, basis.individual_days, basis.amount) == (Fraction(18, 5), Fraction(3), 0, kronor(24_600))
    assert by_book([a_stay(4), *(a_stay(3) for _ in range(25))], book=GENERIC).amount == kronor(8200)
    assert by_book([a_stay(days) for days in (2, 3, 4)], book=GENERIC).amount == ZERO


def test_a_fraction_of_a_day_above_the_average_is_billed_as_a_fraction() -> None:
    generic = AGREEMENTS["average3-generic"]
    half = replace(generic, average=tuple(replace(terms, threshold=Fraction(5, 2)) for terms in generic.average))
    basis = month_of([a_stay(4), a_stay(2), a_stay(3)], half)
    assert (basis.excess_days, basis.amount) == (Fraction(3, 2), kronor(12_300))


def test_the_generic_average_leaves_a_patient_still_there_for_the_month_of_discharge() -> None:
    stay = a_stay(ready="2022-03-20T10:00", discharged="2022-04-15T10:00")
    assert [by_book([stay], month, book=GENERIC).amount for month in ("2022-03", "2022-04")] == [ZERO, kronor(23 * 9300)]


FEBRUARY = "2020-02-20T10:00"


def test_next_month_trigger_an_average_above_three_makes_every_stay_of_the_next_month_chargeable_from_day_four() -> None:
    before = [a_stay(days, discharged=FEBRUARY) for days in (2, 5)]
    stays = [a_stay(days) for days in (0, 3, 4, 5, 12)]
    february, march = (by_book([*before, *stays], month, book=TRIGGER) for month in ("2020-02", "2020-03"))
    assert (february.average, february.amount) == (Fraction(7, 2), ZERO)
    assert [line_of(march, stay).chargeable_days for stay in stays] == [0, 0, 1, 2, 9]
    assert {counted_as(march, stay) for stay in stays} == {"individual"}
    assert (march.amount, march.in_average, march.average) == (kronor(12 * 8200), 5, Fraction(24, 5))


@pytest.mark.parametrize("before", [(), (3,), (2, 4), (0, 5)])
def test_next_month_trigger_an_average_of_exactly_three_or_less_or_none_makes_the_next_month_free(before: tuple[int, ...]) -> None:
    stays = [*(a_stay(days, discharged=FEBRUARY) for days in before), a_stay(12)]
    basis = by_book(stays, book=TRIGGER)
    assert (basis.amount, counted_as(basis, stays[-1])) == (ZERO, "average")


def test_next_month_trigger_the_average_of_the_month_itself_decides_about_the_month_after_only() -> None:
    stays = [a_stay(12), a_stay(4, discharged="2020-04-20T10:00"), a_stay(9, discharged="2020-05-20T10:00")]
    assert [by_book(stays, month, book=TRIGGER).individual_days for month in ("2020-03", "2020-04", "2020-05")] == [0, 1, 6]


def test_next_month_trigger_a_stay_that_is_excluded_moves_no_average() -> None:
    before = [a_stay(2, discharged=FEBRUARY), a_stay(9, discharged=FEBRUARY, admission_notice=None)]
    assert by_book([*before, a_stay(12)], book=TRIGGER).amount == ZERO


def test_next_month_trigger_says_what_the_month_before_came_to() -> None:
    told = content(by_book([a_stay(5, discharged=FEBRUARY), a_stay(4)], book=TRIGGER))
    assert told["groups"][0]["before"] == {"month": "2020-02", "in_average": 1, "sum_days": 5, "exceeded": True}  # type: ignore[index,call-overload]


def test_next_month_trigger_an_undecided_stay_blocks_its_month_although_it_costs_nothing_there() -> None:
    held = a_stay(5, sip_required=True, invited=["2020-03-30T09:00"])
    assert by_book([held], book=TRIGGER).blocked
    assert not by_book([a_stay(0), a_stay(0), held], book=GENERIC).blocked


def test_the_book_says_when_the_month_before_is_needed() -> None:
    assert [book.looks_back("1480", Month(2020, 3)) for book in (BOOK, GENERIC, TRIGGER)] == [False, False, True]
    assert [book.adds_up("1480", Month(2020, 3)) for book in (BOOK, GENERIC, TRIGGER)] == [True, True, False]
    assert [terms.charges for terms in AGREEMENTS["next-month-trigger"].average] == [Charging.NEXT_MONTH]


def test_every_profile_counts_a_stay_without_municipality_against_nobody() -> None:
    stay = a_stay(20, municipality=None)
    for book in (BOOK, GENERIC, TRIGGER, tried("stockholm-2020")):
        assert by_book([stay], book=book).lines == ()


def test_a_stay_that_comes_back_is_a_new_case_with_days_of_its_own() -> None:
    first, again = a_stay(5, discharged="2020-03-10T10:00"), a_stay(5, discharged="2020-03-20T10:00")
    assert by_book([first, again]).sum_days == 10
    assert [switches.readmission for switches in VGR_2018.switches] == ["new_case"]


@pytest.mark.parametrize("name", AGREEMENTS)
def test_the_reviews_and_reasons_are_the_same_under_every_profile(name: str) -> None:
    stay = a_stay(20, admission_notice=None, care_type=CareType.PSYCHIATRIC)
    basis = by_book([stay], book=tried(name))
    assert (counted_as(basis, stay), reasons(basis, stay)) == ("excluded", [Reason.NO_ADMISSION_NOTICE])


def test_the_warnings_of_an_average_are_dated_with_it() -> None:
    (terms,) = VGR_2018.averages_on(date(2026, 3, 1))
    assert terms.alert_above == (Fraction("2.5"), Fraction(3))
    assert VGR_2018.averages_on(date(2018, 9, 24)) == ()
