"""GET /v1/receivables: what is still to be paid as of a day, what is overdue, and interest on it so far."""

from typing import Annotated, Self

from fastapi import APIRouter, Query

from services.billing.api.parts import MUNICIPALITY_CODE, Amount, day_of_text, reader_of
from services.billing.usecases.receivables import Receivable, receivables
from shared.dates import local_date
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer
from shared.money import Money

router = APIRouter(route_class=StrictRoute, tags=["Finance"])

DayQuery = Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-12-31"])]
CodeQuery = Annotated[str | None, Query(pattern=MUNICIPALITY_CODE, examples=["1480"])]


class InterestAnswer(Answer):
    """Interest under räntelagen through the day asked for; `amount` null = a reference rate is missing, and nothing is guessed."""

    days: int
    amount: Amount | None
    reference_rate_missing: bool


class ReceivableAnswer(Answer):
    """One open invoice. `rest` below 0 = paid before it was credited: the region owes it back. `status` = what was reported last."""

    number: str
    kind: str
    refers_to: str | None
    municipality: str
    name: str
    month: str
    issued_on: str
    due_on: str
    amount: Amount | None
    credited: Amount | None
    paid: Amount | None
    rest: Amount | None
    days_overdue: int
    status: str
    interest: InterestAnswer

    @classmethod
    def of(cls, one: Receivable) -> Self:
        """From the use case's view."""
        document, interest = one.document, one.interest
        return cls(
            number=document.number,
            kind=document.kind.value,
            refers_to=document.refers_to,
            municipality=one.municipality,
            name=one.name,
            month=str(one.month),
            issued_on=document.issued_on.isoformat(),
            due_on=document.due_on.isoformat(),
            amount=Amount.of(document.amount),
            credited=Amount.of(one.credited),
            paid=Amount.of(one.paid),
            rest=Amount.of(one.rest),
            days_overdue=one.days_overdue,
            status=one.status,
            interest=InterestAnswer(days=interest.days, amount=Amount.of(interest.amount), reference_rate_missing=interest.amount is None),
        )


class Receivables(Answer):
    """Every open invoice as of a day, with sums: what is still to be paid, and how much of that is overdue."""

    as_of: str
    receivables: list[ReceivableAnswer]
    rest: Amount | None
    overdue: Amount | None


@router.get("/v1/receivables")
async def read_receivables(call: Checked, work: Working, as_of: DayQuery = None, municipality: CodeQuery = None) -> Receivables:
    """What is still to be paid as of a day (today when not given); a municipality sees its own."""
    day = day_of_text(as_of, local_date(work.at))
    found = await receivables(work, day, reader_of(call.caller), municipality)
    return Receivables(
        as_of=day.isoformat(),
        receivables=[ReceivableAnswer.of(one) for one in found],
        rest=Amount.of(Money(sum(one.rest.ore for one in found))),
        overdue=Amount.of(Money(sum(one.rest.ore for one in found if one.days_overdue))),
    )
