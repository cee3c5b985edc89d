"""The lowest amount that decisions on several disputes can give, found one dispute after the other."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from shared.money import ZERO, Money

ROUNDS: Final = 4
"""A bound for the machine, not a rule: two rounds are the rule, one that lowers the amount and one that finds nothing more."""


def lowest(
    disputes: Sequence[UUID], counted: Money, left_out: Money, amount_of: Callable[[frozenset[UUID]], Money | None]
) -> frozenset[UUID]:
    """Which undecided disputes are left out of the month until they are decided.

    Start from the lower of all counted and all left out (equal: counted); go through the disputes in the order of their ids and decide one
    the other way while that lowers the amount, until none does. The amount is never above either end. With whole stays under one average
    it is the lowest that any decisions can give; disputes that meet on one stay can hide a lower one behind two steps at once. A decision
    whose amount is unknown, because a price is missing, might be the lowest: it is taken, and the month stays unknown.

    Args:
        disputes: The undecided ones, each once.
        counted: What the month costs with all of them counted.
        left_out: What it costs with all of them left out.
        amount_of: What it costs with some of them left out; asked at most ROUNDS times for each dispute.

    Source:
        Domain rule 3.8, dispute (while undecided: with and without, and the lower amount).
    """
    ordered = sorted(disputes)
    chosen, amount = (frozenset(ordered), left_out) if left_out < counted else (frozenset[UUID](), counted)
    for _ in range(ROUNDS if len(ordered) > 1 else 0):
        before = chosen
        for dispute in ordered:
            if amount == ZERO:
                return chosen
            tried = chosen ^ {dispute}
            costs = amount_of(tried)
            if costs is None:
                return tried
            if costs < amount:
                chosen, amount = tried, costs
        if chosen == before:
            break
    return chosen
