"""/v1/simulations: who would have paid what under other rule sets, as a job with progress, cancel and a table at the end."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field

from services.billing.api.parts import Acting, Amount, Code, actor_of, reader_of
from services.billing.domain.identity import decimal_text
from services.billing.domain.simulating import IN_FORCE, Outcome, Total, difference, totals_of
from services.billing.usecases.simulations import (
    SimulationView,
    Wish,
    cancel_simulation,
    simulation,
    simulations,
    start_simulation,
)
from shared.dates import Month, format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, MonthText, ShortText
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Follow-up"])


class SimulationBody(Acting):
    """Which rule sets to try on which months. The rules in force (`in_force`) are always calculated beside them."""

    model_config = with_example({"profiles": ["law-2018", "vgr-2018"], "from": "2026-01", "to": "2026-06", "municipalities": ["1480"]})

    profiles: Annotated[list[ShortText], Field(min_length=1, max_length=10, description="names of `GET /v1/agreements`, or `in_force`")]
    first: MonthText = Field(alias="from")
    last: MonthText = Field(alias="to", description="at most 36 months, all of them over")
    municipalities: Annotated[list[Code], Field(min_length=1, max_length=400)] | None = Field(
        default=None, description="null = all; a municipality simulates itself only"
    )

    @property
    def wish(self) -> Wish:
        """What the use case takes."""
        codes = None if self.municipalities is None else tuple(self.municipalities)
        return Wish(tuple(self.profiles), Month.parse(self.first), Month.parse(self.last), codes)


class Progress(Answer):
    """How many months of municipalities are done, of how many."""

    done: int
    total: int


class SimulationAnswer(Answer):
    """Where a job stands: queued, running, done, cancelled or failed."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: UUID
    state: str
    progress: Progress
    profiles: list[str]
    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    municipalities: list[str]
    started_by: str
    created_at: str
    finished_at: str | None

    @classmethod
    def of(cls, view: SimulationView) -> Self:
        """From the job."""
        return cls(**_job(view))


class ProfileTotal(Answer):
    """What a rule set comes to; `difference` = how much more than under the rules in force.

    `amount` null = a price is missing in `unpriced` months.
    """

    profile: str
    stays: int
    excess_days: str
    individual_days: int
    amount: Amount | None
    difference: Amount | None
    unpriced: int

    @classmethod
    def all_of(cls, outcomes: Iterable[Outcome]) -> list[Self]:
        """Each rule set, the one in force first."""
        totals = totals_of(_in_force_first(outcomes))
        own = next((total for total in totals if total.profile == IN_FORCE), None)
        return [cls._of(total, own) for total in totals]

    @classmethod
    def _of(cls, total: Total, own: Total | None) -> Self:
        return cls(
            profile=total.profile,
            stays=total.stays,
            excess_days=decimal_text(total.excess_days),
            individual_days=total.individual_days,
            amount=Amount.of(total.amount),
            difference=Amount.of(difference(total.amount, None if own is None else own.amount)),
            unpriced=total.unpriced,
        )


class ProfileMonth(Answer):
    """One municipality's month under one rule set; `amount` null = a price is missing."""

    profile: str
    stays: int
    in_average: int
    average: str | None
    excess_days: str
    individual_days: int
    amount: Amount | None
    difference: Amount | None

    @classmethod
    def all_of(cls, outcomes: Sequence[Outcome]) -> list[Self]:
        """Each rule set, the one in force first."""
        own = next((outcome.amount for outcome in outcomes if outcome.profile == IN_FORCE), None)
        return [cls._of(outcome, difference(outcome.amount, own)) for outcome in _in_force_first(outcomes)]

    @classmethod
    def _of(cls, outcome: Outcome, more: Any) -> Self:  # Money or None
        return cls(
            profile=outcome.profile,
            stays=outcome.stays,
            in_average=outcome.in_average,
            average=None if outcome.average is None else decimal_text(outcome.average),
            excess_days=decimal_text(outcome.excess_days),
            individual_days=outcome.individual_days,
            amount=Amount.of(outcome.amount),
            difference=Amount.of(more),
        )


