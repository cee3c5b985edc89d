"""Contacts: whom an organisation wants written to when something of its units escalates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.notifications import repository
from services.notifications.domain.addresses import is_address
from services.notifications.domain.escalating import Contact, Step
from services.notifications.repository import escalations as rows
from services.notifications.usecases.subscriptions import require_reader
from shared.db import Work
from shared.errors import FieldError, Malformed
from shared.http.auth import Caller
from shared.identifiers import uuid7


@dataclass(frozen=True, slots=True)
class ContactStated:
    """One contact as stated; the list's order is that of the contacts."""

    email: str
    mailbox: str | None
    from_step: Step
    language: Literal["sv", "en"]


async def put_contacts(work: Work, caller: Caller, stated: Sequence[ContactStated]) -> list[Contact]:
    """Put a list of contacts in the place of the one the caller's units had; it holds for exactly these units.

    A mailbox that is not the caller's is not asked about: what is no mailbox inside its units never matches.

    Raises:
        HttpProblem: 403, the caller may not read the notices that contacts hear of.
        Malformed: An address is none.
    """
    require_reader(caller)
    wrong = [FieldError(f"/contacts/{place}/email", "email_malformed") for place, one in enumerate(stated) if not is_address(one.email)]
    if wrong:
        raise Malformed("request.malformed", errors=tuple(wrong))
    await repository.lock_organisation(work, caller.organisation)
    prefixes = sorted(caller.unit_prefixes)
    new = [
        {
            "id": uuid7(),
            "organisation": caller.organisation,
            "unit_prefixes": prefixes,
            "client": caller.client_id,
            "place": place,
            "mailbox": one.mailbox,
            "email": one.email,
            "from_step": one.from_step,
            "language": one.language,
            "created_at": work.at,
        }
        for place, one in enumerate(stated)
    ]
    await rows.replace_contacts(work, caller.organisation, prefixes, new)
    return await list_contacts(work, caller)


async def list_contacts(work: Work, caller: Caller) -> list[Contact]:
    """The contacts of exactly the caller's units, in their order."""
    found = await rows.contacts_of(work, caller.organisation)
    return [contact for contact in found if set(contact.unit_prefixes) == set(caller.unit_prefixes)]
