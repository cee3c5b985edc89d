"""Which ward holds the patient, by the events that say so: her admission and the transfers of whoever holds her then.

A stay's id is unique within a stay space. Where that is a declared one (a record system that the wards share), any of its wards may speak
of the stay. Where nobody declared one it is the whole care provider, and the id alone proves nothing: another ward of the provider may
have mistyped it, or guessed. So there a transfer counts only by the ward that holds her.

Every answer follows from the events alone, in their fold order, never from the order they came in.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.planning.domain.events import CaseEvent, EventType, StayKey, Transfer, led_to, sent_order, ward_of
from shared.identifiers import provider_of


class Held(NamedTuple):
    """Where the patient is: which ward has her, and what that ward calls the stay."""

    stay: StayKey
    ward: str


class Holding(NamedTuple):
    """The way of the patient: `held` everywhere she was, in the order of it, and the `moves` from each to the next."""

    held: tuple[Held, ...]
    moves: tuple[CaseEvent, ...]


def same_hands(event: CaseEvent, held: Held) -> bool:
    """Whether an event is by the ward that holds the patient, or by one that shares its declared stay space.

    Source:
        Domain rule 2, transfer between wards or hospitals; the case key is the care provider and the sender's own id of the stay.
    """
    return ward_of(event.key.source) == held.ward or _shares_space(event, held)


def _shares_space(event: CaseEvent, held: Held) -> bool:
    """Both wards must have declared the space: the number of a care provider is no declaration, whoever enters it."""
    space = event.stay.space
    return space == held.stay.space and space not in {provider_of(ward_of(event.key.source)), provider_of(held.ward)}


def begun_by(counted: Sequence[CaseEvent], admission: CaseEvent | None) -> Held | None:
    """Who held the patient first: the ward of the admission, and while none is known the ward that was the first to say anything."""
    first = admission or min(counted, key=sent_order, default=None)
    return None if first is None else Held(first.stay, ward_of(first.key.source))


def led_by(event: CaseEvent) -> Held | None:
    """Where a transfer leads; none when the event is no transfer."""
    return Held(led_to(event) or event.stay, event.data.to_unit) if isinstance(event.data, Transfer) else None


def holding_of(counted: Sequence[CaseEvent], admission: CaseEvent | None) -> Holding:
    """Where the patient was, by the transfers of the ward that held her then, by its id of the stay: nobody else moves her on.

    Args:
        counted: The events that count, in fold order.
        admission: The admission that stands; none while it is not known.

    Source:
        Domain rule 2, transfer between wards or hospitals: the same case.
    """
    first = begun_by(counted, admission)
    if first is None:
        return Holding((), ())
    held, moves = [first], []
    for event in counted:
        led = led_by(event)
        if led is not None and event.stay == held[-1].stay and same_hands(event, held[-1]):
            moves.append(event)
            held.append(led)
    return Holding(tuple(held), tuple(moves))


def by_others(counted: Sequence[CaseEvent], holding: Holding) -> tuple[CaseEvent, ...]:
    """The events that were stated neither by the ward that held the patient then nor by one that she came to later.

    A ward that receives a patient often speaks before the one that sends her has told of the transfer, so that is no fault.

    Args:
        counted: The events that count, in fold order.
        holding: Where the patient was.
    """
    found, since = [], list(holding.held)
    moves = {event.key for event in holding.moves}
    for event in counted:
        if event.key in moves:
            del since[0]
        elif not any(same_hands(event, one) for one in since) and not any(_shares_space(event, one) for one in holding.held):
            found.append(event)
    return tuple(found)


def is_stranger(event: CaseEvent, held: Iterable[Held]) -> bool:
    """Whether an event is by a ward that never held the patient and shares no declared stay space with one that did."""
    return not any(same_hands(event, one) for one in held)


def links_of(stays: Mapping[StayKey, tuple[Sequence[CaseEvent], CaseEvent | None]]) -> dict[StayKey, frozenset[StayKey]]:
    """Where the transfers of each stay lead that count, by who may have held its patient: its admission's ward, and whom she was led to.

    Args:
        stays: For each id the events that count, in fold order, and its own admission.
    """
    waiting: dict[StayKey, dict[str, list[CaseEvent]]] = {}
    for event in (event for counted, _ in stays.values() for event in counted if event.type is EventType.TRANSFERRED):
        waiting.setdefault(event.stay, {}).setdefault(ward_of(event.key.source), []).append(event)
    links: dict[StayKey, set[StayKey]] = {stay: set() for stay in stays}
    may = [held for told in stays.values() if (held := begun_by(*told)) is not None]
    while may:  # each ward's transfers of a stay are taken once, so that a long way costs no more than it is long
        held = may.pop()
        for event in _taken(waiting.get(held.stay, {}), held):
            led = led_by(event)
            if led is None:
                continue
            may.append(led)
            if led.stay != event.stay:
                links[event.stay].add(led.stay)
    return {stay: frozenset(targets) for stay, targets in links.items()}


def _taken(waiting: dict[str, list[CaseEvent]], held: Held) -> list[CaseEvent]:
    """The transfers of one stay that count because this ward may hold its patient; they wait no longer."""
    alone = held.stay.space == provider_of(held.ward)
    wards = [held.ward] if alone else [ward for ward, transfers in waiting.items() if same_hands(transfers[0], held)]
    return [event for ward in wards for event in waiting.pop(ward, ())]
