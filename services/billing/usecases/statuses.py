"""What finance reports of documents: booked, rejected with a reason, paid in parts; the last krona settles the month."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from services.billing.domain.charge import last_day
from services.billing.domain.closing import MonthAction, MonthState
from services.billing.domain.correcting import Document
from services.billing.domain.owed import Payment, nothing_owed, payable
from services.billing.domain.persons import Actor, normal_form
from services.billing.domain.postings import entry_of_payment
from services.billing.finance import accounts_on
from services.billing.repository import debtors, invoices, months, statuses
from services.billing.repository.months import MonthRow
from services.billing.repository.postings import EntryRow
from services.billing.repository.statuses import StatusRow
from services.billing.usecases.postings import post
from services.billing.usecases.steps import after
from shared.dates import Month, local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.creditor_facts import InvoiceRejected
from shared.identifiers import uuid7
from shared.money import Money
from shared.streams.outbox import stage_facts


class Status(StrEnum):
    """What can be reported of a document."""

    BOOKED = "booked"
    REJECTED = "rejected"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports: `amount` and `paid_on` belong to a payment, made or on a credit note paid out, `reason` to a rejection."""

    status: Status
    amount: Money | None = None
    paid_on: date | None = None
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """The report as it was kept, what may still be paid on the document, and where its month stands."""

    row: StatusRow
    rest: Money
    month: MonthRow


# Which members each status must have, and which it may have beside them.
_NEEDED: Final = {Status.BOOKED: set(), Status.REJECTED: {"reason"}, Status.PAID: {"amount", "paid_on"}}
_ALLOWED: Final = {Status.BOOKED: {"reference"}, Status.REJECTED: {"reason", "reference"}, Status.PAID: {"amount", "paid_on", "reference"}}


async def report(work: Work, number: str, told: Report, actor: Actor) -> Reported:
    """Keep what finance reports of a document; a payment is posted, and the one that leaves nothing owed settles the month.

    A rejection is told on the stream, without its reason.

    Raises:
        NotFound: There is no such document.
        Malformed: Something is missing for that status, or does not belong to it.
        Refused: Above the rest, reported before, or a rejection of what was paid.
    """
    _check(told, local_date(work.at))
    found = await invoices.place(work, number)
    if found is None:
        raise NotFound("invoice.unknown")
    municipality, month = found
    # The month is the lock of everything that is said of its documents.
    row = await months.lock(work, municipality, month)
    documents = (await invoices.of_month(work, [municipality], month))[municipality]
    document = next(one for one in documents if one.number == number)
    before = await statuses.of(work, [one.number for one in documents])
    _refuse(told, document, before)
    payments = [one.payment for one in before if one.payment is not None]
    kept = StatusRow(uuid7(), number, told.status.value, told.amount, told.paid_on, told.reference, told.reason, actor, work.at)
    if kept.payment is not None:
        if kept.payment.amount > payable(document, documents, payments):
            raise Refused("payment.above_rest", "more than what is left to pay of it")
        payments.append(kept.payment)
    await statuses.keep(work, kept)
    if told.status is Status.REJECTED:
        fact = InvoiceRejected(
            number=number, municipality=municipality, month=str(month), document=document.kind.value, rejected_at=work.at
        )
        await stage_facts(work, [(fact, None)])
    if kept.payment is not None:
        await _post(work, kept, kept.payment, document, (municipality, month))
        row = await _settled(work, row, documents, payments, actor)
    return Reported(kept, payable(document, documents, payments), row)


async def _post(work: Work, kept: StatusRow, payment: Payment, document: Document, of: tuple[str, Month]) -> None:
    municipality, month = of
    debtor = (await debtors.on(work, document.issued_on)).get(municipality) or (await debtors.on(work, last_day(month)))[municipality]
    accounts = accounts_on(payment.paid_on, debtor.receivable_account, debtor.revenue_account)
    entry = entry_of_payment(document.kind, payment.amount, accounts)
    row = EntryRow(uuid7(), document.number, municipality, month, payment.paid_on, entry, work.at, kept.id)
    await post(work, [row], await invoices.digests(work, [document.number]))


async def _settled(work: Work, row: MonthRow, documents: list[Document], payments: list[Payment], actor: Actor) -> MonthRow:
    """Settle an issued month that leaves nothing owed; one with a correction under way is settled when that is issued."""
    if row.state is not MonthState.ISSUED or not nothing_owed(documents, payments):
        return row
    row = replace(row, state=after(row, MonthAction.SETTLE))
    await months.move(work, row.month, [row])
    await months.note(work, row.month, [(row, MonthAction.SETTLE.value)], actor)
    return row


def _check(told: Report, today: date) -> None:
    values = {"amount": told.amount, "paid_on": told.paid_on, "reference": told.reference, "reason": told.reason}
    given = {name for name, value in values.items() if value is not None}
    errors = [FieldError(f"/{name}", "missing") for name in sorted(_NEEDED[told.status] - given)]
    errors += [FieldError(f"/{name}", "not_for_this_status") for name in sorted(given - _ALLOWED[told.status])]
    if told.paid_on is not None and told.paid_on > today:
        errors.append(FieldError("/paid_on", "in_future"))
    if errors:
        raise Malformed("request.malformed", errors=tuple(errors))


def _refuse(told: Report, document: Document, before: list[StatusRow]) -> None:
    """Refuse what contradicts what was reported before."""
    own = [one for one in before if one.number == document.number]
    if told.paid_on is not None and told.paid_on < document.issued_on:
        raise Malformed("request.malformed", errors=(FieldError("/paid_on", "before_issue"),))
    if told.status is Status.REJECTED and any(one.payment is not None for one in own):
        raise Refused("invoice.paid", "something was paid on it")
    # Two equal payments on one day are told apart by their references; without one the second is taken for the first, told again.
    if told.reference is not None or told.status is Status.PAID:
        payment = (told.amount, told.paid_on, normal_form(told.reference or ""))
        if any((one.amount, one.paid_on, normal_form(one.reference or "")) == payment for one in own):
            raise Refused("payment.repeated", "the same payment was reported before")
