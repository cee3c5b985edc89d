"""The co-ordinated individual plan (SIP) over HTTP: need, consent, invitation, answers, and reading it."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, HttpUrl

from services.planning import usecases
from services.planning.domain.plans import Plan, PlanKind
from services.planning.usecases.plans import NewPlan, PlanRead
from shared.dates import format_instant
from shared.errors import FieldError, Malformed
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Instant, ShortText, Truth
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN, PersonIdType, parse_person_id

router = APIRouter(tags=["Plans (SIP)"], route_class=StrictRoute)
HsaId = Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$")]
ConsentBy = Literal["patient", "guardian", "representative"]


class PlanName(Body):
    """The name of the person a plan is about."""

    given: ShortText
    family: ShortText


class PlanPerson(Body):
    """Whom a plan without a hospital stay is about: a child or an adult."""

    type: PersonIdType
    id: str = Field(max_length=12)
    name: PlanName
    protected: Truth = False


class NewPlanBody(Body):
    """A need for a plan, and what the patient answered when asked for consent, if she has been asked."""

    model_config = with_example(
        {"case_id": "01890a5d-ac96-774b-bcce-b302099a8057", "consent": "given", "care_centre": "SE2321000131-E000000000901"}
    )

    case_id: UUID | None = Field(default=None, description="the stay it belongs to; none for a plan without any hospital stay")
    person: PlanPerson | None = Field(default=None, description="whom it is about, when there is no stay")
    kind: Literal["sip", "care_plan"] = Field(default="sip", description="a care plan stands in the place of the SIP under ÖPT and ÖRV")
    compulsory: Literal["opt", "orv"] | None = Field(
        default=None, description="what the care plan rests on; must be stated where no ready notice that stands tells it"
    )
    consent: Literal["given", "refused"] | None = None
    consent_by: ConsentBy = Field(default="patient", description="guardians answer for a child only")
    care_centre: HsaId | None = Field(
        default=None, description="the unit that leads the plan: the care centre with the care contact; follows from case or client"
    )


class MeetingAt(Body):
    """When and where the plan is made: a place or a link."""

    at: Instant
    place: ShortText | None = None
    link: HttpUrl | None = None


class NewInvitation(Body):
    """Who is called to the plan; behind a team, the units of its members are called as well."""

    model_config = with_example(
        {
            "units": ["SE2321000131-E000000000901"],
            "meeting": {"at": "2026-11-12T10:00:00+01:00", "place": "Avdelning 1", "link": "https://moten.region.test/sip/1"},
        }
    )

    units: Annotated[list[HsaId], Field(min_length=1, max_length=20)]
    meeting: MeetingAt | None = None
    sent_at: Instant | None = Field(default=None, description="when it was sent; only from clients that import history")


class ConsentBody(Body):
    """What the patient answered, who gave the answer, and who asked."""

    model_config = with_example({"consent": "given", "asked_by": "Anna Test"})

    consent: Literal["given", "refused", "withdrawn"]
    by: ConsentBy = "patient"
    asked_by: ShortText | None = Field(
        default=None, description="name of the person who asked; who signed in may leave it out", examples=["Anna Test"]
    )


class InvitationAnswer(Body):
    """What a unit answers to an invitation."""

    model_config = with_example({"answer": "accepted", "answered_by": "Maja Test"})

    unit: HsaId | None = Field(default=None, description="the unit or team that answers, when several of the caller's were called")
    answer: Literal["accepted", "declined"]
    proposed_at: Instant | None = Field(default=None, description="another time that would suit")
    answered_by: ShortText | None = Field(
        default=None, description="name of the person at the unit; who signed in may leave it out", examples=["Maja Test"]
    )


class InvitationShown(Answer):
    """An invitation that was sent (N8)."""

    invitation_id: UUID
    plan_id: UUID
    sent_at: str


class AnswerShown(Answer):
    """An answer that was taken in."""

    plan_id: UUID
    invitation_id: UUID
    unit: str
    answer: str
    state: str


class AnswerListed(Answer):
    """What a unit last answered."""

    unit: str
    answer: str
    proposed_at: str | None
    answered_by: str
    answered_at: str


class InvitationListed(Answer):
    """An invitation of a plan and its answers; `meeting` only where what the plan says is shown."""

    invitation_id: UUID
    sent_at: str
    units: list[str]
    meeting: dict[str, Any] | None
    answers: list[AnswerListed]


class PlanParty(Answer):
    """A unit that takes part; `team` is the team through which."""

    unit: str
    team: str | None


class PlanSaid(Answer):
    """Something that was said in a plan; `said` only where what the plan says is shown."""

    number: int
    at: str
    client: str
    what: str
    said: dict[str, Any] | None


class PlanShown(Answer):
    """A plan as its reader may see it."""

    id: UUID
    case_id: UUID | None
    care_centre: str
    kind: str
    child: bool
    state: str
    consent: str | None
    opened_at: str
    parties: list[PlanParty]
    invitations: list[InvitationListed]
    history: list[PlanSaid] = Field(description="everything that was done, oldest first")
    withheld: str | None = Field(description="why what the plan says is kept back: consent_missing, consent_refused, …, not_participant")
    person: dict[str, Any] | None
    meeting: dict[str, Any] | None = Field(description="the latest meeting set or held")
    measures: dict[str, Any] | None = Field(description="needs, measures, main responsibility and day of follow-up, as they stand")


class PlanOpened(Answer):
    """A plan that was opened."""

    id: UUID
    case_id: UUID | None
    care_centre: str
    state: str


class PlanState(Answer):
    """Where a plan stands now."""

    id: UUID
    state: str
    consent: str | None = None


@router.post("/v1/plans", status_code=HTTPStatus.CREATED, response_model=PlanOpened)
async def post_plan(call: Checked, work: Working, request: Request, body: NewPlanBody) -> Response:
    """Open a plan: a need was judged, for a patient in hospital or for anybody else, child or adult."""

    async def act() -> PlanOpened:
        new = NewPlan(
            case_id=body.case_id,
            person=_person(body.person),
            kind=PlanKind(body.kind),
            care_centre=body.care_centre,
            consent=body.consent,
            consent_by=body.consent_by,
            compulsory=body.compulsory,
        )
        plan = await usecases.start_plan(work, call.caller, new)
        return PlanOpened(id=plan.id, case_id=plan.case_id, care_centre=plan.care_centre, state=plan.status.value)

    return await once(work, call, request, act)


def _person(person: PlanPerson | None) -> dict[str, Any] | None:
    if person is None:
        return None
    try:
        parse_person_id(person.type, person.id)
    except ValueError as error:
        raise Malformed("request.malformed", errors=(FieldError("/person/id", str(error)),)) from None
    return person.model_dump(mode="json")


@router.get("/v1/plans/{plan_id}")
async def get_plan(call: Checked, work: Working, plan_id: UUID) -> PlanShown:
    """One plan: where it stands, and what it says as far as the reader may know."""
    return shown_plan(await usecases.read_plan(work, call.caller, plan_id, request_id=call.request_id))


def shown_plan(found: PlanRead) -> PlanShown:
    """A plan as its reader may see it."""
    plan, is_open = found.plan, found.withheld is None
    latest = {entry.what: entry.body for entry in found.entries} if is_open else {}
    meetings = [entry.body for entry in found.entries if entry.what in {"meeting", "held"}] if is_open else []
    return PlanShown(
        id=plan.id,
        case_id=plan.case_id,
        care_centre=plan.care_centre,
        kind=plan.kind.value,
        child=plan.child,
        state=plan.status.value,
        consent=plan.consent,
        opened_at=format_instant(plan.opened_at),
        parties=[PlanParty(unit=party.unit, team=party.team) for party in found.parties],
        invitations=[_invitation(one, found) for one in found.invitations],
        history=[
            PlanSaid(
                number=entry.number,
                at=format_instant(entry.at),
                client=entry.client,
                what=entry.what,
                said=entry.body if is_open else None,
            )
            for entry in found.entries
        ],
        withheld=found.withheld,
        person=None if found.person is None else dict(found.person),
        meeting=meetings[-1] if meetings else None,
        measures=latest.get("measures"),
    )


def _invitation(one: Any, found: PlanRead) -> InvitationListed:  # a row
    return InvitationListed(
        invitation_id=one.id,
        sent_at=format_instant(one.sent_at),
        units=one.units,
        meeting=one.meeting if found.withheld is None else None,
        answers=[
            AnswerListed(
                unit=row.unit,
                answer=row.answer,
                proposed_at=None if row.proposed_at is None else format_instant(row.proposed_at),
                answered_by=row.answered_by,
                answered_at=format_instant(row.answered_at),
            )
            for row in found.answers
            if row.invitation_id == one.id
        ],
    )


@router.put("/v1/plans/{plan_id}/consent")
async def put_consent(call: Checked, work: Working, plan_id: UUID, body: ConsentBody) -> PlanState:
    """Record what the patient answered; when she withdraws, nothing of the plan is shared any more."""
    plan = await usecases.change_consent(
        work, call.caller, plan_id, consent=body.consent, by=body.by, asked_by=acting_person(call.caller, body.asked_by, "/asked_by")
    )
    return state_of(plan)


def state_of(plan: Plan) -> PlanState:
    """Where a plan stands after a step."""
    return PlanState(id=plan.id, state=plan.status.value, consent=plan.consent)


@router.post("/v1/plans/{plan_id}/invitations", status_code=HTTPStatus.CREATED, response_model=InvitationShown)
async def post_invitation(call: Checked, work: Working, request: Request, plan_id: UUID, body: NewInvitation) -> Response:
    """Call units to the plan (N8); refused while the patient has not consented."""

    async def act() -> InvitationShown:
        meeting = None if body.meeting is None else body.meeting.model_dump(mode="json")
        sent = await usecases.send_invitation(work, call.caller, plan_id, units=body.units, meeting=meeting, sent_at=body.sent_at)
        return InvitationShown(invitation_id=sent.id, plan_id=plan_id, sent_at=format_instant(sent.sent_at))

    return await once(work, call, request, act)


@router.post("/v1/plans/{plan_id}/invitations/{invitation_id}/answer", status_code=HTTPStatus.CREATED, response_model=AnswerShown)
async def post_answer(  # the address, and what every handler takes
    call: Checked, work: Working, request: Request, plan_id: UUID, invitation_id: UUID, body: InvitationAnswer
) -> Response:
    """Answer an invitation for a unit or a team that was called; it may be answered anew."""

    async def act() -> AnswerShown:
        unit, status = await usecases.answer_invitation(
            work,
            call.caller,
            plan_id,
            invitation_id,
            unit=body.unit,
            answer=body.answer,
            proposed_at=body.proposed_at,
            answered_by=acting_person(call.caller, body.answered_by, "/answered_by"),
        )
        return AnswerShown(plan_id=plan_id, invitation_id=invitation_id, unit=unit, answer=body.answer, state=status.value)

    return await once(work, call, request, act)
