"""Issued invoices and the unbroken series of their numbers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from shared.dates import Month
from shared.db import Work

_OPEN_SERIES: Final = text("INSERT INTO invoice_series (issuer, year, last_number) VALUES (:issuer, :year, 0) ON CONFLICT DO NOTHING")
_LOCK_SERIES: Final = text("SELECT last_number FROM invoice_series WHERE issuer = :issuer AND year = :year FOR UPDATE")
_NEXT: Final = text("UPDATE invoice_series SET last_number = last_number + 1 WHERE issuer = :issuer AND year = :year RETURNING last_number")
_KEEP: Final = text(
    """
    INSERT INTO invoices (number, issuer, year, serial, kind, municipality, month, version, amount_ore, issued_at, sha256, body,
                          refers_to, due_on)
    VALUES (:number, :issuer, :year, :serial, :kind, :municipality, :month, :version, :amount_ore, :issued_at, :sha256, :body,
            :refers_to, :due_on)
    """
)
_FIND: Final = text("SELECT municipality, body FROM invoices WHERE number = :number")


@dataclass(frozen=True, slots=True)
class InvoiceNumber:
    """A number from the unbroken series of one issuer and year of issue."""

    issuer: str
    year: int
    serial: int

    def __str__(self) -> str:
        """`YYYY-NNNNNN`."""
        return f"{self.year:04d}-{self.serial:06d}"


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An issued document: `body` is its canonical JSON, whole; `kind` says what it is."""

    number: InvoiceNumber
    kind: str
    municipality: str
    month: Month
    version: int
    amount_ore: int
    issued_at: datetime
    sha256: str
    body: str
    due_on: date
    refers_to: str | None = None


async def next_number(work: Work, issuer: str, year: int) -> InvoiceNumber:
    """Take the next number; the series stays locked until this transaction ends, so a rollback leaves no gap."""
    key = {"issuer": issuer, "year": year}
    await work.connection.execute(_OPEN_SERIES, key)
    await work.connection.execute(_LOCK_SERIES, key)
    return InvoiceNumber(issuer, year, (await work.connection.execute(_NEXT, key)).scalar_one())


async def keep(work: Work, row: InvoiceRow) -> None:
    """Keep an issued invoice for ever."""
    await work.connection.execute(
        _KEEP,
        {
            "number": str(row.number),
            "issuer": row.number.issuer,
            "year": row.number.year,
            "serial": row.number.serial,
            "kind": row.kind,
            "municipality": row.municipality,
            "month": row.month.first,
            "version": row.version,
            "amount_ore": row.amount_ore,
            "issued_at": row.issued_at,
            "sha256": row.sha256,
            "body": row.body,
            "refers_to": row.refers_to,
            "due_on": row.due_on,
        },
    )


async def find(work: Work, number: str) -> tuple[str, str] | None:
    """The debtor and the canonical text of an invoice."""
    row = (await work.connection.execute(_FIND, {"number": number})).one_or_none()
    return None if row is None else (row.municipality, row.body)
