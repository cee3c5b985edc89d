"""Entering who can be reached. The region keeps the real directory; the demo enters a marked demo county."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action, Which
from services.planning.repository import directory as rows
from services.planning.repository import register
from services.planning.repository.directory import Mailbox
from services.planning.usecases.authorising import require
from services.planning.usecases.register import (
    CalendarBody,
    Entry,
    MailboxBody,
    MemberBody,
    OrganisationBody,
    RuleBody,
    UnitBody,
    enter,
    owner_of,
    replace_members,
    replace_rules,
)
from shared.db import Work
from shared.errors import Malformed, NotFound
from shared.http.auth import Caller
from shared.identifiers import provider_of, uuid7


@dataclass(frozen=True, slots=True)
class Organisation:
    """A region or a municipality: organisation number, name, and the SCB code of a municipality."""

    number: str
    name: str
    municipality: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: HSA-id, owner, name, kind (`ward`, `care_centre`, `municipal`, `team`, `office`).

    `stay_space`: within what a ward's stay ids are unique, e.g. its hospital's record system; none = the care provider.
    """

    hsa_id: str
    organisation: str
    name: str
    kind: str
    stay_space: str | None = None


@dataclass(frozen=True, slots=True)
class MailboxAt:
    """A mailbox to have at a unit. `recipient` is how notices are addressed: `municipality:CODE` or `unit:HSA-id`."""

    unit: str
    organisation: str
    recipient: str
    function: str
    district: str = ""


@dataclass(frozen=True, slots=True)
class DirectoryEntries:
    """What to enter; whatever exists is brought up to date, nothing is removed."""

    organisations: Sequence[Organisation]
    units: Sequence[Unit]
    mailboxes: Sequence[MailboxAt]


async def load_directory(work: Work, entries: DirectoryEntries) -> None:
    """Enter organisations, units and mailboxes; doing it again changes nothing."""
    await rows.put_organisations(work, [(one.number, one.name, one.municipality) for one in entries.organisations])
    await rows.put_units(work, [(one.hsa_id, one.organisation, one.name, one.kind, one.stay_space) for one in entries.units])
    await rows.put_mailboxes(
        work, [Mailbox(uuid7(), one.recipient, one.organisation, one.unit, one.function, one.district) for one in entries.mailboxes]
    )


def _check_keeper(caller: Caller, organisation: str | None) -> None:
    """The region keeps the whole directory, every other organisation its own part; what is of none (None) the region alone enters.

    Raises:
        HttpProblem: 403, another's part.
    """
    require(caller, Action.KEEP_DIRECTORY, Which(owner=organisation))


async def list_organisations(work: Work) -> Sequence[Any]:
    """Every organisation."""
    return await register.all_organisations(work)


async def put_organisation(work: Work, caller: Caller, number: str, body: OrganisationBody) -> Any:  # a row
    """Enter an organisation; the row as it stands then.

    Raises:
        HttpProblem: 403, it is another's, or would become a municipality that it is not known as: its mailboxes get that one's notices.
        Refused: 409, the municipality belongs to another organisation.
    """
    _check_keeper(caller, number)
    before = await register.organisation(work, number)
    if body.municipality not in {caller.municipality, None if before is None else before.municipality}:
        _check_keeper(caller, None)
    await enter(work, Entry((number,), body))
    return await register.organisation(work, number)


async def list_units(work: Work, *, after: str, limit: int, organisation: str | None, kind: str | None, on: date | None) -> Sequence[Any]:
    """Units by HSA-id."""
    return await register.page_of_units(work, after=after, limit=limit, organisation=organisation, kind=kind, on=on)


async def put_unit(  # a unit and what belongs to it
    work: Work, caller: Caller, hsa_id: str, unit: UnitBody, mailboxes: Sequence[MailboxBody], members: Sequence[MemberBody] | None
) -> Any:  # a row
    """Enter a unit with its mailboxes and members; the row as it stands then.

    Raises:
        HttpProblem: 403, it is, or would become, another organisation's; or an office, where the region's own notices go.
        Malformed: It names what is not in the directory.
    """
    for organisation in (unit.organisation, provider_of(hsa_id), *((None,) if unit.kind == "office" else ())):
        _check_keeper(caller, organisation)
    before = await register.unit(work, hsa_id)
    if before is not None:
        _check_keeper(caller, before.organisation)
    await enter(work, Entry((hsa_id,), unit))
    for mailbox in mailboxes:
        await enter(work, Entry((hsa_id, mailbox.function, mailbox.district), mailbox))
    if members is not None:
        await replace_members(work, hsa_id, members)
    return await register.one_with_all(work, hsa_id)


async def addressing_of(work: Work, recipient: str) -> Sequence[Any]:
    """The addressing rules of a recipient."""
    return await register.rules_of(work, recipient)


async def put_addressing(work: Work, caller: Caller, recipient: str, rules: Sequence[RuleBody]) -> None:
    """Let these be all rules of a recipient.

    Raises:
        HttpProblem: 403, another's recipient.
        Malformed: There is no such recipient, or a mailbox is not its own.
    """
    _check_keeper(caller, await _owner_if_known(work, recipient))
    await replace_rules(work, recipient, rules)


async def _owner_if_known(work: Work, recipient: str) -> str | None:
    try:
        return await owner_of(work, recipient)
    except Malformed:
        return None  # whoever keeps the whole directory is told so by what follows


async def calendar_of(work: Work, mailbox: UUID) -> Any:  # a row
    """The duty calendar of a mailbox.

    Raises:
        NotFound: It has none, or does not exist.
    """
    found = await register.calendar_of(work, mailbox)
    if found is None:
        raise NotFound
    return found


async def put_calendar(work: Work, caller: Caller, mailbox: UUID, body: CalendarBody) -> None:
    """Enter the duty calendar of a mailbox.

    Raises:
        HttpProblem: 403, another's, or to whoever keeps its own part only unknown.
        NotFound: There is no such mailbox.
    """
    found = next(iter(await rows.by_id(work, [mailbox])), None)
    _check_keeper(caller, None if found is None else found.organisation)
    if found is None:
        raise NotFound
    await enter(work, Entry((found.recipient, found.function, found.district), body))
