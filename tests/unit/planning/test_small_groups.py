"""Nobody outside can work out a number of fewer than five stays, whatever he asks for and compares."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.planning.domain.measures import Aspect, Label
from services.planning.domain.small_groups import aspects_shown, block_ends, deviations_shown, is_small
from services.planning.indicator_terms import load_indicator_terms

TERMS = load_indicator_terms()
CARE_TYPES = ("somatic", "psychiatric")
LABELS = (Label.ZERO_DAYS, Label.SOME_DAYS, Label.LONG)
Stay = tuple[int, int, str, Label]
"""Number, month, care type, and the label in one aspect."""


@st.composite
def years(draw: st.DrawFn) -> list[Stay]:
    """A municipality's year: few psychiatric stays, some more somatic ones, labels that are often rare."""
    stays: list[Stay] = []
    for month in range(1, 7):
        for care_type, most in (("somatic", 9), ("psychiatric", 4)):
            for _ in range(draw(st.integers(0, most))):
                label = draw(st.sampled_from((Label.ZERO_DAYS, *[Label.SOME_DAYS] * 4, Label.LONG)))
                stays.append((len(stays), month, care_type, label))
    return stays


def blocks(stays: list[Stay]) -> list[tuple[int, int]]:
    """What the closing of one month after another makes of a year."""
    found: list[tuple[int, int]] = []
    pending: list[dict[str, int]] = []
    first = 1
    for month in range(1, 7):
        sizes = {kind: sum(stay[1:3] == (month, kind) for stay in stays) for kind in CARE_TYPES}
        pending.append(sizes)
        if block_ends(pending, TERMS):
            found.append((first, month))
            pending, first = [], month + 1
    return found


