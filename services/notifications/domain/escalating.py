"""Who is told of what nobody did: the steps, and which contact hears of which."""

from collections.abc import Iterable, Sequence
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
class Matter:
    """What escalates: whose it is, and in which mailbox. `units` may be prefixes; none: the organisation as a whole.

    `on_call` is the unit and the mailbox of whoever was told beside them, in the organisation's own calendar.
    """

    organisation: str
    units: tuple[str, ...]
    mailbox: str | None
    step: Step
    on_call: tuple[str, str] | None = None


def is_about(organisation: str, unit_prefixes: Sequence[str], owner: str, units: Sequence[str]) -> bool:
    """Whether something of an organisation's units is one's own: every one of the units inside one's prefixes."""
    if organisation != owner:
        return False
    return covers(unit_prefixes, units) if units else speaks_for_all(organisation, unit_prefixes)


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
        unit, mailbox = matter.on_call
        places.append(((unit,), mailbox))
    return any(
        contact.mailbox in {None, mailbox} and is_about(contact.organisation, contact.unit_prefixes, matter.organisation, units)
        for units, mailbox in places
    )
