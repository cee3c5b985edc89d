"""The document as PDF/UA-1 and PDF/A-3a: the invoice as a Swedish clerk expects it, its account behind it, and the UBL embedded."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from services.billing.documents.account import Account, Calculated, StayTold, account_of
from services.billing.documents.reading import Document, Line, Party
from services.billing.documents.swedish import bankgiro, clock, day, decimals, kronor, month_name, organisation
from services.billing.documents.ubl import F_TAX, buyer_reference, terms_of_payment, ubl
from services.billing.documents.words import KINDS
from shared.dates import parse_instant

TEMPLATE: Final = Path(__file__).with_name("invoice.typ")
STANDARDS: Final = ("a-3a", "ua-1")
UNITS: Final = {"DAY": ("dag", "dagar")}
# What the fonts that come with typst can draw; PDF/A refuses a document with a sign it cannot.
DRAWN: Final = (
    range(0x20, 0x250),
    range(0x370, 0x400),
    range(0x400, 0x460),
    range(0x2010, 0x2040),
    range(0x20A0, 0x20BD),
    range(0x2190, 0x2300),
)
NOTHING: Final = "\u2013"
NOT_DRAWN: Final = "\u25a1"


def pdf(document: Document, calculation: Calculated | None = None) -> bytes:
    """The document as PDF: equal documents and calculations give equal bytes, on any machine.

    Raises:
        RuntimeError: The template does not compile.
    """
    e_invoice = ubl(document)
    issued_at = parse_instant(document.issued_at)
    # A dictionary of files in memory is what typst documents, though its types do not know it.
    made = typst.compile(  # type: ignore[call-overload]
        {
            "main.typ": _template(),
            "document.json": json.dumps(_drawable(view(document, account_of(document, calculation))), ensure_ascii=False).encode(),
            "e-invoice.xml": e_invoice,
        },
        format="pdf",
        pdf_standards=list(STANDARDS),
        timestamp=int(issued_at.timestamp()),
        ignore_system_fonts=True,
    )
    if not isinstance(made, bytes):
        raise TypeError("typst makes one file of one document")
    return made


def view(document: Document, account: Account) -> dict[str, Any]:
    """Everything that is printed, in the words and forms it is printed in."""
    kind = KINDS[document.kind]
    issuer = document.issuer
    return {
        "title": f"{kind} {document.number}",
        "kind": kind,
        "number": document.number,
        "issued_on": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "issuer": {"name": issuer.name, "address": _address(issuer), "contact": _contact(document)},
        "debtor": {
            "name": document.debtor.name,
            "address": _address(document.debtor),
            "organisation": organisation(document.debtor.organisation),
            "municipality": document.debtor.municipality,
        },
        "facts": _facts(document),
        "matter": f"Betalningsansvar för utskrivningsklara patienter enligt lag (2017:612), {month_name(document.month)}",
        "lines": [_line(number, line) for number, line in enumerate(document.lines, start=1)],
        "tax": document.vat.exemption_reason or "",
        "total": {"label": "Att kreditera" if document.credits else "Att betala", "amount": kronor(document.amount.money)},
        "payment": _payment(document),
        "sources": _sources(document.lines),
        "terms": terms_of_payment(document),
        "footer": _footer(document),
        "steps": list(account.steps),
        "earlier": _earlier(document),
        "groups": [{"title": group.title, "stays": [_stay(stay) for stay in group.stays]} for group in account.groups],
        "identity": [
            ["Överenskommelse", document.agreement],
            ["Beräkning", f"version {document.calculation.version}"],
            ["SHA-256", document.calculation.sha256],
            ["Godkänd av", document.approved_by],
            ["Utfärdad", clock(parse_instant(document.issued_at))],
        ],
        "e_invoice": f"{document.number}.xml",
    }


@cache
def _template() -> bytes:
    return TEMPLATE.read_bytes()


def _address(party: Party) -> list[str]:
    town = " ".join(part for part in (party.postal_code, party.city) if part)
    return [line for line in (party.street, town) if line]


def _contact(document: Document) -> list[str]:
    issuer = document.issuer
    return [told for told in (issuer.contact_name, issuer.contact_phone, issuer.contact_email) if told]


def _facts(document: Document) -> list[list[str]]:
    first, last = document.period
    told = [
        ["Fakturanummer", document.number],
        ["Fakturadatum", day(document.issued_on)],
        ["Er referens", buyer_reference(document)],
        ["Period", f"{first.day}–{last.day} {month_name(document.month)}"],
        ["Avser faktura", document.refers_to or ""],
    ]
    return [[label, value] for label, value in told if value]


def _line(number: int, line: Line) -> dict[str, str]:
    one, many = UNITS.get(line.unit, ("st", "st"))
    return {
        "number": str(number),
        "text": line.text,
        "quantity": f"{decimals(line.units)} {one if line.units == 1 else many}",
        "price": kronor(line.price.money),
        "amount": kronor(line.amount.money),
    }


def _sources(lines: Sequence[Line]) -> list[str]:
    """Which rule and which price the lines rest on, said once for all lines that share them."""
    shared: dict[tuple[str, str], list[int]] = {}
    for number, line in enumerate(lines, start=1):
        shared.setdefault((line.rule_printed, line.price_printed), []).append(number)
    told = []
    for (rule, source), numbers in shared.items():
        words = [f"{name}: {value}." for name, value in (("Regel", rule), ("Pris enligt", source)) if value]
        if words:
            told.append(f"{'Rad' if len(numbers) == 1 else 'Rader'} {_numbers(numbers)}. {' '.join(words)}")
    return told


def _numbers(numbers: Sequence[int]) -> str:
    """`1–8`, or each where they do not follow one upon the other."""
    if len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]}–{numbers[-1]}"
    return ", ".join(str(number) for number in numbers)


def _payment(document: Document) -> list[list[str]]:
    """What is typed into the bank, in the order of its form; a credit note says what it gives back and on what."""
    amount = f"{kronor(document.amount.money)} kr"
    if document.credits:
        return [["Att kreditera", amount], ["Krediterar faktura", document.refers_to or NOTHING]]
    told = [
        ["Att betala", amount],
        ["Oss tillhanda senast", day(document.due_on)],
        ["Bankgiro", bankgiro(document.issuer.bankgiro.replace("-", "")) if document.issuer.bankgiro else ""],
        ["OCR-nummer", document.ocr],
    ]
    return [[label, value] for label, value in told if value]


def _footer(document: Document) -> list[str]:
    issuer = document.issuer
    vat = f"Momsreg.nr {issuer.vat_number}" if issuer.vat_number else ""
    told = [issuer.name, f"Org.nr {organisation(issuer.organisation)}", vat, F_TAX if issuer.f_tax else ""]
    return [one for one in told if one]


def _earlier(document: Document) -> list[list[str]]:
    """The documents of the month before this one."""
    if document.correction is None:
        return []
    return [[one.number, KINDS[one.kind], day(one.issued_on), kronor(one.amount.money)] for one in document.correction.documents]


def _stay(stay: StayTold) -> dict[str, str]:
    return {
        "case": stay.case,
        "admission": clock(stay.admission_notice) or NOTHING,
        "ready": clock(stay.ready_notice) or NOTHING,
        "invited": clock(stay.invitation) or NOTHING,
        "ended": day(stay.ended_on) or "inneliggande",
        "days": str(stay.days),
        "charged": NOTHING if stay.chargeable_days is None else str(stay.chargeable_days),
        "amount": NOTHING if stay.amount is None else kronor(stay.amount),
        "remark": stay.remark,
    }


def _drawable(told: Any) -> Any:  # any JSON
    """The same with every sign that no font of ours has replaced by a visible box."""
    if isinstance(told, str):
        return "".join(sign if any(ord(sign) in drawn for drawn in DRAWN) else NOT_DRAWN for sign in told)
    if isinstance(told, dict):
        return {name: _drawable(value) for name, value in told.items()}
    return [_drawable(value) for value in told] if isinstance(told, list) else told
