"""Deviations over HTTP: report, assign, answer, close, statistics."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.planning import usecases
from services.planning.api.plans import HsaId
from services.planning.usecases.deviations import NewDeviation
from shared.dates import format_instant, start_of_day
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, ShortText, Text
from shared.http.idempotency import once

FIRST: Final = UUID(int=0)
router = APIRouter(tags=["Deviations"], route_class=StrictRoute)
Step = Literal["admission", "planning", "ready", "discharge", "plan", "follow_up"]
Category = Literal[
    "notice_missing",
    "notice_late",
    "wrong_recipient",
    "information_missing",
    "care_contact",
    "plan",
    "medication",
    "aids",
    "transport",
    "self_care",
    "receipt",
    "other",
]


class DeviationReport(Body):
    """A fault in the co-operation, seen in a case or in a notice of one."""

    model_config = with_example(
        {
            "unit": "SE2321000131-E000000000901",
            "case_id": "01890a5d-ac96-774b-bcce-b302099a8057",
            "category": "information_missing",
            "step": "discharge",
            "text": "Läkemedelslistan saknades vid utskrivningen.",
        }
    )

    unit: HsaId = Field(description="the unit that reports")
    case_id: UUID | None = None
    notice_id: UUID | None = Field(default=None, description="the notice it was seen in, of the caller's mailboxes")
    category: Category
    step: Step = Field(description="the step of the chain that failed")
    text: Text


class Assignment(Body):
    """Who must answer."""

    model_config = with_example({"unit": "SE2321000131-E000000000101"})

    unit: HsaId


class DeviationMeasure(Body):
    """What the counterpart does about it, and by when."""

    what: Text
    by_day: Day | None = None


class DeviationAnswer(Body):
    """What happened, and what is done about it."""

    model_config = with_example(
        {
            "text": "Listan skickas numera med utskrivningsmeddelandet.",
            "measures": [{"what": "Ny rutin på avdelningen", "by_day": "2026-12-01"}],
            "answered_by": "Maja Test",
        }
    )

    text: Text
    measures: Annotated[list[DeviationMeasure], Field(max_length=20)]
    answered_by: ShortText | None = Field(
        default=None, description="name of the person who answers; who signed in may leave it out", examples=["Maja Test"]
    )


class DeviationClosing(Body):
    """A last word, if there is one."""

    model_config = with_example({"text": "Åtgärdat."})

    text: Text | None = None


class DeviationListed(Answer):
    """A deviation without what was said about it."""

    id: UUID
    case_id: UUID
    notice_id: UUID | None
    state: str
    category: str
    step: str
    reporter: str
    assigned_to: str | None
    reported_at: str
    due_at: str | None = Field(description="until when the next step is expected")


class DeviationSaid(Answer):
    """What a unit said; null where it is withheld."""

    number: int
    at: str
    unit: str
    what: str
    said: dict[str, Any] | None


class DeviationShown(DeviationListed):
    """A deviation and everything that was said about it."""

    overdue: bool
    withheld: bool = Field(description="the other side's texts are kept back: the patient does not consent to free text")
    history: list[DeviationSaid]


class Deviations(Answer):
    """Some of the caller's deviations; the rest behind the `Link` header."""

    deviations: list[DeviationListed]


class StepShown(Answer):
    """The deviations of one step of the chain."""

    step: str
    reported: int
    answered: int
    closed: int
    overdue: int
    median_hours_to_answer: str | None = Field(description="one decimal; null of nothing", examples=["3.5"])
    categories: dict[str, int]


class DeviationStatistics(Answer):
    """The caller's deviations of a period, per step of the chain."""

    steps: list[StepShown]


def _listed(row: Any) -> dict[str, Any]:  # a row
    return {
        "id": row.id,
        "case_id": row.case_id,
        "notice_id": row.notice_id,
        "state": row.state,
        "category": row.category,
        "step": row.step,
        "reporter": row.reporter,
        "assigned_to": row.assigned_to,
        "reported_at": format_instant(row.reported_at),
        "due_at": None if row.due_at is None else format_instant(row.due_at),
    }


