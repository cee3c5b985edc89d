"""What is owed, what is posted, and interest: never above the rest, always balanced, nothing guessed (domain 3.8)."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from services.billing.domain.correcting import Correction, Document, DocumentKind, billed, wanted_documents
from services.billing.domain.interest import InterestTerms, ReferenceRate, interest_on
from services.billing.domain.owed import Payment, balance, nothing_owed, payable
from services.billing.domain.postings import Accounts, Entry, EntryKind, Posting, entry_of_document, entry_of_payment
from services.billing.domain.terms import Period
from services.billing.finance import accounts_on, load_interest
from services.billing.repository.invoices import InvoiceNumber
from shared.money import ZERO, Money

ISSUED, DUE = date(2024, 1, 31), date(2024, 3, 1)
ACCOUNTS = Accounts("1510", "3190", "1930")


def a_document(number: str, kind: str, kronor: int, refers_to: str | None = None) -> Document:
    return Document(number, DocumentKind(kind), Money.of_kronor(kronor), ISSUED, DUE, refers_to)


INVOICE = a_document("1", "invoice", 100)
CREDIT = a_document("2", "credit_note", 40, "1")


def paid(kronor: int, number: str = "1", day: date = DUE) -> Payment:
    return Payment(number, Money.of_kronor(kronor), day)


def test_a_credit_lowers_what_is_left_to_pay() -> None:
    assert payable(INVOICE, [INVOICE, CREDIT], []) == Money.of_kronor(60)
    assert payable(CREDIT, [INVOICE, CREDIT], []) == ZERO
    assert nothing_owed([INVOICE, CREDIT], [paid(60)])
    assert not nothing_owed([INVOICE, CREDIT], [paid(59)])


def test_a_credit_on_a_paid_invoice_is_paid_out_and_no_more_than_it() -> None:
    documents = [INVOICE, CREDIT]
    assert balance(INVOICE, documents, [paid(100)]) == Money.of_kronor(-40)
    assert payable(CREDIT, documents, [paid(100)]) == Money.of_kronor(40)
    assert payable(CREDIT, documents, [paid(100), paid(30, "2")]) == Money.of_kronor(10)
    assert nothing_owed(documents, [paid(100), paid(40, "2")])


def test_of_a_credit_on_a_partly_paid_invoice_only_what_was_paid_too_much_goes_back() -> None:
    assert payable(CREDIT, [INVOICE, CREDIT], [paid(80)]) == Money.of_kronor(20)


amounts = st.integers(min_value=0, max_value=500_00)


@given(st.lists(amounts, min_size=1, max_size=8))
def test_whatever_corrections_follow_the_documents_always_come_to_the_last_calculation(history: list[int]) -> None:
    documents: list[Document] = []
    for now in (Money(ore) for ore in history):
        for wanted in wanted_documents(Correction(now, billed(documents)), documents):
            refers_to = wanted.credit.document.number if wanted.credit else documents[0].number if documents else None
            assert (wanted.kind is DocumentKind.INVOICE) == (not documents)
            documents.append(Document(str(len(documents)), wanted.kind, wanted.amount, ISSUED, DUE, refers_to))
            assert wanted.amount > ZERO
        assert billed(documents) == now
    for claim in documents:
        if claim.kind is not DocumentKind.CREDIT_NOTE:
            assert ZERO <= balance(claim, documents, []) <= claim.amount


@given(st.sampled_from(DocumentKind), st.integers(min_value=1, max_value=10**12))
def test_every_entry_balances_and_a_credit_note_is_the_mirror_of_an_invoice(kind: DocumentKind, ore: int) -> None:
    for entry in (entry_of_document(kind, Money(ore), ACCOUNTS), entry_of_payment(kind, Money(ore), ACCOUNTS)):
        assert sum(posting.amount.ore for posting in entry.postings) == 0
    receivable = {one.account: one.amount.ore for one in entry_of_document(kind, Money(ore), ACCOUNTS).postings}["1510"]
    assert receivable == (-ore if kind is DocumentKind.CREDIT_NOTE else ore)


def test_an_entry_that_does_not_balance_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="balance"):
        Entry(EntryKind.INVOICED, (Posting("1510", Money(1)), Posting("3190", Money(-2))))
    with pytest.raises(ValueError, match="balance"):
        Entry(EntryKind.INVOICED, ())


def test_what_the_debtor_register_names_goes_before_the_accounts_of_the_file() -> None:
    assert accounts_on(DUE) == ACCOUNTS
    assert accounts_on(DUE, "1519", "3999") == Accounts("1519", "3999", "1930")


def interest(rest: int, as_of: date, *payments: Payment, credited: int = 0, terms: InterestTerms | None = None) -> tuple[int, Money | None]:
    document = a_document("1", "invoice", rest)
    found = interest_on(document, Money.of_kronor(credited), payments, as_of, terms or load_interest())
    return found.days, found.amount


def test_on_the_due_date_there_is_no_interest_and_a_day_later_one_day_s() -> None:
    assert interest(36_500, DUE) == (0, ZERO)
    # 4.00 + 8 = 12 per cent of 36 500 kr is 4 380 kr a year, 12 kr a day.
    assert interest(36_500, DUE + timedelta(days=1)) == (1, Money.of_kronor(12))


def test_a_part_payment_stops_interest_on_its_part_from_the_day_after() -> None:
    half = paid(18_250, day=DUE + timedelta(days=10))
    assert interest(36_500, DUE + timedelta(days=10), half) == (10, Money.of_kronor(120))
    assert interest(36_500, DUE + timedelta(days=20), half) == (20, Money.of_kronor(120 + 60))


def test_what_was_credited_bears_no_interest_at_all() -> None:
    assert interest(36_500, DUE + timedelta(days=1), credited=18_250) == (1, Money.of_kronor(6))


def test_the_rate_changes_with_the_half_year() -> None:
    # 2024-12-31 is the last day at 12 per cent; from New Year's Day it is 11.
    document = Document("1", DocumentKind.INVOICE, Money.of_kronor(36_500), ISSUED, date(2024, 12, 30))
    assert interest_on(document, ZERO, [], date(2025, 1, 1), load_interest()).amount == Money.of_kronor(12 + 11)


def test_a_missing_reference_rate_leaves_the_interest_unknown() -> None:
    gap = InterestTerms(Fraction(8), 365, (ReferenceRate(Period(date(2024, 1, 1), date(2024, 3, 5)), Fraction(4)),))
    assert interest(36_500, date(2024, 3, 5), terms=gap)[1] == Money.of_kronor(4 * 12)
    assert interest(36_500, date(2024, 3, 6), terms=gap) == (5, None)


@given(st.dates(DUE, date(2025, 12, 31)), st.lists(st.tuples(st.integers(1, 30_00), st.integers(0, 500)), max_size=4))
def test_interest_equals_adding_up_every_single_day(as_of: date, parts: list[tuple[int, int]]) -> None:
    terms, payments = load_interest(), [Payment("1", Money(ore), DUE + timedelta(days=days)) for ore, days in parts]
    total, day = Fraction(0), DUE
    while day < as_of:
        rest = 36_500_00 - sum(one.amount.ore for one in payments if one.paid_on <= day)
        day += timedelta(days=1)
        rate = terms.rate_on(day)
        assert rate is not None
        total += rest * rate / 365
    found = interest(36_500, as_of, *payments)[1]
    assert found is not None
    assert abs(found.ore - total) <= Fraction(1, 2)


@pytest.mark.parametrize("serial", [1, 17, 999_999])
def test_a_payment_reference_tells_its_own_length_and_carries_a_check_digit(serial: int) -> None:
    reference = InvoiceNumber("2321000131", 2026, serial).ocr
    assert reference.startswith(f"2026{serial:06d}")
    assert int(reference[-2]) == len(reference) % 10
    assert luhn.is_valid(reference)
