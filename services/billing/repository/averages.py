"""The rollup: one row per municipality and month, always replaced by what its stays add up to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from sqlalchemy import Row, text

from services.billing.domain.forecast import Past
from services.billing.repository.ledger import Pair
from shared.dates import Month
from shared.db import Work

_OPEN_ROWS: Final = text(
    """
    INSERT INTO averages (municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days,
                          open_stays, amount_ore, counted_at)
    SELECT municipality, month, false, 0, 0, 0, 0, 0, 0, 0, 0, :at
    FROM unnest(CAST(:municipalities AS text[]), CAST(:months AS date[])) AS wanted (municipality, month)
    ORDER BY municipality, month
    ON CONFLICT DO NOTHING
    """
)
_LOCK: Final = text(
    """
    SELECT averages.municipality FROM averages
    JOIN unnest(CAST(:municipalities AS text[]), CAST(:months AS date[])) AS wanted (municipality, month) USING (municipality, month)
    ORDER BY averages.municipality, averages.month FOR UPDATE OF averages
    """
)
# First alike stays together, which PostgreSQL does in parallel: three times as fast as one pass with a filter for each number.
_SUMS_OF: Final = """
    SELECT municipality, month,
           coalesce(sum(number) FILTER (WHERE ended AND counted_as IN ('average', 'long', 'individual')), 0) AS stays,
           coalesce(sum(number) FILTER (WHERE counted_as = 'average'), 0) AS in_average,
           coalesce(sum(days) FILTER (WHERE counted_as = 'average'), 0) AS sum_days,
           coalesce(sum(number) FILTER (WHERE ended AND counted_as = 'long'), 0) AS long_stays,
           coalesce(sum(individual_days), 0) AS individual_days,
           coalesce(sum(number) FILTER (WHERE NOT ended), 0) AS open_stays,
           CASE WHEN bool_and(number = priced) THEN coalesce(sum(amount_ore), 0) END AS amount_ore
    FROM (SELECT municipality, month, counted_as, ended, count(*) AS number, count(amount_ore) AS priced, sum(days) AS days,
                 sum(individual_days) AS individual_days, sum(amount_ore) AS amount_ore
          FROM {source} GROUP BY municipality, month, counted_as, ended) AS alike
    GROUP BY municipality, month
"""
_WANTED: Final = """
    stay_months JOIN unnest(CAST(:municipalities AS text[]), CAST(:months AS date[])) AS wanted (municipality, month)
    USING (municipality, month)
