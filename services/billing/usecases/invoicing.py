"""Issuing: the number is given in the transaction that issues, and what was issued never changes."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Final

from services.billing.domain.closing import CalculationName, MonthAction
from services.billing.domain.identity import canonical_json
from services.billing.domain.invoice import Issue, Issuer, Party, invoice_content
from services.billing.domain.persons import Actor
from services.billing.repository import invoices
from services.billing.repository.invoices import InvoiceRow
from services.billing.repository.months import MonthRow
from services.billing.usecases.closing import Standpoint, after, moved, require_current, standpoint
from shared.dates import Month, format_instant, local_date
from shared.db import Work
from shared.errors import NotFound, Refused
from shared.events.facts import InvoiceIssued
from shared.identifiers import uuid7
from shared.streams.outbox import Staged, stage, stage_facts

ISSUER_FEED: Final = "invoices/issuer"
INVOICE_ISSUED: Final = "invoice.issued"


def debtor_feed(municipality: str) -> str:
    """The feed of one debtor's invoices."""
    return f"invoices/debtor/{municipality}"


async def issue(work: Work, municipality: str, month: Month, named: CalculationName, actor: Actor, issuer: Issuer) -> MonthRow:
    """Issue the invoice of an approved month; a month of amount 0 is closed without invoice and number.

    Raises:
        Refused: Outdated calculation or wrong state.
    """
    at = await standpoint(work, municipality, month)
    require_current(at, named)
    if at.basis.amount is None:
        raise Refused("month.blocked", "a price is missing")
    if not at.basis.amount:
        return await moved(work, replace(at.row, state=after(at.row, MonthAction.CLOSE)), MonthAction.CLOSE, actor)
    state = after(at.row, MonthAction.ISSUE)
    number = await _write_invoice(work, at, named, issuer)
    return await moved(work, replace(at.row, state=state, invoice_number=number), MonthAction.ISSUE, actor)


async def _write_invoice(work: Work, at: Standpoint, named: CalculationName, issuer: Issuer) -> str:
    """Number and keep the document, and put it into the feeds of both sides and on the stream; returns the number."""
    amount = at.basis.amount
    if amount is None:
        raise ValueError("a month without a price is never approved")
    taken = await invoices.next_number(work, issuer.organisation, local_date(work.at).year)
    number = str(taken)
    act = Issue(number, work.at, named.version, named.sha256, at.row.approved_by or "")
    party = Party(at.debtor.municipality, at.debtor.name, at.debtor.organisation)
    body = canonical_json(invoice_content(at.basis, act, issuer, party))
    digest = sha256(body.encode()).hexdigest()
    month, municipality = at.row.month, at.row.municipality
    due_on = act.issued_on + timedelta(days=issuer.payment_days)
    row = InvoiceRow(taken, "invoice", municipality, month, named.version, amount.ore, work.at, digest, body, due_on)
    await invoices.keep(work, row)
    envelope = canonical_json(
        {
            "number": number,
            "kind": "invoice",
            "municipality": municipality,
            "month": str(month),
            "amount": {"amount": str(amount), "currency": "SEK"},
            "issued_at": format_instant(work.at),
            "sha256": digest,
        }
    )
    feeds = (ISSUER_FEED, debtor_feed(municipality))
    await stage(work, [Staged(feed, uuid7(), INVOICE_ISSUED, None, envelope) for feed in feeds])
    fact = InvoiceIssued(number=number, municipality=municipality, month=str(month), amount=str(amount), issued_at=work.at)
    await stage_facts(work, [(fact, None)])
    return number


async def read_invoice(work: Work, number: str, reader: str | None) -> str:
    """The canonical text of an invoice, for its issuer (`reader` None) or its debtor.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    found = await invoices.find(work, number)
    if found is None or reader not in {None, found[0]}:
        raise NotFound
    return found[1]
