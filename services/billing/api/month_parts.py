"""What a month's answer is made of: findings, charges, lines, averages, and what corrections and documents there are."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from services.billing.api.parts import Amount
from services.billing.domain.basis import AverageGroup, Finding
from services.billing.domain.closing import PaperSignature
from services.billing.domain.correcting import Correction, Document
from services.billing.domain.identity import group_content
from shared.http.fields import Answer


def money(text: str | None) -> Amount | None:
    """An amount of a calculation, None while a price is missing."""
    return None if text is None else Amount(amount=text)


class PaperAnswer(Answer):
    """Who signed for the debtor on paper, on which day, and where the paper is filed."""

    signed_by: str
    signed_on: str
    reference: str

    @classmethod
    def of(cls, paper: PaperSignature) -> Self:
        """From what was recorded."""
        return cls(signed_by=paper.signed_by, signed_on=paper.signed_on.isoformat(), reference=paper.reference)


class FindingAnswer(Answer):
    """One finding of the data-quality gate; `blocks` says whether the month must wait for it."""

    code: str
    blocks: bool
    case: UUID | None
    unit: str
    day: str | None

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """From the gate's finding."""
        day = None if finding.day is None else finding.day.isoformat()
        return cls(code=finding.code.value, blocks=finding.blocks, case=finding.stay, unit=finding.unit, day=day)


class ChargeAnswer(Answer):
    """Days charged at one price."""

    first: str
    last: str
    days: str
    price: Amount | None
    price_source: str
    amount: Amount | None

    @classmethod
    def of(cls, part: Mapping[str, Any]) -> Self:
        """From the canonical form."""
        return cls(**{**part, "price": money(part["price"]), "amount": money(part["amount"])})


class ReasonAnswer(Answer):
    """A reason and the rule it comes from."""

    reason: str
    source: str


class LineAnswer(Answer):
    """One stay in the month, with the notices every clock ran from and the rule that counted it."""

    case: UUID
    ward: str
    care_type: str
    days: int
    counted_as: str
    reason: str | None
    reasons: list[ReasonAnswer]
    chargeable_days: int
    amount: Amount | None
    admission_notice_sent_at: str | None
    ready_notice_sent_at: str | None
    invited_at: str | None
    ended_on: str | None
    charges: list[ChargeAnswer]
    rule: str

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Self:
        """From the canonical form."""
        reasons = [ReasonAnswer(**reason) for reason in line["reasons"]]
        return cls(
            **{
                **line,
                "reasons": reasons,
                "reason": reasons[0].reason if reasons else None,
                "amount": money(line["amount"]),
                "charges": [ChargeAnswer.of(part) for part in line["charges"]],
            }
        )


class AverageGroupAnswer(Answer):
    """One average of the month: the rule set and care types it is taken for, the stays in it, and the days above what is free."""

    agreement: str
    care_types: list[str]
    threshold: str
    in_average: int
    sum_days: int
    average: str | None
    excess: ChargeAnswer
    stays: list[UUID]
    rule: str

    @classmethod
    def of(cls, group: AverageGroup) -> Self:
        """From the calculation."""
        return cls.of_told(group_content(group))

    @classmethod
    def of_told(cls, told: Mapping[str, Any]) -> Self:
        """From the canonical form."""
        shown = {name: told[name] for name in cls.model_fields}
        return cls(**{**shown, "excess": ChargeAnswer.of(told["excess"])})


class DisputedAnswer(Answer):
    """What the month costs with every undecided dispute counted, and with all of them left out.

    `claims_left_out`: those that are left out of what is billed until they are decided, which is the lowest that decisions can give.
    """

    counted: Amount | None
    left_out: Amount | None
    claims: list[UUID]
    claims_left_out: list[UUID]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From the canonical form, which names those left out only where they are some and not all of them."""
        return cls(
            counted=money(told["counted"]),
            left_out=money(told["left_out"]),
            claims=told["claims"],
            claims_left_out=told.get("claims_left_out", all_or_none(told)),
        )


def all_or_none(told: Mapping[str, Any]) -> list[str]:
    """The disputes left out where the month ends at one of its two ends; equal amounts mean counted, an unknown one left out nothing."""
    counted, left_out = told["counted"], told["left_out"]
    if counted is None or left_out is None or Decimal(left_out) >= Decimal(counted):
        return []
    return list(told["claims"])


class CorrectionAnswer(Answer):
    """What correcting a closed month would come to: `credit`, `supplementary`, or `none`."""

    amount_now: Amount | None
    billed: Amount
    difference: Amount | None
    direction: str

    @classmethod
    def of(cls, correction: Correction) -> Self:
        """From what the month costs now and what was billed."""
        return cls(
            amount_now=Amount.of(correction.amount_now),
            billed=Amount(amount=str(correction.billed)),
            difference=Amount.of(correction.difference),
            direction=correction.direction.value,
        )


class DocumentAnswer(Answer):
    """A document issued for the month: `invoice`, `supplementary` or `credit_note`, its amount always above 0."""

    number: str
    kind: str
    amount: Amount
    issued_on: str
    due_on: str
    refers_to: str | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """From the register of issued documents."""
        return cls(
            number=document.number,
            kind=document.kind.value,
            amount=Amount(amount=str(document.amount)),
            issued_on=document.issued_on.isoformat(),
            due_on=document.due_on.isoformat(),
            refers_to=document.refers_to,
        )
