"""The rollup: one row per municipality and month, always replaced by what its stays add up to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import Row, text

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
_SUMS: Final = text(
    """
    SELECT municipality, month,
           count(*) FILTER (WHERE ended AND counted_as IN ('average', 'long', 'individual')) AS stays,
           count(*) FILTER (WHERE counted_as = 'average') AS in_average,
           coalesce(sum(days) FILTER (WHERE counted_as = 'average'), 0) AS sum_days,
           count(*) FILTER (WHERE ended AND counted_as = 'long') AS long_stays,
           coalesce(sum(individual_days), 0) AS individual_days,
           count(*) FILTER (WHERE NOT ended) AS open_stays,
           CASE WHEN count(*) FILTER (WHERE amount_ore IS NULL) = 0 THEN coalesce(sum(amount_ore), 0) END AS amount_ore
    FROM stay_months
    JOIN unnest(CAST(:municipalities AS text[]), CAST(:months AS date[])) AS wanted (municipality, month) USING (municipality, month)
    GROUP BY municipality, month
    """
)
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
_PRICED_BETWEEN: Final = text("SELECT municipality, month FROM averages WHERE month BETWEEN :first AND :last AND excess_days > 0")


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
    rows = {(row.municipality, Month.of(row.month)): row for row in await work.connection.execute(_SUMS, _arrays(pairs))}
    return [
        Average(pair[0], pair[1])
        if (row := rows.get(pair)) is None
        else Average(
            pair[0],
            pair[1],
            stays=row.stays,
            in_average=row.in_average,
            sum_days=row.sum_days,
            long_stays=row.long_stays,
            individual_days=row.individual_days,
            open_stays=row.open_stays,
            amount_ore=None if row.amount_ore is None else int(row.amount_ore),
        )
        for pair in sorted(pairs)
    ]


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
