"""GET /v1/averages: the current average of every municipality, its history and how the running month would end."""

from typing import Annotated, Self

from fastapi import APIRouter, Query

from services.billing.api.parts import Amount, MonthQuery, MunicipalityPath, month_of_text, months_between, reader_of
from services.billing.domain.identity import decimal_text
from services.billing.repository.averages import Average
from services.billing.usecases.averages import AverageView, averages_of_month, averages_of_municipality, exact_average
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer
from shared.money import Money

router = APIRouter(route_class=StrictRoute, tags=["Follow-up"])


class Exposure(Answer):
    """What the month costs by what is known: days charged so far, and their amount (null while a price is missing)."""

    days: float | int
    amount: Amount | None

    @classmethod
    def of(cls, average: Average) -> Self:
        """The days of both kinds together."""
        return cls(days=_number(average) + average.individual_days, amount=_amount(average))


class Forecast(Answer):
    """The running month if every patient who waits left now."""

    stays: int
    average: str | None
    days: float | int
    amount: Amount | None

    @classmethod
    def of(cls, average: Average) -> Self:
        """From the numbers the month would have."""
        return cls(
            stays=average.stays,
            average=_average_text(average),
            days=_number(average) + average.individual_days,
            amount=_amount(average),
        )


class MunicipalityAverage(Answer):
    """One municipality and month.

    Others see it as it was closed, and no figure that stands for fewer than five stays, alone or against another: `small_group` = nothing
    can be shown, `suppressed` = some figures are null for that reason. Who still waits is shown to the municipality and the region only.
    """

    municipality: str
    name: str
    month: str
    complete: bool
    small_group: bool = False
    suppressed: bool = False
    stays: int | None = None
    in_average: int | None = None
    sum_days: int | None = None
    average: str | None = None
    excess_days: float | int | None = None
    long_stays: int | None = None
    individual_days: int | None = None
    open_stays: int | None = None
    exposure: Exposure | None = None
    forecast: Forecast | None = None

    @classmethod
    def of(cls, view: AverageView) -> Self:
        """What this reader may see."""
        known, average, shown = view.debtor, view.average, view.shown
        return cls(
            municipality=known.municipality,
            name=known.name,
            month=str(average.month),
            complete=average.complete,
            small_group=shown.nothing,
            suppressed=not shown.together,
            stays=average.stays if shown.together else None,
            in_average=average.in_average if shown.average else None,
            sum_days=average.sum_days if shown.average else None,
            average=_average_text(average) if shown.average else None,
            excess_days=_number(average) if shown.average else None,
            long_stays=average.long_stays if shown.by_itself else None,
            individual_days=average.individual_days if shown.by_itself else None,
            open_stays=average.open_stays if view.own else None,
            exposure=Exposure.of(average) if shown.together else None,
            forecast=None if view.forecast is None else Forecast.of(view.forecast),
        )


class MonthAverages(Answer):
    """All municipalities of a month."""

    month: str
    averages: list[MunicipalityAverage]


class MunicipalityAverages(Answer):
    """One municipality, month by month."""

    municipality: str
    averages: list[MunicipalityAverage]


@router.get("/v1/averages")
async def read_averages(call: Checked, work: Working, month: MonthQuery) -> MonthAverages:
    """The average of every municipality in a month; of others only closed months, and no group smaller than five."""
    found = await averages_of_month(work, month_of_text(month), reader_of(call.caller))
    return MonthAverages(month=month, averages=[MunicipalityAverage.of(view) for view in found])


@router.get("/v1/averages/{municipality}")
async def read_municipality_averages(
    call: Checked,
    work: Working,
    municipality: MunicipalityPath,
    first: Annotated[MonthQuery, Query(alias="from")],
    last: Annotated[MonthQuery, Query(alias="to")],
) -> MunicipalityAverages:
    """The averages of one municipality from one month to another, both included."""
    begin, end = months_between(first, last)
    found = await averages_of_municipality(work, municipality, begin, end, reader_of(call.caller))
    return MunicipalityAverages(municipality=municipality, averages=[MunicipalityAverage.of(view) for view in found])


def _average_text(average: Average) -> str | None:
    exact = exact_average(average)
    return None if exact is None else decimal_text(exact)


def _number(average: Average) -> int | float:
    """Excess days: whole under every agreement with a whole threshold."""
    whole = int(average.excess_days)
    return whole if whole == average.excess_days else float(average.excess_days)


def _amount(average: Average) -> Amount | None:
    return None if average.amount_ore is None else Amount.of(Money(average.amount_ore))
