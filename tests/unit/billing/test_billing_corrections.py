"""Documents and corrections (domain 3.8): lines add up, a correction refers to its original, a credit never exceeds the rest."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.billing.domain.correcting import Correction, Credit, Direction, Document, DocumentKind, billed, credits_of, rest_of
from services.billing.domain.invoice import Sides, credit_note_content, invoice_content, supplementary_content
from shared.errors import Refused
from shared.money import ZERO, Money
from tests.unit.billing.builders import a_stay, month_of
from tests.unit.billing.documents_of import (
    BARE_SIDES,
    FIRST,
    SECOND,
    SIDES,
    a_credit_note,
    a_credit_of,
    a_supplementary_invoice,
    an_invoice,
    every_kind,
    in_register,
    month,
)


def a_document(number: str, kind: str, kronor: int, refers_to: str | None = None) -> Document:
    return Document(number, DocumentKind(kind), Money.of_kronor(kronor), date(2026, 4, 1), date(2026, 5, 1), refers_to)


INVOICE = a_document("1", "invoice", 100)
MORE = a_document("2", "supplementary", 50, "1")


@pytest.mark.parametrize("sides", [SIDES, BARE_SIDES])
def test_the_lines_of_every_kind_add_up_and_no_price_is_below_zero(sides: Sides) -> None:
    for document in every_kind(sides):
        total = sum(Money.of_kronor(line["amount"]["amount"]).ore for line in document["lines"])
        assert total == Money.of_kronor(document["amount"]["amount"]).ore > 0
        for line in document["lines"]:
            price = Money.of_kronor(line["price"]["amount"])
            assert price > ZERO
            assert Money.of_kronor(line["amount"]["amount"]).ore == price.ore * Fraction(str(line["quantity"]))
            assert line["text"]
        assert [line["number"] for line in document["lines"]] == list(range(1, len(document["lines"]) + 1))


def test_a_correction_refers_to_its_original_and_an_invoice_to_nothing() -> None:
    for document in every_kind()[1:]:
        assert (document["refers_to"], document["original_issued_on"]) == ("2026-000017", "2026-04-15")
    first = an_invoice()
    assert (first["kind"], first["refers_to"], first["original_issued_on"]) == ("invoice", None, None)


def test_removing_the_stay_of_seven_days_credits_what_the_whole_month_now_costs_less() -> None:
    first = an_invoice(month(2, 5, 6, 7))
    note = a_credit_of(month(2, 5, 6), [in_register(first)])
    assert (first["amount"]["amount"], note["amount"]["amount"]) == ("65600.00", "32800.00")
    assert [(line["quantity"], line["amount"]["amount"]) for line in note["lines"]] == [(1, "65600.00"), (-1, "-32800.00")]


def test_removing_a_stay_of_no_days_raises_the_month_and_bills_the_difference() -> None:
    earlier, now = month(0, 4, 5), month_of([a_stay(4, number=2), a_stay(5, number=3)])
    assert (earlier.amount, now.amount) == (ZERO, Money.of_kronor(3 * 8200))


def test_a_supplementary_invoice_bills_what_the_month_costs_more() -> None:
    document = a_supplementary_invoice()
    assert [line["quantity"] for line in document["lines"]] == [1, -1]
    now, before = (Money.of_kronor(line["price"]["amount"]) for line in document["lines"])
    assert Money.of_kronor(document["amount"]["amount"]) == now - before
    assert document["correction"]["amount_now"]["amount"] == str(now)
    assert {stay["case"] for line in document["correction"]["lines"] for stay in line["stays"]}


def test_a_correction_tells_which_documents_were_there_before_it() -> None:
    told = a_credit_note()["correction"]["documents"]
    assert [(one["number"], one["kind"]) for one in told] == [("2026-000017", "invoice")]


@pytest.mark.parametrize(
    ("now", "direction", "difference"),
    [(120, Direction.SUPPLEMENTARY, 20), (80, Direction.CREDIT, -20), (100, Direction.NONE, 0), (0, Direction.CREDIT, -100)],
)
def test_both_directions_are_told_before_anyone_decides(now: int, direction: Direction, difference: int) -> None:
    correction = Correction(Money.of_kronor(now), Money.of_kronor(100))
    assert (correction.direction, correction.difference) == (direction, Money.of_kronor(difference))


def test_while_a_price_is_missing_nothing_is_said() -> None:
    assert (Correction(None, ZERO).direction, Correction(None, ZERO).difference) == (Direction.NONE, None)


def test_a_credit_takes_from_the_newest_document_first_and_from_each_no_more_than_its_rest() -> None:
    taken = credits_of([INVOICE, MORE], Money.of_kronor(120))
    assert [(one.document.number, one.amount.ore // 100, one.kept.ore // 100) for one in taken] == [("2", 50, 0), ("1", 70, 30)]


def test_what_was_credited_before_is_not_credited_again() -> None:
    documents = [INVOICE, MORE, a_document("3", "credit_note", 50, "2"), a_document("4", "credit_note", 60, "1")]
    assert billed(documents) == Money.of_kronor(40) == rest_of(INVOICE, documents)
    (credit,) = credits_of(documents, Money.of_kronor(40))
    assert (credit.document.number, credit.kept) == ("1", ZERO)
    with pytest.raises(Refused) as refused:
        credits_of(documents, Money(40_01))
    assert refused.value.code == "credit.above_rest"


def test_a_month_without_an_amount_is_no_invoice_and_no_supplementary_one() -> None:
    with pytest.raises(ValueError, match="add up"):
        invoice_content(month(3), FIRST, SIDES)
    document = in_register(an_invoice())
    for now in (document.amount, document.amount - Money(1)):
        with pytest.raises(ValueError, match="add up"):
            supplementary_content(month(2), SECOND, SIDES, [document], Correction(now, document.amount))


def test_no_document_names_a_person_and_every_stay_is_a_case_number() -> None:
    for document in every_kind():
        for line in [*document["lines"], *document.get("correction", {}).get("lines", [])]:
            assert all(set(stay) >= {"case", "days", "ready_notice_sent_at"} for stay in line["stays"])


def test_the_debtor_s_own_terms_of_payment_go_before_the_issuer_s() -> None:
    sides = replace(SIDES, debtor=replace(SIDES.debtor, payment_days=10))
    assert (an_invoice(sides=sides)["due_on"], an_invoice()["due_on"]) == ("2026-04-25", "2026-05-15")
    assert an_invoice(sides=sides)["payment_days"] == 10


def test_no_credit_note_is_written_above_what_is_left_of_its_document() -> None:
    document = in_register(an_invoice())
    above = Credit(document, document.amount, document.amount + Money(1))
    with pytest.raises(ValueError, match="never exceeds the rest"):
        credit_note_content(month(2, 3), SECOND, SIDES, [document], above)
