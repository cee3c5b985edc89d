"""The co-ordinated individual plan (SIP) over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, HttpUrl

from services.planning import usecases
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Instant, ShortText
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN

router = APIRouter(tags=["Plans (SIP)"], route_class=StrictRoute)
HsaId = Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$")]


class NewPlan(Body):
    """A need for a plan, and what the patient answered when asked for consent."""

    model_config = with_example({"consent": "given", "care_centre": "SE2321000131-E000000000901"})

    case_id: UUID | None = Field(default=None, description="the stay it belongs to; none for a plan without any hospital stay")
    consent: Literal["given", "refused"]
    care_centre: HsaId | None = Field(default=None, description="the care centre that holds the care contact; follows from case or client")


class Meeting(Body):
    """When and where the plan is made: a place or a link."""

    at: Instant
    place: ShortText | None = None
    link: HttpUrl | None = None


class NewInvitation(Body):
    """Who is called to the plan."""

    model_config = with_example(
        {
            "units": ["SE2321000131-E000000000901"],
            "meeting": {"at": "2026-11-12T10:00:00+01:00", "place": "Avdelning 1", "link": "https://moten.region.test/sip/1"},
        }
    )

    units: Annotated[list[HsaId], Field(min_length=1, max_length=20)]
    meeting: Meeting | None = None
    sent_at: Instant | None = Field(default=None, description="when it was sent; only from clients that import history")


class InvitationShown(Answer):
    """An invitation that was sent (N8)."""

    invitation_id: UUID
    plan_id: UUID
    sent_at: str


class InvitationListed(Answer):
    """An invitation of a plan."""

    invitation_id: UUID
    sent_at: str
    units: list[str]
    meeting: dict[str, Any] | None


class PlanShown(Answer):
    """A plan as its readers see it."""

    id: UUID
    case_id: UUID | None
    care_centre: str
    state: str
    consent: str
    opened_at: str
    invitations: list[InvitationListed]


class PlanOpened(Answer):
    """A plan that was opened."""

    id: UUID
    case_id: UUID | None
    care_centre: str
    state: str


@router.post("/v1/plans", status_code=HTTPStatus.CREATED, response_model=PlanOpened)
async def post_plan(call: Checked, work: Working, request: Request, body: NewPlan) -> Response:
    """Open a plan: a need was judged, and the patient asked."""

    async def act() -> PlanOpened:
        plan = await usecases.start_plan(work, call.caller, case_id=body.case_id, consent=body.consent, care_centre=body.care_centre)
        return PlanOpened(id=plan.id, case_id=plan.case_id, care_centre=plan.care_centre, state=plan.status.value)

    return await once(work, call, request, act)


@router.get("/v1/plans/{plan_id}")
async def get_plan(call: Checked, work: Working, plan_id: UUID) -> PlanShown:
    """One plan with its invitations."""
    found = await usecases.read_plan(work, call.caller, plan_id, request_id=call.request_id)
    row = found.row
    return PlanShown(
        id=row.id,
        case_id=row.case_id,
        care_centre=row.unit,
        state=row.state,
        consent=row.consent,
        opened_at=format_instant(row.created_at),
        invitations=[
            InvitationListed(invitation_id=one.id, sent_at=format_instant(one.sent_at), units=one.units, meeting=one.meeting)
            for one in found.invitations
        ],
    )


@router.post("/v1/plans/{plan_id}/invitations", status_code=HTTPStatus.CREATED, response_model=InvitationShown)
async def post_invitation(call: Checked, work: Working, request: Request, plan_id: UUID, body: NewInvitation) -> Response:
    """Call units to the plan (N8); refused while the patient has not consented."""

    async def act() -> InvitationShown:
        meeting = None if body.meeting is None else body.meeting.model_dump(mode="json")
        sent = await usecases.send_invitation(work, call.caller, plan_id, units=body.units, meeting=meeting, sent_at=body.sent_at)
        return InvitationShown(invitation_id=sent.id, plan_id=plan_id, sent_at=format_instant(sent.sent_at))

    return await once(work, call, request, act)
