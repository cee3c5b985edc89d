"""Reading averages: what each reader may see, what the running month would cost now, and how it will probably end."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from services.billing.domain.basis import COUNTED
from services.billing.domain.charge import last_day
from services.billing.domain.disclosure import Disclosure, Groups, disclosure
from services.billing.repository import averages, debtors, months
from services.billing.repository.averages import Average, Passed
from services.billing.repository.debtors import Debtor
from services.billing.repository.everybody import read_everybodys
from services.billing.usecases.foreseeing import Running, running_months
from services.billing.usecases.rollup import decimal_of
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import NotFound
from shared.money import Money

SMALLEST_GROUP: Final = 5
"""Groups smaller than this are shown to others only as such (domain rule 4)."""
EVERYTHING: Final = Disclosure(average=True, by_itself=True)


@dataclass(frozen=True, slots=True)
class AverageView:
    """One municipality's month as one reader may see it; `own` = the reader is the municipality itself or the region.

    `running` is there for the running month alone. `passed`: the thresholds that it went above while it ran, for the reader's own alone.
    """

    debtor: Debtor
    average: Average
    running: Running | None = None
    shown: Disclosure = EVERYTHING
    own: bool = True
    passed: Sequence[Passed] = ()


async def averages_of_month(work: Work, month: Month, reader: str | None) -> list[AverageView]:
    """Every municipality's average of a month.

    Args:
        work: The transaction.
        month: Which month.
        reader: The municipality that reads, None for the region. Of others it sees closed months only, as they were closed.
    """
    known = await debtors.on(work, last_day(month))
    found = await averages.of_month(work, month)
    running = local_date(work.at) <= last_day(month)
    rows = {code: found.get(code, Average(code, month, complete=not running)) for code in known if reader in {None, code}}
    foreseen = await running_months(work, month, rows) if running else {}
    passed = await averages.alerts_between(work, rows, month, month)
    own = [AverageView(known[code], one, foreseen.get(code), passed=passed.get((code, month), ())) for code, one in rows.items()]
    if reader is None:
        return own
    async with read_everybodys(work):
        known = await debtors.on(work, last_day(month))
        closed = await months.closed_calculations(work, month, month)
    others = [_closed(known[code], one, body) for (code, one), body in closed.items() if code in known and code != reader]
    return sorted([*own, *others], key=lambda view: view.debtor.municipality)


async def averages_of_municipality(work: Work, municipality: str, first: Month, last: Month, reader: str | None) -> list[AverageView]:
    """One municipality's averages from month to month; to others only the closed ones, as they were closed.

    Raises:
        NotFound: There is no such municipality.
    """
    if reader not in {None, municipality}:
        return await _averages_of_another(work, municipality, first, last)
    debtor = (await debtors.on(work, last_day(last))).get(municipality)
    if debtor is None:
        raise NotFound
    this_month = Month.of(local_date(work.at))
    passed = await averages.alerts_between(work, [municipality], first, last)
    views = []
    for one in await averages.of_municipality(work, municipality, first, last):
        foreseen = await running_months(work, one.month, {municipality: one}) if one.month >= this_month else {}
        views.append(AverageView(debtor, one, foreseen.get(municipality), passed=passed.get((municipality, one.month), ())))
    return views


async def _averages_of_another(work: Work, municipality: str, first: Month, last: Month) -> list[AverageView]:
    async with read_everybodys(work):
        debtor = (await debtors.on(work, last_day(last))).get(municipality)
        closed = await months.closed_calculations(work, first, last, municipality)
    if debtor is None:
        raise NotFound
    return [_closed(debtor, month, body) for (_, month), body in closed.items()]


def exact_average(average: Average) -> Fraction | None:
    """The average as an exact fraction, None without stays."""
    return Fraction(average.sum_days, average.in_average) if average.in_average else None


def _closed(debtor: Debtor, month: Month, body: str) -> AverageView:
    """A month of somebody else's, from the calculation it was closed on: what comes later would stand out as a difference."""
    told: dict[str, Any] = json.loads(body)
    average = Average(
        debtor.municipality,
        month,
        complete=True,
        stays=told["stays"],
        in_average=told["in_average"],
        sum_days=told["sum_days"],
        excess_days=_excess_days(told),
        long_stays=told["long_stays"],
        individual_days=told["individual_days"],
        amount_ore=None if told["amount"] is None else Money.of_kronor(told["amount"]).ore,
    )
    still_there = sum(1 for line in told["lines"] if line["ended_on"] is None and line["counted_as"] in COUNTED)
    individual = average.stays - average.in_average - average.long_stays
    groups = Groups(average.in_average, average.long_stays, individual, still_there)
    return AverageView(debtor, average, shown=disclosure(groups, SMALLEST_GROUP), own=False)


def _excess_days(told: dict[str, Any]) -> Decimal:
    """Of a calculation: a month with several averages has the excess of each in its groups."""
    parts = [group["excess"] for group in told.get("groups", ())] or [told["excess"]]
    return sum((decimal_of(Fraction(part["days"])) for part in parts if part is not None), Decimal(0))