@router.post("/v1/deviations", status_code=HTTPStatus.CREATED, response_model=DeviationListed)
async def post_deviation(call: Checked, work: Working, request: Request, body: DeviationReport) -> Response:
    """Report a fault in the co-operation."""

    async def act() -> DeviationListed:
        new = NewDeviation(
            unit=body.unit, category=body.category, step=body.step, text=body.text, case_id=body.case_id, notice_id=body.notice_id
        )
        return DeviationListed(**_listed(await usecases.report_deviation(work, call.caller, new)))

    return await once(work, call, request, act)


@router.get("/v1/deviations")
async def get_deviations(
    call: Checked,
    work: Working,
    response: Response,
    state: Literal["reported", "assigned", "answered", "closed"] | None = None,
    after: UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Deviations:
    """The deviations that the caller's units reported or must answer, without what was said."""
    found = await usecases.list_deviations(work, call.caller, after=after, limit=limit, state=state, request_id=call.request_id)
    if len(found) == limit:
        kept = f"&state={state}" if state else ""
        response.headers["Link"] = f'</v1/deviations?after={found[-1].id}&limit={limit}{kept}>; rel="next"'
    return Deviations(deviations=[DeviationListed(**_listed(row)) for row in found])


@router.get("/v1/deviations/statistics")
async def get_statistics(
    call: Checked, work: Working, first: Annotated[Day, Query(alias="from")], last: Annotated[Day, Query(alias="to")]
) -> DeviationStatistics:
    """Per step of the chain: how many were reported from the first to the last day, and how long it took to answer them."""
    found = await usecases.deviation_statistics(work, call.caller, start_of_day(first), start_of_day(last + timedelta(days=1)))
    return DeviationStatistics(
        steps=[
            StepShown(
                step=one.step,
                reported=one.reported,
                answered=one.answered,
                closed=one.closed,
                overdue=one.overdue,
                median_hours_to_answer=one.median_hours_to_answer,
                categories=one.categories,
            )
            for one in found
        ]
    )


@router.get("/v1/deviations/{deviation_id}")
async def get_deviation(call: Checked, work: Working, deviation_id: UUID) -> DeviationShown:
    """One deviation of the caller; what the other side wrote only while the patient consents to free text."""
    found = await usecases.read_deviation(work, call.caller, deviation_id, request_id=call.request_id)
    history = [DeviationSaid(**{**entry, "at": format_instant(entry["at"])}) for entry in found.entries]
    return DeviationShown(**_listed(found.row), overdue=found.overdue, withheld=found.withheld, history=history)


@router.post("/v1/deviations/{deviation_id}/assign", status_code=HTTPStatus.CREATED, response_model=DeviationListed)
async def post_assignment(call: Checked, work: Working, request: Request, deviation_id: UUID, body: Assignment) -> Response:
    """Assign it to the counterpart, or pass it on."""

    async def act() -> DeviationListed:
        return DeviationListed(**_listed(await usecases.assign_deviation(work, call.caller, deviation_id, to=body.unit)))

    return await once(work, call, request, act)


@router.post("/v1/deviations/{deviation_id}/answer", status_code=HTTPStatus.CREATED, response_model=DeviationListed)
async def post_deviation_answer(call: Checked, work: Working, request: Request, deviation_id: UUID, body: DeviationAnswer) -> Response:
    """Answer it with what is done about it."""

    async def act() -> DeviationListed:
        measures = [one.model_dump(mode="json") for one in body.measures]
        answered = await usecases.answer_deviation(
            work,
            call.caller,
            deviation_id,
            text=body.text,
            measures=measures,
            answered_by=acting_person(call.caller, body.answered_by, "/answered_by"),
        )
        return DeviationListed(**_listed(answered))

    return await once(work, call, request, act)


@router.post("/v1/deviations/{deviation_id}/close", status_code=HTTPStatus.CREATED, response_model=DeviationListed)
async def post_deviation_close(call: Checked, work: Working, request: Request, deviation_id: UUID, body: DeviationClosing) -> Response:
    """Close it."""

    async def act() -> DeviationListed:
        return DeviationListed(**_listed(await usecases.close_deviation(work, call.caller, deviation_id, text=body.text)))

    return await once(work, call, request, act)
