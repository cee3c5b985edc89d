"""The consent register over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.planning import usecases
from services.planning.api.plans import HsaId
from services.planning.usecases.consents import NewConsent, status_of
from shared.dates import format_instant
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, ShortText
from shared.http.idempotency import once

router = APIRouter(tags=["Consents"], route_class=StrictRoute)


class ConsentAsked(Body):
    """What the patient answered when asked whether more than the statute tells may be shared in a case."""

    model_config = with_example(
        {
            "case_id": "01890a5d-ac96-774b-bcce-b302099a8057",
            "answer": "given",
            "purposes": ["free_text"],
            "unit": "SE2321000131-E000000000901",
            "asked_by": "Anna Test",
        }
    )

    case_id: UUID
    answer: Literal["given", "refused"]
    purposes: Annotated[list[Literal["free_text", "admission_reason"]], Field(min_length=1, max_length=2)]
    given_by: Literal["patient", "guardian", "representative"] = Field(default="patient", description="guardians answer for a child only")
    unit: HsaId = Field(description="the unit that asked")
    asked_by: ShortText | None = Field(
        default=None, description="name of the person who asked; who signed in may leave it out", examples=["Anna Test"]
    )
    valid_until: Day | None = None


class Withdrawal(Body):
    """Who told that the patient withdraws."""

    model_config = with_example({"told_by": "Anna Test"})

    told_by: ShortText | None = Field(
        default=None, description="name of the person who recorded it; who signed in may leave it out", examples=["Anna Test"]
    )


class ConsentShown(Answer):
    """An answer of the patient, and what stands of it."""

    id: UUID
    case_id: UUID
    state: str
    purposes: list[str]
    given_by: str
    unit: str
    asked_by: str
    recorded_at: str
    valid_until: str | None
    withdrawn_at: str | None


class Consents(Answer):
    """The answers of a case, oldest first; the latest about a purpose stands."""

    case_id: UUID
    consents: list[ConsentShown]


def _shown(row: Any) -> ConsentShown:  # a row
    return ConsentShown(
        id=row.id,
        case_id=row.case_id,
        state=status_of(row).value,
        purposes=row.purposes,
        given_by=row.given_by,
        unit=row.unit,
        asked_by=row.asked_by,
        recorded_at=format_instant(row.recorded_at),
        valid_until=None if row.valid_until is None else row.valid_until.isoformat(),
        withdrawn_at=None if row.withdrawn_at is None else format_instant(row.withdrawn_at),
    )


@router.post("/v1/consents", status_code=HTTPStatus.CREATED, response_model=ConsentShown)
async def post_consent(call: Checked, work: Working, request: Request, body: ConsentAsked) -> Response:
    """Record what the patient answered."""

    async def act() -> ConsentShown:
        new = NewConsent(
            case_id=body.case_id,
            given=body.answer == "given",
            purposes=body.purposes,
            given_by=body.given_by,
            unit=body.unit,
            asked_by=acting_person(call.caller, body.asked_by, "/asked_by"),
            valid_until=body.valid_until,
        )
        return _shown(await usecases.register_consent(work, call.caller, new))

    return await once(work, call, request, act)


@router.post("/v1/consents/{consent_id}/withdraw", status_code=HTTPStatus.CREATED, response_model=ConsentShown)
async def post_withdrawal(call: Checked, work: Working, request: Request, consent_id: UUID, body: Withdrawal) -> Response:
    """Record that the patient withdraws: what rested on it is not shown to others any more."""

    async def act() -> ConsentShown:
        return _shown(
            await usecases.withdraw_consent(work, call.caller, consent_id, told_by=acting_person(call.caller, body.told_by, "/told_by"))
        )

    return await once(work, call, request, act)


@router.get("/v1/cases/{case_id}/consents")
async def get_consents(call: Checked, work: Working, case_id: UUID) -> Consents:
    """What the patient has answered in a case."""
    found = await usecases.read_consents(work, call.caller, case_id, request_id=call.request_id)
    return Consents(case_id=case_id, consents=[_shown(row) for row in found])
