"""The document: what is issued, whole and for ever; its lines add up to its amount, and every line traces to what it comes from.

Every format that finance fetches is made from this document and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.correcting import Correction, Credit, Document, DocumentKind
from services.billing.domain.identity import Json
from services.billing.domain.invoice_lines import DocumentLine, credit_lines, money, month_lines, ore_of, supplementary_lines
from shared.dates import format_instant, local_date
from shared.money import Money

CURRENCY: Final = "SEK"


@dataclass(frozen=True, slots=True)
class Vat:
    """How value added tax is told: category and exemption as EN 16931 writes them; a rate is a decimal text."""

    category: str
    rate: str | None
    exemption_reason: str | None
    exemption_code: str | None


OUTSIDE_VAT: Final = Vat("O", None, "Ersättning enligt lag (2017:612), utanför mervärdesskattens tillämpningsområde", "VATEX-EU-O")


@dataclass(frozen=True, slots=True)
class Issuer:
    """The region that issues: who it is, where it is paid, and when it wants to be paid."""

    organisation: str
    name: str
    payment_days: int
    vat_number: str | None = None
    peppol_id: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    bankgiro: str | None = None
    f_tax: bool = False
    vat: Vat = OUTSIDE_VAT


@dataclass(frozen=True, slots=True)
class Party:
    """The municipality that pays, as the debtor register has it; `payment_days` None = the issuer's own terms."""

    municipality: str
    name: str
    organisation: str
    peppol_id: str | None = None
    gln: str | None = None
    buyer_reference: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    payment_days: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """The act of issuing: number, its payment reference, instant, the calculation it rests on and who approved it.

    `swedish`: what is printed in the place of the sources of rules and prices (`RuleBook.in_swedish`).
    """

    number: str
    issued_at: datetime
    version: int
    sha256: str
    approved_by: str
    ocr: str = ""
    swedish: Mapping[str, str] = field(default_factory=dict)

    @property
    def issued_on(self) -> date:
        """Local date of issue."""
        return local_date(self.issued_at)


@dataclass(frozen=True, slots=True)
class Sides:
    """Who issues, and who pays."""

    issuer: Issuer
    debtor: Party

    @property
    def payment_days(self) -> int:
        """Days from issue to due date: what was agreed with the debtor, else the issuer's own."""
        return self.issuer.payment_days if self.debtor.payment_days is None else self.debtor.payment_days


def invoice_content(basis: MonthBasis, issue: Issue, sides: Sides) -> dict[str, Json]:
    """The first invoice of a month as plain JSON without floating-point numbers.

    Raises:
        ValueError: The amount is unknown or not positive, or the lines do not add up to it; such a month is never issued.

    Source:
        Mervärdesskattelagen (2023:200) 17 kap. 24 § (a unique number from a series); domain rule 3.8 (every krona traces to stays).
    """
    return _document(DocumentKind.INVOICE, basis, issue, sides, basis.amount, month_lines(basis, issue.swedish))


def supplementary_content(
    basis: MonthBasis, issue: Issue, sides: Sides, documents: Sequence[Document], correction: Correction
) -> dict[str, Json]:
    """A supplementary invoice for what a month costs above what was billed for it; it refers to the month's first document.

    Raises:
        ValueError: There is nothing above what was billed, or the lines do not add up.

    Source:
        Domain rule 3.8, corrections after invoicing; mervärdesskattelagen (2023:200) 17 kap. 24 §.
    """
    if correction.amount_now is None or not documents:
        raise ValueError("a supplementary invoice needs an amount and a document to refer to")
    lines = supplementary_lines(basis, correction.amount_now, correction.billed, documents, issue.version)
    content = _document(DocumentKind.SUPPLEMENTARY, basis, issue, sides, correction.difference, lines)
    return content | _refers(documents[0]) | _rests_on(basis, correction.amount_now, documents, issue)


def credit_note_content(basis: MonthBasis, issue: Issue, sides: Sides, documents: Sequence[Document], credit: Credit) -> dict[str, Json]:
    """A credit note on one document; it never exceeds what is left of that.

    Raises:
        ValueError: The amount is not positive, above the rest, or the lines do not add up.

    Source:
        Domain rule 3.8, corrections after invoicing; mervärdesskattelagen (2023:200) 17 kap. 24 §.
    """
    if credit.amount > credit.rest:
        raise ValueError("a credit note never exceeds the rest")
    content = _document(DocumentKind.CREDIT_NOTE, basis, issue, sides, credit.amount, credit_lines(basis, credit, issue.version))
    return content | _refers(credit.document) | _rests_on(basis, basis.amount, documents, issue)


def _document(
    kind: DocumentKind, basis: MonthBasis, issue: Issue, sides: Sides, amount: Money | None, lines: Sequence[DocumentLine]
) -> dict[str, Json]:
    """What every document has in common."""
    if not amount or amount.ore < 0 or sum(ore_of(line) for line in lines) != amount.ore:
        raise ValueError("the lines of a document must add up to its amount, which is above 0")
    return {
        "number": issue.number,
        "kind": kind.value,
        "refers_to": None,
        "original_issued_on": None,
        "issuer": _issuer(sides.issuer),
        "debtor": _debtor(sides.debtor),
        "month": str(basis.month),
        "period": {"first": basis.month.first.isoformat(), "last": last_day(basis.month).isoformat()},
        "calculation": {"version": issue.version, "sha256": issue.sha256},
        "agreement": basis.agreement,
        "approved_by": issue.approved_by,
        "issued_at": format_instant(issue.issued_at),
        "issued_on": issue.issued_on.isoformat(),
        "payment_days": sides.payment_days,
        "due_on": due_on(issue, sides).isoformat(),
        "ocr": issue.ocr,
        "vat": {**asdict(sides.issuer.vat)},
        "currency": CURRENCY,
        "amount": money(amount),
        "lines": list(lines),
    }


def due_on(issue: Issue, sides: Sides) -> date:
    """The day a document must be paid.

    Source:
        Domain rule 3.8, issuing; the debtor register's terms of payment (our default where nothing was agreed).
    """
    return issue.issued_on + timedelta(days=sides.payment_days)


def _refers(document: Document) -> dict[str, Json]:
    return {"refers_to": document.number, "original_issued_on": document.issued_on.isoformat()}


def _rests_on(basis: MonthBasis, now: Money | None, documents: Sequence[Document], issue: Issue) -> dict[str, Json]:
    """What a correction rests on: every document before it, and the whole month by the new calculation."""
    return {
        "correction": {
            "amount_now": money(now),
            "documents": [
                {"number": one.number, "kind": one.kind.value, "issued_on": one.issued_on.isoformat(), "amount": money(one.amount)}
                for one in documents
            ],
            "lines": list(month_lines(basis, issue.swedish)),
        }
    }


def _issuer(issuer: Issuer) -> Json:
    told = asdict(issuer)
    return {name: told[name] for name in told if name not in {"payment_days", "vat"}}


def _debtor(debtor: Party) -> Json:
    told = asdict(debtor)
    return {name: told[name] for name in told if name != "payment_days"}
