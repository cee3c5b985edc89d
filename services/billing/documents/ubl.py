"""Peppol BIS Billing 3.0: a document as UBL 2.1 Invoice or CreditNote under EN 16931 and the Swedish national rules."""

from decimal import Decimal
from typing import Final

from lxml import etree

from services.billing.documents.reading import DAY, Debtor, Document, Issuer, Line, Party
from services.billing.documents.swedish import decimals, month_name
from shared.money import ZERO, Money

CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE: Final = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC: Final = f"{_UBL}CommonAggregateComponents-2"
_CBC: Final = f"{_UBL}CommonBasicComponents-2"
ORGANISATION_NUMBER: Final = "0007"
GLOBAL_LOCATION_NUMBER: Final = "0088"
INVOICE: Final = "380"
CREDIT_NOTE: Final = "381"
CREDIT_TRANSFER: Final = "30"
OUTSIDE_TAX: Final = "O"
F_TAX: Final = "Godkänd för F-skatt"
ITEMS: Final = {
    "average": "Dagar över genomsnittet, utskrivningsklara patienter",
    "long": "Dagar för långt vårdtillfälle, utskrivningsklar patient",
    "individual": "Dagar för vårdtillfälle, utskrivningsklar patient",
    "difference": "Rättelse av tidigare fakturerad månad",
}
_OTHER_ITEM: Final = "Betalningsansvar för utskrivningsklara patienter"


def ubl(document: Document) -> bytes:
    """The document as UBL: an Invoice (type 380, a supplementary invoice too) or a CreditNote (381), each with its reference back."""
    name = "CreditNote" if document.credits else "Invoice"
    root = etree.Element(f"{{{_UBL}{name}-2}}{name}", nsmap={None: f"{_UBL}{name}-2", "cac": _CAC, "cbc": _CBC})
    _head(root, document)
    _references(root, document)
    _seller(_group(root, "AccountingSupplierParty", "Party"), document)
    _buyer(_group(root, "AccountingCustomerParty", "Party"), document.debtor)
    _payment(root, document)
    _totals(root, document)
    for number, line in enumerate(document.lines, start=1):
        _line(root, document, number, line)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def endpoint(party: Party) -> tuple[str, str]:
    """Where Peppol delivers: scheme and identifier; the organisation number where nobody has entered another address."""
    scheme, found, value = (party.peppol_id or "").partition(":")
    return (scheme, value) if found else (ORGANISATION_NUMBER, party.organisation)


def buyer_endpoint(debtor: Debtor) -> tuple[str, str]:
    """The debtor's Peppol address, else its global location number, else its organisation number."""
    if debtor.peppol_id is None and debtor.gln is not None:
        return GLOBAL_LOCATION_NUMBER, debtor.gln
    return endpoint(debtor)


def buyer_reference(document: Document) -> str:
    """What the debtor sorts its invoices by; without one the matter and the month, since the field may not be empty."""
    return document.debtor.buyer_reference or f"Betalningsansvar {document.month}"


def terms_of_payment(document: Document) -> str:
    """When and how to pay, in words."""
    if document.credits:
        return f"Krediterar faktura {document.refers_to}; avräknas mot den eller betalas ut"
    days = (document.due_on - document.issued_on).days
    return f"{days} dagar netto; därefter dröjsmålsränta enligt räntelagen (1975:635)"


def _head(root: etree._Element, document: Document) -> None:
    _text(root, "CustomizationID", CUSTOMIZATION)
    _text(root, "ProfileID", PROFILE)
    _text(root, "ID", document.number)
    _text(root, "IssueDate", document.issued_on.isoformat())
    if document.credits:
        _text(root, "CreditNoteTypeCode", CREDIT_NOTE)
    else:
        _text(root, "DueDate", document.due_on.isoformat())
        _text(root, "InvoiceTypeCode", INVOICE)
    _text(root, "Note", _note(document))
    _text(root, "DocumentCurrencyCode", document.currency)
    _text(root, "BuyerReference", buyer_reference(document))
    first, last = document.period
    period = _group(root, "InvoicePeriod")
    _text(period, "StartDate", first.isoformat())
    _text(period, "EndDate", last.isoformat())


