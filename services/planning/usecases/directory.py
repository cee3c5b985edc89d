"""Entering who can be reached. The region keeps the real directory; the demo enters a marked demo county."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.planning.repository import directory as rows
from services.planning.repository.directory import Mailbox
from shared.db import Work
from shared.identifiers import uuid7


@dataclass(frozen=True, slots=True)
class Organisation:
    """A region or a municipality: organisation number, name, and the SCB code of a municipality."""

    number: str
    name: str
    municipality: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A ward, a care centre or a municipal unit: HSA-id, owner, name, kind (`ward`, `care_centre`, `municipal`).

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
    await rows.put_mailboxes(work, [Mailbox(uuid7(), one.recipient, one.organisation, one.unit, one.function) for one in entries.mailboxes])