class MonthResult(Answer):
    """One month of a municipality under every rule set."""

    month: str
    profiles: list[ProfileMonth]


class MunicipalityResult(Answer):
    """One municipality: every rule set over the whole period, and month by month."""

    municipality: str
    totals: list[ProfileTotal]
    months: list[MonthResult]


class Result(Answer):
    """What was found: every rule set over all municipalities, and each of them by itself."""

    totals: list[ProfileTotal]
    municipalities: list[MunicipalityResult]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Self:
        """From the outcomes, which come by municipality and month."""
        by_municipality = [(code, list(found)) for code, found in groupby(outcomes, key=lambda outcome: outcome.municipality)]
        return cls(
            totals=ProfileTotal.all_of(outcomes),
            municipalities=[
                MunicipalityResult(municipality=code, totals=ProfileTotal.all_of(found), months=_months(found))
                for code, found in by_municipality
            ],
        )


class SimulationDetail(SimulationAnswer):
    """A job with what it found; `result` is null until it is done. A month before any rule set has no row."""

    result: Result | None

    @classmethod
    def of(cls, view: SimulationView) -> Self:
        """From the job."""
        return cls(**_job(view), result=Result.of(view.outcomes) if view.row.state == "done" else None)


class SimulationList(Answer):
    """Some of the caller's jobs, the newest first; the rest behind the `Link` header."""

    simulations: list[SimulationAnswer]


@router.post("/v1/simulations", status_code=HTTPStatus.ACCEPTED, response_model=SimulationAnswer)
async def start(call: Checked, work: Working, request: Request, body: SimulationBody) -> Response:
    """Compare rule sets on the same real months. The answer comes at once; the job is worked off in the background."""
    reader = reader_of(call.caller)

    async def act() -> SimulationAnswer:
        return SimulationAnswer.of(await start_simulation(work, body.wish, actor_of(call, body), reader))

    return await once(work, call, request, act, status=HTTPStatus.ACCEPTED)


@router.get("/v1/simulations")
async def read_simulations(
    call: Checked,
    work: Working,
    response: Response,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> SimulationList:
    """The caller's jobs, without what they found."""
    found = await simulations(work, reader_of(call.caller), before, limit)
    if len(found) == limit:
        response.headers["Link"] = f'</v1/simulations?before={found[-1].row.id}&limit={limit}>; rel="next"'
    return SimulationList(simulations=[SimulationAnswer.of(view) for view in found])


@router.get("/v1/simulations/{simulation_id}")
async def read_simulation(call: Checked, work: Working, simulation_id: UUID) -> SimulationDetail:
    """One job: its progress and, once it is done, its table."""
    return SimulationDetail.of(await simulation(work, simulation_id, reader_of(call.caller)))


@router.post("/v1/simulations/{simulation_id}/cancel", response_model=SimulationAnswer)
async def cancel(call: Checked, work: Working, request: Request, simulation_id: UUID) -> Response:
    """Stop a job that has not ended; what it has found so far is not shown."""

    async def act() -> SimulationAnswer:
        return SimulationAnswer.of(await cancel_simulation(work, simulation_id, reader_of(call.caller)))

    return await once(work, call, request, act, status=HTTPStatus.OK)


def _in_force_first(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.profile != IN_FORCE)


def _months(outcomes: Sequence[Outcome]) -> list[MonthResult]:
    by_month = [(month, list(found)) for month, found in groupby(outcomes, key=lambda outcome: outcome.month)]
    return [MonthResult(month=str(month), profiles=ProfileMonth.all_of(found)) for month, found in by_month]


def _job(view: SimulationView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "state": row.state,
        "progress": Progress(done=row.done, total=row.total),
        "profiles": list(view.wish.profiles),
        "first": str(view.wish.first),
        "last": str(view.wish.last),
        "municipalities": list(view.wish.municipalities or ()),
        "started_by": row.person,
        "created_at": format_instant(row.created_at),
        "finished_at": None if row.finished_at is None else format_instant(row.finished_at),
    }
