"""The stored document as every format reads it: read once, strictly; members that no format has a use for are passed over."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

import msgspec

from shared.dates import Month, parse_instant
from shared.money import ZERO, Money

CREDIT_NOTE: Final = "credit_note"
DAY: Final = "DAY"


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """Kronor with two decimals, as the document writes them."""

    amount: str
    currency: str = "SEK"

    @property
    def money(self) -> Money:
        """Whole öre."""
        return Money.of_kronor(self.amount)


class Vat(msgspec.Struct, frozen=True, kw_only=True):
    """How value added tax is told; the default is what a document without a word about it means."""

    category: str = "O"
    rate: str | None = None
    exemption_reason: str | None = "Ersättning enligt lag (2017:612), utanför mervärdesskattens tillämpningsområde"
    exemption_code: str | None = "VATEX-EU-O"


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides have: who they are and where they are reached."""

    organisation: str
    name: str
    peppol_id: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None


class Issuer(Party, frozen=True, kw_only=True):
    """The region that issues, and where it is paid."""

    vat_number: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    bankgiro: str | None = None
    f_tax: bool = False


class Debtor(Party, frozen=True, kw_only=True):
    """The municipality that pays."""

    municipality: str
    gln: str | None = None
    buyer_reference: str | None = None


class Calculation(msgspec.Struct, frozen=True, kw_only=True):
    """The calculation that the document rests on."""

    version: int
    sha256: str


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A stay under its case number, with the notices every clock ran from."""

    case: str
    days: int
    admission_notice_sent_at: str | None = None
    ready_notice_sent_at: str | None = None
    invited_at: str | None = None
    ended_on: date | None = None

    @property
    def admission_notice(self) -> datetime | None:
        """When the admission notice was sent."""
        return _instant(self.admission_notice_sent_at)

    @property
    def ready_notice(self) -> datetime | None:
        """When the ready notice was sent."""
        return _instant(self.ready_notice_sent_at)

    @property
    def invitation(self) -> datetime | None:
        """When the planning meeting was called."""
        return _instant(self.invited_at)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many units at one price. A price is never below 0; a line that takes away has a quantity below 0."""

    kind: str
    first: date
    last: date
    price: Amount
    amount: Amount
    text: str = ""
    days: int | str = 0
    quantity: int | str | None = None
    unit: str = DAY
    price_source: str = ""
    rule: str = ""
    rule_sv: str = ""
    price_source_sv: str = ""
    stays: tuple[Stay, ...] = ()
    in_average: int | None = None
    sum_days: int | None = None
    average: str | None = None

    @property
    def units(self) -> Decimal:
        """How many units of the price."""
        return Decimal(self.days if self.quantity is None else self.quantity)

    @property
    def rule_printed(self) -> str:
        """The rule in Swedish, where the document has it so."""
        return self.rule_sv or self.rule

    @property
    def price_printed(self) -> str:
        """What the price is from, in Swedish where the document has it so."""
        return self.price_source_sv or self.price_source


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the month that was issued before this one."""

    number: str
    kind: str
    issued_on: date
    amount: Amount


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What a correction rests on: the documents before it, and the whole month by the new calculation."""

    amount_now: Amount | None
    documents: tuple[Earlier, ...] = ()
    lines: tuple[Line, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An issued document. Its amount is above 0; the kind tells the direction."""

    number: str
    kind: Literal["invoice", "supplementary", "credit_note"]
    issuer: Issuer
    debtor: Debtor
    month: str
    calculation: Calculation
    agreement: str
    approved_by: str
    issued_at: str
    issued_on: date
    due_on: date
    amount: Amount
    lines: tuple[Line, ...]
    refers_to: str | None = None
    original_issued_on: date | None = None
    payment_days: int | None = None
    ocr: str = ""
    vat: Vat = Vat()
    currency: str = "SEK"
    correction: Correction | None = None

    @property
    def credits(self) -> bool:
        """Whether it gives money back."""
        return self.kind == CREDIT_NOTE

    @property
    def period(self) -> tuple[date, date]:
        """The first and last day of its month."""
        month = Month.parse(self.month)
        return month.first, month.next.first - timedelta(days=1)

    @property
    def month_lines(self) -> tuple[Line, ...]:
        """The lines that trace to stays: its own, or for a correction those of the month by the new calculation."""
        return self.lines if self.correction is None else self.correction.lines


def read_document(body: str) -> Document:
    """Read the canonical JSON of a stored document.

    Raises:
        ValueError: A member is missing or of another type, its lines do not add up to its amount, or it carries a tax that no format of
            ours could tell (billing issues outside or exempt from value added tax only).
    """
    document = msgspec.json.decode(body, type=Document)
    if sum((line.amount.money for line in document.lines), ZERO) != document.amount.money:
        raise ValueError("the lines of a document add up to its amount")
    if document.vat.rate is not None and Decimal(document.vat.rate):
        raise ValueError("a document carries no value added tax")
    return document


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
