"""Several undecided disputes: the lowest amount that deciding one after the other can give, and which of them are left out for it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.basis import MonthBasis
from services.billing.domain.contested import Claim, Standing
from services.billing.domain.identity import content, fingerprint
from services.billing.domain.lowest import ROUNDS, lowest
from services.billing.domain.stay import Stay
from shared.money import ZERO, Money
from tests.unit.billing.builders import a_stay, by_book, counted_as, kronor, reasons

DAY = 8200  # kronor, in 2020


def undecided(stay: Stay, number: int) -> Claim:
    return Claim(UUID(int=number), stay.case_id, None, Standing.UNDECIDED)


def numbers(some: frozenset[UUID] | tuple[UUID, ...]) -> list[int]:
    return sorted(one.int for one in some)


def left_out(basis: MonthBasis) -> list[int]:
    assert basis.disputed is not None
    return numbers(basis.disputed.claims_left_out)


def test_one_more_dispute_does_not_cost_the_debtor_anything() -> None:
    """The long stay alone out: 14 days of three stays, 5 above. Without the one of no days as well: 14 of two, 8 above."""
    zero, long, others = a_stay(0), a_stay(12), [a_stay(7), a_stay(7)]
    about_long, about_zero = undecided(long, 1), undecided(zero, 2)
    assert by_book([zero, long, *others], claims=[about_long]).amount == kronor(41_000)
    basis = by_book([zero, long, *others], claims=[about_long, about_zero])
    assert basis.disputed is not None
    assert (basis.disputed.counted, basis.disputed.left_out) == (kronor(14 * DAY), kronor(65_600))
    assert (basis.amount, left_out(basis)) == (kronor(41_000), [1])
    assert [(counted_as(basis, stay), reasons(basis, stay)) for stay in (long, zero)] == [
        ("disputed", ["dispute_undecided"]),
        ("average", ["dispute_undecided"]),
    ]


def test_the_text_of_a_calculation_says_which_disputes_are_left_out_where_it_is_some_of_them() -> None:
    zero, long, other = a_stay(0), a_stay(12), a_stay(7)
    claims = [undecided(long, 1), undecided(zero, 2)]
    some = content(by_book([zero, long, other], claims=claims))["disputed"]
    assert isinstance(some, dict)
    assert some["claims_left_out"] == [str(UUID(int=1))]
    assert by_book([zero, long, other], claims=claims) == by_book([other, long, zero], claims=claims[::-1])


PINNED = {
    0: "4202d1f321a579f0332452c72370809b4f419d656f2a660ec78828de984c51bc",
    1: "a1459c652949e810c476afdbcc80ef22ba6a93894b326b44b8ff8deaf039fc81",
    2: "74a07d485ab76178a255389101991bef0e5f200b461f07e88418828088cd0f6e",
}


@pytest.mark.parametrize("raised", PINNED)
def test_a_calculation_that_leaves_out_no_dispute_or_all_has_the_identity_it_always_had(raised: int) -> None:
    """Taken from the product as it was when only all counted and all left out were calculated."""
    stays = [a_stay(12, number=77), a_stay(5, number=78)]
    claims = [undecided(stay, number) for number, stay in enumerate(stays, start=1)][:raised]
    assert fingerprint(by_book(stays, claims=claims)) == PINNED[raised]


def test_what_blocks_the_month_at_either_end_blocks_it_also_between_them() -> None:
    """The held stay of four days matters as soon as days lie above what is free."""
    zero, long, held = a_stay(0), a_stay(12), a_stay(4, sip_required=True, invited=["2020-03-30T09:00"])
    basis = by_book([zero, long, held, a_stay(7), a_stay(7)], claims=[undecided(long, 1), undecided(zero, 2)])
    assert (left_out(basis), basis.blocked) == ([1], True)


Costs = Callable[[frozenset[UUID]], Money | None]
THREE = [UUID(int=number) for number in (1, 2, 3)]


def costing(table: dict[tuple[int, ...], int | None], otherwise: int = 100) -> Costs:
    def amount_of(some: frozenset[UUID]) -> Money | None:
        kr = table.get(tuple(numbers(some)), otherwise)
        return None if kr is None else kronor(kr)

    return amount_of


@pytest.mark.parametrize(
    ("counted", "out", "table", "expected"),
    [
        pytest.param(50, 40, {}, [1, 2, 3], id="all left out costs less"),
        pytest.param(40, 50, {}, [], id="all counted costs less"),
        pytest.param(40, 40, {}, [], id="equal means counted"),
        pytest.param(40, 50, {(1,): 40, (2,): 40}, [], id="what changes nothing stays"),
        pytest.param(50, 60, {(2,): 45, (3,): 30}, [2], id="the first that lowers is taken and not the one that lowers most"),
        pytest.param(50, 60, {(2,): 45, (2, 3): 44}, [2, 3], id="the round goes on from what was taken"),
        pytest.param(50, 60, {(3,): 45, (1, 3): 44, (1,): 51}, [1, 3], id="a second round finds what the first made cheaper"),
        pytest.param(50, 60, {(3,): None, (1,): 45, (1, 2): 44}, [1, 2], id="what is not met need not be known"),
        pytest.param(50, 60, {(2,): None, (3,): 10}, [2], id="what is unknown might be the lowest"),
        pytest.param(50, 60, {(1,): 0, (1, 2): None}, [1], id="nothing is below nothing"),
        pytest.param(50, 60, {(1, 2): 0}, [], id="two at once are never tried"),
    ],
)
def test_one_dispute_after_the_other(counted: int, out: int, table: dict[tuple[int, ...], int | None], expected: list[int]) -> None:
    for disputes in (THREE, THREE[::-1]):
        assert numbers(lowest(disputes, kronor(counted), kronor(out), costing(table))) == expected


def test_one_dispute_alone_needs_no_search() -> None:
    def never(_: frozenset[UUID]) -> Money:
        raise AssertionError

    assert lowest(THREE[:1], kronor(2), kronor(1), never) == frozenset(THREE[:1])


def test_the_search_ends_even_where_every_step_lowers_the_amount() -> None:
    asked: list[frozenset[UUID]] = []

    def always_less(some: frozenset[UUID]) -> Money:
        asked.append(some)
        return kronor(1000 - len(asked))

    lowest(THREE, kronor(1000), kronor(1000), always_less)
    assert len(asked) == ROUNDS * len(THREE)


def decided(stays: list[Stay], claims: list[Claim], upheld: frozenset[UUID]) -> Money:
    amount = by_book(
        stays, claims=[replace(one, standing=Standing.UPHELD if one.dispute in upheld else Standing.REJECTED) for one in claims]
    ).amount
    assert amount is not None
    return amount


@given(st.lists(st.tuples(st.integers(0, 13), st.booleans()), min_size=1, max_size=6))
def test_with_whole_stays_no_decisions_give_less_and_one_more_dispute_never_costs_more(told: list[tuple[int, bool]]) -> None:
    stays = [a_stay(days, number=number) for number, (days, _) in enumerate(told, start=1)]
    claims = [undecided(stay, number) for number, (stay, (_, raised)) in enumerate(zip(stays, told, strict=True), start=1) if raised]
    ids = [one.dispute for one in claims]
    every = chain.from_iterable(combinations(ids, size) for size in range(len(ids) + 1))
    amount = by_book(stays, claims=claims).amount
    assert amount == min(decided(stays, claims, frozenset(some)) for some in every)
    for one in claims:
        fewer = by_book(stays, claims=[other for other in claims if other is not one]).amount
        assert (amount or ZERO) <= (fewer or ZERO)
