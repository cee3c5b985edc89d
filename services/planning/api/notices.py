"""What municipalities and care centres poll: mailboxes, notices, acknowledgements."""

from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.planning import usecases
from services.planning.repository import directory
from services.planning.usecases.notices import NoticeRead
from shared.dates import format_instant
from shared.db import Database
from shared.http.acting import acting_person
from shared.http.call import Call, Checked, StrictRoute, Working
from shared.http.conditional import unless_known
from shared.http.documented import idempotency_key, with_example
from shared.http.feed_query import FEED_ANSWERS, Epoch, Limit, Position, Wait
from shared.http.fields import Answer, Body, ShortText, Text
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN
from shared.streams import feeds
from shared.streams.internal import long_poll

router = APIRouter(tags=["Municipalities and care centres"], route_class=StrictRoute)

Unit = Annotated[str | None, Query(pattern=f"^{HSA_ID_PATTERN}$", description="HSA-id of the unit whose mailbox is meant")]


class MailboxShown(Answer):
    """One mailbox of the caller."""

    id: UUID
    recipient: str = Field(description="how notices are addressed: municipality:CODE or unit:HSA-id")
    unit: str
    function: str = Field(description="what it is for, e.g. social_services, health_care, on_call, district, controller")
    district: str
    epoch: int
    head: int = Field(description="the number of its last notice, 0 when it is empty")


class Mailboxes(Answer):
    """The mailboxes the caller may read."""

    mailboxes: list[MailboxShown]


class Personal(Answer):
    """The personal part of a notice; its canonical JSON hashes to `personal_sha256`. `withheld` says why it is missing, if it is."""

    salt: str | None = None
    person: dict[str, Any] | None = None
    content: dict[str, Any] | None = None
    protected: bool | None = None
    withheld: Literal["erased", "protected", "returned", "consent_withdrawn"] | None = None
    at: str | None = Field(default=None, description="since when it is withheld")
    basis: str | None = Field(default=None, description="on what legal basis it is withheld")


class Notice(Answer):
    """One notice. Without `number`, `hash` and `personal` it is the envelope that the running hash is made over."""

    number: int
    hash: str = Field(description="SHA-256(previous hash ‖ SHA-256(canonical envelope)), hexadecimal; before the first: 32 zero bytes")
    id: UUID
    type: str
    case_id: UUID | None
    case_version: int | None
    sender: str | None
    recipient: str
    sent_at: str
    acknowledge_by: str | None
    legal_basis: str | None
    supersedes: UUID | None
    personal_sha256: str | None
    about: dict[str, str] | None = None
    personal: Personal | None


class Standing(Answer):
    """What became of a notice."""

    state: str
    delivered_at: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    returned_at: str | None = None
    returned_by: str | None = None
    forwarded_at: str | None = None
    forwarded_by: str | None = None
    forwarded_to: UUID | None = Field(default=None, description="the mailbox it was sent on to")
    forwarded_as: UUID | None = Field(default=None, description="the copy there")


class NoticeWithStanding(Notice):
    """One notice and what became of it."""

    standing: Standing


class Notices(Answer):
    """A stretch of a mailbox. Go on with `after` = `next`; `head` is the last number there is."""

    epoch: int
    entries: list[Notice]
    next: int
    head: int


class Digest(Answer):
    """How many notices a mailbox holds through a number, and their running hash, to compare with one's own."""

    epoch: int
    count: int
    hash: str


class AcknowledgementBody(Body):
    """Who has taken the notice on."""

    model_config = with_example({"acknowledged_by": "Anna Test"})

    acknowledged_by: ShortText | None = Field(
        default=None, description="name of the person at the recipient; who signed in may leave it out"
    )


class AcknowledgementShown(Answer):
    """A notice that a named person has taken on."""

    notice_id: UUID
    state: str
    acknowledged_by: str
    acknowledged_at: str