def _note(document: Document) -> str:
    """One note, for Peppol allows no second."""
    note = f"Betalningsansvar för utskrivningsklara patienter enligt lag (2017:612), {month_name(document.month)}."
    if document.refers_to is not None:
        note += f" Rättelse av {document.refers_to}."
    return f"{note} {F_TAX}." if document.issuer.f_tax else note


def _references(root: etree._Element, document: Document) -> None:
    """The document that is corrected, the agreement, and the calculation under its fingerprint."""
    if document.refers_to is not None:
        original = _group(root, "BillingReference", "InvoiceDocumentReference")
        _text(original, "ID", document.refers_to)
        if document.original_issued_on is not None:
            _text(original, "IssueDate", document.original_issued_on.isoformat())
    _text(_group(root, "ContractDocumentReference"), "ID", document.agreement)
    basis = _group(root, "AdditionalDocumentReference")
    _text(basis, "ID", f"{document.month}/{document.debtor.municipality}/{document.calculation.version}")
    _text(basis, "DocumentDescription", f"Beräkning version {document.calculation.version}, SHA-256 {document.calculation.sha256}")


def _seller(party: etree._Element, document: Document) -> None:
    issuer = document.issuer
    _identity(party, issuer, endpoint(issuer))
    # Outside the tax no side may be named by a number of value added tax (BR-O-02).
    if issuer.vat_number and document.vat.category != OUTSIDE_TAX:
        _tax_scheme(party, issuer.vat_number, "VAT")
    if issuer.f_tax:
        _tax_scheme(party, F_TAX, "TAX")
    _legal(party, issuer)
    _contact(party, issuer)


def _buyer(party: etree._Element, debtor: Debtor) -> None:
    _identity(party, debtor, buyer_endpoint(debtor), debtor.gln)
    _legal(party, debtor)


def _identity(party: etree._Element, side: Party, address: tuple[str, str], gln: str | None = None) -> None:
    scheme, value = address
    _text(party, "EndpointID", value, schemeID=scheme)
    if gln is not None:
        _text(_group(party, "PartyIdentification"), "ID", gln, schemeID=GLOBAL_LOCATION_NUMBER)
    _text(_group(party, "PartyName"), "Name", side.name)
    postal = _group(party, "PostalAddress")
    for name, told in (("StreetName", side.street), ("CityName", side.city), ("PostalZone", side.postal_code)):
        if told:
            _text(postal, name, told)
    _text(_group(postal, "Country"), "IdentificationCode", "SE")


def _tax_scheme(party: etree._Element, number: str, scheme: str) -> None:
    registration = _group(party, "PartyTaxScheme")
    _text(registration, "CompanyID", number)
    _text(_group(registration, "TaxScheme"), "ID", scheme)


def _legal(party: etree._Element, side: Party) -> None:
    entity = _group(party, "PartyLegalEntity")
    _text(entity, "RegistrationName", side.name)
    _text(entity, "CompanyID", side.organisation, schemeID=ORGANISATION_NUMBER)


def _contact(party: etree._Element, issuer: Issuer) -> None:
    told = [("Name", issuer.contact_name), ("Telephone", issuer.contact_phone), ("ElectronicMail", issuer.contact_email)]
    if any(value for _, value in told):
        contact = _group(party, "Contact")
        for name, value in told:
            if value:
                _text(contact, name, value)