"""
_SUMS: Final = text(_SUMS_OF.format(source=_WANTED))
_ALL_SUMS: Final = text(_SUMS_OF.format(source="stay_months"))
_REPLACE: Final = text(
    """
    UPDATE averages SET complete = counted.complete, stays = counted.stays, in_average = counted.in_average, sum_days = counted.sum_days,
        excess_days = counted.excess_days, long_stays = counted.long_stays, individual_days = counted.individual_days,
        open_stays = counted.open_stays, amount_ore = counted.amount_ore, counted_at = :at
    FROM unnest(CAST(:municipalities AS text[]), CAST(:months AS date[]), CAST(:complete AS boolean[]), CAST(:stays AS integer[]),
                CAST(:in_average AS integer[]), CAST(:sum_days AS integer[]), CAST(:excess_days AS numeric[]),
                CAST(:long_stays AS integer[]), CAST(:individual_days AS integer[]), CAST(:open_stays AS integer[]),
                CAST(:amounts AS bigint[]))
         AS counted (municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days, open_stays,
                     amount_ore)
    WHERE averages.municipality = counted.municipality AND averages.month = counted.month
    """
)
_OF_MONTH: Final = text(
    """
    SELECT municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days, open_stays, amount_ore
    FROM averages WHERE month = :month
    """
)
_OF_MUNICIPALITY: Final = text(
    """
    SELECT municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days, open_stays, amount_ore
    FROM averages WHERE municipality = :municipality AND month BETWEEN :first AND :last ORDER BY month
    """
)
_COSTING: Final = text(
    """
    SELECT DISTINCT municipality FROM averages
    WHERE month BETWEEN :first AND :last AND amount_ore IS DISTINCT FROM 0 AND municipality <> ALL(CAST(:known AS text[]))
    ORDER BY municipality
    """
)
_PRICED_BETWEEN: Final = text("SELECT municipality, month FROM averages WHERE month BETWEEN :first AND :last AND excess_days > 0")

# A stay may have been contested under an id that a transfer later proved to mean it.
_CONTESTED: Final = text(
    """
    WITH contested AS (
        SELECT case_id FROM disputes
        UNION
        SELECT s.case_id FROM disputes d JOIN stays s ON s.joined_cases && ARRAY[d.case_id] AND s.joined_cases <> '{}'
    )
    SELECT DISTINCT m.municipality, m.month FROM contested JOIN stay_months m USING (case_id)
    JOIN unnest(CAST(:municipalities AS text[]), CAST(:months AS date[])) AS wanted (municipality, month)
         ON wanted.municipality = m.municipality AND wanted.month = m.month
    """
)
_KEEP_ALERTS: Final = text(
    """
    INSERT INTO average_alerts (municipality, month, threshold, average, stays, passed_at)
    SELECT municipality, month, threshold, average, stays, :at
    FROM unnest(CAST(:municipalities AS text[]), CAST(:months AS date[]), CAST(:thresholds AS numeric[]), CAST(:averages AS numeric[]),
                CAST(:stays AS integer[])) AS passed (municipality, month, threshold, average, stays)
    ORDER BY municipality, month, threshold
    ON CONFLICT DO NOTHING
    RETURNING municipality, month, threshold
    """
)
_ALERTS: Final = text(
    """
    SELECT municipality, month, threshold, average, stays, passed_at FROM average_alerts
    WHERE municipality = ANY(CAST(:municipalities AS text[])) AND month BETWEEN :first AND :last ORDER BY threshold
    """
)
_PAST: Final = text(
    """
    SELECT m.municipality, s.touches_to AS ended_on, m.days, count(*) AS times
    FROM stay_months m JOIN stays s USING (case_id)
    WHERE m.municipality = ANY(CAST(:municipalities AS text[])) AND m.month BETWEEN :first AND :last
      AND m.ended AND m.counted_as IN ('average', 'long', 'individual')
    GROUP BY m.municipality, s.touches_to, m.days
    """
)
_ALL: Final = text(
    """
    SELECT municipality, month, complete, stays, in_average, sum_days, excess_days, long_stays, individual_days, open_stays, amount_ore
    FROM averages ORDER BY municipality, month
    """
)
_PAIRS: Final = text("SELECT municipality, month FROM averages UNION SELECT DISTINCT municipality, month FROM stay_months")


@dataclass(frozen=True, slots=True)
class Alert:
    """An average above a threshold, both exact."""

    municipality: str
    month: Month
    threshold: Fraction
    average: Fraction
    stays: int


@dataclass(frozen=True, slots=True)
class Passed:
    """That a running average went above a threshold: what it was then, and when."""

    alert: Alert
    at: datetime


@dataclass(frozen=True, slots=True)
class Average:
    """One municipality's month in numbers; `amount_ore` None = a price is missing."""

    municipality: str
    month: Month
    complete: bool = False
    stays: int = 0
    in_average: int = 0
    sum_days: int = 0
    excess_days: Decimal = Decimal(0)
    long_stays: int = 0
    individual_days: int = 0
    open_stays: int = 0
    amount_ore: int | None = 0


async def lock(work: Work, pairs: Collection[Pair]) -> None:
    """Make the rows exist and lock them in one order, so that what is added up next is all there is."""
    await work.connection.execute(_OPEN_ROWS, {"at": work.at, **_arrays(pairs)})
    await work.connection.execute(_LOCK, _arrays(pairs))


async def add_up(work: Work, pairs: Collection[Pair]) -> list[Average]:
    """What the stays of each month add up to, without the excess of the average."""
    found = {(one.municipality, one.month): one for one in map(_sums, await work.connection.execute(_SUMS, _arrays(pairs)))}
    return [found.get(pair, Average(*pair)) for pair in sorted(pairs)]


async def add_up_all(work: Work) -> dict[Pair, Average]:
    """The same for every month in which a stay counts."""
    return {(one.municipality, one.month): one for one in map(_sums, await work.connection.execute(_ALL_SUMS))}


def _sums(row: Row[tuple[object, ...]]) -> Average:
    return Average(
        row.municipality,
        Month.of(row.month),
        stays=int(row.stays),
        in_average=int(row.in_average),
        sum_days=int(row.sum_days),
        long_stays=int(row.long_stays),
        individual_days=int(row.individual_days),
        open_stays=int(row.open_stays),
        amount_ore=None if row.amount_ore is None else int(row.amount_ore),
    )


