"""What the machine that prepares must know: whether stays still come in, and where each debtor's month stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthState
from services.billing.domain.persons import Actor
from shared.dates import Month
from shared.db import Work

# Nothing of the month came in since, and something had come in before: a system that has just begun to hear of stays has heard nothing yet.
_CAME_TO_REST: Final = text(
    """
    SELECT EXISTS (SELECT FROM stay_versions WHERE recorded_at <= :since) AND NOT EXISTS (
        SELECT FROM stay_versions
        WHERE recorded_at > :since AND touches_from <= :last AND (touches_to IS NULL OR touches_to >= :first))
    """
)
_STANDING: Final = text(
    """
    SELECT DISTINCT ON (d.municipality) d.municipality, coalesce(m.state, 'open') AS state, p.client, p.person, p.at
    FROM debtors d
    LEFT JOIN months m ON m.municipality = d.municipality AND m.month = :first
    LEFT JOIN month_actions p ON p.municipality = d.municipality AND p.month = :first AND p.version = m.version AND p.action = 'prepare'
    WHERE d.first_day <= :last AND (d.last_day IS NULL OR d.last_day >= :last)
      AND (CAST(:municipality AS text) IS NULL OR d.municipality = :municipality)
    ORDER BY d.municipality, p.at DESC, p.id DESC
    """
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Where a debtor's month stands, and who prepared the calculation it stands on."""

    municipality: str
    state: MonthState
    by: Actor | None
    at: datetime | None


async def came_to_rest(work: Work, month: Month, since: datetime) -> bool:
    """Whether stays are known and none that touches the month was told anew since an instant."""
    values = {"since": since, "first": month.first, "last": last_day(month)}
    return bool((await work.connection.execute(_CAME_TO_REST, values)).scalar_one())


async def standing(work: Work, month: Month, municipality: str | None = None) -> list[Prepared]:
    """Every debtor's month, or that of one, in the order of their codes."""
    values = {"first": month.first, "last": last_day(month), "municipality": municipality}
    return [
        Prepared(row.municipality, MonthState(row.state), None if row.client is None else Actor(row.client, row.person), row.at)
        for row in await work.connection.execute(_STANDING, values)
    ]
