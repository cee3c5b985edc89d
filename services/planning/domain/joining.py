"""Which stays are one case: a transfer that stands joins what the sender calls the stay to what the receiver calls it."""

from collections.abc import Iterable, Mapping

from services.planning.domain.amendments import amend
from services.planning.domain.events import CaseEvent, EventType, StayKey, led_to


def led_from(events: Iterable[CaseEvent]) -> frozenset[StayKey]:
    """Where the transfers of one stay lead that count; a corrected one leads elsewhere, a cancelled one nowhere.

    Args:
        events: All events under one id of the stay, which alone decide whether its transfers stand.
    """
    known = tuple(events)
    if not any(event.type is EventType.TRANSFERRED for event in known):
        return frozenset()
    targets = ((event.stay, led_to(event)) for event in amend(known).events)
    return frozenset(target for stay, target in targets if target is not None and target != stay)


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
