"""Drawing from distributions with `Random.random()` alone: its values are promised for ever, so that a seed keeps its bytes."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import TypeVar

Option = TypeVar("Option")


def happens(random: Random, share: float) -> bool:
    """True in `share` of all draws."""
    return random.random() < share


def whole(random: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(random.random() * (high - low + 1))


def pick(random: Random, options: Sequence[Option]) -> Option:
    """One of the options, each as likely."""
    return options[int(random.random() * len(options))]


def weighted(random: Random, options: Sequence[tuple[Option, float]]) -> Option:
    """One of the options by weight."""
    rest = random.random() * sum(weight for _, weight in options)
    for option, weight in options:
        rest -= weight
        if rest < 0:
            return option
    return options[-1][0]


def geometric(random: Random, mean: float) -> int:
    """Days that end each evening with the same probability: 0, 1, 2 … with this mean."""
    stop = 1 / (1 + mean)
    days = 0
    while random.random() >= stop:
        days += 1
    return days


def minutes(random: Random, low: int, high: int) -> timedelta:
    """A span of whole minutes."""
    return timedelta(minutes=whole(random, low, high))


def shuffled_nearby(random: Random, items: Sequence[Option], share: float, distance: int) -> list[Option]:
    """The items in their order, but a share of them comes up to `distance` places later."""
    keyed = [
        (place + whole(random, 1, distance) + 0.5 if happens(random, share) else float(place), place, item)
        for place, item in enumerate(items)
    ]
    return [item for _, _, item in sorted(keyed, key=lambda entry: entry[:2])]
