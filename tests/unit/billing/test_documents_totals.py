"""One amount: the stored document, the electronic invoice, the printed one, the table and the vouchers say the same, to the öre."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from services.billing.documents.pdf import pdf
from services.billing.documents.reading import Document
from services.billing.documents.sie import Company, Voucher, sie
from services.billing.documents.spreadsheet import spreadsheet
from services.billing.documents.ubl import ubl
from services.billing.domain.correcting import DocumentKind
from services.billing.domain.postings import Accounts, entry_of_document
from shared.money import Money
from tests.unit.billing.documents_of import every_kind
from tests.unit.billing.official_rules import broken_rules
from tests.unit.billing.test_documents_electronic import NAMES, changed, read
from tests.unit.billing.test_documents_tables import number, rows_of

ACCOUNTS = Accounts("1510", "3190", "1930")
PRICES = st.integers(min_value=1, max_value=10**9)
DAYS = st.integers(min_value=1, max_value=10**4)


def electronic(document: Document) -> tuple[Money, Money]:
    root = etree.fromstring(ubl(document))
    payable = root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", "", NAMES)
    tag = "CreditNoteLine" if document.credits else "InvoiceLine"
    lines = [line.findtext("cbc:LineExtensionAmount", "", NAMES) for line in root.findall(f"cac:{tag}", NAMES)]
    return Money.of_kronor(payable), Money.of_kronor(sum(Decimal(line) for line in lines))


def printed(document: Document) -> Money:
    """The amount on the first page, as it is read off it."""
    page = "".join(PdfReader(BytesIO(pdf(document))).pages[0].extract_text().split())
    label = "Attkreditera" if document.credits else "Attbetala"
    told = page.rpartition(label)[2].partition("kr")[0]
    return Money.of_kronor(told.replace(",", "."))


def tabled(document: Document) -> Money:
    return Money.of_kronor(sum(number(row["Belopp"]) for row in rows_of(spreadsheet(document)) if row["Belopp"]))


def booked(document: Document) -> Money:
    """What the voucher file takes to the receivable: debit for an invoice, credit for a credit note."""
    entry = entry_of_document(DocumentKind(document.kind), document.amount.money, ACCOUNTS)
    voucher = Voucher(document.issued_on, document.number, tuple((one.account, one.amount) for one in entry.postings))
    written = sie(Company("2321000131", "Regionen"), [voucher], {}, document.issued_on).decode("cp437")
    postings = [line.split() for line in written.split("\r\n") if line.startswith("#TRANS")]
    assert sum(Decimal(posting[3]) for posting in postings) == 0
    receivable = Money.of_kronor(next(posting[3] for posting in postings if posting[1] == ACCOUNTS.receivable))
    return -receivable if document.credits else receivable


def totals(document: Document) -> set[Money]:
    return {document.amount.money, *electronic(document), printed(document), tabled(document), booked(document)}


@pytest.mark.parametrize("content", every_kind())
def test_every_kind_says_one_amount_in_all_formats(content: dict[str, Any]) -> None:
    assert totals(read(content)) == {Money.of_kronor(content["amount"]["amount"])}


def with_lines(content: dict[str, Any], lines: list[tuple[int, int]]) -> dict[str, Any]:
    """The document with other lines: so many days at so many öre each."""
    made, total = [], 0
    for days, price in lines:
        total += days * price
        told = {"days": days, "quantity": days, "price": money(price), "amount": money(days * price)}
        made.append(content["lines"][0] | told)
    return changed(content, lines=made, amount=money(total))


def money(ore: int) -> dict[str, str]:
    return {"amount": str(Money(ore)), "currency": "SEK"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(every_kind()), st.lists(st.tuples(DAYS, PRICES), min_size=1, max_size=5))
def test_any_amount_is_one_amount_in_all_formats(content: dict[str, Any], lines: list[tuple[int, int]]) -> None:
    document = read(with_lines(content, lines))
    assert totals(document) == {Money(sum(days * price for days, price in lines))}
    assert broken_rules(ubl(document)) == []
