"""Outages of the service or the network: what was recorded, what wards state, what the region confirms."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.planning import usecases
from shared.dates import format_instant
from shared.http.acting import acting_person, acting_person_or_client
from shared.http.auth import Caller
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Instant, ShortText
from shared.http.idempotency import once

router = APIRouter(tags=["Outages and paper"], route_class=StrictRoute)
Prefix = Annotated[str, Field(pattern=r"^SE[0-9]{10}-[A-Za-z0-9]{0,18}$")]
Cause = Literal["service", "network", "record_system", "other"]


class OutageBody(Body):
    """An outage during which notices were given on paper. It counts once another person, of the region, has confirmed it."""

    model_config = with_example(
        {
            "started_at": "2026-03-02T14:00:00+01:00",
            "ended_at": "2026-03-02T17:30:00+01:00",
            "unit": "SE2321000131-E000000000101",
            "cause": "network",
            "stated_by": "Anna Test",
        }
    )

    started_at: Instant
    ended_at: Instant | None = Field(default=None, description="none while it lasts")
    unit: Prefix | None = Field(default=None, description="the unit that was cut off, or how the HSA-ids of several begin; none: everybody")
    cause: Cause
    stated_by: ShortText | None = Field(default=None, description="who states it; who signed in, or the client, unless named")


class EndBody(Body):
    """When an outage that was stated while it lasted came to its end."""

    model_config = with_example({"ended_at": "2026-03-02T17:30:00+01:00", "ended_by": "Anna Test"})

    ended_at: Instant
    ended_by: ShortText | None = Field(default=None, description="who states it; who signed in, or the client, unless named")


class ConfirmationBody(Body):
    """Who confirms that the outage was there. Not one of those who stated it."""

    model_config = with_example({"confirmed_by": "Maja Test"})

    confirmed_by: ShortText | None = Field(
        default=None, description="name of the person of the region; who signed in may leave it out", examples=["Maja Test"]
    )


class OutageShown(Answer):
    """One outage. `counts`: recorded by the service itself or confirmed, so that paper times inside it count."""

    id: UUID
    started_at: str
    ended_at: str | None
    unit: str | None = Field(description="how the HSA-ids of those begin who were cut off; none: everybody")
    origin: Literal["recorded", "stated"]
    cause: Cause
    counts: bool
    stated_at: str
    stated_by: str | None = Field(description="only to its own organisation and to those who decide")
    confirmed_at: str | None
    confirmed_by: str | None = Field(description="only to its own organisation and to those who decide")


class Outages(Answer):
    """Some outages, the latest entered first; the rest behind the `Link` header."""

    outages: list[OutageShown]


def _shown(row: Any, caller: Caller) -> OutageShown:  # a row
    named = row.organisation == caller.organisation or caller.may("reviews:decide")
    return OutageShown(
        id=row.id,
        started_at=format_instant(row.since),
        ended_at=None if row.until is None else format_instant(row.until),
        unit=row.scope or None,
        origin=row.origin,
        cause=row.cause,
        counts=row.origin == "recorded" or row.confirmed_at is not None,
        stated_at=format_instant(row.stated_at),
        stated_by=row.stated_by if named else None,
        confirmed_at=None if row.confirmed_at is None else format_instant(row.confirmed_at),
        confirmed_by=row.confirmed_by if named else None,
    )


@router.get("/v1/outages")
async def get_outages(
    call: Checked, work: Working, response: Response, before: UUID | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Outages:
    """Outages of the whole service and of the caller's own organisation; for municipalities and those who decide every one."""
    rows = await usecases.list_outages(work, call.caller, before=before, limit=limit)
    if len(rows) == limit:
        response.headers["Link"] = f'</v1/outages?before={rows[-1].id}&limit={limit}>; rel="next"'
    return Outages(outages=[_shown(row, call.caller) for row in rows])


@router.post("/v1/outages", status_code=HTTPStatus.CREATED, response_model=OutageShown)
async def post_outage(call: Checked, work: Working, request: Request, body: OutageBody) -> Response:
    """State an outage; paper times inside it count when it has been confirmed."""

    async def act() -> OutageShown:
        by = acting_person_or_client(call.caller, body.stated_by, "/stated_by")
        stated = usecases.OutageStated(body.started_at, body.ended_at, body.unit, body.cause, by)
        return _shown(await usecases.state_outage(work, call.caller, stated), call.caller)

    return await once(work, call, request, act)


@router.post("/v1/outages/{outage_id}/end", status_code=HTTPStatus.CREATED, response_model=OutageShown)
async def post_end(call: Checked, work: Working, request: Request, outage_id: UUID, body: EndBody) -> Response:
    """State when an outage of one's own organisation ended."""

    async def act() -> OutageShown:
        by = acting_person_or_client(call.caller, body.ended_by, "/ended_by")
        return _shown(await usecases.end_outage(work, call.caller, outage_id, body.ended_at, by), call.caller)

    return await once(work, call, request, act)


@router.post("/v1/outages/{outage_id}/confirmation", status_code=HTTPStatus.CREATED, response_model=OutageShown)
async def post_confirmation(call: Checked, work: Working, request: Request, outage_id: UUID, body: ConfirmationBody) -> Response:
    """Confirm an outage. What was given on paper during it counts from when it was; the cases and billing follow by themselves."""

    async def act() -> OutageShown:
        by = acting_person(call.caller, body.confirmed_by, "/confirmed_by")
        return _shown(await usecases.confirm_outage(work, call.caller, outage_id, by), call.caller)

    return await once(work, call, request, act)
