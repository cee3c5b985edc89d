"""What others see of a month never stands for one to four patients, alone or as a difference (domain 4)."""

from itertools import product

from services.billing.domain.disclosure import Groups, disclosure
from services.billing.usecases.averages import SMALLEST_GROUP

SIZES = (0, 1, 4, 5, 9)
SMALL = range(1, SMALLEST_GROUP)


def test_a_month_of_short_stays_only_is_shown_whole() -> None:
    assert disclosure(Groups(5, 0, 0, 0), SMALLEST_GROUP).together


def test_fewer_than_five_stays_are_shown_as_a_small_group() -> None:
    assert disclosure(Groups(4, 0, 0, 0), SMALLEST_GROUP).nothing
    assert disclosure(Groups(0, 0, 0, 0), SMALLEST_GROUP).nothing


def test_one_long_stay_hides_what_it_costs_and_what_would_tell_it_but_not_the_average() -> None:
    shown = disclosure(Groups(6, 1, 0, 0), SMALLEST_GROUP)
    assert (shown.average, shown.by_itself, shown.together) == (True, False, False)


def test_a_patient_who_is_still_there_is_no_lone_figure_either() -> None:
    assert not disclosure(Groups(6, 0, 0, 1), SMALLEST_GROUP).by_itself


def test_no_figure_and_no_difference_of_two_stands_for_a_small_group() -> None:
    for sizes in product(SIZES, repeat=4):
        groups = Groups(*sizes)
        shown = disclosure(groups, SMALLEST_GROUP)
        behind = []
        if shown.average:
            behind.append(groups.in_average)
        if shown.by_itself:
            behind += [groups.long, groups.long + groups.individual + groups.still_there]
        if shown.together:
            everybody = groups.in_average + groups.long + groups.individual
            behind += [everybody, everybody - groups.in_average - groups.long]
        assert not any(size in SMALL for size in behind), groups