class ReturnBody(Body):
    """Who returns the notice as wrongly addressed, and why."""

    model_config = with_example({"returned_by": "Anna Test", "reason": "Inte folkbokförd här"})

    returned_by: ShortText | None = Field(
        default=None, description="name of the person at the recipient; who signed in may leave it out", examples=["Anna Test"]
    )
    reason: Text = Field(description="why it is not for this recipient; only the ward reads it", examples=["Inte folkbokförd här"])


class ReturnShown(Answer):
    """A notice that a named person returned as wrongly addressed."""

    notice_id: UUID
    state: str
    returned_by: str
    returned_at: str


class ForwardBody(Body):
    """Who sends the notice on, and to which mailbox of the same organisation."""

    model_config = with_example({"forwarded_by": "Anna Test", "mailbox": "01890a5d-ac96-774b-bcce-b302099a8057"})

    forwarded_by: ShortText | None = Field(
        default=None, description="name of the person at the recipient; who signed in may leave it out", examples=["Anna Test"]
    )
    mailbox: UUID


class ForwardShown(Answer):
    """A notice that a named person sent on."""

    notice_id: UUID
    forwarded_as: UUID = Field(description="the copy in the other mailbox")
    mailbox: UUID
    forwarded_by: str
    forwarded_at: str


def shown_notice(read: NoticeRead) -> dict[str, Any]:
    """A notice as its recipient sees it."""
    envelope: dict[str, Any] = msgspec.json.decode(read.entry.body)
    return {"number": read.entry.position, "hash": read.entry.hash.hex(), **envelope, "personal": read.personal}


@router.get("/v1/mailboxes", response_model=Mailboxes)
async def get_mailboxes(call: Checked, work: Working) -> Mailboxes:
    """The caller's mailboxes."""
    shown = []
    for box in await directory.mailboxes_of(work, call.caller):
        epoch, head = await feeds.head_of(work, box.feed)
        shown.append(
            MailboxShown(
                id=box.id, recipient=box.recipient, unit=box.unit, function=box.function, district=box.district, epoch=epoch, head=head
            )
        )
    return Mailboxes(mailboxes=shown)


@router.get(
    "/v1/notices",
    response_model=Notices,
    responses=FEED_ANSWERS,
)
async def get_notices(  # noqa: PLR0913  # the parameters of the address, one to one
    request: Request,
    call: Checked,
    after: Position = 0,
    limit: Limit = 100,
    wait: Wait = 0,
    epoch: Epoch = None,
    mailbox: UUID | None = None,
    unit: Unit = None,
    type: Annotated[str | None, Query(pattern=r"^notice\.[a-z_]{1,60}$")] = None,  # noqa: A002  # the public name
) -> Response:
    """A stretch of the caller's mailbox (by id or unit where it has several), waiting up to `wait` seconds. Reading never consumes."""
    database: Database = request.app.state.database
    async with database.transaction(reader=call.caller.reader) as work:
        box = await usecases.mailbox_of(work, call.caller, mailbox, unit)
    page = await long_poll(database, request.app.state.watcher, box.feed, after, limit, wait, epoch, reader=call.caller.reader)
    entries = [entry for entry in page.entries if type is None or entry.kind == type]
    async with database.transaction(reader=call.caller.reader) as work:
        read = await usecases.attach_personal(work, call.caller, box, entries, request_id=call.request_id)
    body = msgspec.json.encode({"epoch": page.epoch, "entries": [shown_notice(one) for one in read], "next": page.next, "head": page.head})
    return unless_known(request, body, sha256(body).hexdigest()[:32])  # of the whole answer: what is withheld later changes it


@router.get("/v1/notices/digest", response_model=Digest)
async def get_digest(call: Checked, work: Working, through: Position, mailbox: UUID | None = None, unit: Unit = None) -> Digest:
    """Count and running hash of the caller's mailbox through a number."""
    box = await usecases.mailbox_of(work, call.caller, mailbox, unit)
    hashed = await feeds.digest(work, box.feed, through=through)
    epoch, _head = await feeds.head_of(work, box.feed)
    return Digest(epoch=epoch, count=through, hash=hashed.hex())


