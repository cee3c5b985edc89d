"""Prices that the region enters: proposed by one person, approved by another."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text

from shared.db import Work
from shared.money import Money

_PROPOSE: Final = text(
    """
    INSERT INTO tariff_proposals (id, first_day, last_day, price_ore, source, client, person, proposed_at)
    VALUES (:id, :first, :last, :price, :source, :client, :person, :at)
    """
)
_APPROVE: Final = text("INSERT INTO tariff_approvals (tariff_id, client, person, approved_at) VALUES (:id, :client, :person, :at)")
_COLUMNS: Final = """
    SELECT p.id, p.first_day, p.last_day, p.price_ore, p.source, p.client, p.person, p.proposed_at,
           a.person AS approved_by, a.client AS approved_client, a.approved_at
    FROM tariff_proposals p LEFT JOIN tariff_approvals a ON a.tariff_id = p.id
"""
_ALL: Final = text(_COLUMNS + " ORDER BY a.approved_at NULLS LAST, p.proposed_at, p.id")
_APPROVED: Final = text(
    _COLUMNS
    + " WHERE a.tariff_id IS NOT NULL AND (CAST(:then AS timestamptz) IS NULL OR a.approved_at <= :then) ORDER BY a.approved_at, p.id"
)
_ONE: Final = text(_COLUMNS + " WHERE p.id = :id")
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('billing.tariffs', 0))")


@dataclass(frozen=True, slots=True)
class TariffRow:
    """One price the region proposed, and its approval if there is one."""

    id: UUID
    first: date
    last: date
    price: Money
    source: str
    client: str
    person: str
    proposed_at: datetime
    approved_client: str | None
    approved_by: str | None
    approved_at: datetime | None


async def take_turns(work: Work) -> None:
    """Let one transaction at a time decide about prices."""
    await work.connection.execute(_LOCK)


async def propose(work: Work, row: TariffRow) -> None:
    """Keep a proposal."""
    await work.connection.execute(
        _PROPOSE,
        {
            "id": row.id,
            "first": row.first,
            "last": row.last,
            "price": row.price.ore,
            "source": row.source,
            "client": row.client,
            "person": row.person,
            "at": row.proposed_at,
        },
    )


async def approve(work: Work, tariff: UUID, client: str, person: str) -> None:
    """Keep the second person's yes."""
    await work.connection.execute(_APPROVE, {"id": tariff, "client": client, "person": person, "at": work.at})


async def find(work: Work, tariff: UUID) -> TariffRow | None:
    """One proposal."""
    row = (await work.connection.execute(_ONE, {"id": tariff})).one_or_none()
    return None if row is None else _tariff(row)


async def all_of_them(work: Work) -> list[TariffRow]:
    """Every proposal, the approved ones first and in the order of approval."""
    return [_tariff(row) for row in await work.connection.execute(_ALL)]


async def approved(work: Work, then: datetime | None = None) -> list[TariffRow]:
    """Every approved price, or every one that was approved at an earlier instant, in the order of approval: the latest for a day counts."""
    return [_tariff(row) for row in await work.connection.execute(_APPROVED, {"then": then})]


def _tariff(row: Row[tuple[object, ...]]) -> TariffRow:
    return TariffRow(
        row.id,
        row.first_day,
        row.last_day,
        Money(row.price_ore),
        row.source,
        row.client,
        row.person,
        row.proposed_at,
        row.approved_client,
        row.approved_by,
        row.approved_at,
    )
