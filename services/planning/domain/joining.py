"""Which stays are one case: a transfer that stands joins what the sender calls the stay to what the receiver calls it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from services.planning.domain.amendments import amend, standing_admission
from services.planning.domain.events import CaseEvent, EventType, StayKey, Transfer, led_to
from services.planning.domain.holding import links_of
from services.planning.domain.persons import person_known


def led_from(stays: Mapping[StayKey, Iterable[CaseEvent]]) -> dict[StayKey, frozenset[StayKey]]:
    """Where the transfers of each stay lead that count; a corrected one leads elsewhere, a cancelled one nowhere.

    Only who may hold the patient of a stay leads her on: the ward that admitted her there, and whom a transfer that counts led her to.

    Args:
        stays: All events under each id, which alone decide whether its transfers stand.
    """
    known = {stay: tuple(events) for stay, events in stays.items()}
    leading = {stay: amend(told) for stay, told in known.items() if any(event.type is EventType.TRANSFERRED for event in told)}
    links = links_of({stay: (amended.events, standing_admission(amended)) for stay, amended in leading.items()}) if leading else {}
    return {stay: links.get(stay, frozenset()) for stay in known}


def persons_of(events: Iterable[CaseEvent]) -> frozenset[str]:
    """Every number that the person of one stay had; none while no admission is known."""
    known = person_known(amend(tuple(events)))
    return frozenset() if known is None else frozenset(number for _kind, number in known.person_ids)


def told_apart(event: CaseEvent, own: Collection[str], persons: Mapping[StayKey, Collection[str]]) -> CaseEvent:
    """The same event; a transfer that does not lead to the same person is marked: an id that is mistyped or guessed shows nobody.

    The two are one while the other stay has no admission yet, or when they have a number in common: a reserve number that became another
    one is told by both, or the change is told first. A stay without an admission of its own leads nowhere.

    Args:
        event: Any event of a stay.
        own: The numbers of its person.
        persons: The numbers of the persons of other stays, as far as they are known.
    """
    target = led_to(event)
    if target is None or target == event.stay or not isinstance(event.data, Transfer):
        return event
    others = persons.get(target, ())
    apart = not own or (bool(others) and set(own).isdisjoint(others))
    return replace(event, data=replace(event.data, other_person=True)) if apart else event


def joined(links: Mapping[StayKey, Iterable[StayKey]]) -> list[frozenset[StayKey]]:
    """The ids of stays, grouped so that all of a group name one case.

    Args:
        links: For each id where its transfers lead.
    """
    group_of: dict[StayKey, set[StayKey]] = {stay: {stay} for stay in links}
    for stay, targets in links.items():
        for target in targets:
            one, other = group_of[stay], group_of.setdefault(target, {target})
            if one is other:
                continue
            one |= other
            group_of.update(dict.fromkeys(other, one))
    return sorted({frozenset(group) for group in group_of.values()}, key=sorted)
