"""Which mailboxes of a recipient a notice is entered in: by need, care type, place of residence and date, as the recipient's rules say.

A municipality or care unit without rules has one mailbox, and everything goes there. Two organisations never share a mailbox, so what
these rules say moves a notice inside one recipient only: who is a party, and since when, does not hang on them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.events import Admission, Need
from services.planning.domain.notices import WantedNotice
from services.planning.domain.parties import ALWAYS, MUNICIPAL, OUTPATIENT_CONCERNED, Recipient, Standing
from shared.dates import local_date

CATCH_ALL: Final = ("municipality", "care_unit")
"""The functions of a mailbox that takes whatever no rule sends elsewhere."""
_PRECEDENCE: Final = (*CATCH_ALL, "team", "social_services", "health_care", "district", "on_call", "controller", "ward")


def precedence(function: str) -> int:
    """How soon a mailbox of this function is taken when several would do; the smallest first."""
    return _PRECEDENCE.index(function)


class AddressingRule(NamedTuple):
    """Notices for this need (any, when none is named), care type and postal code go to this mailbox, from the first to the last day."""

    mailbox: UUID
    need: str | None
    care_type: str | None
    postal_code: str
    valid_from: date
    valid_to: date | None


class Box(NamedTuple):
    """A mailbox as its recipient's rules know it."""

    id: UUID
    function: str
    district: str = ""
    standing: Standing = ALWAYS


@dataclass(frozen=True, slots=True)
class Boxes:
    """The mailboxes of one recipient that take notices, and the rules between them."""

    boxes: tuple[Box, ...]
    rules: tuple[AddressingRule, ...] = ()

    def on(self, day: date) -> "Boxes":
        """The mailboxes at units that stand on a day, and the rules that lead to them; all of them when none does any more.

        Source:
            Domain rule 2.2: a party stays one when its unit closes during the stay; its notices go where they went.
        """
        standing = tuple(box for box in self.boxes if box.standing.on(day))
        if not standing or len(standing) == len(self.boxes):
            return self
        ids = {box.id for box in standing}
        return Boxes(standing, tuple(rule for rule in self.rules if rule.mailbox in ids))

    @property
    def default(self) -> Box:
        """Where everything goes that no rule sends elsewhere."""
        return min(self.boxes, key=lambda box: (precedence(box.function), box.district))


class Forward(NamedTuple):
    """The notice of this origin was sent on, inside its recipient's organisation, to this mailbox (vidaresänd)."""

    origin: str
    mailbox: UUID


class Delivery(NamedTuple):
    """A notice that the case calls for, and the mailbox it belongs in."""

    notice: WantedNotice
    mailbox: UUID


def addressed(boxes: Boxes, recipient: Recipient, about: Admission, day: date) -> tuple[UUID, ...]:
    """The mailboxes of a recipient that a notice of a day is entered in: those of every stated need that concerns the recipient.

    Of the rules that fit a need the narrowest count: one that names the need before one that does not, then one that names the care
    type, then the longest postal code. A need that no rule fits goes to the recipient's default mailbox. Where a person with protected
    identity lives routes nothing.

    Source:
        Lag (2017:612) 2 kap. 1-2 §§; by need and date: the directory's rules.
    """
    boxes = boxes.on(day)
    if not boxes.rules:
        return (boxes.default.id,)
    concerned = MUNICIPAL if recipient.kind == "municipality" else OUTPATIENT_CONCERNED
    postal_code = "" if about.protected else _postal_code(about.person)
    found: dict[UUID, None] = {}
    for need in sorted(about.needs & concerned):
        fitting = [rule for rule in boxes.rules if _fits(rule, need, about.care_type, postal_code, day)]
        narrowest = max((_narrowness(rule) for rule in fitting), default=None)
        chosen = [rule.mailbox for rule in fitting if _narrowness(rule) == narrowest] or [boxes.default.id]
        found.update(dict.fromkeys(sorted(chosen)))
    return tuple(found) or (boxes.default.id,)


def _fits(rule: AddressingRule, need: Need, care_type: str, postal_code: str, day: date) -> bool:
    return (
        rule.need in {None, need}
        and rule.care_type in {None, care_type}
        and postal_code.startswith(rule.postal_code)
        and rule.valid_from <= day
        and (rule.valid_to is None or day <= rule.valid_to)
    )


def _narrowness(rule: AddressingRule) -> tuple[bool, bool, int]:
    return (rule.need is not None, rule.care_type is not None, len(rule.postal_code))


def _postal_code(person: Mapping[str, object]) -> str:
    address = person.get("registered_address")
    code = address.get("postal_code") if isinstance(address, Mapping) else None
    return code.replace(" ", "") if isinstance(code, str) else ""


def deliveries(
    wanted: Iterable[WantedNotice], about: Admission | None, known: Mapping[Recipient, Boxes], forwards: Sequence[Forward] = ()
) -> list[Delivery]:
    """Every wanted notice once for each mailbox it belongs in, copies that were sent on included.

    The origin of a notice in a mailbox of its own function names that mailbox, so that each copy lives its own life: superseded when
    what it says changes, cancelled when its need goes.
    """
    found = list(_directly(wanted, about, known))
    onward: dict[str, list[UUID]] = {}
    for forward in forwards:
        onward.setdefault(forward.origin, []).append(forward.mailbox)
    seen = {delivery.notice.origin for delivery in found}
    for delivery in found:  # grows while it is read: a copy may have been sent on itself
        for mailbox in onward.get(delivery.notice.origin, ()):
            origin = forwarded_origin(delivery.notice.origin, mailbox)
            if origin not in seen:
                seen.add(origin)
                found.append(Delivery(replace(delivery.notice, origin=origin), mailbox))
    return found


def forwarded_origin(origin: str, mailbox: UUID) -> str:
    """What the copy of a notice that was sent on to a mailbox is known by."""
    return f"{origin} > {mailbox}"


def _directly(wanted: Iterable[WantedNotice], about: Admission | None, known: Mapping[Recipient, Boxes]) -> Iterator[Delivery]:
    for notice in wanted:
        boxes = known[notice.recipient]
        functions = {box.id: box.function for box in boxes.boxes}
        day = local_date(notice.sent_at)
        ids = (boxes.on(day).default.id,) if about is None else addressed(boxes, notice.recipient, about, day)
        for mailbox in ids:
            plain = functions.get(mailbox) in CATCH_ALL
            yield Delivery(notice if plain else replace(notice, origin=f"{notice.origin} {mailbox}"), mailbox)
