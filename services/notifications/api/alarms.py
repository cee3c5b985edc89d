"""Contacts and escalations over HTTP: whom to write to when nobody does what is to be done, and what that is now."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.notifications import usecases
from services.notifications.api.digests import Email, Language
from services.notifications.domain.escalating import Contact, Kind, Step
from services.notifications.usecases import ContactStated
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body

router = APIRouter(tags=["Digests and contacts"], route_class=StrictRoute)
_FIRST = UUID(int=0)
FromStep = Annotated[Literal["contact", "on_call", "operator"], Field(description="from which step on this contact is written to")]


class ContactBody(Body):
    """Somebody to write to."""

    email: Email
    mailbox: UUID | None = Field(default=None, description="one mailbox of yours, or (null) all of them")
    from_step: FromStep = "contact"
    language: Language = "sv"


class ContactsBody(Body):
    """Everybody to write to, in their order."""

    model_config = with_example({"contacts": [{"email": "samordning@kommun.se"}, {"email": "chef@kommun.se", "from_step": "on_call"}]})

    contacts: list[ContactBody] = Field(max_length=100)


class ContactShown(Answer):
    """One contact."""

    email: str
    mailbox: UUID | None
    from_step: FromStep
    language: Language


class ContactList(Answer):
    """The contacts of your units, in their order."""

    contacts: list[ContactShown]


class EscalationShown(Answer):
    """Something that nobody did or read in time."""

    id: UUID
    kind: Kind
    about: UUID = Field(description="the notice, mailbox or subscription")
    mailbox: UUID | None
    units: list[str] = Field(description="HSA-ids, or prefixes of them; empty: the organisation as a whole")
    notice_type: str | None
    step: Step = Field(description="how far it has come: the contacts, whoever is on call, the operator")
    delivered: bool = Field(description="whether a system of yours has it: the mailbox was read past it, or a webhook was accepted")
    since: str
    opened_at: str
    changed_at: str


class Escalations(Answer):
    """What is open in your units, the oldest first; the rest behind the `Link` header."""

    escalations: list[EscalationShown]


def _listed(found: list[Contact]) -> ContactList:
    return ContactList(
        contacts=[
            ContactShown(
                email=one.email,
                mailbox=None if one.mailbox is None else UUID(one.mailbox),
                from_step=one.from_step,
                language=one.language,
            )
            for one in found
        ]
    )


@router.get("/v1/contacts", summary="List whom to write to")
async def get_contacts(call: Checked, work: Working) -> ContactList:
    """The contacts of exactly your client's units."""
    return _listed(await usecases.list_contacts(work, call.caller))


@router.put("/v1/contacts", summary="State whom to write to")
async def put_contacts(call: Checked, work: Working, body: ContactsBody) -> ContactList:
    """The whole list takes the place of the former one, for exactly your client's units. An empty list writes to nobody."""
    stated = [
        ContactStated(one.email, None if one.mailbox is None else str(one.mailbox), one.from_step, one.language) for one in body.contacts
    ]
    return _listed(await usecases.put_contacts(work, call.caller, stated))


@router.get("/v1/escalations", summary="See what nobody did in time")
async def get_escalations(
    call: Checked,
    work: Working,
    response: Response,
    after: UUID = _FIRST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Escalations:
    """Notices nobody acknowledged, mailboxes nobody reads, webhooks that were given up: open until it is done."""
    found, more_after = await usecases.list_escalations(work, call.caller, after=after, limit=limit)
    if more_after is not None:
        response.headers["Link"] = f'</v1/escalations?after={more_after}&limit={limit}>; rel="next"'
    return Escalations(escalations=[_escalation(row) for row in found])


def _escalation(row: Any) -> EscalationShown:  # a row
    return EscalationShown(
        id=row.id,
        kind=row.kind,
        about=row.subject,
        mailbox=None if row.mailbox is None else UUID(row.mailbox),
        units=row.units,
        notice_type=row.notice_type,
        step=row.step,
        delivered=row.delivered,
        since=format_instant(row.since),
        opened_at=format_instant(row.opened_at),
        changed_at=format_instant(row.changed_at),
    )
