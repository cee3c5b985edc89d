"""Issued documents and the unbroken series of their numbers."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Row, text
from stdnum import luhn

from services.billing.domain.correcting import Document, DocumentKind
from shared.dates import Month, local_date
from shared.db import Work
from shared.money import Money

_OPEN_SERIES: Final = text("INSERT INTO invoice_series (issuer, year, last_number) VALUES (:issuer, :year, 0) ON CONFLICT DO NOTHING")
_LOCK_SERIES: Final = text("SELECT last_number FROM invoice_series WHERE issuer = :issuer AND year = :year FOR UPDATE")
_NEXT: Final = text(
    "UPDATE invoice_series SET last_number = last_number + :count WHERE issuer = :issuer AND year = :year RETURNING last_number"
)
_KEEP: Final = text(
    """
    INSERT INTO invoices (number, issuer, year, serial, kind, municipality, month, version, amount_ore, issued_at, sha256, body,
                          refers_to, due_on)
    SELECT * FROM unnest(CAST(:number AS text[]), CAST(:issuer AS text[]), CAST(:year AS smallint[]), CAST(:serial AS integer[]),
                         CAST(:kind AS text[]), CAST(:municipality AS text[]), CAST(:month AS date[]), CAST(:version AS integer[]),
                         CAST(:amount_ore AS bigint[]), CAST(:issued_at AS timestamptz[]), CAST(:sha256 AS text[]), CAST(:body AS text[]),
                         CAST(:refers_to AS text[]), CAST(:due_on AS date[]))
    """
)
_FIND: Final = text("SELECT municipality, body FROM invoices WHERE number = :number")
_PLACE: Final = text("SELECT municipality, month FROM invoices WHERE number = :number")
_COLUMNS: Final = "SELECT municipality, month, number, kind, amount_ore, issued_at, due_on, refers_to FROM invoices"
_OF_MONTH: Final = text(
    _COLUMNS + " WHERE month = :month AND municipality = ANY(CAST(:municipalities AS text[])) ORDER BY municipality, issued_at, serial"
)
_ALL: Final = text(
    _COLUMNS + " WHERE CAST(:municipality AS text) IS NULL OR municipality = :municipality ORDER BY municipality, month, issued_at, serial"
)
_DIGESTS: Final = text("SELECT number, sha256 FROM invoices WHERE number = ANY(CAST(:numbers AS text[]))")
_LAST_ISSUED: Final = text("SELECT max(issued_at) FROM invoices WHERE municipality = :municipality")


# Whatever stands in an address: no text with a zero byte may reach the database.
_NUMBER: Final = re.compile(r"[0-9]{4}-[0-9]{6,}")


@dataclass(frozen=True, slots=True)
class InvoiceNumber:
    """A number from the unbroken series of one issuer and year of issue."""

    issuer: str
    year: int
    serial: int

    def __str__(self) -> str:
        """`YYYY-NNNNNN`."""
        return f"{self.year:04d}-{self.serial:06d}"

    @property
    def ocr(self) -> str:
        """The reference for payment: the digits of the number, a length digit (of the whole reference), and a check digit (Luhn)."""
        digits = f"{self.year:04d}{self.serial:06d}"
        counted = f"{digits}{(len(digits) + 2) % 10}"
        return counted + luhn.calc_check_digit(counted)


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

    @property
    def document(self) -> Document:
        """The document as corrections and payments know it."""
        issued_on = local_date(self.issued_at)
        return Document(str(self.number), DocumentKind(self.kind), Money(self.amount_ore), issued_on, self.due_on, self.refers_to)


async def next_numbers(work: Work, issuer: str, year: int, count: int) -> list[InvoiceNumber]:
    """Take the next numbers; the series stays locked until this transaction ends, so a rollback leaves no gap."""
    key = {"issuer": issuer, "year": year}
    await work.connection.execute(_OPEN_SERIES, key)
    await work.connection.execute(_LOCK_SERIES, key)
    last: int = (await work.connection.execute(_NEXT, key | {"count": count})).scalar_one()
    return [InvoiceNumber(issuer, year, serial) for serial in range(last - count + 1, last + 1)]


async def next_number(work: Work, issuer: str, year: int) -> InvoiceNumber:
    """Take the next number, one."""
    return (await next_numbers(work, issuer, year, 1))[0]


async def keep(work: Work, rows: Sequence[InvoiceRow]) -> None:
    """Keep issued documents for ever."""
    await work.connection.execute(
        _KEEP,
        {
            "number": [str(row.number) for row in rows],
            "issuer": [row.number.issuer for row in rows],
            "year": [row.number.year for row in rows],
            "serial": [row.number.serial for row in rows],
            "kind": [row.kind for row in rows],
            "municipality": [row.municipality for row in rows],
            "month": [row.month.first for row in rows],
            "version": [row.version for row in rows],
            "amount_ore": [row.amount_ore for row in rows],
            "issued_at": [row.issued_at for row in rows],
            "sha256": [row.sha256 for row in rows],
            "body": [row.body for row in rows],
            "refers_to": [row.refers_to for row in rows],
            "due_on": [row.due_on for row in rows],
        },
    )


async def find(work: Work, number: str) -> tuple[str, str] | None:
    """The debtor and the canonical text of a document."""
    if not _NUMBER.fullmatch(number):
        return None
    row = (await work.connection.execute(_FIND, {"number": number})).one_or_none()
    return None if row is None else (row.municipality, row.body)


async def place(work: Work, number: str) -> tuple[str, Month] | None:
    """The municipality and the month a document was issued for."""
    if not _NUMBER.fullmatch(number):
        return None
    row = (await work.connection.execute(_PLACE, {"number": number})).one_or_none()
    return None if row is None else (row.municipality, Month.of(row.month))


async def of_month(work: Work, municipalities: Collection[str], month: Month) -> dict[str, list[Document]]:
    """Every document of these municipalities for a month, in the order of issue."""
    found: dict[str, list[Document]] = {}
    for row in await work.connection.execute(_OF_MONTH, {"municipalities": sorted(municipalities), "month": month.first}):
        found.setdefault(row.municipality, []).append(_document(row))
    return found


async def all_of_them(work: Work, municipality: str | None) -> dict[tuple[str, Month], list[Document]]:
    """Every document by municipality and month, in the order of issue, of one municipality or of all."""
    found: dict[tuple[str, Month], list[Document]] = {}
    for row in await work.connection.execute(_ALL, {"municipality": municipality}):
        found.setdefault((row.municipality, Month.of(row.month)), []).append(_document(row))
    return found


async def digests(work: Work, numbers: Collection[str]) -> dict[str, str]:
    """The SHA-256 of these documents, by number."""
    return {row.number: row.sha256 for row in await work.connection.execute(_DIGESTS, {"numbers": sorted(numbers)})}


async def last_issued(work: Work, municipality: str) -> datetime | None:
    """When the last document of a municipality was issued, None when there is none."""
    found: datetime | None = (await work.connection.execute(_LAST_ISSUED, {"municipality": municipality})).scalar_one()
    return found


def _document(row: Row[tuple[object, ...]]) -> Document:
    issued_on = local_date(row.issued_at)
    return Document(row.number, DocumentKind(row.kind), Money(row.amount_ore), issued_on, row.due_on, row.refers_to)
