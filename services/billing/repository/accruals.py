"""Which months have to be looked at for accruals: those whose sums differ from what was billed, and those with disputes."""

from collections.abc import Collection
from datetime import date
from typing import Final

from sqlalchemy import text

from shared.dates import Month
from shared.db import Work

_MONTHS: Final = text(
    """
    WITH billed AS (
        SELECT municipality, month, sum(CASE WHEN kind = 'credit_note' THEN -amount_ore ELSE amount_ore END) AS billed_ore
        FROM invoices WHERE (issued_at AT TIME ZONE 'Europe/Stockholm')::date <= :as_of GROUP BY municipality, month)
    SELECT municipality, month FROM averages a FULL JOIN billed b USING (municipality, month)
    WHERE a.amount_ore IS DISTINCT FROM coalesce(b.billed_ore, 0) AND month < :this
      AND municipality = ANY(CAST(:municipalities AS text[]))
    UNION
    SELECT municipality, month FROM disputes WHERE month < :this AND municipality = ANY(CAST(:municipalities AS text[]))
    ORDER BY month, municipality
    """
)


async def months_to_look_at(work: Work, municipalities: Collection[str], as_of: date, this: Month) -> dict[Month, list[str]]:
    """Months before this one that may have something to accrue as of a day, each with its municipalities."""
    values = {"municipalities": sorted(municipalities), "as_of": as_of, "this": this.first}
    found: dict[Month, list[str]] = {}
    for row in await work.connection.execute(_MONTHS, values):
        found.setdefault(Month.of(row.month), []).append(row.municipality)
    return found
