"""What a document rests on: the calculation as it was stored, whatever the month stands on now."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from shared.dates import Month
from shared.db import Work

_CALCULATION: Final = text(
    "SELECT body, inputs FROM calculations WHERE municipality = :municipality AND month = :month AND version = :version"
)


@dataclass(frozen=True, slots=True)
class KeptCalculation:
    """The canonical text of a calculation and of everything it was made from (None = made before inputs were kept)."""

    body: str
    inputs: str | None


async def calculation_of(work: Work, municipality: str, month: Month, version: int) -> KeptCalculation:
    """The calculation of that version, which is there for every document: the database holds them together."""
    values = {"municipality": municipality, "month": month.first, "version": version}
    row = (await work.connection.execute(_CALCULATION, values)).one()
    return KeptCalculation(row.body, row.inputs)
