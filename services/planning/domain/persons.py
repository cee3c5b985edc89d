"""Who the person is and where she is registered, as the wards and municipalities have stated it so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from services.planning.domain.amendments import Amended, standing_admission
from services.planning.domain.events import Admission, CaseEvent, EventKey, EventType, PersonChange, Placement, sent_order
from services.planning.domain.holding import holding_of, is_stranger

ADDRESSING: Final = frozenset(
    {EventType.ADMITTED, EventType.PERSON_CHANGED, EventType.MUNICIPALITY_PLACED, EventType.EVENT_CANCELLED},
)
"""What decides who is concerned in a stay."""


class Residence(NamedTuple):
    """Where the person is registered, from an instant on; none for as far back as is known."""

    municipality: str | None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PersonKnown:
    """What is known of a stay's person: `about` the admission with every later change, and each statement, for what it first said.

    `set_aside` are the changes that do not count, because a ward that never held the patient says that she is somebody else.
    """

    about: Admission
    residences: tuple[Residence, ...]
    placements: tuple[CaseEvent, ...]
    stated: tuple[CaseEvent, ...]
    set_aside: tuple[CaseEvent, ...] = ()

    def municipalities(self, by: datetime | None = None) -> tuple[str, ...]:
        """Every municipality that is concerned: where she is registered, where she was before a real move, and who placed her.

        Args:
            by: Who was left by then is not concerned any more, see `decided_by`.
        """
        over = sum(by is not None and one.since is not None and one.since <= by for one in self.residences[1:])
        registered = [residence.municipality for residence in reversed(self.residences[over:]) if residence.municipality is not None]
        placing = [event.data.municipality for event in self.placements if isinstance(event.data, Placement)]
        return tuple(dict.fromkeys([*registered, *placing]))

    @property
    def person_ids(self) -> tuple[tuple[str, str], ...]:
        """Every number the person had in this stay, type and id, the present one last."""
        persons = [event.data.person for event in self.stated if isinstance(event.data, Admission | PersonChange)]
        return tuple(dict.fromkeys((str(person["type"]), str(person["id"])) for person in [*persons, self.about.person] if "id" in person))


def person_known(amended: Amended, basis: CaseEvent | None = None) -> PersonKnown | None:
    """What is known of the person after these events; none while no admission is known.

    A changed registration that is no real move was wrong from the beginning and takes the place of what was stated; after a real move
    both municipalities are concerned.

    Args:
        amended: The events that count.
        basis: The admission to go by, when it is another than the one that stands.

    Source:
        Lag (2017:612) 5 kap. 2 §; domain rules 2.2 and 3.7.
    """
    admission = basis or standing_admission(amended)
    if admission is None or not isinstance(admission.data, Admission):
        return None
    about, residences = admission.data, [Residence(admission.data.registered_municipality)]
    stated = [*amended.versions.get(admission.key, (admission,))]
    set_aside = _of_somebody_else(amended, admission)
    for event in amended.events:
        if not isinstance(event.data, PersonChange) or event in set_aside:
            continue
        change = event.data
        stated += amended.versions.get(event.key, (event,))
        about = replace(about, person=change.person, registered_municipality=change.registered_municipality, protected=change.protected)
        if not change.moved:
            residences[-1] = residences[-1]._replace(municipality=change.registered_municipality)
        elif change.registered_municipality != residences[-1].municipality:
            residences.append(Residence(change.registered_municipality, event.time))
    return PersonKnown(about, tuple(residences), _placements(amended), tuple(stated), set_aside)


def _of_somebody_else(amended: Amended, admission: CaseEvent) -> tuple[CaseEvent, ...]:
    """The changes by wards that never held the patient that give her another number than those that did: a mistyped id of a stay shows
    nobody's case to another person's municipality. One with a number of hers may only tell where she lives, and counts.
    """
    changes = [event for event in amended.events if isinstance(event.data, PersonChange)]
    if all(event.key.source == admission.key.source for event in changes):
        return ()
    held = holding_of(amended.events, admission).held
    strange = [event for event in changes if is_stranger(event, held)]
    numbers = {_number(event) for event in (admission, *changes) if event not in strange}
    return tuple(event for event in strange if _number(event) not in numbers)


def _number(event: CaseEvent) -> tuple[object, object]:
    person = event.data.person if isinstance(event.data, Admission | PersonChange) else {}
    return person.get("type"), person.get("id")


def _placements(amended: Amended) -> tuple[CaseEvent, ...]:
    """Of each municipality its latest statement of who placed the patient."""
    latest: dict[str, CaseEvent] = {}
    for event in sorted((event for event in amended.events if event.type is EventType.MUNICIPALITY_PLACED), key=sent_order):
        if isinstance(event.data, Placement):
            latest[event.data.stated_by] = event
    return tuple(sorted(latest.values(), key=sent_order))


def placed_by(placements: Sequence[CaseEvent]) -> Placement | None:
    """The placement that everybody who stated one agrees on; none when there is none, or they disagree.

    Source:
        Lag (2017:612) 5 kap. 2 §.
    """
    stated = [event.data for event in placements if isinstance(event.data, Placement)]
    return stated[0] if len({one.municipality for one in stated}) == 1 else None


def first_stating(stated: Sequence[CaseEvent], parts: Sequence[str]) -> EventKey | None:
    """The statement that first said these parts of the person as they now stand; it changes whenever they do."""
    found: CaseEvent | None = None
    for event in reversed(stated):
        if found is not None and not _same_person(event, found, parts):
            break
        found = event
    return None if found is None else found.key


def _same_person(one: CaseEvent, other: CaseEvent, parts: Sequence[str]) -> bool:
    if not isinstance(one.data, Admission | PersonChange) or not isinstance(other.data, Admission | PersonChange):
        return False
    mine, yours = one.data.person, other.data.person
    return all(mine.get(part) == yours.get(part) for part in parts)
