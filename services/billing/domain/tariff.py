"""The price per day (belopp per vårddygn), dated; a price nobody has entered is missing, and stays missing."""

from dataclasses import dataclass
from datetime import date

from services.billing.domain.terms import Period
from shared.money import Money


@dataclass(frozen=True, slots=True)
class DayPrice:
    """The price of one care day in a period; `price` None = known to be missing, which blocks invoicing."""

    period: Period
    price: Money | None
    source: str
    source_sv: str = ""


@dataclass(frozen=True, slots=True)
class Tariffs:
    """All day prices known. A later entry for the same day replaces an earlier one: the region's own entry beats the shipped file."""

    prices: tuple[DayPrice, ...]

    def on(self, day: date) -> DayPrice | None:
        """The price in force on a day, None where nobody has entered one; never last year's.

        Source:
            The regulation or agreement each entry names; domain rule "a missing price blocks, it never falls back".
        """
        for entry in reversed(self.prices):
            if day in entry.period:
                return None if entry.price is None else entry
        return None
