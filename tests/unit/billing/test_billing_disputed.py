"""Disputes in the calculation: upheld, rejected, and undecided, when the lower amount counts until somebody has decided."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.basis import CountedAs, MonthBasis
from services.billing.domain.contested import Claim, Standing
from services.billing.domain.identity import content, fingerprint
from services.billing.domain.stay import Stay
from shared.money import ZERO, Money
from tests.unit.billing.builders import a_stay, by_book, counted_as, kronor, line_of, reasons, tried

UNDECIDED, UPHELD, REJECTED = Standing.UNDECIDED, Standing.UPHELD, Standing.REJECTED


def a_claim(stay: Stay, standing: Standing, days: Iterable[str] | None = None, number: int = 1) -> Claim:
    return Claim(UUID(int=number), stay.case_id, None if days is None else frozenset(map(date.fromisoformat, days)), standing)


def the_last(days: int, before: date = date(2020, 3, 20)) -> list[str]:
    """The last waiting days of a stay that ended on 20 March."""
    return [(before - timedelta(days=day)).isoformat() for day in range(1, days + 1)]


def test_a_stay_whose_dispute_was_upheld_is_excluded() -> None:
    stay, other = a_stay(12), a_stay(5)
    basis = by_book([stay, other], claims=[a_claim(stay, UPHELD)])
    assert (counted_as(basis, stay), reasons(basis, stay)) == ("excluded", ["dispute_upheld"])
    assert (basis.amount, basis.disputed) == (kronor(2 * 8200), None)


def test_a_stay_that_leaves_the_average_by_a_dispute_may_raise_the_amount() -> None:
    zero, other = a_stay(0), a_stay(5)
    assert by_book([zero, other]).amount == ZERO
    assert by_book([zero, other], claims=[a_claim(zero, UPHELD)]).amount == kronor(2 * 8200)


def test_days_that_were_upheld_are_no_waiting_days() -> None:
    stay = a_stay(12)
    basis = by_book([stay], claims=[a_claim(stay, UPHELD, the_last(2))])
    assert (line_of(basis, stay).days, counted_as(basis, stay), reasons(basis, stay)) == (10, "long", ["disputed_days"])
    assert (basis.individual_days, line_of(basis, stay).charges[-1].last) == (7, date(2020, 3, 17))


def test_a_long_stay_that_loses_days_may_fall_back_into_the_average() -> None:
    stay = a_stay(9)
    basis = by_book([stay], claims=[a_claim(stay, UPHELD, the_last(2))])
    assert (counted_as(basis, stay), basis.in_average, basis.sum_days, basis.excess_days) == (CountedAs.AVERAGE, 1, 7, Fraction(4))


def test_days_that_are_no_waiting_days_take_nothing_away() -> None:
    stay = a_stay(5)
    basis = by_book([stay], claims=[a_claim(stay, UPHELD, ["2020-03-20", "2020-03-14", "2020-04-01"])])
    assert (line_of(basis, stay).days, reasons(basis, stay)) == (5, [])


def test_two_disputes_on_one_stay_take_their_days_together() -> None:
    stay = a_stay(12)
    claims = [a_claim(stay, UPHELD, the_last(1)), a_claim(stay, UPHELD, the_last(2), number=2)]
    assert line_of(by_book([stay], claims=claims), stay).days == 10


@pytest.mark.parametrize("days", [None, the_last(2)])
def test_a_rejected_dispute_is_as_if_it_had_never_been_raised(days: list[str] | None) -> None:
    stays = [a_stay(12), a_stay(5)]
    assert by_book(stays, claims=[a_claim(stays[0], REJECTED, days)]) == by_book(stays)


@pytest.mark.parametrize("standing", list(Standing))
def test_a_dispute_on_a_stay_that_is_not_in_the_month_changes_nothing(standing: Standing) -> None:
    stays, elsewhere = [a_stay(12), a_stay(5)], a_stay(20, discharged="2020-05-20T10:00")
    assert by_book([*stays, elsewhere], claims=[a_claim(elsewhere, standing)]) == by_book([*stays, elsewhere])


def test_while_undecided_the_lower_amount_counts_and_the_basis_says_both() -> None:
    stay, other = a_stay(12), a_stay(5)
    basis = by_book([stay, other], claims=[a_claim(stay, UNDECIDED)])
    assert basis.disputed is not None
    assert (basis.disputed.counted, basis.disputed.left_out) == (kronor(11 * 8200), kronor(2 * 8200))
    assert (basis.amount, basis.disputed.claims) == (kronor(2 * 8200), (UUID(int=1),))
    assert (counted_as(basis, stay), reasons(basis, stay), line_of(basis, stay).charges) == ("disputed", ["dispute_undecided"], ())
    assert basis.stays == 1


def test_days_that_are_left_out_meanwhile_say_so_on_their_line() -> None:
    stay = a_stay(12)
    basis = by_book([stay], claims=[a_claim(stay, UNDECIDED, the_last(2))])
    assert (basis.amount, counted_as(basis, stay), line_of(basis, stay).days) == (kronor(7 * 8200), "long", 10)
    assert reasons(basis, stay) == ["disputed_days", "dispute_undecided"]


def test_an_undecided_dispute_that_would_raise_the_amount_is_counted_meanwhile() -> None:
    zero, other = a_stay(0), a_stay(5)
    basis = by_book([zero, other], claims=[a_claim(zero, UNDECIDED)])
    assert basis.disputed is not None
    assert (basis.amount, basis.disputed.left_out) == (ZERO, kronor(2 * 8200))
    assert (counted_as(basis, zero), reasons(basis, zero)) == ("average", ["dispute_undecided"])


def test_where_both_amounts_are_equal_the_stay_is_counted() -> None:
    stay = a_stay(2)
    basis = by_book([stay], claims=[a_claim(stay, UNDECIDED)])
    assert (basis.amount, counted_as(basis, stay), basis.in_average) == (ZERO, "average", 1)


def test_of_several_undecided_disputes_only_those_are_left_out_that_lower_the_amount() -> None:
    zero, long = a_stay(0), a_stay(12)
    basis = by_book([zero, long, a_stay(5)], claims=[a_claim(zero, UNDECIDED), a_claim(long, UNDECIDED, number=2)])
    assert basis.disputed is not None
    assert (basis.disputed.counted, basis.disputed.left_out, basis.amount) == (kronor(9 * 8200), kronor(2 * 8200), ZERO)
    assert basis.disputed.claims_left_out == (UUID(int=2),)
    assert [counted_as(basis, stay) for stay in (zero, long)] == ["average", "disputed"]


def test_an_amount_without_a_price_stays_unknown_whatever_is_disputed() -> None:
    stay, other = a_stay(12, discharged="2021-06-20T10:00"), a_stay(2, discharged="2021-06-20T10:00")
    basis = by_book([stay, other], "2021-06", claims=[a_claim(stay, UNDECIDED)])
    assert basis.disputed is not None
    assert (basis.amount, basis.disputed.counted, basis.disputed.left_out) == (None, None, ZERO)
    assert basis.blocked


def test_a_price_that_only_the_lower_amount_needs_is_missing_too() -> None:
    """The eight days are charged in December; as seven they are an excess of January 2021, whose price nobody has entered."""
    stay = a_stay(ready="2020-12-24T09:00", discharged="2021-01-02T10:00")
    basis = by_book([stay], "2021-01", claims=[a_claim(stay, UNDECIDED, ["2020-12-28", "2020-12-29"])])
    assert (basis.amount, basis.blocked) == (None, True)


def test_a_stay_excluded_or_held_for_another_reason_stays_so() -> None:
    excluded, held = a_stay(12, admission_notice=None), a_stay(12, sip_required=True, invited=["2020-03-18T10:00"])
    claims = [a_claim(excluded, UNDECIDED), a_claim(held, UNDECIDED, number=2)]
    basis = by_book([excluded, held], claims=claims)
    assert [(counted_as(basis, stay).value, reasons(basis, stay)) for stay in (excluded, held)] == [
        ("excluded", ["no_admission_notice"]),
        ("review", ["late_sip_invitation"]),
    ]
    upheld = by_book([excluded], claims=[a_claim(excluded, UPHELD)])
    assert reasons(upheld, excluded) == ["no_admission_notice", "dispute_upheld"]


def test_what_blocks_the_month_with_the_dispute_or_without_it_blocks_it() -> None:
    """The held stay matters only while the disputed one, far above three days, is in the average."""
    disputed, held = a_stay(7), a_stay(4, sip_required=True, invited=["2020-03-30T09:00"])
    others = [a_stay(0), a_stay(3)]
    basis = by_book([disputed, held, *others], claims=[a_claim(disputed, UNDECIDED)])
    assert (counted_as(basis, disputed), basis.blocked) == ("disputed", True)
    assert not by_book([disputed, held, *others], claims=[a_claim(disputed, UPHELD)]).blocked


def test_a_dispute_on_a_stay_of_several_months_moves_each_of_them_and_bills_no_day_twice() -> None:
    stay = a_stay(ready="2022-03-20T10:00", discharged="2022-04-15T10:00")
    months = ("2022-03", "2022-04")
    for claims, days in (
        ([], [9, 14]),
        ([a_claim(stay, UPHELD, ["2022-03-30", "2022-04-02"])], [8, 13]),
        ([a_claim(stay, UPHELD, [f"2022-03-{day}" for day in range(20, 26)])], [0, 17]),
        ([a_claim(stay, UPHELD)], [0, 0]),
    ):
        assert [by_book([stay], name, claims=claims).individual_days for name in months] == days


def test_a_dispute_appears_in_the_canonical_text_only_while_it_waits_or_where_it_moved_something() -> None:
    stay = a_stay(12, number=77)
    claims = {standing: by_book([stay], claims=[a_claim(stay, standing)]) for standing in Standing}
    assert content(claims[UNDECIDED])["disputed"] == {
        "counted": "73800.00",
        "left_out": "0.00",
        "claims": ["00000000-0000-0000-0000-000000000001"],
    }
    assert "disputed" not in content(claims[UPHELD])
    assert fingerprint(claims[REJECTED]) == fingerprint(by_book([stay]))
    assert len({fingerprint(basis) for basis in claims.values()}) == 3


def test_in_a_model_that_looks_back_a_dispute_in_the_month_before_can_decide_about_this_one() -> None:
    before, stay = a_stay(9, discharged="2020-02-20T10:00"), a_stay(5)
    book = tried("next-month-trigger")
    assert by_book([before, stay], book=book).amount == kronor(2 * 8200)
    basis = by_book([before, stay], book=book, claims=[a_claim(before, UNDECIDED)])
    assert (basis.amount, basis.disputed is not None) == (ZERO, True)


LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=5)


@given(
    LENGTHS, st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 13)), st.sampled_from(list(Standing))), max_size=4)
)
def test_the_amount_is_above_neither_end_and_no_single_decision_the_other_way_lowers_it(
    lengths: list[int], raised: list[tuple[int, int | None, Standing]]
) -> None:
    stays = [a_stay(days, number=number) for number, days in enumerate(lengths, start=1)]
    claims = [
        a_claim(stays[index % len(stays)], standing, None if days is None else the_last(days), number)
        for number, (index, days, standing) in enumerate(raised, start=1)
    ]
    basis = by_book(stays, claims=claims)
    without, counted = (settled(stays, claims, to) for to in (UPHELD, REJECTED))
    assert without.amount is not None
    assert counted.amount is not None
    assert basis.amount is not None
    assert basis.amount <= min(without.amount, counted.amount)
    if basis.disputed is None:
        assert basis.amount == without.amount == counted.amount
        return
    assert (basis.disputed.counted, basis.disputed.left_out) == (counted.amount, without.amount)
    out = set(basis.disputed.claims_left_out)
    assert as_decided(stays, claims, out) == basis.amount
    assert all(as_decided(stays, claims, out ^ {dispute}) >= basis.amount for dispute in basis.disputed.claims)


def settled(stays: list[Stay], claims: list[Claim], to: Standing) -> MonthBasis:
    """The month once everything undecided was decided one way."""
    decided = [replace(claim, standing=to) if claim.standing is UNDECIDED else claim for claim in claims]
    return by_book(stays, claims=decided)


def as_decided(stays: list[Stay], claims: list[Claim], upheld: set[UUID]) -> Money:
    """What the month costs once these undecided disputes were upheld and the others rejected."""
    standings = {True: UPHELD, False: REJECTED}
    amount = by_book(
        stays, claims=[replace(one, standing=standings[one.dispute in upheld]) if one.standing is UNDECIDED else one for one in claims]
    ).amount
    assert amount is not None
    return amount
