"""GET /v1/invoices/{number}.xml, .pdf and .csv, and GET /v1/exports/sie: what was issued and booked, in the forms finance takes in."""

from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response

from services.billing.api.parts import MonthQuery, month_of_text, reader_of, require_region
from services.billing.documents.sie import Company
from services.billing.settings import Settings
from services.billing.usecases.accesses import record
from services.billing.usecases.documents import Form, render_document, vouchers_of
from shared.db import Work
from shared.http.call import Call, Checked, StrictRoute, Working
from shared.http.conditional import NOTHING_NEW, unless_known

# Before the router of invoices: `{number}` there would take `.pdf` for a part of the number.
router = APIRouter(route_class=StrictRoute, tags=["Finance"])
MEDIA: Final = {Form.XML: "application/xml", Form.PDF: "application/pdf", Form.CSV: "text/csv; charset=utf-8"}
SIE_MEDIA: Final = "text/plain; charset=IBM437"
NumberPath = Annotated[str, Path(max_length=20, examples=["2026-000017"])]


def _answers(media: str, what: str) -> dict[int | str, dict[str, Any]]:
    """What the interface description says of a file."""
    return {200: {"description": what, "content": {media: {}}}, **NOTHING_NEW}


@router.get(
    "/v1/invoices/{number}.xml",
    response_class=Response,
    responses=_answers(MEDIA[Form.XML], "UBL 2.1 by Peppol BIS Billing 3.0: Invoice or CreditNote"),
)
async def read_as_xml(call: Checked, work: Working, request: Request, number: NumberPath) -> Response:
    """The document as an electronic invoice (EN 16931, Peppol BIS Billing 3.0, the Swedish rules)."""
    return await _document(call, work, request, number, Form.XML)


@router.get(
    "/v1/invoices/{number}.pdf",
    response_class=Response,
    responses=_answers(MEDIA[Form.PDF], "PDF/UA-1 and PDF/A-3a, with the electronic invoice embedded"),
)
async def read_as_pdf(call: Checked, work: Working, request: Request, number: NumberPath) -> Response:
    """The document to read and keep: the invoice, and behind it how the amount comes about, stay by stay."""
    return await _document(call, work, request, number, Form.PDF)


@router.get(
    "/v1/invoices/{number}.csv",
    response_class=Response,
    responses=_answers(MEDIA[Form.CSV], "CSV for Swedish Excel: UTF-8 with byte order mark, semicolons, decimal commas"),
)
async def read_as_csv(call: Checked, work: Working, request: Request, number: NumberPath) -> Response:
    """The document as a table: its lines, which add up to its amount, and every stay of its calculation."""
    return await _document(call, work, request, number, Form.CSV)


@router.get("/v1/exports/sie", response_class=Response, responses=_answers(SIE_MEDIA, "SIE 4 voucher file (type 4I), code page 437"))
async def export_vouchers(call: Checked, work: Working, request: Request, month: MonthQuery) -> Response:
    """Everything booked in a month, for the general ledger: balanced vouchers, in the order of booking."""
    require_region(call)
    settings: Settings = request.app.state.settings
    content = await vouchers_of(work, month_of_text(month), Company(settings.issuer, settings.issuer_name))
    return _file(request, content, f"verifikationer-{month}.si", SIE_MEDIA)


async def _document(call: Call, work: Work, request: Request, number: str, form: Form) -> Response:
    rendered = await render_document(work, number, reader_of(call.caller), form)
    await record(work, call.caller, f"invoice.{form.value}_read", rendered.cases, request_id=call.request_id)
    return _file(request, rendered.content, f"{number}.{form.value}", MEDIA[form])


def _file(request: Request, content: bytes, name: str, media: str) -> Response:
    """A file to keep; equal bytes have an equal ETag."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return unless_known(request, content, sha256(content).hexdigest(), media_type=media, headers=disposition)
