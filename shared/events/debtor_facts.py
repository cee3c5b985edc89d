"""Facts of billing that its debtors are to hear of before anything is billed by them: what the months will be counted by."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.fact import Fact


class AgreementApproved(Fact):
    """A version of a rule set counts from now on; planning puts `notice.agreement_approved` into the mailboxes of those it binds."""

    kind: ClassVar[str] = "agreement.approved"
    agreement_id: UUID
    name: str
    version: int
    municipalities: tuple[str, ...] | None = Field(
        description="SCB codes of those that this version or the one before it binds; null = every municipality"
    )
    first: date = Field(description="the first day that this version or the one before it holds for")
    approved_at: AwareDatetime


class TariffApproved(Fact):
    """A price per day counts from now on; planning puts `notice.tariff_approved` into the mailbox of every municipality."""

    kind: ClassVar[str] = "tariff.approved"
    tariff_id: UUID
    first: date
    last: date
    price: str = Field(description="kronor with two decimals")
    approved_at: AwareDatetime


DEBTOR_FACTS: tuple[type[Fact], ...] = (AgreementApproved, TariffApproved)