@router.get("/v1/notices/{notice_id}", response_model=NoticeWithStanding)
async def get_notice(call: Checked, work: Working, notice_id: UUID) -> dict[str, Any]:
    """One notice and what became of it."""
    found = await usecases.read_notice(work, call.caller, notice_id, request_id=call.request_id)
    row = found.row
    standing = {
        "state": row.state,
        "delivered_at": None if row.delivered_at is None else format_instant(row.delivered_at),
        "acknowledged_at": None if row.acknowledged_at is None else format_instant(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "returned_at": None if row.returned_at is None else format_instant(row.returned_at),
        "returned_by": row.returned_by,
        "forwarded_at": None if row.forwarded_at is None else format_instant(row.forwarded_at),
        "forwarded_by": row.forwarded_by,
        "forwarded_to": row.forwarded_to,
        "forwarded_as": row.forwarded_as,
    }
    return shown_notice(found.read) | {"standing": standing}


@router.post(
    "/v1/notices/{notice_id}/acknowledgement",
    status_code=HTTPStatus.CREATED,
    response_model=AcknowledgementShown,
    openapi_extra={"parameters": [idempotency_key(required=False)]},
)
async def acknowledge(call: Checked, work: Working, request: Request, notice_id: UUID, body: AcknowledgementBody) -> Response:
    """Record that a person at the recipient has taken the notice on (kvittera). Repeating it by the same person is safe."""

    async def act() -> AcknowledgementShown:
        return await _acknowledged(work, call, notice_id, body)

    return await once(work, call, request, act)


async def _acknowledged(work: Working, call: Call, notice_id: UUID, body: AcknowledgementBody) -> AcknowledgementShown:
    done = await usecases.acknowledge(work, call.caller, notice_id, by=acting_person(call.caller, body.acknowledged_by, "/acknowledged_by"))
    return AcknowledgementShown(
        notice_id=done.notice_id,
        state=done.state,
        acknowledged_by=done.acknowledged_by,
        acknowledged_at=format_instant(done.acknowledged_at),
    )


@router.post("/v1/notices/{notice_id}/return", status_code=HTTPStatus.CREATED, response_model=ReturnShown)
async def return_notice(call: Checked, work: Working, request: Request, notice_id: UUID, body: ReturnBody) -> Response:
    """Return a notice as wrongly addressed (felsänt): the case is gone for this recipient, and the ward is told. Repeating it is safe."""

    async def act() -> ReturnShown:
        done = await usecases.return_notice(
            work, call.caller, notice_id, by=acting_person(call.caller, body.returned_by, "/returned_by"), reason=body.reason
        )
        return ReturnShown(
            notice_id=done.notice_id, state=done.state, returned_by=done.returned_by, returned_at=format_instant(done.returned_at)
        )

    return await once(work, call, request, act)


@router.post("/v1/notices/{notice_id}/forward", status_code=HTTPStatus.CREATED, response_model=ForwardShown)
async def forward_notice(call: Checked, work: Working, request: Request, notice_id: UUID, body: ForwardBody) -> Response:
    """Send a notice on to another mailbox of the recipient's own organisation (vidaresända). Repeating it is safe."""

    async def act() -> ForwardShown:
        done = await usecases.forward_notice(
            work, call.caller, notice_id, to=body.mailbox, by=acting_person(call.caller, body.forwarded_by, "/forwarded_by")
        )
        return ForwardShown(
            notice_id=done.notice_id,
            forwarded_as=done.copy_id,
            mailbox=done.mailbox,
            forwarded_by=done.forwarded_by,
            forwarded_at=format_instant(done.forwarded_at),
        )

    return await once(work, call, request, act)
