"""The debtor register: who pays for a municipality, dated."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Row, text

from shared.db import Work

_ENTER: Final = text(
    """
    INSERT INTO debtors (municipality, first_day, last_day, name, organisation)
    VALUES (:municipality, :first, :last, :name, :organisation)
    ON CONFLICT (municipality, first_day) DO UPDATE SET last_day = excluded.last_day, name = excluded.name,
        organisation = excluded.organisation
    """
)
_ON: Final = text(
    """
    SELECT municipality, first_day, last_day, name, organisation FROM debtors
    WHERE first_day <= :day AND (last_day IS NULL OR last_day >= :day) ORDER BY municipality, first_day
    """
)


@dataclass(frozen=True, slots=True)
class Debtor:
    """A municipality as payer: SCB code, name and organisation number, from a day on."""

    municipality: str
    name: str
    organisation: str
    first: date = date(2018, 1, 1)
    last: date | None = None


async def enter(work: Work, debtor: Debtor) -> None:
    """Enter a debtor, or bring the entry of the same day up to date."""
    await work.connection.execute(
        _ENTER,
        {
            "municipality": debtor.municipality,
            "first": debtor.first,
            "last": debtor.last,
            "name": debtor.name,
            "organisation": debtor.organisation,
        },
    )


async def on(work: Work, day: date) -> dict[str, Debtor]:
    """All debtors of a day by municipality."""
    return {row.municipality: _debtor(row) for row in await work.connection.execute(_ON, {"day": day})}


def _debtor(row: Row[tuple[object, ...]]) -> Debtor:
    return Debtor(row.municipality, row.name, row.organisation, row.first_day, row.last_day)
