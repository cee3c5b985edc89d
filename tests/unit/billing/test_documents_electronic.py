"""Every document as an electronic invoice: the schemas, EN 16931, Peppol and the Swedish rules find nothing to say."""

import json
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from services.billing.documents.reading import Document, read_document
from services.billing.documents.ubl import ubl
from tests.unit.billing.documents_of import BARE_SIDES, SIDES, a_credit_note, a_supplementary_invoice, an_invoice, every_kind
from tests.unit.billing.official_rules import broken_rules, schema_faults

NAMES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
DOCUMENTS = [(document["kind"], sides, document) for sides in (SIDES, BARE_SIDES) for document in every_kind(sides)]


def read(content: dict[str, Any]) -> Document:
    return read_document(json.dumps(content))


def changed(content: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A copy with some members changed; `issuer` and `debtor` are changed member by member."""
    found = deepcopy(content)
    for name, value in members.items():
        found[name] = {**found[name], **value} if isinstance(value, dict) and isinstance(found[name], dict) else value
    return found


def said(invoice: bytes, path: str) -> list[str]:
    return [str(node.text) for node in etree.fromstring(invoice).iterfind(f".//{path}", NAMES)]


@pytest.mark.parametrize(("kind", "sides", "content"), DOCUMENTS)
def test_no_official_rule_says_a_word(kind: str, sides: object, content: dict[str, Any]) -> None:
    invoice = ubl(read(content))
    assert schema_faults(invoice) == []
    assert broken_rules(invoice) == []


def test_the_official_rules_do_bite() -> None:
    invoice = ubl(read(an_invoice()))
    for before, after, rule in (
        (b">139400.00</cbc:PayableAmount", b">139400.01</cbc:PayableAmount", "BR-CO-16"),
        (b">2321000131</cbc:CompanyID", b">232100013</cbc:CompanyID", "SE-R-004"),
        (b">9912346</cbc:ID", b">99A2346</cbc:ID", "SE-R-008"),
        ("Godkänd för F-skatt</cbc:CompanyID".encode(), b"F-skatt</cbc:CompanyID", "SE-R-005"),
        (b"<cbc:BuyerReference>ZZ1480</cbc:BuyerReference>", b"", "PEPPOL-EN16931-R003"),
    ):
        assert before in invoice
        assert rule in {finding.rule for finding in broken_rules(invoice.replace(before, after))}
    assert schema_faults(invoice.replace(b"cbc:IssueDate", b"cbc:Issued"))


@pytest.mark.parametrize("name", ["Ö" * 180, "Åsele & <Söner> \"kommun\" 'x'", "]]> <!-- -->", "a" * 1000])
def test_names_of_any_length_and_with_any_sign_come_through(name: str) -> None:
    invoice = ubl(read(changed(an_invoice(), debtor={"name": name}, issuer={"name": name})))
    assert schema_faults(invoice) == []
    assert broken_rules(invoice) == []
    assert said(invoice, "cac:PartyLegalEntity/cbc:RegistrationName") == [name, name]


def test_days_that_are_no_whole_number_still_come_to_the_amount_by_the_rules() -> None:
    content = an_invoice()
    line = content["lines"][0] | {"days": "1.333333", "quantity": "1.333333", "price": {"amount": "12000.00", "currency": "SEK"}}
    line["amount"] = {"amount": "16000.00", "currency": "SEK"}
    invoice = ubl(read(changed(content, lines=[line], amount=line["amount"])))
    assert broken_rules(invoice) == []
    assert said(invoice, "cbc:InvoicedQuantity") == ["1.333333"]


@pytest.mark.parametrize(
    "vat",
    [
        {"category": "E", "rate": "0", "exemption_reason": "Undantag från skatteplikt", "exemption_code": "VATEX-EU-132"},
        {"category": "Z", "rate": "0", "exemption_reason": None, "exemption_code": None},
    ],
)
def test_the_other_categories_without_tax_are_valid_too(vat: dict[str, Any]) -> None:
    invoice = ubl(read(changed(an_invoice(), vat=vat, issuer={"vat_number": "SE232100013101"})))
    assert schema_faults(invoice) == []
    assert broken_rules(invoice) == []
    assert "SE232100013101" in said(invoice, "cac:PartyTaxScheme/cbc:CompanyID")


def test_outside_the_tax_no_number_of_value_added_tax_is_named() -> None:
    assert b"SE232100013101" not in ubl(read(changed(an_invoice(), issuer={"vat_number": "SE232100013101"})))


def test_a_document_with_tax_is_refused_rather_than_told_wrongly() -> None:
    with pytest.raises(ValueError, match="no value added tax"):
        read(changed(an_invoice(), vat={"category": "S", "rate": "25"}))


def test_a_document_whose_lines_do_not_add_up_is_in_no_format() -> None:
    with pytest.raises(ValueError, match="add up"):
        read(changed(an_invoice(), amount={"amount": "1.00", "currency": "SEK"}))


def test_an_invoice_names_bankgiro_and_payment_reference_and_a_credit_note_asks_for_no_payment() -> None:
    invoice, credit = ubl(read(an_invoice())), ubl(read(a_credit_note()))
    assert said(invoice, "cac:PaymentMeans/cbc:PaymentID") == ["202600001721"]
    assert said(invoice, "cac:PayeeFinancialAccount/cbc:ID") == ["9912346"]
    assert said(invoice, "cac:FinancialInstitutionBranch/cbc:ID") == ["SE:BANKGIRO"]
    assert said(credit, "cac:PaymentMeans/cbc:PaymentID") == []
    assert said(credit, "cac:PaymentTerms/cbc:Note") == ["Krediterar faktura 2026-000017; avräknas mot den eller betalas ut"]


def test_a_correction_refers_to_the_document_it_corrects() -> None:
    for content, kind, code in (
        (an_invoice(), "cbc:InvoiceTypeCode", "380"),
        (a_supplementary_invoice(), "cbc:InvoiceTypeCode", "380"),
        (a_credit_note(), "cbc:CreditNoteTypeCode", "381"),
    ):
        invoice = ubl(read(content))
        refers = [] if content["refers_to"] is None else ["2026-000017"]
        assert said(invoice, kind) == [code]
        assert said(invoice, "cac:InvoiceDocumentReference/cbc:ID") == refers


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({}, ("0007", "2120001355")),
        ({"gln": "7300010000001"}, ("0088", "7300010000001")),
        ({"gln": "7300010000001", "peppol_id": "0007:2120001355"}, ("0007", "2120001355")),
    ],
)
def test_peppol_delivers_to_the_address_of_the_register(told: dict[str, str], address: tuple[str, str]) -> None:
    invoice = ubl(read(changed(an_invoice(sides=BARE_SIDES), debtor=told)))
    endpoint = etree.fromstring(invoice).findall(".//cbc:EndpointID", NAMES)[1]
    assert (endpoint.get("schemeID"), endpoint.text) == address
    assert broken_rules(invoice) == []


def test_without_a_reference_of_the_buyer_the_invoice_says_what_it_is_about() -> None:
    assert said(ubl(read(an_invoice(sides=BARE_SIDES))), "cbc:BuyerReference") == ["Betalningsansvar 2020-03"]


def test_days_before_the_month_stand_in_the_note_for_a_period_of_a_line_must_lie_inside_that_of_the_document() -> None:
    content = an_invoice()
    line = content["lines"][1] | {"first": "2020-02-26"}
    invoice = ubl(read(changed(content, lines=[content["lines"][0], line])))
    assert broken_rules(invoice) == []
    assert [note.split(";")[0] for note in said(invoice, "cac:InvoiceLine/cbc:Note")][1] == "2020-02-26 till 2020-03-19"
    assert len(said(invoice, "cac:InvoiceLine/cac:InvoicePeriod/cbc:StartDate")) == 1


def test_who_approved_is_not_sent_to_others() -> None:
    assert b"Berit" not in ubl(read(an_invoice()))


def test_a_document_from_before_corrections_is_still_rendered() -> None:
    old = an_invoice()
    for name in ("original_issued_on", "period", "payment_days", "ocr", "vat", "currency"):
        del old[name]
    for side in ("issuer", "debtor"):
        old[side] = {name: old[side][name] for name in ("organisation", "name", "municipality") if name in old[side]}
    old["lines"] = [
        {name: value for name, value in line.items() if name not in {"number", "text", "quantity", "unit"}} for line in old["lines"]
    ]
    assert broken_rules(ubl(read(old))) == []
