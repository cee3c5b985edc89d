"""One document of each kind, for every test that renders, posts or reads documents."""

import json
from datetime import UTC, datetime
from typing import Any

from services.billing.domain.basis import MonthBasis
from services.billing.domain.correcting import Correction, Document, DocumentKind, billed, credits_of
from services.billing.domain.identity import Json, canonical_json
from services.billing.domain.invoice import (
    Issue,
    Issuer,
    Party,
    Sides,
    credit_note_content,
    invoice_content,
    supplementary_content,
)
from shared.dates import parse_day
from shared.money import Money
from tests.unit.billing.builders import a_stay, month_of

ISSUER = Issuer(
    "2321000131",
    "Västra Götalandsregionen",
    30,
    peppol_id="0007:2321000131",
    street="Regionens hus",
    postal_code="462 80",
    city="Vänersborg",
    contact_name="Ekonomi (test)",
    contact_email="ekonomi@example.org",
    contact_phone="010-000 00 00",
    bankgiro="9912346",
    f_tax=True,
)
DEBTOR = Party(
    "1480",
    "Göteborgs kommun",
    "2120001355",
    peppol_id="0007:2120001355",
    gln="7300010000001",
    buyer_reference="ZZ1480",
    street="Testgatan 1",
    postal_code="411 01",
    city="Göteborg",
)
BARE_DEBTOR = Party("1480", "Göteborgs kommun", "2120001355")
SIDES = Sides(ISSUER, DEBTOR)
BARE_SIDES = Sides(Issuer("2321000131", "Regionen", 30), BARE_DEBTOR)
FIRST = Issue("2026-000017", datetime(2026, 4, 15, 8, tzinfo=UTC), 1, "1" * 64, "Berit Test", "202600001721")
SECOND = Issue("2026-000042", datetime(2026, 5, 20, 8, tzinfo=UTC), 2, "2" * 64, "Berit Test", "202600004220")


def plain(content: dict[str, Json]) -> dict[str, Any]:
    """The document as a reader gets it: through its canonical text."""
    told: dict[str, Any] = json.loads(canonical_json(content))
    return told


def in_register(document: dict[str, Any]) -> Document:
    """An issued document as corrections know it."""
    amount = Money.of_kronor(document["amount"]["amount"])
    kind, issued, due = DocumentKind(document["kind"]), parse_day(document["issued_on"]), parse_day(document["due_on"])
    return Document(document["number"], kind, amount, issued, due, document["refers_to"])


def month(*days: int) -> MonthBasis:
    """March 2020 of stays that waited so many days each, the same stays whenever it is asked for."""
    return month_of([a_stay(waited, number=number) for number, waited in enumerate(days, start=1)])


def an_invoice(basis: MonthBasis | None = None, sides: Sides = SIDES) -> dict[str, Any]:
    """Example 4 of the law, and one long stay, unless said."""
    return plain(invoice_content(month(2, 5, 6, 7, 12) if basis is None else basis, FIRST, sides))


def a_supplementary_invoice(sides: Sides = SIDES) -> dict[str, Any]:
    """Two more stays came in after the invoice."""
    first = an_invoice(sides=sides)
    basis = month(2, 5, 6, 7, 12, 7, 15)
    documents = [in_register(first)]
    return plain(supplementary_content(basis, SECOND, sides, documents, Correction(basis.amount, billed(documents))))


def a_credit_note(sides: Sides = SIDES) -> dict[str, Any]:
    """The stay of 7 days lacked its admission notice (example 9)."""
    documents = [in_register(an_invoice(sides=sides))]
    basis = month(2, 5, 6, 12)
    return a_credit_of(basis, documents, sides)


def a_full_credit(sides: Sides = SIDES) -> dict[str, Any]:
    """Nothing of the month was to be paid after all."""
    return a_credit_of(month(2, 3), [in_register(an_invoice(sides=sides))], sides)


def a_credit_of(basis: MonthBasis, documents: list[Document], sides: Sides = SIDES) -> dict[str, Any]:
    """The credit note on the newest document that a new calculation leads to."""
    assert basis.amount is not None
    credit = credits_of(documents, billed(documents) - basis.amount)[0]
    return plain(credit_note_content(basis, SECOND, sides, documents, credit))


def every_kind(sides: Sides = SIDES) -> list[dict[str, Any]]:
    """One document of each kind."""
    return [an_invoice(sides=sides), a_supplementary_invoice(sides), a_credit_note(sides), a_full_credit(sides)]
