"""What was stated with a command taken back, and the SIP requirement contested."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.planning import usecases
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText, Text
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN

router = APIRouter(tags=["Municipalities and care centres"], route_class=StrictRoute)


class WithdrawalBody(Body):
    """Why a statement is taken back: it was made by mistake."""

    model_config = with_example({"reason": "Fel patient"})

    reason: ShortText


class SipContestedBody(Body):
    """Whether a SIP is required follows from the stated needs; ward and municipality may each contest what follows."""

    model_config = with_example({"contested": True, "reason": "Patienten har redan en plan."})

    contested: bool = Field(description="false takes back what the unit contested before")
    reason: Text | None = None
    unit: Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$")] | None = Field(
        default=None, description="the unit that states it; the caller's own when it has one"
    )


class StatementKept(Answer):
    """The statement was kept, and the version the case has by it."""

    event_id: str
    case_id: UUID
    case_version: int
    unit: str
    stated_at: str


def _kept(done: usecases.Stated) -> StatementKept:
    return StatementKept(
        event_id=done.event_id,
        case_id=done.case_id,
        case_version=done.case_version,
        unit=done.unit,
        stated_at=format_instant(done.sent_at),
    )


@router.post("/v1/cases/{case_id}/statements/{event_id}/withdrawal", status_code=HTTPStatus.CREATED, response_model=StatementKept)
async def post_withdrawal(call: Checked, work: Working, request: Request, case_id: UUID, event_id: UUID, body: WithdrawalBody) -> Response:
    """Take back what the caller stated by mistake: a placement, an outpatient block, declined measures, a contested SIP requirement."""

    async def act() -> StatementKept:
        return _kept(await usecases.withdraw_statement(work, call.caller, case_id, str(event_id), body.reason))

    return await once(work, call, request, act)


@router.post("/v1/cases/{case_id}/sip-contested", status_code=HTTPStatus.CREATED, response_model=StatementKept)
async def post_sip_contested(call: Checked, work: Working, request: Request, case_id: UUID, body: SipContestedBody) -> Response:
    """Contest whether a SIP is required (4 kap. 1 §), or take that back; where money hangs on it a person decides."""

    async def act() -> StatementKept:
        done = await usecases.contest_sip(work, call.caller, case_id, body.unit, contested=body.contested, reason=body.reason)
        return _kept(done)

    return await once(work, call, request, act)
