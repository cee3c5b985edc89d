"""What ward systems send: single events and batches, as CloudEvents."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from services.planning.intake import Intake, Outcome
from services.planning.usecases import Accepted, Statement, statement
from shared.dates import now
from shared.errors import BusinessError, FieldError, Malformed
from shared.events.ward import NoticeData, WardEvent, parse_ward_event
from shared.http import strict_json
from shared.http.auth import Caller
from shared.http.call import Call, PlainRoute, check
from shared.http.fields import Answer
from shared.http.problems import HttpProblem, language_of, problem_body, status_of

SINGLE_TYPES: Final = ("application/cloudevents+json", "application/json")
BATCH_TYPES: Final = ("application/cloudevents-batch+json", "application/json")
MOST_IN_BATCH: Final = 1_000
CHECKED_IN_ONE_TURN: Final = 50
AHEAD: Final = timedelta(days=1)
_JSON: Final = "application/json"


class FindingShown(Answer):
    """Something that does not fit; the event was kept all the same."""

    code: str
    detail: str
    about: str | None = Field(default=None, description="the party it concerns, where it concerns one")


class EventAccepted(Answer):
    """The answer to an event; the same event again gets the same answer."""

    event_id: str
    case_id: str
    case_version: int
    received_at: str
    findings: list[FindingShown]


class BatchOutcome(Answer):
    """What became of one event of a batch: 201 or 200 with `accepted`, else its problem."""

    index: int
    status: int
    accepted: EventAccepted | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(Answer):
    """One outcome for each event, in their order."""

    outcomes: list[BatchOutcome]


_EVENT_SCHEMA: Final = TypeAdapter(WardEvent).json_schema(ref_template="#/components/schemas/{model}")
EVENT_DEFINITIONS: Final[dict[str, Any]] = _EVENT_SCHEMA.pop("$defs")
_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "SU-2026-11-03-000917",
    "source": "urn:hsa:SE2321000131-E000000000101",
    "type": "stay.admitted",
    "subject": "SU-2026-000123",
    "time": "2026-11-03T14:05:00+01:00",
    "data": {
        "person": {
            "type": "personnummer",
            "id": "189001019802",
            "name": {"given": "Test", "family": "Testsson"},
            "registered_address": {"street": "Testgatan 1", "postal_code": "411 01", "city": "Göteborg"},
            "registered_municipality": "1480",
            "protected": False,
        },
        "care_type": "somatic",
        "planned_discharge_date": "2026-11-09",
        "needs": ["municipal_social", "municipal_health", "outpatient"],
        "outpatient_unit": "SE2321000131-E000000000901",
    },
}
router = APIRouter(tags=["Ward systems"], route_class=PlainRoute)


def _documented(types: tuple[str, ...], schema: dict[str, Any], example: object) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {name: {"schema": schema, "example": example} for name in types}}}


@router.post(
    "/v1/events",
    status_code=HTTPStatus.CREATED,
    response_model=EventAccepted,
    responses={200: {"model": EventAccepted, "description": "The same event came before; the same answer"}},
    openapi_extra=_documented(SINGLE_TYPES, _EVENT_SCHEMA, _EXAMPLE),
)
async def post_event(request: Request) -> Response:
    """Take in one event of a ward. Repeating is safe: the same event gets the same answer."""
    call = check(request)
    _check_type(request, SINGLE_TYPES)
    value = strict_json.decode(await request.body())
    intake: Intake = request.app.state.intake
    outcome = await intake.take(checked_statement(value, call.caller))
    if isinstance(outcome, HttpProblem):
        raise outcome
    return Response(outcome.answer, HTTPStatus.OK if outcome.repeated else HTTPStatus.CREATED, media_type=_JSON)


@router.post(
    "/v1/events/batch",
    response_model=BatchAnswer,
    openapi_extra=_documented(BATCH_TYPES, {"type": "array", "items": _EVENT_SCHEMA, "maxItems": MOST_IN_BATCH}, [_EXAMPLE]),
)
async def post_events(request: Request) -> Response:
    """Take in up to 1 000 events; one outcome for each, never all or nothing."""
    call = check(request)
    _check_type(request, BATCH_TYPES)
    values = await strict_json.read(await request.body())
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_IN_BATCH:
        raise Malformed("batch.invalid")
    stated, outcomes = await _checked_one_by_one(values, call.caller)
    intake: Intake = request.app.state.intake
    outcomes |= zip(stated, await intake.take_batch(list(stated.values())) if stated else (), strict=True)
    shown = [_shown(index, outcomes[index], call, request) for index in range(len(values))]
    return Response(b'{"outcomes":[' + b",".join(shown) + b"]}", media_type=_JSON)


def _shown(index: int, outcome: Outcome | BusinessError, call: Call, request: Request) -> bytes:
    if isinstance(outcome, Accepted):
        status = HTTPStatus.OK if outcome.repeated else HTTPStatus.CREATED
        return msgspec.json.encode({"index": index, "status": status.value, "accepted": msgspec.Raw(outcome.answer.encode())})
    status_code = status_of(outcome)
    problem = problem_body(
        request.app.state.settings.public_url,
        outcome.code,
        status_code,
        detail=outcome.detail,
        errors=outcome.errors,
        request_id=call.request_id,
        language=language_of(call.language),
    )
    return msgspec.json.encode({"index": index, "status": status_code, "problem": msgspec.Raw(problem)})


def _check_type(request: Request, allowed: tuple[str, ...]) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in allowed or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HttpProblem("request.content_type")


async def _checked_one_by_one(values: Sequence[Any], caller: Caller) -> tuple[dict[int, Statement], dict[int, Outcome | BusinessError]]:
    """Check every event of a batch by its index: those that may be stated, and the refusals of the others."""
    stated: dict[int, Statement] = {}
    refusals: dict[int, Outcome | BusinessError] = {}
    for index, value in enumerate(values):
        if index % CHECKED_IN_ONE_TURN == 0:
            await asyncio.sleep(0)  # a batch takes tens of milliseconds to check; others want to be served meanwhile
        try:
            stated[index] = checked_statement(value, caller)
        except BusinessError as refused:
            refusals[index] = refused
    return stated, refusals


def checked_statement(value: Mapping[str, Any], caller: Caller) -> Statement:
    """Check one event, and that its sender may state it.

    Raises:
        Malformed: It is not in good form, or states a time that cannot be.
        HttpProblem: 403, the caller may not state it.
    """
    event = parse_ward_event(value)
    at = now()
    if not caller.acts_for(event.source.removeprefix("urn:hsa:")):
        raise HttpProblem("event.source_foreign")
    _check_time(event.time, at)
    if isinstance(event.data, NoticeData) and event.data.given_on_paper_at is not None:
        _check_paper_time(event.data.given_on_paper_at, event.time, at)
    return statement(value, caller, at, _sent_at(event.sentat, event.time, caller, at))


def check_form(value: Mapping[str, Any]) -> None:
    """Check that an event is in good form, whoever states it.

    Raises:
        Malformed: It is not, or states a time that cannot be.
    """
    _check_time(parse_ward_event(value).time, now())


def _check_time(time: datetime, at: datetime) -> None:
    if time > at + AHEAD:
        raise Malformed("event.time_in_future", errors=(FieldError("/time", "in_future"),))


def _check_paper_time(given_at: datetime, time: datetime, at: datetime) -> None:
    """A notice is given after what it tells of has happened, to the minute: that is what a clock on a wall shows."""
    wrong = "in_future" if given_at > at else "before_event" if given_at < time.replace(second=0, microsecond=0) else None
    if wrong is not None:
        raise Malformed("event.paper_time_invalid", errors=(FieldError("/data/given_on_paper_at", wrong),))


def _sent_at(sentat: datetime | None, time: datetime, caller: Caller, at: datetime) -> datetime | None:
    if sentat is None:
        return None
    if not caller.may("events:import"):
        raise HttpProblem("event.sentat_denied")
    if not time <= sentat <= at:
        raise Malformed("event.sentat_invalid", errors=(FieldError("/sentat", "out_of_order"),))
    return sentat