def told(stays: list[Stay]) -> Iterator[frozenset[Stay]]:
    """The stays behind every count that somebody else is ever told: of any period, care type and aspect, and of any labels of it."""
    cells = [
        [stay for stay in stays if first <= stay[1] <= last and stay[2] == kind] for first, last in blocks(stays) for kind in CARE_TYPES
    ]
    kinds = [kind for _ in blocks(stays) for kind in CARE_TYPES]
    spans = sorted({(a, b) for a in range(len(cells) // 2) for b in range(a, len(cells) // 2)})
    for first, last in spans:
        for kind in CARE_TYPES:
            asked = [cell for number, cell in enumerate(cells) if first <= number // 2 <= last and kinds[number] == kind]
            yield frozenset(stay for cell in asked for stay in cell)
            shown = [
                cell
                for cell in asked
                if aspects_shown({Aspect.WAITING: {label: sum(s[3] is label for s in cell) for label in LABELS}}, TERMS)
            ]
            for size in (1, 2):
                for labels in combinations(LABELS, size):
                    yield frozenset(stay for cell in shown for stay in cell if stay[3] in labels)


@settings(max_examples=300, deadline=None)
@given(years())
def test_no_count_and_no_difference_of_two_counts_stands_for_a_small_group(stays: list[Stay]) -> None:
    counts = set(told(stays))
    assert not any(is_small(len(one), TERMS) for one in counts)
    assert not any(is_small(len(one - other), TERMS) for one in counts for other in counts if other < one)


@settings(max_examples=200, deadline=None)
@given(years())
def test_the_care_types_of_a_block_cannot_be_told_apart_by_their_sum(stays: list[Stay]) -> None:
    for first, last in blocks(stays):
        sizes = [sum(first <= stay[1] <= last and stay[2] == kind for stay in stays) for kind in CARE_TYPES]
        assert not any(is_small(size, TERMS) for size in sizes)


@settings(max_examples=200, deadline=None)
@given(years())
def test_a_block_less_the_months_that_averages_show_is_no_small_group(stays: list[Stay]) -> None:
    for first, last in blocks(stays):
        months = [sum(stay[1] == month for stay in stays) for month in range(first, last + 1)]
        assert not is_small(sum(size for size in months if is_small(size, TERMS)), TERMS)


def test_a_month_of_three_stands_in_no_block_with_one_month_that_is_shown() -> None:
    january, february, march = {"somatic": 3}, {"somatic": 12}, {"somatic": 2}
    assert not block_ends([january, february], TERMS)
    assert block_ends([january, february, march], TERMS)


@given(years())
def test_what_comes_later_changes_no_block_that_was_there(stays: list[Stay]) -> None:
    early = [stay for stay in stays if stay[1] <= 3]
    before = [block for block in blocks(early) if block[1] <= 3]
    assert blocks(stays)[: len(before)] == before


def test_the_property_would_see_a_month_that_is_shown_too_soon() -> None:
    stays: list[Stay] = [(number, 1 + number // 6, "somatic", Label.SOME_DAYS) for number in range(8)]
    hasty = {frozenset(stays), frozenset(stays[:6])}
    assert any(is_small(len(one - other), TERMS) for one in hasty for other in hasty if other < one)
    assert blocks(stays) == [(1, 1)]


@pytest.mark.parametrize(("size", "small"), [(0, False), (1, True), (4, True), (5, False)])
def test_fewer_than_five_are_a_small_group_and_none_are_nobody(size: int, small: bool) -> None:
    assert is_small(size, TERMS) is small


@pytest.mark.parametrize(
    ("months", "ends"),
    [
        ([{"somatic": 5}], True),
        ([{"somatic": 4}], False),
        ([{"somatic": 3}, {"somatic": 2}], True),
        ([{"somatic": 9, "psychiatric": 4}], False),
        ([{"somatic": 9, "psychiatric": 4}, {"psychiatric": 1}], False),
        ([{"somatic": 9, "psychiatric": 4}, {"somatic": 4, "psychiatric": 1}], True),
        ([{}], False),
    ],
)
def test_a_block_ends_when_no_care_type_in_it_is_small(months: list[dict[str, int]], ends: bool) -> None:
    assert block_ends(months, TERMS) is ends


def test_an_aspect_with_one_small_class_is_kept_back_whole() -> None:
    waiting, outcome = {Label.SOME_DAYS: 7, Label.LONG: 4}, {Label.NOT_READMITTED: 11, Label.READMITTED: 0}
    planned = {Label.BEFORE: 5, Label.AFTER: 6}
    classes = {Aspect.WAITING: waiting, Aspect.OUTCOME: outcome, Aspect.PLANNED: planned}
    assert aspects_shown(classes, TERMS) == {Aspect.OUTCOME, Aspect.PLANNED}


@pytest.mark.parametrize(("without", "both"), [(6, True), (7, False), (10, False), (11, True)])
def test_two_aspects_whose_difference_is_a_small_group_are_not_shown_together(without: int, both: bool) -> None:
    classes = {
        Aspect.NOTICE_ORDER: {Label.BEFORE: 9, Label.MISSING: 6},
        Aspect.ADMISSION_NOTICE: {Label.IN_TIME: 9, Label.MISSING: without},
    }
    assert aspects_shown(classes, TERMS) == (set(classes) if both else {Aspect.ADMISSION_NOTICE})


def test_a_kept_back_aspect_does_not_keep_back_a_third_one() -> None:
    classes = {
        Aspect.NOTICE_ORDER: {Label.MISSING: 5},
        Aspect.ADMISSION_NOTICE: {Label.MISSING: 6, Label.LATE: 1},
        Aspect.MUNICIPAL_NOTICES: {Label.NO_NOTICE: 7},
    }
    assert aspects_shown(classes, TERMS) == {Aspect.NOTICE_ORDER}


@pytest.mark.parametrize(
    ("stays", "concerned", "answered", "shown"),
    [(20, 10, 5, True), (20, 4, 4, False), (20, 16, 16, False), (20, 10, 7, False), (20, 10, 10, True), (20, 10, 1, False)],
)
def test_deviations_are_shown_when_neither_side_is_few(stays: int, concerned: int, answered: int, shown: bool) -> None:
    assert deviations_shown(stays, concerned, answered, TERMS) is shown
