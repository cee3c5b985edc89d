"""Issuing: the number is given in the transaction that issues, and what was issued never changes; a correction is another document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.correcting import DocumentKind, Wanted, billed, wanted_documents
from services.billing.domain.identity import Json, canonical_json
from services.billing.domain.invoice import Issue, Issuer, Party, Sides, credit_note_content, due_on, invoice_content, supplementary_content
from services.billing.domain.owed import nothing_owed
from services.billing.domain.postings import entry_of_document
from services.billing.finance import accounts_on
from services.billing.repository import debtors, invoices
from services.billing.repository.debtors import Debtor
from services.billing.repository.invoices import InvoiceNumber, InvoiceRow
from services.billing.repository.months import MonthRow
from services.billing.repository.postings import EntryRow
from services.billing.usecases.postings import post
from services.billing.usecases.steps import Standpoint, Taken, after, require_current
from shared.dates import format_instant, local_date
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.events.facts import Fact, InvoiceIssued
from shared.identifiers import uuid7
from shared.money import Money
from shared.streams.outbox import Staged, stage, stage_facts

ISSUER_FEED: Final = "invoices/issuer"
INVOICE_ISSUED: Final = "invoice.issued"


def debtor_feed(municipality: str) -> str:
    """The feed of one debtor's invoices."""
    return f"invoices/debtor/{municipality}"


@dataclass(frozen=True, slots=True)
class _Act:
    """A month to issue documents for: what the facts say, and the step that was decided on."""

    at: Standpoint
    taken: Taken


def issue(at: Standpoint, named: CalculationName) -> Taken:
    """Decide what an approved month asks for: its invoice, the difference to what was billed, or no document at all.

    Raises:
        Refused: Outdated calculation, wrong state, or a credit above what is left of the month's documents.
    """
    require_current(at, named)
    if at.basis.amount is None:
        raise Refused("month.blocked", "a price is missing")
    row = replace(at.row, issued_version=at.row.version, billed_ore=at.basis.amount.ore, corrects=False)
    # The wrong state is refused before anything is said about money.
    issued = replace(row, state=after(row, MonthAction.ISSUE))
    wanted = wanted_documents(at.correction, at.documents)
    if wanted:
        return Taken(issued, ((issued, MonthAction.ISSUE),), wanted=wanted)
    action = MonthAction.CLOSE if nothing_owed(at.documents, at.payments) else MonthAction.KEEP
    closed = replace(row, state=after(row, action))
    return Taken(closed, ((closed, action),))


async def write_documents(work: Work, decided: Sequence[tuple[Standpoint, Taken]], issuer: Issuer) -> list[Taken]:
    """Number and keep the documents of many months, post them, and put them into the feeds of both sides and on the stream.

    Returns:
        The same steps, each naming its month's first document; one that leaves nothing to pay is settled.
    """
    acts = [_Act(at, taken) for at, taken in decided]
    count = sum(len(taken.wanted) for _, taken in decided)
    if not count:
        return [act.taken for act in acts]
    # A document names the debtor as it stands on the day of issue, also for an older month: that is where it must arrive.
    now = await debtors.on(work, local_date(work.at))
    acts = [replace(act, at=replace(act.at, debtor=now.get(act.at.debtor.municipality, act.at.debtor))) for act in acts]
    numbers = iter(await invoices.next_numbers(work, issuer.organisation, local_date(work.at).year, count))
    rows = {act.taken.row.municipality: [_document(act, one, next(numbers), issuer) for one in act.taken.wanted] for act in acts}
    written = [row for found in rows.values() for row in found]
    await invoices.keep(work, written)
    owing = {act.at.debtor.municipality: act.at.debtor for act in acts}
    await post(work, [_entry(row, owing[row.municipality]) for row in written], {str(row.number): row.sha256 for row in written})
    await stage(work, [entry for row in written for entry in _feed_entries(row)])
    await stage_facts(work, [(_fact(row), None) for row in written])
    return [_finished(act, rows[act.taken.row.municipality]) for act in acts]


