"""Reading the stories of locked cases whole: after a transfer two stays, each with a row and an id of its own, are one case.

Of the rows of one case the oldest leads: it has the case's id, view and parties, and the others point to it (`joined_to`). When a
transfer is cancelled or corrected the case is parted again, and every row gets back what is its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from services.planning.domain.events import UNSAID, CaseEvent, StayKey, Transfer, led_to
from services.planning.domain.joining import joined, led_from, persons_of, told_apart
from services.planning.repository import intake as rows
from services.planning.repository.sealing import opened_event
from services.planning.translation import case_event
from shared.db import Work
from shared.identifiers import provider_of, uuid7


@dataclass(slots=True)
class Story:
    """What a case is folded from: its version so far, its events, the notices sent of it. `history` = imported events only.

    `told_to`: who was concerned in it as it was written last. `members` are other cases that are this one; `absorbed`
    those of them that were not so before, with their versions; `regrouped` that the members are not those of before.
    """

    version: int = 0
    events: list[CaseEvent] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    history: bool = True
    stay: StayKey = UNSAID
    joined_to: UUID | None = None
    told_to: frozenset[str] = frozenset()
    members: tuple[UUID, ...] = ()
    absorbed: dict[UUID, int] = field(default_factory=dict)
    regrouped: bool = False

    def tell(self, event: CaseEvent, *, history: bool) -> None:
        """Add one event; the order does not matter."""
        self.events.append(event)
        self.history = self.history and history


async def read_stories(work: Work, cases: list[UUID]) -> dict[UUID, Story]:
    """The stories of locked cases, each by itself."""
    stories: dict[UUID, Story] = {}
    for row in await rows.read_events(work, cases):
        story = stories.get(row.case_id)
        if story is None:
            stay = StayKey(row.space, row.subject)
            story = Story(version=row.version, stay=stay, joined_to=row.joined_to, told_to=frozenset(row.parties))
            stories[row.case_id] = story
        if row.body is not None:
            event = case_event(opened_event(row.body), row.sent_at, row.space, by_command=row.by_command)
            story.tell(event, history=row.history)
    return stories


async def joined_stories(work: Work, stories: Mapping[UUID, Story]) -> dict[UUID, Story]:
    """The same stories, those that are one case joined into one; by every id that means it.

    Stays that become part of a case, or cease to be, are locked and read as well. Nothing is asked when there is no transfer.
    """
    known = dict(stories)
    await _note_spaces(work, known.values())
    if not any(story.joined_to is not None for story in known.values()) and not any(_links(known).values()):
        return known
    await _complete(work, known)
    ids = {story.stay: case_id for case_id, story in known.items()}
    persons = {story.stay: persons_of(story.events) for story in known.values()}
    for story in known.values():
        story.events[:] = [told_apart(event, persons[story.stay], persons) for event in story.events]
    links = _links(known)
    found: dict[UUID, Story] = {}
    for group in joined(links):
        members = sorted(ids[stay] for stay in group)
        story = _one(known, members)
        found |= dict.fromkeys(members, story)
    return found


def _links(stories: Mapping[UUID, Story]) -> dict[StayKey, frozenset[StayKey]]:
    return led_from({story.stay: story.events for story in stories.values()})


async def _note_spaces(work: Work, stories: Iterable[Story]) -> None:
    """Note in every transfer within what the receiving ward's stay ids are unique. Nothing is asked when there is none."""
    told = [(story, place, event.data) for story in stories for place, event in enumerate(story.events)]
    moved = [(story, place, data) for story, place, data in told if isinstance(data, Transfer)]
    if not moved:
        return
    spaces = await rows.spaces_of(work, sorted({data.to_unit for _, _, data in moved}))
    for story, place, data in moved:
        story.events[place] = replace(story.events[place], data=replace(data, to_space=spaces.get(data.to_unit)))


async def _complete(work: Work, known: dict[UUID, Story]) -> None:
    """Add every stay that transfers join to these, now or until now."""
    asked: set[UUID] = set()
    while True:
        links = _links(known)
        leaders = {story.joined_to for story in known.values() if story.joined_to is not None} - asked
        targets = sorted({target for led in links.values() for target in led} - links.keys())
        if not leaders and not targets:
            return
        asked |= leaders
        more = set(await rows.lock_members(work, sorted(leaders))) if leaders else set()
        if targets:
            providers = _providers(known.values())
            locked = await rows.lock_cases(work, targets, [providers[target] for target in targets], [uuid7() for _ in targets])
            more |= {*locked.made.values(), *locked.found.values()}
        further = await read_stories(work, sorted(more - known.keys()))
        await _note_spaces(work, further.values())
        known |= further


def _providers(stories: Iterable[Story]) -> dict[StayKey, str]:
    """The care provider of every stay that a transfer leads to."""
    moved = [(event, event.data) for story in stories for event in story.events if isinstance(event.data, Transfer)]
    return {target: provider_of(data.to_unit) for event, data in moved if (target := led_to(event)) is not None}


def _one(known: Mapping[UUID, Story], members: list[UUID]) -> Story:
    """One story of those of the members; the first leads."""
    leader, *others = members
    leading = known[leader]
    parts = [known[member] for member in members]
    was = {member for member, story in known.items() if story.joined_to is not None and story.joined_to == leading.joined_to} or {leader}
    return Story(
        version=leading.version,
        events=[event for part in parts for event in part.events],
        history=all(part.history for part in parts if part.events),
        stay=leading.stay,
        joined_to=leader if others else None,
        told_to=frozenset().union(*(part.told_to for part in parts)),
        members=tuple(others),
        absorbed={member: known[member].version for member in others if known[member].joined_to != leader},
        regrouped=was != set(members) or leading.joined_to not in {None, leader},
    )
