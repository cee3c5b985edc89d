"""GET /v1/accruals: what is not billed yet as of a day, for the year-end of both sides."""

from typing import Annotated, Self

from fastapi import APIRouter, Query

from services.billing.api.parts import Amount, day_of_text, reader_of
from services.billing.domain.accruing import METHOD
from services.billing.usecases.accruals import Accrual, AccruedMonth, accruals, accrued_by_nobody
from shared.dates import local_date
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class AccruedMonthAnswer(Answer):
    """One month: what it costs by what is known now, what was billed for it by the day, and the difference.

    `disputed` = how much more the month would cost if every undecided dispute were decided for the creditor. `open_stays` = patients who
    were there on the day and are taken as having left on it. Amounts are null while a price is missing.
    """

    month: str
    amount_now: Amount | None
    billed: Amount | None
    difference: Amount | None
    disputed: Amount | None
    open_stays: int

    @classmethod
    def of(cls, one: AccruedMonth) -> Self:
        """From the use case's view."""
        correction = one.correction
        return cls(
            month=str(one.month),
            amount_now=Amount.of(correction.amount_now),
            billed=Amount.of(correction.billed),
            difference=Amount.of(correction.difference),
            disputed=Amount.of(one.disputed),
            open_stays=one.open_stays,
        )


class AccrualAnswer(Answer):
    """One municipality: its closed months with a difference or a dispute, the month of the day, and the sum of the differences."""

    municipality: str
    name: str
    closed_months: list[AccruedMonthAnswer]
    running_month: AccruedMonthAnswer | None
    total: Amount | None

    @classmethod
    def of(cls, one: Accrual) -> Self:
        """From the use case's view."""
        return cls(
            municipality=one.debtor.municipality,
            name=one.debtor.name,
            closed_months=[AccruedMonthAnswer.of(month) for month in one.closed],
            running_month=None if one.running is None else AccruedMonthAnswer.of(one.running),
            total=Amount.of(one.total),
        )


class Accruals(Answer):
    """What is to be accrued as of a day, by what is known now; `method` says in words how it was estimated.

    `without_debtor`: who owes something for the year until that day and is in no debtor register, so that it is in no sum.
    """

    as_of: str
    method: str
    accruals: list[AccrualAnswer]
    without_debtor: list[str]


@router.get("/v1/accruals")
async def read_accruals(
    call: Checked,
    work: Working,
    as_of: Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-12-31"])] = None,
) -> Accruals:
    """Accruals as of a day (today when not given): the region for every municipality, a municipality for itself."""
    day = day_of_text(as_of, local_date(work.at))
    reader = reader_of(call.caller)
    found = [AccrualAnswer.of(one) for one in await accruals(work, day, reader)]
    return Accruals(as_of=day.isoformat(), method=METHOD, accruals=found, without_debtor=await accrued_by_nobody(work, day, reader))