def _payment(root: etree._Element, document: Document) -> None:
    """Bankgiro with the payment reference; a credit note is settled against its invoice and asks for no payment."""
    terms = terms_of_payment(document)
    if not document.credits and document.issuer.bankgiro:
        means = _group(root, "PaymentMeans")
        _text(means, "PaymentMeansCode", CREDIT_TRANSFER, name="Bankgiro")
        _text(means, "PaymentID", document.ocr or document.number)
        account = _group(means, "PayeeFinancialAccount")
        _text(account, "ID", document.issuer.bankgiro.replace("-", ""))
        _text(account, "Name", document.issuer.name)
        _text(_group(account, "FinancialInstitutionBranch"), "ID", "SE:BANKGIRO")
    _text(_group(root, "PaymentTerms"), "Note", terms)


def _totals(root: etree._Element, document: Document) -> None:
    amount = document.amount.money
    tax = _group(root, "TaxTotal")
    _money(tax, "TaxAmount", ZERO, document)
    part = _group(tax, "TaxSubtotal")
    _money(part, "TaxableAmount", amount, document)
    _money(part, "TaxAmount", ZERO, document)
    category = _category(part, "TaxCategory", document)
    scheme = category[-1]
    for name, told in (("TaxExemptionReasonCode", document.vat.exemption_code), ("TaxExemptionReason", document.vat.exemption_reason)):
        if told:
            scheme.addprevious(_new(name, told))
    total = _group(root, "LegalMonetaryTotal")
    for name in ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount"):
        _money(total, name, amount, document)


def _category(parent: etree._Element, name: str, document: Document) -> etree._Element:
    category = _group(parent, name)
    _text(category, "ID", document.vat.category)
    # Outside the tax there is no rate at all (BR-O-05); exempt from it the rate is 0 (BR-E-05).
    if document.vat.category != OUTSIDE_TAX:
        _text(category, "Percent", document.vat.rate or "0")
    _text(_group(category, "TaxScheme"), "ID", "VAT")
    return category


def _line(root: etree._Element, document: Document, number: int, line: Line) -> None:
    part = _group(root, "CreditNoteLine" if document.credits else "InvoiceLine")
    _text(part, "ID", str(number))
    _text(part, "Note", _line_note(line))
    quantity = "CreditedQuantity" if document.credits else "InvoicedQuantity"
    _text(part, quantity, f"{line.units:f}", unitCode=line.unit)
    _money(part, "LineExtensionAmount", line.amount.money, document)
    # Days before the month are charged in it when the stay ended in it; a period of a line must lie inside that of the document (BR-30,
    # PEPPOL-EN16931-R110), so that such days stand in the note only.
    begin, end = document.period
    if begin <= line.first and line.last <= end:
        period = _group(part, "InvoicePeriod")
        _text(period, "StartDate", line.first.isoformat())
        _text(period, "EndDate", line.last.isoformat())
    item = _group(part, "Item")
    if line.text:
        _text(item, "Description", line.text)
    _text(item, "Name", ITEMS.get(line.kind, _OTHER_ITEM))
    _category(item, "ClassifiedTaxCategory", document)
    _money(_group(part, "Price"), "PriceAmount", line.price.money, document)


def _line_note(line: Line) -> str:
    told = [f"{line.first.isoformat()} till {line.last.isoformat()}"]
    if line.unit == DAY:
        told.append(f"{decimals(line.units)} {'dag' if line.units == Decimal(1) else 'dagar'}")
    told.extend(f"{name}: {value}" for name, value in (("regel", line.rule_printed), ("pris enligt", line.price_printed)) if value)
    return "; ".join(told)


def _money(parent: etree._Element, name: str, money: Money, document: Document) -> None:
    _text(parent, name, str(money), currencyID=document.currency)


def _group(parent: etree._Element, *names: str) -> etree._Element:
    for name in names:
        parent = etree.SubElement(parent, f"{{{_CAC}}}{name}")
    return parent


def _text(parent: etree._Element, tag: str, told: str, **attributes: str) -> None:
    parent.append(_new(tag, told, **attributes))


def _new(tag: str, told: str, **attributes: str) -> etree._Element:
    element = etree.Element(f"{{{_CBC}}}{tag}", attributes)
    element.text = told
    return element
