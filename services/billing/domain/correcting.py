"""Corrections after invoicing: nothing issued is ever edited; what a month costs now is compared with what was billed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.errors import Refused
from shared.money import ZERO, Money


class DocumentKind(StrEnum):
    """What an issued document is; its amount is always above 0, the kind tells the direction."""

    INVOICE = "invoice"
    SUPPLEMENTARY = "supplementary"
    CREDIT_NOTE = "credit_note"


class Direction(StrEnum):
    """What a correction would be."""

    NONE = "none"
    CREDIT = "credit"
    SUPPLEMENTARY = "supplementary"


@dataclass(frozen=True, slots=True)
class Document:
    """An issued document of a month."""

    number: str
    kind: DocumentKind
    amount: Money
    issued_on: date
    due_on: date
    refers_to: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """Both directions shown before anyone decides: what the month costs now, what was billed for it, and what would follow.

    `amount_now` None = a price is missing, and nothing can be said yet.
    """

    amount_now: Money | None
    billed: Money

    @property
    def difference(self) -> Money | None:
        """What is still to be billed (above 0) or credited (below 0)."""
        return None if self.amount_now is None else self.amount_now - self.billed

    @property
    def direction(self) -> Direction:
        """What would be issued."""
        if not self.difference:
            return Direction.NONE
        return Direction.SUPPLEMENTARY if self.difference > ZERO else Direction.CREDIT


@dataclass(frozen=True, slots=True)
class Credit:
    """A part of a credit: the document it takes from, what was left of that, and how much is taken."""

    document: Document
    rest: Money
    amount: Money

    @property
    def kept(self) -> Money:
        """What is left of the document afterwards."""
        return self.rest - self.amount


def billed(documents: Sequence[Document]) -> Money:
    """What the documents of a month come to: invoices less credit notes.

    Source:
        Domain rule 3.8, corrections after invoicing.
    """
    return Money(sum(-one.amount.ore if one.kind is DocumentKind.CREDIT_NOTE else one.amount.ore for one in documents))


def rest_of(document: Document, documents: Sequence[Document]) -> Money:
    """What is left of a document when every credit note on it has been taken off.

    Source:
        Domain rule 3.8, corrections after invoicing (a credit note never exceeds the rest).
    """
    return document.amount - Money(sum(one.amount.ore for one in documents if one.refers_to == document.number and _credits(one)))


def credits_of(documents: Sequence[Document], amount: Money) -> tuple[Credit, ...]:
    """Spread a credit over a month's documents, the newest first, each up to its own rest.

    Args:
        documents: Everything issued for the month, in the order of issue.
        amount: What is to be credited, above 0.

    Raises:
        Refused: There is not that much left to credit.

    Source:
        Domain rule 3.8, corrections after invoicing (a credit note never exceeds the rest; the order is our default).
    """
    found = []
    for document in reversed([one for one in documents if not _credits(one)]):
        rest = rest_of(document, documents)
        taken = min(rest, amount)
        if taken:
            found.append(Credit(document, rest, taken))
            amount -= taken
    if amount:
        raise Refused("credit.above_rest", "the documents of the month have less left than the credit")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that a calculation asks for; `credit` says on which document, of a credit note."""

    kind: DocumentKind
    amount: Money
    credit: Credit | None = None


def wanted_documents(correction: Correction, documents: Sequence[Document]) -> tuple[Wanted, ...]:
    """What is to be issued: the month's invoice, a supplementary invoice, credit notes, or nothing.

    Args:
        correction: What the month costs now, and what was billed for it.
        documents: Everything issued for the month, in the order of issue.

    Raises:
        Refused: There is not that much left to credit.

    Source:
        Domain rule 3.8, corrections after invoicing (the difference only, never an edit).
    """
    difference = correction.difference
    if not difference:
        return ()
    if correction.direction is Direction.CREDIT:
        return tuple(Wanted(DocumentKind.CREDIT_NOTE, one.amount, one) for one in credits_of(documents, -difference))
    return (Wanted(DocumentKind.SUPPLEMENTARY if documents else DocumentKind.INVOICE, difference),)


def _credits(document: Document) -> bool:
    return document.kind is DocumentKind.CREDIT_NOTE
