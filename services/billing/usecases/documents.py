"""An issued document in the form that finance asks for; what was issued is read, never calculated again."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.billing.documents.account import Calculated, read_calculation
from services.billing.documents.pdf import pdf
from services.billing.documents.reading import Document, read_document
from services.billing.documents.sie import Company, Voucher, sie
from services.billing.documents.spreadsheet import spreadsheet
from services.billing.documents.ubl import ubl
from services.billing.domain.explained_steps import steps_of
from services.billing.domain.identity import fingerprint
from services.billing.domain.postings import Accounts, EntryKind
from services.billing.domain.retelling import inputs_of
from services.billing.finance import accounts_on
from services.billing.repository import postings
from services.billing.repository.documents import KeptCalculation, calculation_of
from services.billing.repository.postings import EntryRow
from services.billing.usecases.invoicing import read_invoice
from shared.dates import Month, local_date
from shared.db import Work


class Form(StrEnum):
    """The forms of a document beside the JSON it is stored as."""

    XML = "xml"
    PDF = "pdf"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document in one form, and the cases that its reader sees in it."""

    content: bytes
    cases: frozenset[UUID]


Render = Callable[[Document, Calculated | None], bytes]
RENDER: Final[Mapping[Form, Render]] = {Form.XML: lambda document, _: ubl(document), Form.PDF: pdf, Form.CSV: spreadsheet}
OF_ONE_STAY: Final = "stay_charged"
ENTRIES: Final = {EntryKind.INVOICED: "Faktura", EntryKind.CREDITED: "Kreditfaktura", EntryKind.PAID: "Betalning av"}


async def render_document(work: Work, number: str, reader: str | None, form: Form) -> Rendered:
    """A document for its issuer (`reader` None) or its debtor.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    document = read_document(await read_invoice(work, number, reader))
    kept = await calculation_of(work, document.debtor.municipality, Month.parse(document.month), document.calculation.version)
    # Beside the event loop: a month of many stays takes longer than other callers should wait.
    return await asyncio.to_thread(_rendered, document, kept, form)


async def vouchers_of(work: Work, month: Month, company: Company) -> bytes:
    """Everything that was booked in a month, as a voucher file."""
    last = month.next.first - timedelta(days=1)
    entries = await postings.entries_of(work, month.first, last)
    # A month before there were accounts holds nothing to name.
    names = _names(accounts_on(last)) if entries else {}
    return sie(company, [_voucher(entry) for entry in entries], names, local_date(work.at))


def _rendered(document: Document, kept: KeptCalculation, form: Form) -> Rendered:
    steps = _steps(kept, document.calculation.sha256) if form is Form.PDF else []
    calculation = None if form is Form.XML else read_calculation(kept.body, steps)
    return Rendered(RENDER[form](document, calculation), _cases(document, calculation))


def _steps(kept: KeptCalculation, issued_on: str) -> list[str]:
    """How the amount came about, up to the total; untold where the inputs are not kept, or would lead elsewhere today."""
    if kept.inputs is None:
        return []
    inputs = inputs_of(kept.inputs)
    basis = inputs.basis()
    if fingerprint(basis) != issued_on:
        return []
    return [str(step["sv"]) for step in steps_of(inputs, basis) if isinstance(step, dict) and step["code"] != OF_ONE_STAY]


def _names(accounts: Accounts) -> dict[str, str]:
    return {accounts.receivable: "Kundfordringar", accounts.revenue: "Betalningsansvar utskrivningsklara", accounts.bank: "Bank"}


def _voucher(row: EntryRow) -> Voucher:
    told = f"{ENTRIES[row.entry.kind]} {row.document}, kommun {row.municipality}, {row.month}"
    return Voucher(row.booked_on, told, tuple((one.account, one.amount) for one in row.entry.postings))


def _cases(document: Document, calculation: Calculated | None) -> frozenset[UUID]:
    named = {stay.case for line in document.month_lines for stay in line.stays}
    return frozenset(UUID(case) for case in named | {stay.case for stay in (() if calculation is None else calculation.lines)})
