"""From counts to the figures that are shown: shares, means and medians, each with what it is of."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

_DECIMALS: Final = 6


def quotient(dividend: int, divisor: int) -> str | None:
    """A mean or a share with six decimals, half away from zero; none of nothing. For reading only, as the averages of billing.

    Source:
        Domain rule 4.
    """
    if not divisor:
        return None
    exact = Fraction(dividend, divisor)
    scaled = abs(exact) * 10**_DECIMALS + Fraction(1, 2)
    whole, rest = divmod(scaled.numerator // scaled.denominator, 10**_DECIMALS)
    return f"{'-' if exact < 0 else ''}{whole}.{rest:0{_DECIMALS}d}"


def median(values: Sequence[int], per: int = 1) -> str | None:
    """The median with one decimal, of values in a finer unit: `per` of them make one of what is shown.

    Source:
        Domain rule 4.
    """
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    doubled = 2 * ordered[middle] if len(ordered) % 2 else ordered[middle - 1] + ordered[middle]
    tenths = (doubled * 10 + per) // (2 * per)
    return f"{tenths // 10}.{tenths % 10}"
