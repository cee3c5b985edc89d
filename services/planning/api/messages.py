"""Questions and answers on a case over HTTP."""

from http import HTTPStatus
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.planning import usecases
from services.planning.api.plans import HsaId
from services.planning.usecases.messages import MessageRead, NewMessage
from shared.dates import format_instant
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText, Text
from shared.http.idempotency import once

router = APIRouter(tags=["Messages"], route_class=StrictRoute)
Topic = Literal["planned_discharge", "readiness", "needs", "care_contact", "plan", "medication", "aids", "transport", "receipt", "other"]


class MessageBody(Body):
    """A question to a unit concerned in the case, or the answer to one."""

    model_config = with_example(
        {
            "unit": "SE2321000131-E000000000901",
            "to": "SE2321000131-E000000000101",
            "topic": "medication",
            "text": "Finns en aktuell läkemedelslista?",
            "written_by": "Anna Test",
        }
    )

    unit: HsaId = Field(description="the unit that writes")
    to: HsaId | None = Field(default=None, description="the unit that is asked; none in an answer")
    answers: UUID | None = Field(default=None, description="the question that is answered")
    topic: Topic
    text: Text | None = Field(default=None, description="only with the patient's consent to free text")
    written_by: ShortText | None = Field(
        default=None, description="name of the person who wrote it; who signed in may leave it out", examples=["Anna Test"]
    )


class MessageShown(Answer):
    """A message as its reader may see it."""

    id: UUID
    case_id: UUID
    answers: UUID | None
    state: str
    sender: str
    recipient: str
    topic: str
    text: str | None
    withheld: bool = Field(description="the text is kept back: the patient does not consent")
    written_by: str
    sent_at: str


class Messages(Answer):
    """The messages of the caller's units on a case, oldest first."""

    case_id: UUID
    messages: list[MessageShown]


def _shown(found: MessageRead) -> MessageShown:
    row = found.row
    return MessageShown(
        id=row.id,
        case_id=row.case_id,
        answers=row.answers,
        state=row.state,
        sender=row.sender,
        recipient=row.recipient,
        topic=row.topic,
        text=found.text,
        withheld=found.withheld,
        written_by=row.written_by,
        sent_at=format_instant(row.sent_at),
    )


@router.post("/v1/cases/{case_id}/messages", status_code=HTTPStatus.CREATED, response_model=MessageShown)
async def post_message(call: Checked, work: Working, request: Request, case_id: UUID, body: MessageBody) -> Response:
    """Ask a unit of the case something, or answer it; the addressee is told in its mailbox that there is a message."""

    async def act() -> MessageShown:
        new = NewMessage(
            unit=body.unit,
            topic=body.topic,
            written_by=acting_person(call.caller, body.written_by, "/written_by"),
            to=body.to,
            answers=body.answers,
            text=body.text,
        )
        row = await usecases.send_message(work, call.caller, case_id, new)
        return _shown(MessageRead(row, row.body, withheld=False))

    return await once(work, call, request, act)


@router.get("/v1/cases/{case_id}/messages")
async def get_messages(call: Checked, work: Working, case_id: UUID) -> Messages:
    """The messages between the caller's units and others on a case."""
    found = await usecases.read_messages(work, call.caller, case_id, request_id=call.request_id)
    return Messages(case_id=case_id, messages=[_shown(one) for one in found])
