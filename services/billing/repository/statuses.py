"""What finance reported of issued documents: booked, rejected with a reason, paid in parts. Nothing reported is ever changed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from services.billing.domain.owed import Payment
from services.billing.domain.persons import Actor
from shared.db import Work
from shared.money import Money

_KEEP: Final = text(
    """
    INSERT INTO invoice_statuses (id, number, status, amount_ore, paid_on, reference, reason, client, person, reported_at)
    VALUES (:id, :number, :status, :amount_ore, :paid_on, :reference, :reason, :client, :person, :at)
    """
)
_OF: Final = text(
    """
    SELECT id, number, status, amount_ore, paid_on, reference, reason, client, person, reported_at FROM invoice_statuses
    WHERE number = ANY(CAST(:numbers AS text[])) ORDER BY reported_at, id
    """
)
_PAYMENTS: Final = text(
    """
    SELECT s.number, s.amount_ore, s.paid_on FROM invoice_statuses s JOIN invoices i USING (number)
    WHERE s.status = 'paid' AND (CAST(:municipality AS text) IS NULL OR i.municipality = :municipality) ORDER BY s.paid_on, s.id
    """
)
PAID: Final = "paid"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One report: `amount`, `paid_on` and `reference` belong to a payment, `reason` to a rejection."""

    id: UUID
    number: str
    status: str
    amount: Money | None
    paid_on: date | None
    reference: str | None
    reason: str | None
    reported_by: Actor
    reported_at: datetime

    @property
    def payment(self) -> Payment | None:
        """The payment it reports, None of the other statuses."""
        return None if self.amount is None or self.paid_on is None else Payment(self.number, self.amount, self.paid_on)


async def keep(work: Work, row: StatusRow) -> None:
    """Keep a report for ever."""
    await work.connection.execute(
        _KEEP,
        {
            "id": row.id,
            "number": row.number,
            "status": row.status,
            "amount_ore": None if row.amount is None else row.amount.ore,
            "paid_on": row.paid_on,
            "reference": row.reference,
            "reason": row.reason,
            "client": row.reported_by.client,
            "person": row.reported_by.person,
            "at": row.reported_at,
        },
    )


async def of(work: Work, numbers: Collection[str]) -> list[StatusRow]:
    """Everything reported of these documents, in the order of reporting."""
    return [
        StatusRow(
            row.id,
            row.number,
            row.status,
            None if row.amount_ore is None else Money(row.amount_ore),
            row.paid_on,
            row.reference,
            row.reason,
            Actor(row.client, row.person),
            row.reported_at,
        )
        for row in await work.connection.execute(_OF, {"numbers": sorted(numbers)})
    ]


async def payments(work: Work, municipality: str | None) -> list[Payment]:
    """Every payment, of one municipality or of all, in the order of the days they were made."""
    rows = await work.connection.execute(_PAYMENTS, {"municipality": municipality})
    return [Payment(row.number, Money(row.amount_ore), row.paid_on) for row in rows]
