"""What is still to be paid on issued documents: amounts less credits and payments, and what a payment may at most be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.domain.correcting import Document, DocumentKind
from shared.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that changed hands: paid on an invoice by the debtor, or paid out on a credit note by the region."""

    number: str
    amount: Money
    paid_on: date


def paid(number: str, payments: Sequence[Payment]) -> Money:
    """Everything paid, or paid out, on one document.

    Source:
        Domain rule 3.8, settled (paid in parts).
    """
    return Money(sum(one.amount.ore for one in payments if one.number == number))


def balance(claim: Document, documents: Sequence[Document], payments: Sequence[Payment]) -> Money:
    """What the debtor owes on an invoice; below 0 the region owes, because what was credited had been paid before.

    Args:
        claim: An invoice or a supplementary invoice.
        documents: Everything issued for its month.
        payments: All payments on those documents.

    Source:
        Domain rule 3.8, corrections after invoicing and settled.
    """
    rest = claim.amount - paid(claim.number, payments)
    for credit in (one for one in documents if one.refers_to == claim.number and one.kind is DocumentKind.CREDIT_NOTE):
        rest = rest - credit.amount + paid(credit.number, payments)
    return rest


def payable(document: Document, documents: Sequence[Document], payments: Sequence[Payment]) -> Money:
    """The most that may still be paid on a document, or paid out on a credit note: never more than what is owed.

    Source:
        Domain rule 3.8, settled (paid in parts, never above the rest).
    """
    if document.kind is not DocumentKind.CREDIT_NOTE:
        return max(ZERO, balance(document, documents, payments))
    claim = next(one for one in documents if one.number == document.refers_to)
    owed_back = max(ZERO, -balance(claim, documents, payments))
    return min(owed_back, document.amount - paid(document.number, payments))


def nothing_owed(documents: Sequence[Document], payments: Sequence[Payment]) -> bool:
    """Whether neither side owes the other anything for these documents.

    Source:
        Domain rule 3.8, settled.
    """
    claims = (one for one in documents if one.kind is not DocumentKind.CREDIT_NOTE)
    return not any(balance(one, documents, payments) for one in claims)
