"""Entries in the ledger (bokföringsunderlag): every document and every payment makes exactly one, and its postings balance."""

from dataclasses import dataclass
from enum import StrEnum

from services.billing.domain.correcting import DocumentKind
from shared.money import Money


class EntryKind(StrEnum):
    """What an entry records."""

    INVOICED = "invoiced"
    CREDITED = "credited"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of the region's general ledger that one debtor's entries go to."""

    receivable: str
    revenue: str
    bank: str


@dataclass(frozen=True, slots=True)
class Posting:
    """One line of an entry: debit above 0, credit below."""

    account: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """The postings of one document or payment; an entry that does not balance cannot be made."""

    kind: EntryKind
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        """Refuse what does not balance."""
        if not self.postings or sum(one.amount.ore for one in self.postings) != 0:
            raise ValueError("the postings of an entry must balance")


def entry_of_document(kind: DocumentKind, amount: Money, accounts: Accounts) -> Entry:
    """An invoice is a receivable and a revenue; a credit note takes both back.

    Source:
        Domain rule 3.8 (balanced postings per document).
    """
    if kind is DocumentKind.CREDIT_NOTE:
        return _between(EntryKind.CREDITED, accounts.revenue, accounts.receivable, amount)
    return _between(EntryKind.INVOICED, accounts.receivable, accounts.revenue, amount)


def entry_of_payment(kind: DocumentKind, amount: Money, accounts: Accounts) -> Entry:
    """A payment turns the receivable into money; what is paid out on a credit note goes the other way.

    Source:
        Domain rule 3.8 (settled).
    """
    if kind is DocumentKind.CREDIT_NOTE:
        return _between(EntryKind.PAID, accounts.receivable, accounts.bank, amount)
    return _between(EntryKind.PAID, accounts.bank, accounts.receivable, amount)


def _between(kind: EntryKind, debit: str, credit: str, amount: Money) -> Entry:
    return Entry(kind, (Posting(debit, amount), Posting(credit, -amount)))
