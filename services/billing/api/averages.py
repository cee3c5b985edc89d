"""GET /v1/averages: the current average of every municipality, its history, and how the running month will probably end."""

from fractions import Fraction
from math import floor
from typing import Annotated, Any, Final, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from services.billing.api.parts import Amount, MonthQuery, MunicipalityPath, month_of_text, months_between, reader_of
from services.billing.domain.identity import decimal_text
from services.billing.repository.averages import Average, Passed
from services.billing.usecases.averages import AverageView, averages_of_month, averages_of_municipality, exact_average
from services.billing.usecases.foreseeing import Expected, Running
from services.billing.usecases.rollup import plain_decimal
from shared.dates import format_instant
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


class Method(Answer):
    """The method in words."""

    sv: str
    en: str


METHOD: Final = Method(
    sv="Det som avslutats räknas som det är. Den som väntar fortsätter som kommunens vårdtillfällen de senaste månaderna som varade längre "
    "än så. Nya patienter kommer som under lika många sista dagar i de månaderna. Felet är samma metod prövad på de månaderna.",
    en="What has ended counts as it is. Who waits goes on like those of the municipality's stays of the recent months that lasted longer. "
    "New patients come as in the same number of last days of those months. The error is the same method tried on those months.",
)


class IfAllLeftNow(Answer):
    """The running exposure of patients who wait: the month as it would be if every one of them left now."""

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


class ForecastError(Answer):
    """How far the same method, used on the same day of earlier months, was from how they ended."""

    months: int = Field(description="how many earlier months could be tried")
    mean_absolute_days: str = Field(description="days of the average, mean of the absolute differences")


class Forecast(Answer):
    """How the running month will probably end: expected numbers, so a part of a stay is possible. No invoice ever rests on it."""

    stays: float
    in_average: float
    average: str | None
    excess_days: float
    individual_days: float
    amount: Amount | None
    months: int = Field(description="how many earlier months it rests on")
    past_stays: int = Field(description="how many stays of those months")
    error: ForecastError | None = Field(description="null where no earlier month could be tried")
    method: Method

    @classmethod
    def of(cls, expected: Expected) -> Self:
        """From a forecast and its price."""
        found = expected.forecast
        return cls(
            stays=_tenths(found.outlook.stays),
            in_average=_tenths(found.outlook.in_average),
            average=None if found.outlook.average is None else decimal_text(found.outlook.average),
            excess_days=_tenths(expected.excess_days),
            individual_days=_tenths(found.outlook.individual_days),
            amount=None if expected.amount is None else Amount.of(expected.amount),
            months=found.months,
            past_stays=found.stays,
            error=None
            if found.error is None
            else ForecastError(months=found.error.months, mean_absolute_days=decimal_text(found.error.mean_absolute_days)),
            method=METHOD,
        )


class PassedAnswer(Answer):
    """A threshold that the running average went above for the first time in the month: what it was then, over how many stays, and when."""

    threshold: str
    average: str
    stays: int
    passed_at: str

    @classmethod
    def of(cls, passed: Passed) -> Self:
        """From what was kept of it."""
        alert = passed.alert
        return cls(
            threshold=plain_decimal(alert.threshold),
            average=decimal_text(alert.average),
            stays=alert.stays,
            passed_at=format_instant(passed.at),
        )


class MunicipalityAverage(Answer):
    """One municipality and month.

    Others see it as it was closed, and no figure that stands for fewer than five stays, alone or against another: `small_group` = nothing
    can be shown, `suppressed` = some figures are null for that reason. Who still waits, and what is expected, is shown to the municipality
    and the region only.
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
    passed: list[PassedAnswer] = Field(default_factory=list, description="of the municipality itself and to the region: `average.passed`")
    if_all_left_now: IfAllLeftNow | None = None
    forecast: Forecast | None = None
    forecast_missing: Literal["few_stays"] | None = Field(default=None, description="why a running month has no forecast")

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
            passed=[PassedAnswer.of(one) for one in view.passed],
            **_running(view.running),
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


def _running(running: Running | None) -> dict[str, Any]:
    """What is told of the running month alone."""
    if running is None:
        return {}
    now = IfAllLeftNow.of(running.if_all_left)
    if running.expected is None:
        return {"if_all_left_now": now, "forecast_missing": "few_stays"}
    return {"if_all_left_now": now, "forecast": Forecast.of(running.expected)}


def _tenths(value: Fraction) -> float:
    """An expected number with one decimal: more would only seem to be known."""
    return floor(value * 10 + Fraction(1, 2)) / 10


def _average_text(average: Average) -> str | None:
    exact = exact_average(average)
    return None if exact is None else decimal_text(exact)


def _number(average: Average) -> int | float:
    """Excess days: whole under every agreement with a whole threshold."""
    whole = int(average.excess_days)
    return whole if whole == average.excess_days else float(average.excess_days)


def _amount(average: Average) -> Amount | None:
    return None if average.amount_ore is None else Amount.of(Money(average.amount_ore))
