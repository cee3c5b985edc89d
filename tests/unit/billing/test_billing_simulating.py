"""The same real month under other rule sets."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.billing.agreements import load_agreements
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.domain.simulating import (
    IN_FORCE,
    Outcome,
    books_for,
    difference,
    look_back,
    months_from,
    next_group,
    outcomes_of,
    profiles_known,
    totals_of,
)
from services.billing.domain.stay import Stay
from shared.dates import Month
from shared.money import Money
from tests.unit.billing.builders import LAW_2018, TARIFFS, VGR_2018, a_stay, decided, kronor

BOOK = RuleBook((LAW_2018, VGR_2018), TARIFFS, "2321000131")


def inputs(stays: list[Stay], code: str = "1480", month: str = "2020-03") -> MonthInputs:
    return MonthInputs(code, Month.parse(month), tuple(stays), (), (), BOOK, date(2026, 1, 1))


def tried(given: MonthInputs, *profiles: str) -> dict[str, Outcome]:
    return {one.profile: one for one in outcomes_of(given, books_for(BOOK, profiles))}


def test_the_rules_in_force_are_always_among_those_that_are_tried() -> None:
    assert list(books_for(BOOK, ["law-2018"])) == [IN_FORCE, "law-2018"]
    assert list(books_for(BOOK, [IN_FORCE])) == [IN_FORCE]
    assert set(profiles_known(BOOK)) == {IN_FORCE, "law-2018", "vgr-2018"}


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(KeyError):
        books_for(BOOK, ["nobody"])


def test_the_same_stays_cost_what_each_rule_set_says() -> None:
    found = tried(inputs([a_stay(days) for days in (2, 5, 6, 7)]), "law-2018", "vgr-2018")
    assert {profile: one.amount for profile, one in found.items()} == {
        IN_FORCE: kronor(65_600),
        "vgr-2018": kronor(65_600),
        "law-2018": kronor(9 * 8_200),
    }
    assert (found["vgr-2018"].average, found["law-2018"].average) == (Fraction(5), None)


def test_a_rule_set_is_tried_on_a_municipality_it_does_not_bind() -> None:
    found = tried(inputs([a_stay(days, municipality="0180") for days in (2, 5, 6, 7)], "0180"), "vgr-2018")
    assert found[IN_FORCE].amount == kronor(9 * 8_200)
    assert found["vgr-2018"].amount == kronor(65_600)


def test_a_rule_set_is_tried_on_months_before_it_came() -> None:
    stays = [a_stay(days, discharged="2018-03-20T11:00") for days in (2, 5, 6, 7)]
    found = tried(inputs(stays, month="2018-03"), "vgr-2018")
    assert (found["vgr-2018"].in_average, found["vgr-2018"].excess_days) == (4, Fraction(8))


def test_a_decided_review_counts_under_every_rule_set() -> None:
    late = a_stay(10, admission_notice="2020-03-09T09:00")
    given = inputs([late])
    undecided = tried(given, "vgr-2018")["vgr-2018"]
    accepted = replace(given, decisions=(decided(late, Reason.LATE_ADMISSION_NOTICE, ReviewOutcome.ACCEPT),))
    assert (undecided.individual_days, tried(accepted, "vgr-2018")["vgr-2018"].individual_days) == (0, 7)


def an_outcome(profile: str, amount: int | None, month: int = 1) -> Outcome:
    return Outcome(profile, "1480", Month(2026, month), 2, 1, 5, Fraction(1, 2), 3, None if amount is None else Money(amount))


def test_totals_add_up_by_profile() -> None:
    totals = {one.profile: one for one in totals_of([an_outcome("a", 100), an_outcome("b", 7), an_outcome("a", 50, 2)])}
    assert (totals["a"].stays, totals["a"].excess_days, totals["a"].individual_days, totals["a"].amount) == (4, Fraction(1), 6, Money(150))
    assert totals["b"].amount == Money(7)


def test_a_total_with_a_month_of_unknown_amount_is_unknown() -> None:
    (total,) = totals_of([an_outcome("a", 100), an_outcome("a", None, 2)])
    assert (total.amount, total.unpriced) == (None, 1)


@pytest.mark.parametrize(("one", "other", "more"), [(150, 100, 50), (100, 150, -50), (None, 1, None), (1, None, None)])
def test_a_difference_is_known_when_both_amounts_are(one: int | None, other: int | None, more: int | None) -> None:
    left, right, between = (None if ore is None else Money(ore) for ore in (one, other, more))
    assert difference(left, right) == between


def test_months_run_over_new_year() -> None:
    assert [str(month) for month in months_from(Month(2019, 11), Month(2020, 2))] == ["2019-11", "2019-12", "2020-01", "2020-02"]


@pytest.mark.parametrize(
    ("room", "taken"),
    [(0, ["a"]), (9, ["a"]), (10, ["a"]), (12, ["a", "b"]), (14, ["a", "b"]), (15, ["a", "b", "c", "d"]), (100, ["a", "b", "c", "d"])],
)
def test_a_group_holds_at_least_one_municipality_and_no_more_stays_than_there_is_room_for(room: int, taken: list[str]) -> None:
    assert next_group(["a", "b", "c", "d"], {"a": 10, "b": 2, "c": 3}, room) == taken


SHIPPED = RuleBook(load_agreements(), TARIFFS, "2321000131")


def february(days: int) -> Stay:
    return a_stay(days, discharged="2020-02-20T11:00")


def test_a_rule_set_that_looks_back_charges_a_month_by_the_average_of_the_one_before() -> None:
    """`next-month-trigger`: more than three days on average in February make every stay of March chargeable from day four."""
    books = books_for(SHIPPED, ["next-month-trigger", "vgr-2018"])
    assert look_back(books, ["1480"], Month(2020, 3)) == ["1480"]
    march = replace(inputs([a_stay(5)]), book=SHIPPED)
    for days, charged in ((3, 0), (4, 2)):
        before = replace(inputs([february(days)], month="2020-02"), book=SHIPPED)
        found = {one.profile: one for one in outcomes_of(march, books, before)}
        assert found["next-month-trigger"].individual_days == charged
        assert (found["vgr-2018"].stays, found["vgr-2018"].excess_days) == (1, Fraction(2))


def test_a_stay_of_both_months_is_taken_once() -> None:
    still_there = a_stay(discharged="2020-03-20T11:00", ready="2020-02-20T09:00")
    march = replace(inputs([still_there]), book=SHIPPED)
    before = replace(inputs([still_there, february(4)], month="2020-02"), book=SHIPPED)
    found = {one.profile: one for one in outcomes_of(march, books_for(SHIPPED, ["next-month-trigger"]), before)}
    assert found["next-month-trigger"].stays == 1


def test_every_shipped_rule_set_can_be_tried_on_every_kind_of_month() -> None:
    profiles = [agreement.name for agreement in SHIPPED.agreements]
    assert len(profiles) >= 7
    for month in ("2017-03", "2018-09", "2020-03", "2026-03"):
        stays = [a_stay(days, discharged=f"{month}-20T11:00") for days in (0, 3, 8)]
        found = outcomes_of(replace(inputs(stays, month=month), book=SHIPPED), books_for(SHIPPED, profiles))
        assert {one.profile for one in found} >= set(profiles)
