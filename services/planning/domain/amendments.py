"""Corrections and cancellations: which of the events of a case count, and as what.

Three rules. A correction has the type of its original and takes its place, but keeps its sent time; of several the one sent latest
counts. A cancellation takes away an event with all its corrections. Both wait for an event that is not here yet.

A cancellation may itself be cancelled, or corrected (which takes it away and cancels something else), by one sent later.

Both act only among the events of one sender about one stay, by the sender's own id of it: so what a transfer joins or a cancelled
transfer parts never decides whether that transfer stands, and nobody corrects or cancels what another ward stated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.planning.domain.events import (
    Cancellation,
    CaseEvent,
    EventKey,
    EventType,
    PaperTime,
    StayKey,
    fold_order,
    sent_order,
    ward_of,
)
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.holding import Held, same_hands


@dataclass(frozen=True, slots=True)
class Amended:
    """The events of a case after corrections and cancellations.

    `events` are those that count, in fold order, under the key and sent time of their originals; `versions` holds, for each corrected one,
    the original and its corrections as they were sent; `cancelled_admissions` the admissions that were taken away, in sent order.
    """

    events: tuple[CaseEvent, ...]
    versions: Mapping[EventKey, tuple[CaseEvent, ...]]
    cancelled_admissions: tuple[CaseEvent, ...] = ()
    findings: tuple[Finding, ...] = ()


def amend(events: Iterable[CaseEvent]) -> Amended:
    """Apply corrections and cancellations, whatever order the events came in and however often."""
    known = {event.key: event for event in events}
    if not any(event.corrects is not None or event.type is EventType.EVENT_CANCELLED for event in known.values()):
        return Amended(tuple(sorted(known.values(), key=fold_order)), {})
    findings: list[Finding] = []
    cancelled: set[EventKey] = set()
    versions: dict[EventKey, tuple[CaseEvent, ...]] = {}
    for of_one_stay in _by_stay(known):
        gone = _cancelled(of_one_stay, findings)
        versions |= _versions(of_one_stay, gone, findings)
        cancelled |= gone & of_one_stay.keys()
    originals = [event for event in known.values() if event.corrects is None and event.type is not EventType.EVENT_CANCELLED]
    counted = [_corrected(event, versions.get(event.key)) for event in originals if event.key not in cancelled]
    taken_away = [event for event in originals if event.key in cancelled and event.type is EventType.ADMITTED]
    return Amended(
        events=tuple(sorted(counted, key=fold_order)),
        versions=versions,
        cancelled_admissions=tuple(sorted(taken_away, key=sent_order)),
        findings=tuple(sorted(findings)),
    )


def standing_admission(amended: Amended) -> CaseEvent | None:
    """The admission that counts: of several the one sent first, because a change of it is stated with a correction.

    That it was sent first is ours to say (only who imports history says it itself), so no ward comes first by the times that it states.
    Where nobody declared that two wards share their stay ids, the one that was the first to admit goes before the other, also when it took
    that admission away and admits anew. Only while none of its own stands does the other's count, for its notices must go out.
    """
    admissions = [event for event in amended.events if event.type is EventType.ADMITTED]
    if len(admissions) < 2:  # noqa: PLR2004  # several
        return next(iter(admissions), None)
    first = min((*admissions, *amended.cancelled_admissions), key=sent_order)
    held = Held(first.stay, ward_of(first.key.source))
    return min(admissions, key=lambda event: (event.stay == first.stay and not same_hands(event, held), *sent_order(event)))


def _by_stay(known: Mapping[EventKey, CaseEvent]) -> Iterable[Mapping[EventKey, CaseEvent]]:
    """The events of each stay, as its sender calls it."""
    stays: dict[StayKey, dict[EventKey, CaseEvent]] = {}
    for key, event in known.items():
        stays.setdefault(event.stay, {})[key] = event
    return stays.values()


def _cancelled(known: Mapping[EventKey, CaseEvent], findings: list[Finding]) -> frozenset[EventKey]:
    """The keys that cancellations name, latest cancellation first, so that a cancelled cancellation takes nothing away."""
    cancelled: set[EventKey] = set()
    for event in sorted(known.values(), key=sent_order, reverse=True):
        if not isinstance(event.data, Cancellation) or event.key in cancelled:
            continue
        for name, waits in ((event.data.event, FindingCode.CANCELLATION_WAITS), (event.corrects, FindingCode.CORRECTION_WAITS)):
            if name is None:
                continue
            target = EventKey(event.key.source, name)
            cancelled.add(target)
            if target not in known:
                findings.append(Finding(waits, event.key))
    return frozenset(cancelled)


def _versions(
    known: Mapping[EventKey, CaseEvent], cancelled: frozenset[EventKey], findings: list[Finding]
) -> dict[EventKey, tuple[CaseEvent, ...]]:
    """For each corrected original: itself and the corrections that stand, in the order they were sent."""
    corrections: dict[EventKey, list[CaseEvent]] = {}
    for event in known.values():
        if event.corrects is None or event.type is EventType.EVENT_CANCELLED:
            continue
        chain = _chain(event, known)
        original = chain[-1]
        if not cancelled.isdisjoint(link.key for link in chain):
            continue
        if original.corrects is not None:
            in_circle = EventKey(original.key.source, original.corrects) in known
            findings.append(Finding(FindingCode.CORRECTION_IN_CIRCLE if in_circle else FindingCode.CORRECTION_WAITS, event.key))
        elif original.type is not event.type:
            findings.append(Finding(FindingCode.CORRECTION_TYPE_DIFFERS, event.key))
        else:
            corrections.setdefault(original.key, []).append(event)
    return {key: (known[key], *sorted(found, key=sent_order)) for key, found in corrections.items()}


def _chain(event: CaseEvent, known: Mapping[EventKey, CaseEvent]) -> list[CaseEvent]:
    """The correction, what it corrects, what that corrects … as far as it is known and not in a circle."""
    chain = [event]
    while chain[-1].corrects is not None:
        target = known.get(EventKey(chain[-1].key.source, chain[-1].corrects))
        if target is None or target in chain:
            break
        chain.append(target)
    return chain


def _corrected(original: CaseEvent, versions: tuple[CaseEvent, ...] | None) -> CaseEvent:
    if versions is None:
        return original
    last = versions[-1]
    return replace(original, time=last.time, data=last.data, paper=_paper(versions), by_command=last.by_command)


def _paper(versions: tuple[CaseEvent, ...]) -> PaperTime | None:
    """The paper time as last stated, since it has been stated so: repeating it in a later correction does not state it anew."""
    first = versions[-1].paper
    for earlier in reversed(versions):
        if first is None or earlier.paper is None or earlier.paper.given_at != first.given_at:
            break
        first = earlier.paper
    return first
