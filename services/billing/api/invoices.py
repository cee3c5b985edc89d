"""GET /v1/invoices: the feed of each reader, and each invoice with lines that trace to stays."""

import json
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from services.billing.api.parts import reader_of
from services.billing.usecases.accesses import record
from services.billing.usecases.invoicing import ISSUER_FEED, debtor_feed, read_invoice
from shared.http.call import Checked, StrictRoute, Working
from shared.http.conditional import NOTHING_NEW, unless_known
from shared.http.feed_query import FEED_ANSWERS, Epoch, Limit, Position, Wait
from shared.http.fields import Answer
from shared.streams.internal import long_poll

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class InvoiceEntry(Answer):
    """One entry of the feed. `position` is dense per reader and is no invoice number; `hash` is the running hash through this entry."""

    position: int
    id: str
    type: str
    hash: str
    number: str
    kind: str
    municipality: str
    month: str
    amount: dict[str, str]
    issued_at: str
    sha256: str
    refers_to: str | None = None


class InvoiceFeed(Answer):
    """A stretch of the feed: `next` is the last position scanned, `head` the last that exists."""

    epoch: int
    entries: list[InvoiceEntry]
    next: int
    head: int


class Money(Answer):
    """Kronor with two decimals."""

    amount: str
    currency: str


class InvoicedStay(Answer):
    """A stay an invoice line rests on, with the notices every clock ran from; `ended_on` null = still in hospital at the month's end."""

    case: UUID
    days: int
    admission_notice_sent_at: str | None
    ready_notice_sent_at: str | None
    invited_at: str | None
    ended_on: str | None


class InvoiceLine(Answer):
    """What one part of the amount comes from. The amounts of all lines add up to the document's; a quantity below 0 takes away.

    Kind `average`: days above the average, with every stay of it. `long`, `individual`: one stay charged by itself. `difference`, on a
    correction: what the month costs now, or what an earlier document said; `documents` and `calculation_version` name it. `unit` is a code
    of UN/ECE recommendation 20: DAY, or C62 for one amount. `rule_sv` and `price_source_sv`: what is printed
    in the place of `rule` and `price_source`.
    """

    number: int
    kind: str
    text: str
    first: str
    last: str
    quantity: int | str
    unit: str
    price: Money
    price_source: str
    amount: Money
    rule: str
    agreement: str
    stays: list[InvoicedStay]
    days: int | str | None = None
    in_average: int | None = None
    sum_days: int | None = None
    average: str | None = None
    rule_sv: str | None = None
    price_source_sv: str | None = None
    documents: list[str] | None = None
    calculation_version: int | None = None


class InvoiceIssuer(Answer):
    """The region that issues, and where it is paid."""

    organisation: str
    name: str
    vat_number: str | None
    peppol_id: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    contact_name: str | None
    contact_email: str | None
    contact_phone: str | None
    bankgiro: str | None
    f_tax: bool


class InvoiceDebtor(Answer):
    """The municipality that pays, as the debtor register had it."""

    municipality: str
    name: str
    organisation: str
    peppol_id: str | None
    gln: str | None
    buyer_reference: str | None
    street: str | None
    postal_code: str | None
    city: str | None


class InvoicedPeriod(Answer):
    """The month."""

    first: str
    last: str


class InvoicedVat(Answer):
    """Value added tax as EN 16931 tells it; category O = outside its scope."""

    category: str
    rate: str | None
    exemption_reason: str | None
    exemption_code: str | None


class InvoicedCalculation(Answer):
    """The calculation the invoice rests on."""

    version: int
    sha256: str


class EarlierDocument(Answer):
    """A document that was there before a correction."""

    number: str
    kind: str
    issued_on: str
    amount: Money


class InvoicedCorrection(Answer):
    """What a correction rests on: the documents before it, and the whole month by the new calculation."""

    amount_now: Money
    documents: list[EarlierDocument]
    lines: list[InvoiceLine]


class Invoice(Answer):
    """An issued document, as it stands for ever. Its amount is above 0; `kind` tells the direction, `refers_to` what it corrects."""

    number: str
    kind: Literal["invoice", "supplementary", "credit_note"]
    refers_to: str | None
    original_issued_on: str | None
    issuer: InvoiceIssuer
    debtor: InvoiceDebtor
    month: str
    period: InvoicedPeriod
    calculation: InvoicedCalculation
    agreement: str
    approved_by: str
    issued_at: str
    issued_on: str
    payment_days: int
    due_on: str
    ocr: str
    vat: InvoicedVat
    currency: str
    amount: Money
    lines: list[InvoiceLine]
    correction: InvoicedCorrection | None = None


@router.get(
    "/v1/invoices",
    response_model=InvoiceFeed,
    responses=FEED_ANSWERS,
)
async def read_invoices(
    call: Checked,
    request: Request,
    after: Position = 0,
    limit: Limit = 100,
    wait: Wait = 0,
    epoch: Epoch = None,
) -> Response:
    """Invoices after a position: the issuer's finance sees all, a municipality its own; reading never consumes."""
    own = reader_of(call.caller)
    feed = ISSUER_FEED if own is None else debtor_feed(own)
    database, watcher = request.app.state.database, request.app.state.watcher
    page = await long_poll(database, watcher, feed, after, limit, wait, epoch, reader=call.caller.reader)
    entries = [
        InvoiceEntry(position=e.position, id=str(e.entry_id), type=e.kind, hash=e.hash.hex(), **json.loads(e.body)) for e in page.entries
    ]
    body = InvoiceFeed(epoch=page.epoch, entries=entries, next=page.next, head=page.head)
    return unless_known(request, body.model_dump_json(), f"{page.epoch}-{after}-{page.next}-{page.head}")


@router.get("/v1/invoices/{number}", response_model=Invoice, responses=NOTHING_NEW)
async def read_one_invoice(
    call: Checked, work: Working, request: Request, number: Annotated[str, Path(max_length=20, examples=["2026-000017"])]
) -> Response:
    """One invoice, whole: its lines add up to its amount, and each names its stays, notices, price and rule."""
    body = await read_invoice(work, number, reader_of(call.caller))
    await record(work, call.caller, "invoice.read", _cases(json.loads(body)), request_id=call.request_id)
    return unless_known(request, body, sha256(body.encode()).hexdigest())


def _cases(invoice: dict[str, Any]) -> list[Any]:
    lines = [*invoice["lines"], *invoice.get("correction", {}).get("lines", [])]
    return [stay["case"] for line in lines for stay in line["stays"]]