async def replace(work: Work, counted: Sequence[Average]) -> None:
    """Put the numbers in the place of those that stood there."""
    await work.connection.execute(
        _REPLACE,
        {
            "at": work.at,
            **_arrays([(one.municipality, one.month) for one in counted]),
            "complete": [one.complete for one in counted],
            "stays": [one.stays for one in counted],
            "in_average": [one.in_average for one in counted],
            "sum_days": [one.sum_days for one in counted],
            "excess_days": [one.excess_days for one in counted],
            "long_stays": [one.long_stays for one in counted],
            "individual_days": [one.individual_days for one in counted],
            "open_stays": [one.open_stays for one in counted],
            "amounts": [one.amount_ore for one in counted],
        },
    )


async def contested(work: Work, pairs: Collection[Pair]) -> set[Pair]:
    """Those of these months in which some stay is or was contested."""
    return {(row.municipality, Month.of(row.month)) for row in await work.connection.execute(_CONTESTED, _arrays(pairs))}


async def keep_alerts(work: Work, passed: Sequence[Alert]) -> list[Alert]:
    """Note averages that went above a threshold; returns those that nobody had noted yet."""
    if not passed:
        return []
    rows = await work.connection.execute(
        _KEEP_ALERTS,
        {
            "at": work.at,
            **_arrays([(one.municipality, one.month) for one in passed]),
            "thresholds": [_decimal(one.threshold) for one in passed],
            "averages": [_decimal(one.average) for one in passed],
            "stays": [one.stays for one in passed],
        },
    )
    new = {(row.municipality, Month.of(row.month), Fraction(row.threshold)) for row in rows}
    return [one for one in passed if (one.municipality, one.month, one.threshold) in new]


async def past_stays(work: Work, municipalities: Collection[str], first: Month, last: Month) -> dict[str, list[Past]]:
    """The stays that counted and ended in these months, by municipality."""
    values = {"municipalities": list(municipalities), "first": first.first, "last": last.first}
    found: dict[str, list[Past]] = {}
    for row in await work.connection.execute(_PAST, values):
        found.setdefault(row.municipality, []).append(Past(row.ended_on, row.days, row.times))
    return found


async def all_pairs(work: Work) -> set[Pair]:
    """Every month of every municipality that something is counted in."""
    return {(row.municipality, Month.of(row.month)) for row in await work.connection.execute(_PAIRS)}


async def everything(work: Work) -> list[Average]:
    """Every row there is."""
    return [_average(row) for row in await work.connection.execute(_ALL)]


async def alerts_between(work: Work, municipalities: Collection[str], first: Month, last: Month) -> dict[Pair, list[Passed]]:
    """Which thresholds running averages went above, by municipality and month, the lowest first."""
    values = {"municipalities": sorted(municipalities), "first": first.first, "last": last.first}
    found: dict[Pair, list[Passed]] = {}
    for row in await work.connection.execute(_ALERTS, values):
        alert = Alert(row.municipality, Month.of(row.month), Fraction(row.threshold), Fraction(row.average), row.stays)
        found.setdefault((alert.municipality, alert.month), []).append(Passed(alert, row.passed_at))
    return found


async def costing_others(work: Work, known: Collection[str], first: Month, last: Month) -> list[str]:
    """Municipalities beside the known ones whose months cost something, or would if there were a price."""
    values = {"known": sorted(known), "first": first.first, "last": last.first}
    return list((await work.connection.execute(_COSTING, values)).scalars())


async def of_month(work: Work, month: Month) -> dict[str, Average]:
    """The rows of a month by municipality."""
    return {row.municipality: _average(row) for row in await work.connection.execute(_OF_MONTH, {"month": month.first})}


async def of_municipality(work: Work, municipality: str, first: Month, last: Month) -> list[Average]:
    """The rows of a municipality from one month to another."""
    rows = await work.connection.execute(_OF_MUNICIPALITY, {"municipality": municipality, "first": first.first, "last": last.first})
    return [_average(row) for row in rows]


async def with_excess_between(work: Work, first: date, last: date) -> set[Pair]:
    """The months between two days in which the average exceeded what is free."""
    rows = await work.connection.execute(_PRICED_BETWEEN, {"first": Month.of(first).first, "last": last})
    return {(row.municipality, Month.of(row.month)) for row in rows}


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


def _arrays(pairs: Collection[Pair]) -> dict[str, object]:
    ordered = list(pairs)
    return {"municipalities": [pair[0] for pair in ordered], "months": [pair[1].first for pair in ordered]}


def _average(row: Row[tuple[object, ...]]) -> Average:
    return Average(
        row.municipality,
        Month.of(row.month),
        row.complete,
        row.stays,
        row.in_average,
        row.sum_days,
        row.excess_days,
        row.long_stays,
        row.individual_days,
        row.open_stays,
        row.amount_ore,
    )
