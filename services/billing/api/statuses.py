"""POST /v1/invoices/{number}/status: what finance reports back: booked, rejected with a reason, paid in parts."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from services.billing.api.parts import Acting, Amount, actor_of, require_region
from services.billing.usecases.statuses import Report, Reported, Status, report
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, ShortText
from shared.http.idempotency import once
from shared.money import Money

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class PaidBody(Body):
    """An amount above 0 in kronor with two decimals."""

    amount: Annotated[str, Field(strict=True, pattern=r"^(0\.(0[1-9]|[1-9][0-9])|[1-9][0-9]{0,11}\.[0-9]{2})$", examples=["65600.00"])]
    currency: Annotated[str, Field(strict=True, pattern=r"^SEK$")] = "SEK"


class StatusBody(Acting):
    """One report. `paid` needs `amount` and `paid_on` (of a credit note: what was paid out), `rejected` a `reason`.

    A `reference` tells two equal payments of one day apart.
    """

    model_config = with_example(
        {
            "status": "paid",
            "amount": {"amount": "65600.00", "currency": "SEK"},
            "paid_on": "2026-10-30",
            "reference": "BG 2026-10-30 4711",
            "acted_by": "Anna Test",
        }
    )

    status: Literal["booked", "rejected", "paid"]
    amount: PaidBody | None = None
    paid_on: Day | None = None
    reference: ShortText | None = None
    reason: ShortText | None = None

    def report(self) -> Report:
        """As the use case takes it."""
        amount = None if self.amount is None else Money.of_kronor(self.amount.amount)
        return Report(Status(self.status), amount, self.paid_on, self.reference, self.reason)


class StatusAnswer(Answer):
    """The report as it was kept, what may still be paid on the document, and where its month stands now."""

    number: str
    status: str
    amount: Amount | None
    paid_on: str | None
    reference: str | None
    reason: str | None
    reported_by: str
    reported_at: str
    rest: Amount | None
    month: str
    month_state: str

    @classmethod
    def of(cls, reported: Reported) -> Self:
        """From the use case's answer."""
        row = reported.row
        return cls(
            number=row.number,
            status=row.status,
            amount=Amount.of(row.amount),
            paid_on=None if row.paid_on is None else row.paid_on.isoformat(),
            reference=row.reference,
            reason=row.reason,
            reported_by=row.reported_by.person,
            reported_at=format_instant(row.reported_at),
            rest=Amount.of(reported.rest),
            month=str(reported.month.month),
            month_state=reported.month.state.value,
        )


@router.post("/v1/invoices/{number}/status", status_code=HTTPStatus.CREATED, response_model=StatusAnswer)
async def report_status(
    call: Checked,
    work: Working,
    request: Request,
    number: Annotated[str, Path(max_length=20, examples=["2026-000017"])],
    body: StatusBody,
) -> Response:
    """Report what became of a document; nothing reported is ever changed. The payment that leaves nothing owed settles the month."""
    require_region(call)

    async def act() -> StatusAnswer:
        return StatusAnswer.of(await report(work, number, body.report(), actor_of(call, body)))

    return await once(work, call, request, act)
