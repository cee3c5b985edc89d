"""Simulations: what was asked for, how far each has come, and what each rule set gave."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from services.billing.domain.charge import last_day
from services.billing.domain.simulating import Outcome
from shared.dates import Month
from shared.db import Work
from shared.money import Money

_SELECT: Final = """
    SELECT id, request, client, person, municipality, state, total, done, created_at, finished_at FROM simulations
"""
_BEGIN: Final = text(
    """
    INSERT INTO simulations (id, request, client, person, municipality, state, total, done, created_at)
    VALUES (:id, :request, :client, :person, :municipality, 'queued', :total, 0, :at)
    """
)
# A municipality's own and the region's own; neither sees the other's.
_ONE: Final = text(_SELECT + " WHERE id = :id AND municipality IS NOT DISTINCT FROM CAST(:reader AS text)")
_ONE_LOCKED: Final = text(_SELECT + " WHERE id = :id AND municipality IS NOT DISTINCT FROM CAST(:reader AS text) FOR UPDATE")
_LATEST: Final = text(
    _SELECT
    + """
    WHERE municipality IS NOT DISTINCT FROM CAST(:reader AS text) AND (CAST(:before AS uuid) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
    """
)
_UNFINISHED: Final = text(
    """
    SELECT count(*) FROM simulations
    WHERE state IN ('queued', 'running') AND municipality IS NOT DISTINCT FROM CAST(:reader AS text)
    """
)
_NEXT: Final = text(_SELECT + " WHERE state IN ('queued', 'running') ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED")
_MOVE: Final = text("UPDATE simulations SET state = :state, done = :done, finished_at = :finished WHERE id = :id")
_KEEP_PARTS: Final = text(
    """
    INSERT INTO simulation_parts (simulation_id, profile, municipality, month, stays, in_average, sum_days, excess_days, individual_days,
                                  amount_ore)
    SELECT :id, profile, municipality, month, stays, in_average, sum_days, excess_days, individual_days, amount_ore
    FROM unnest(CAST(:profiles AS text[]), CAST(:municipalities AS text[]), CAST(:months AS date[]), CAST(:stays AS integer[]),
                CAST(:in_average AS integer[]), CAST(:sum_days AS integer[]), CAST(:excess_days AS numeric[]),
                CAST(:individual_days AS integer[]), CAST(:amounts AS bigint[]))
         AS part (profile, municipality, month, stays, in_average, sum_days, excess_days, individual_days, amount_ore)
    """
)
_PARTS: Final = text(
    """
    SELECT profile, municipality, month, stays, in_average, sum_days, excess_days, individual_days, amount_ore
    FROM simulation_parts WHERE simulation_id = :id ORDER BY municipality, month, profile
    """
)
_STAYS_IN: Final = text(
    """
    SELECT municipality, count(*) AS stays FROM stays
    WHERE municipality = ANY(CAST(:municipalities AS text[])) AND touches_from <= :last AND (touches_to IS NULL OR touches_to >= :first)
    GROUP BY municipality
    """
)


@dataclass(frozen=True, slots=True)
class SimulationRow:
    """One job: what was asked for (canonical JSON), whose it is, and how many of its municipality-months are done."""

    id: UUID
    request: str
    client: str
    person: str
    municipality: str | None
    state: str
    total: int
    done: int
    created_at: datetime
    finished_at: datetime | None = None


async def enter(work: Work, row: SimulationRow) -> None:
    """Keep a new job."""
    await work.connection.execute(
        _BEGIN,
        {
            "id": row.id,
            "request": row.request,
            "client": row.client,
            "person": row.person,
            "municipality": row.municipality,
            "total": row.total,
            "at": row.created_at,
        },
    )


async def find(work: Work, simulation: UUID, reader: str | None, *, lock: bool = False) -> SimulationRow | None:
    """One of the reader's jobs."""
    found = await work.connection.execute(_ONE_LOCKED if lock else _ONE, {"id": simulation, "reader": reader})
    row = found.one_or_none()
    return None if row is None else _simulation(row)


async def latest(work: Work, reader: str | None, before: UUID | None, limit: int) -> list[SimulationRow]:
    """The reader's jobs, the newest first."""
    rows = await work.connection.execute(_LATEST, {"reader": reader, "before": before, "limit": limit})
    return [_simulation(row) for row in rows]


async def unfinished(work: Work, reader: str | None) -> int:
    """How many of the reader's jobs are not done yet."""
    return int((await work.connection.execute(_UNFINISHED, {"reader": reader})).scalar_one())


async def take_next(work: Work) -> SimulationRow | None:
    """Lock the oldest job that has something left to do and that no other worker is at."""
    row = (await work.connection.execute(_NEXT)).one_or_none()
    return None if row is None else _simulation(row)


async def move(work: Work, simulation: UUID, state: str, done: int, finished: datetime | None) -> None:
    """Note how far a job has come."""
    await work.connection.execute(_MOVE, {"id": simulation, "state": state, "done": done, "finished": finished})


async def keep_parts(work: Work, simulation: UUID, parts: Sequence[Outcome]) -> None:
    """Keep what each rule set gave."""
    await work.connection.execute(
        _KEEP_PARTS,
        {
            "id": simulation,
            "profiles": [part.profile for part in parts],
            "municipalities": [part.municipality for part in parts],
            "months": [part.month.first for part in parts],
            "stays": [part.stays for part in parts],
            "in_average": [part.in_average for part in parts],
            "sum_days": [part.sum_days for part in parts],
            "excess_days": [Decimal(part.excess_days.numerator) / part.excess_days.denominator for part in parts],
            "individual_days": [part.individual_days for part in parts],
            "amounts": [None if part.amount is None else part.amount.ore for part in parts],
        },
    )


async def parts(work: Work, simulation: UUID) -> list[Outcome]:
    """Everything a job has found so far, by municipality and month."""
    return [
        Outcome(
            row.profile,
            row.municipality,
            Month.of(row.month),
            row.stays,
            row.in_average,
            row.sum_days,
            Fraction(row.excess_days),
            row.individual_days,
            None if row.amount_ore is None else Money(row.amount_ore),
        )
        for row in await work.connection.execute(_PARTS, {"id": simulation})
    ]


async def stays_in(work: Work, municipalities: Collection[str], month: Month) -> dict[str, int]:
    """How many stays of each municipality may count in a month: how much there is to do."""
    values = {"municipalities": list(municipalities), "first": month.first, "last": last_day(month)}
    return {row.municipality: row.stays for row in await work.connection.execute(_STAYS_IN, values)}


def _simulation(row: Row[tuple[object, ...]]) -> SimulationRow:
    return SimulationRow(
        row.id,
        row.request,
        row.client,
        row.person,
        row.municipality,
        row.state,
        row.total,
        row.done,
        row.created_at,
        row.finished_at,
    )
