"""Facts of billing that the creditor is to hear of: what its debtors accepted, rejected and did not leave at a decision."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact


class MonthAccepted(Fact):
    """A published month counts as accepted by its debtor; planning puts `notice.month_accepted` into the creditor's mailbox."""

    kind: ClassVar[str] = "month.accepted"
    municipality: str
    month: str
    calculation: str = Field(description="SHA-256 of the calculation")
    version: int
    amount: str = Field(description="kronor with two decimals")
    accepted: Literal["signed", "signed_on_paper", "silent", "credit"] = Field(
        description="silent = the dispute window passed; credit = a correction that takes nothing from the debtor, nobody was asked"
    )
    accepted_at: AwareDatetime


class InvoiceRejected(Fact):
    """The debtor did not take a document, as finance reports; planning puts `notice.invoice_rejected` into the creditor's mailbox."""

    kind: ClassVar[str] = "invoice.rejected"
    number: str
    municipality: str
    month: str
    document: Literal["invoice", "supplementary", "credit_note"]
    rejected_at: AwareDatetime = Field(description="when it was reported; why stands in billing")


class DisputeEscalated(Fact):
    """A dispute is to be looked at again, or a court has it; planning puts `notice.dispute_escalated` into the creditor's mailbox.

    Where the creditor noted it, the debtor hears of it too.
    """

    kind: ClassVar[str] = "dispute.escalated"
    dispute_id: UUID
    municipality: str
    month: str
    case_id: UUID
    to: Literal["review", "court"]
    by: Literal["debtor", "creditor"]
    escalated_at: AwareDatetime


CREDITOR_FACTS: tuple[type[Fact], ...] = (MonthAccepted, InvoiceRejected, DisputeEscalated)
