"""Two numbers of one person, said by a ward system: for the stays that are known, and for those that it tells of in the days after.

A merge is kept before any stay is looked for, and committed: of an admission and a merge that come at the same time, whichever commits last
finds the other, and both make the same event. What is there when an admission comes is taken in with it: its first notice goes to where the
patient lives, and does not name her where she is protected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.planning.adapters.hl7.adt import Translated
from services.planning.adapters.hl7.header import Header
from services.planning.adapters.hl7.known import Stated, StayKnown
from services.planning.adapters.hl7.merging import MERGE, Merge
from services.planning.adapters.hl7.message import Answered, Condition, NotTaken, Remark
from services.planning.domain.events import EventType, ward_of
from services.planning.domain.fold import CLOCK_TOLERANCE
from services.planning.repository import cases, stay_events
from services.planning.repository import merges as rows
from services.planning.usecases.adt import met_by, what_it_met
from services.planning.vault import person_vault
from shared.dates import format_instant, parse_instant
from shared.db import Role, Work
from shared.http.auth import Caller

MERGES_KEPT: Final = timedelta(days=14)
"""Longer than an interface stands still; not longer, for most merges are of patients who are none of ours."""
NOBODY_KNOWN: Final = Remark(
    "MRG-1",
    Condition.ACCEPTED,
    "hl7.person_unknown",
    f"No open stay of this person is known; the merge holds for one that is told of within {MERGES_KEPT.days} days",
)


async def keep_merge(work: Work, caller: Caller, merge: Merge, merged: tuple[str, str]) -> datetime:
    """Keep a merge for stays that are told of later; when it first came.

    Args:
        work: The transaction; it must end before stays are looked for.
        caller: The sender.
        merge: The merge.
        merged: The number that is merged into the person's own, and its kind.

    Raises:
        NotTaken: Another one came under the same name before.
    """
    row = rows.MergeRow(merge.header.event_id, merged, merge.said, parse_instant(merge.time))
    came_at = await rows.keep(work, caller, row)
    if came_at is None:
        raise NotTaken(Answered.ERROR, Remark("MSH-10", Condition.DUPLICATE_KEY, "event.id_reused"))
    return came_at


async def translate_merge(work: Work, caller: Caller, merge: Merge, merged: tuple[str, str], came_at: datetime) -> Translated:
    """What a merge means for every stay of the merged number, open then, that one of the caller's wards admitted.

    Args:
        work: The transaction; it only reads.
        caller: The sender.
        merge: The merge.
        merged: The number that is merged into the person's own, and its kind.
        came_at: When it first came.

    Raises:
        NotTaken: The person has no name, neither in the message nor known.
    """
    own = sorted({row.subject for row in await cases.by_person(work, caller, *merged)})
    await work.become(Role.INTAKE)
    met = [await what_it_met(work, caller, subject, merge.header) for subject in own]
    found = Translated([merge.of_stay(one.known) for one in met if _concerns(merge, came_at, one.known, caller)])
    if not found.events:
        found.remarks.append(NOBODY_KNOWN)
    return found


async def merges_that_waited(work: Work, caller: Caller, told: Translated, about_to_be: Sequence[Mapping[str, Any]] = ()) -> Translated:
    """What the caller's merges mean for the stays that it just told of, under all numbers that these have; nothing, mostly.

    Args:
        work: The transaction; it only reads.
        caller: The sender.
        told: What it told.
        about_to_be: What of that, and of what followed from it, is to be committed with what follows now; all else is.
    """
    numbers = {(str(event["subject"]), number) for event in told.events for number in _numbers(event, told.numbers)}
    if not numbers:
        return Translated()
    kept = await rows.of_numbers(work, caller, sorted({number for _, number in numbers}), work.at - MERGES_KEPT)
    await work.become(Role.INTAKE)
    found = Translated()
    stated = {subject: await stay_events.of_stay(work, caller, subject) for subject, _ in sorted(numbers)} if kept else {}
    for row, subject in [(row, subject) for row in kept for subject, number in sorted(numbers) if number == row.merged]:
        merge = _merge(row)
        coming = _coming(about_to_be, subject, stated[subject])
        if any(merge.header.named(one) for one in (*(one.event_id for one in stated[subject]), *(one["id"] for one in coming))):
            continue
        known = met_by(stated[subject], caller, merge.header, [Stated(one, work.at) for one in coming]).known
        if _concerns(merge, row.received_at, known, caller):
            found.events.append(merge.of_stay(known))
    return found


def _coming(events: Sequence[Mapping[str, Any]], subject: str, stated: Sequence[Any]) -> list[Mapping[str, Any]]:
    kept = {row.event_id for row in stated}
    return [event for event in events if event["subject"] == subject and event["id"] not in kept]


async def forget_merges(work: Work) -> int:
    """Remove the merges that were kept for as long as they are; how many."""
    return await rows.forget(work, work.at - MERGES_KEPT)


def _concerns(merge: Merge, came_at: datetime, stay: StayKnown, caller: Caller) -> bool:
    """Whether a merge is about the patient of a stay. Who is admitted and told of under a number only after that was merged may be somebody
    else: a reserve number is given to the next patient, or the merge was a mistake and was undone.
    """
    admission = stay.latest(EventType.ADMITTED)
    if admission is None or min(admission.time, admission.sent_at) > came_at + CLOCK_TOLERANCE or "withheld" in (stay.person or {}):
        return False
    return stay.open_at(parse_instant(merge.time)) and caller.acts_for(ward_of(admission.key.source))


def _numbers(event: Mapping[str, Any], known: Iterable[tuple[str, str]]) -> Iterator[str]:
    person = event["data"].get("person")
    for kind, number in [*known, *([] if person is None else [(person["type"], person["id"])])]:
        yield person_vault().stands_for(str(kind), str(number))


def _merge(row: Any) -> Merge:
    return Merge(Header(MERGE, row.message), format_instant(row.happened_at), row.person)
