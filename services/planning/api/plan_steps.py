"""The later steps of a plan over HTTP: meeting, measures, follow-up, close."""

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.planning import usecases
from services.planning.api.plans import HsaId, MeetingAt, PlanState, state_of
from services.planning.domain.plan_contents import Measure, Measures, Meeting
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Body, Day, Instant, ShortText, Text, Truth
from shared.http.idempotency import once

router = APIRouter(tags=["Plans (SIP)"], route_class=StrictRoute)


class Attendant(Body):
    """Somebody who attended: for a unit, or as relative or patient."""

    role: Literal["unit", "relative", "patient"]
    unit: HsaId | None = None
    name: ShortText | None = None


class MeetingBody(MeetingAt):
    """The meeting of a plan; `held` when it has taken place, with those who attended."""

    model_config = with_example(
        {
            "at": "2026-11-12T10:00:00+01:00",
            "place": "Hemma",
            "held": True,
            "attended": [{"role": "patient"}, {"role": "unit", "unit": "SE2321000131-E000000000901"}],
        }
    )

    held: Truth = False
    attended: Annotated[tuple[Attendant, ...], Field(max_length=50)] = ()


class MeasureBody(Body):
    """One measure, and who answers for it."""

    what: Text
    by: Literal["unit", "relative", "patient"] = "unit"
    unit: HsaId | None = Field(default=None, description="the responsible unit, one that takes part in the plan")


class MeasuresBody(Body):
    """What a plan names."""

    model_config = with_example(
        {
            "needs": ["Hjälp morgon och kväll"],
            "measures": [
                {"what": "Hemtjänst två gånger om dagen", "unit": "SE2321000131-E000000000901"},
                {"what": "Handlar mat", "by": "relative"},
            ],
            "main_responsibility": "SE2321000131-E000000000901",
            "follow_up_on": "2026-12-10",
        }
    )

    needs: Annotated[list[Text], Field(min_length=1, max_length=50)]
    measures: Annotated[list[MeasureBody], Field(min_length=1, max_length=100)]
    main_responsibility: HsaId
    follow_up_on: Day


class FollowUpBody(Body):
    """How a plan was followed up."""

    model_config = with_example({"held_at": "2026-11-20T10:00:00+01:00", "outcome": "goals_met", "note": "Fungerar väl."})

    held_at: Instant
    outcome: Literal["goals_met", "partly_met", "not_met"]
    note: Text | None = None
    next_on: Day | None = None


class CloseBody(Body):
    """Why a plan is closed."""

    model_config = with_example({"reason": "goals_met"})

    reason: Literal["goals_met", "no_longer_needed", "consent_missing", "moved", "deceased", "replaced"]


@router.put("/v1/plans/{plan_id}/meeting")
async def put_meeting(call: Checked, work: Working, plan_id: UUID, body: MeetingBody) -> PlanState:
    """Set when and where the plan is made, or tell that it was made."""
    meeting = Meeting(body.at, body.place, None if body.link is None else str(body.link))
    attended = [one.model_dump(mode="json") for one in body.attended]
    plan = await usecases.set_meeting(work, call.caller, plan_id, meeting, held=body.held, attended=attended)
    return state_of(plan)


@router.put("/v1/plans/{plan_id}/measures")
async def put_measures(call: Checked, work: Working, plan_id: UUID, body: MeasuresBody) -> PlanState:
    """Write down needs, measures with who answers for each, the main responsibility and the day of the follow-up."""
    measures = Measures(
        needs=tuple(body.needs),
        measures=tuple(Measure(one.what, one.by, one.unit) for one in body.measures),
        main_responsibility=body.main_responsibility,
        follow_up_on=body.follow_up_on,
    )
    plan = await usecases.set_measures(work, call.caller, plan_id, measures)
    return state_of(plan)


@router.post("/v1/plans/{plan_id}/follow-up", status_code=HTTPStatus.CREATED, response_model=PlanState)
async def post_follow_up(call: Checked, work: Working, request: Request, plan_id: UUID, body: FollowUpBody) -> Response:
    """Tell that the plan was followed up, and how it went."""

    async def act() -> PlanState:
        plan = await usecases.record_follow_up(
            work, call.caller, plan_id, held_at=body.held_at, outcome=body.outcome, note=body.note, next_on=body.next_on
        )
        return state_of(plan)

    return await once(work, call, request, act)


@router.post("/v1/plans/{plan_id}/close", status_code=HTTPStatus.CREATED, response_model=PlanState)
async def post_close(call: Checked, work: Working, request: Request, plan_id: UUID, body: CloseBody) -> Response:
    """Close the plan."""

    async def act() -> PlanState:
        return state_of(await usecases.close_plan(work, call.caller, plan_id, body.reason))

    return await once(work, call, request, act)