async def read_invoice(work: Work, number: str, reader: str | None) -> str:
    """The canonical text of an invoice, for its issuer (`reader` None) or its debtor.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    found = await invoices.find(work, number)
    if found is None or reader not in {None, found[0]}:
        raise NotFound
    return found[1]


def party_of(debtor: Debtor) -> Party:
    """The debtor as a document names it."""
    return Party(
        debtor.municipality,
        debtor.name,
        debtor.organisation,
        debtor.peppol_id,
        debtor.gln,
        debtor.buyer_reference,
        debtor.street,
        debtor.postal_code,
        debtor.city,
        debtor.payment_days,
    )


def _document(act: _Act, wanted: Wanted, number: InvoiceNumber, issuer: Issuer) -> InvoiceRow:
    at, row = act.at, act.taken.row
    named = Issue(str(number), at.at, row.version or 0, row.sha256 or "", row.approved_by or "", number.ocr, at.inputs.book.in_swedish())
    sides = Sides(issuer, party_of(at.debtor))
    content = _content(at, wanted, named, sides)
    body = canonical_json(content)
    return InvoiceRow(
        number,
        wanted.kind.value,
        row.municipality,
        row.month,
        row.version or 0,
        wanted.amount.ore,
        at.at,
        sha256(body.encode()).hexdigest(),
        body,
        due_on(named, sides),
        None if content["refers_to"] is None else str(content["refers_to"]),
    )


def _content(at: Standpoint, wanted: Wanted, named: Issue, sides: Sides) -> dict[str, Json]:
    if wanted.credit is not None:
        return credit_note_content(at.basis, named, sides, at.documents, wanted.credit)
    if wanted.kind is DocumentKind.SUPPLEMENTARY:
        return supplementary_content(at.basis, named, sides, at.documents, at.correction)
    return invoice_content(at.basis, named, sides)


def _entry(row: InvoiceRow, debtor: Debtor) -> EntryRow:
    document = row.document
    accounts = accounts_on(document.issued_on, debtor.receivable_account, debtor.revenue_account)
    entry = entry_of_document(document.kind, document.amount, accounts)
    return EntryRow(uuid7(), document.number, row.municipality, row.month, document.issued_on, entry, row.issued_at)


def _feed_entries(row: InvoiceRow) -> list[Staged]:
    envelope = canonical_json(
        {
            "number": str(row.number),
            "kind": row.kind,
            "refers_to": row.refers_to,
            "municipality": row.municipality,
            "month": str(row.month),
            "amount": {"amount": str(Money(row.amount_ore)), "currency": "SEK"},
            "issued_at": format_instant(row.issued_at),
            "sha256": row.sha256,
        }
    )
    feeds = (ISSUER_FEED, debtor_feed(row.municipality))
    return [Staged(feed, uuid7(), INVOICE_ISSUED, None, envelope) for feed in feeds]


def _fact(row: InvoiceRow) -> Fact:
    return InvoiceIssued.model_validate(
        {
            "number": str(row.number),
            "municipality": row.municipality,
            "month": str(row.month),
            "amount": str(Money(row.amount_ore)),
            "issued_at": row.issued_at,
            "document": row.kind,
            "refers_to": row.refers_to,
        }
    )


def _finished(act: _Act, written: Sequence[InvoiceRow]) -> Taken:
    """The step with what came of it: the month's first number, and the end of it when nothing is left to pay."""
    taken, at = act.taken, act.at
    if not written:
        return taken
    new = tuple(row.document for row in written)
    documents = [*at.documents, *new]
    row = replace(taken.row, invoice_number=taken.row.invoice_number or str(written[0].number), billed_ore=billed(documents).ore)
    moves: list[tuple[MonthRow, MonthAction]] = [(row, MonthAction.ISSUE)]
    if nothing_owed(documents, at.payments):
        row = replace(row, state=after(row, MonthAction.SETTLE))
        moves.append((row, MonthAction.SETTLE))
    return replace(taken, row=row, moves=tuple(moves), written=new)
