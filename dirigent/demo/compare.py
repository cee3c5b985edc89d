"""Holding what Dirigent says against the second calculation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from dirigent.county.load import load_county
from dirigent.demo.asking import DemoError, ask, until
from dirigent.demo.prices import ore
from dirigent.demo.recompute import MonthSum
from dirigent.demo.story import CaseKey
from dirigent.replay.api import PublicApi

DECIMALS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Sums:
    """The numbers of one municipality and month that must agree."""

    stays: int
    in_average: int
    sum_days: int
    average: str | None
    excess_days: int
    long_stays: int
    individual_days: int
    amount: int | None

    @classmethod
    def computed(cls, month: MonthSum | None) -> "Sums":
        """From the second calculation; None is a municipality without any stay."""
        month = month or MonthSum("")
        stays = month.in_average + month.long_stays
        average = None if month.average is None else decimals(month.average)
        return cls(
            stays,
            month.in_average,
            month.sum_days,
            average,
            month.excess_days,
            month.long_stays,
            month.individual_days,
            month.amount,
        )

    @classmethod
    def of_county(cls, months: Mapping[str, MonthSum]) -> "dict[str, Sums]":
        """From the second calculation, for each of the 49 municipalities."""
        return {one.code: cls.computed(months.get(one.code)) for one in load_county().municipalities}

    @classmethod
    def told(cls, average: Mapping[str, Any]) -> "Sums":
        """From an answer of `GET /v1/averages`."""
        amount = average["exposure"]["amount"]
        return cls(
            average["stays"],
            average["in_average"],
            average["sum_days"],
            average["average"],
            average["excess_days"],
            average["long_stays"],
            average["individual_days"],
            None if amount is None else ore(amount),
        )


def decimals(average: Fraction) -> str:
    """An average with six decimals, half upwards."""
    scaled = (2 * average.numerator * DECIMALS + average.denominator) // (2 * average.denominator)
    return f"{scaled // DECIMALS}.{scaled % DECIMALS:06d}"


async def averages(api: PublicApi, month: str) -> dict[str, Sums]:
    """What the finance office sees of a month, by municipality."""
    found = await ask(api, "finance", "/v1/averages", {"month": month})
    return {one["municipality"]: Sums.told(one) for one in found["averages"]}


async def caught_up(api: PublicApi, month: str, *expected: Mapping[str, Sums]) -> dict[str, Sums]:
    """Wait until billing says what one of the expected calculations says; when patience ends, hand over what it says instead."""
    latest: dict[str, Sums] = {}

    async def look() -> dict[str, Sums] | None:
        latest.clear()
        latest.update(await averages(api, month))
        return dict(latest) if latest in expected else None

    try:
        return await until("billing has caught up", look)
    except DemoError:
        return latest


def differing(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    """The first things that differ, in words."""
    names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return "; ".join(f"{name}: found {found.get(name)}, computed {expected.get(name)}" for name in names[:3])


def lines_of(month: MonthSum | None, case_ids: Mapping[CaseKey, str]) -> dict[str, tuple[str, int, int]]:
    """The lines a month must have, by case: how each counts, its days, and the days charged by themselves."""
    cases = {} if month is None else month.cases
    return {case_ids[key]: (one.counted_as, one.days, len(one.nights)) for key, one in cases.items()}


def told_lines(lines: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, int, int]]:
    """The same from an answer of `GET /v1/months/{month}/{municipality}`."""
    return {line["case"]: (line["counted_as"], line["days"], line["chargeable_days"]) for line in lines}
