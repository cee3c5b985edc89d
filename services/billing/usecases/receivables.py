"""What is still to be paid, what is overdue, and interest on it so far (kundreskontra)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.billing.domain.correcting import Document, DocumentKind, rest_of
from services.billing.domain.interest import Interest, interest_on
from services.billing.domain.owed import Payment, balance, paid
from services.billing.finance import load_interest
from services.billing.repository import debtors, invoices, statuses
from shared.dates import Month
from shared.db import Work
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Receivable:
    """One open document as of a day. `rest` below 0 = paid before it was credited: the region owes it back."""

    municipality: str
    name: str
    month: Month
    document: Document
    credited: Money
    paid: Money
    rest: Money
    days_overdue: int
    status: str
    interest: Interest


async def receivables(work: Work, as_of: date, reader: str | None, wanted: str | None = None) -> list[Receivable]:
    """Every invoice and supplementary invoice that was not settled on a day.

    Args:
        work: The transaction.
        as_of: The day.
        reader: The municipality that reads, None for the region.
        wanted: One municipality only; somebody else's gives nothing.
    """
    if reader is not None and wanted not in {None, reader}:
        return []
    municipality = reader or wanted
    known = await debtors.on(work, as_of)
    payments = [one for one in await statuses.payments(work, municipality) if one.paid_on <= as_of]
    found = []
    for (code, month), issued in (await invoices.all_of_them(work, municipality)).items():
        documents = [one for one in issued if one.issued_on <= as_of]
        numbers = {one.number for one in documents}
        own = [one for one in payments if one.number in numbers]
        for document in documents:
            if document.kind is not DocumentKind.CREDIT_NOTE and balance(document, documents, own):
                name = known[code].name if code in known else code
                found.append(_receivable((code, name, month), document, documents, own, as_of))
    reported = await statuses.of(work, [one.document.number for one in found])
    last = {row.number: row.status for row in reported}
    return [replace(one, status=last.get(one.document.number, one.status)) for one in found]


def _receivable(
    of: tuple[str, str, Month], document: Document, documents: Sequence[Document], payments: Sequence[Payment], as_of: date
) -> Receivable:
    credited = document.amount - rest_of(document, documents)
    overdue = max(0, (as_of - document.due_on).days)
    rest = balance(document, documents, payments)
    interest = interest_on(document, credited, payments, as_of, load_interest())
    code, name, month = of
    days = overdue if rest.ore > 0 else 0
    return Receivable(code, name, month, document, credited, paid(document.number, payments), rest, days, "issued", interest)
