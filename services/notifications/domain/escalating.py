"""Who is told of what nobody did: the steps, and which contact hears of which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from services.notifications.domain.matching import covers, speaks_for_all

Step = Literal["contact", "on_call", "operator"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
Kind = Literal["notice.unacknowledged", "mailbox.silent", "webhook.exhausted", "webhook.disabled"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to write to: of which units, which mailbox (none: all of them), from which step on, in which language."""

    organisation: str
    unit_prefixes: tuple[str, ...]
    mailbox: str | None
    email: str
    from_step: Step
    language: Literal["sv", "en"]


@dataclass(frozen=True, slots=True)
class Called:
    """The mailbox of whoever is on call, and which organisations with which units may read it."""

    mailbox: str
    reading: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Matter:
    """What escalates for one organisation: which units and mailbox it is about; no units: the organisation as a whole.

    `every`: the units (or prefixes) must all be one's own, else one of them is enough. `on_call` is the organisation's units that read
    for whoever was told beside them, and the mailbox that was told.
    """

    organisation: str
    units: tuple[str, ...]
    mailbox: str | None
    step: Step
    on_call: tuple[tuple[str, ...], str] | None = None
    every: bool = False


def matters(kind: Kind, mailbox: str | None, step: Step, reading: Mapping[str, tuple[str, ...]], called: Called | None) -> list[Matter]:
    """What escalates, once for each organisation that it concerns.

    Args:
        kind: What is the matter; a webhook concerns who may hear of all that it tells of.
        mailbox: In which mailbox, if it is of one.
        step: How far it has come.
        reading: The organisations and their units that may read the mailbox, or that the webhook tells of.
        called: The mailbox of whoever is on call, and the same of that one.
    """
    on_call = {} if called is None else called.reading
    found = []
    for organisation in dict.fromkeys((*reading, *on_call)):
        beside = None if called is None or organisation not in on_call else (on_call[organisation], called.mailbox)
        own = reading.get(organisation)
        if own is None and beside is not None:
            found.append(Matter(organisation, beside[0], beside[1], step))
        elif own is not None:
            found.append(Matter(organisation, own, mailbox, step, beside, needs_every(kind)))
    return found


def needs_every(kind: Kind) -> bool:
    """Whether what escalates concerns only who may hear of all its units: a webhook tells of all of them."""
    return kind.startswith("webhook.")


def is_about(organisation: str, unit_prefixes: Sequence[str], owner: str, units: Sequence[str], *, every: bool) -> bool:
    """Whether something of an organisation's units is one's own: one of them, or every one, inside one's prefixes."""
    if organisation != owner:
        return False
    if not units:
        return speaks_for_all(organisation, unit_prefixes)
    return covers(unit_prefixes, units) if every else any(covers(unit_prefixes, [unit]) for unit in units)


def to_write_to(contacts: Iterable[Contact], matter: Matter) -> tuple[Contact, ...]:
    """The contacts that hear of a step, in their order; each address once. Who hears of an early step hears of the later ones too."""
    heard: dict[str, Contact] = {}
    for contact in contacts:
        early_enough = STEPS.index(contact.from_step) <= STEPS.index(matter.step)
        if early_enough and _concerned(contact, matter):
            heard.setdefault(contact.email.lower(), contact)
    return tuple(heard.values())


def _concerned(contact: Contact, matter: Matter) -> bool:
    places = [(matter.units, matter.mailbox)]
    if matter.on_call is not None:
        places.append(matter.on_call)
    return any(
        contact.mailbox in {None, mailbox}
        and is_about(contact.organisation, contact.unit_prefixes, matter.organisation, units, every=matter.every)
        for units, mailbox in places
    )
