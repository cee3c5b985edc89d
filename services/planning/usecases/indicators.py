"""The follow-up (uppföljning) as one reader may see it, and the closing of months for others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from services.planning.domain.measures import Aspect, Label, Terms
from services.planning.domain.small_groups import aspects_shown, block_ends, deviations_shown
from services.planning.indicator_terms import load_indicator_terms
from services.planning.repository import indicators as rows
from services.planning.repository.indicators import Asked, By, Party
from services.planning.statute import load_statute
from shared.dates import Month, local_date
from shared.db import Role, Work
from shared.errors import NotFound
from shared.http.auth import Caller
from shared.http.policies import REGION_OFFICES

__all__ = ["By", "DeviationsOfStep", "FollowUp", "Group", "NoticesTaken", "Tally", "close_month", "follow_up", "stays_of"]

CARE_TYPES: Final = ("somatic", "psychiatric")
_PARTY_ASPECTS: Final[dict[Party, Aspect]] = {"municipal": Aspect.MUNICIPAL_NOTICES, "outpatient": Aspect.OUTPATIENT_NOTICES}


@dataclass(slots=True)
class Tally:
    """Some stays, and the sums of their numbers; `called` = how many were called to a SIP after how many days."""

    stays: int = 0
    days: int = 0
    planned_days: int = 0
    days_before: int = 0
    days_after: int = 0
    called: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add other stays."""
        self.stays += other.stays
        self.days += other.days
        self.planned_days += other.planned_days
        self.days_before += other.days_before
        self.days_after += other.days_after
        for days, stays in other.called.items():
            self.called[days] = self.called.get(days, 0) + stays


@dataclass(slots=True)
class NoticesTaken:
    """How notices were taken on."""

    taken: int = 0
    late: int = 0
    still_open: int = 0
    overdue: int = 0
    minutes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DeviationsOfStep:
    """The deviations of one step of the chain."""

    reported: int = 0
    answered: int = 0
    minutes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """The stays of one key and care type, as a reader may see them. `hidden`: aspects that are kept back, in whole or for some months.

    Of others `periods` are the months told of; an aspect that may not be seen at all is not in `tallies`.
    """

    key: str
    name: str | None
    care_type: str
    own: bool
    periods: list[tuple[Month, Month]] = field(default_factory=list)
    stays: int | None = None
    waiting_now: int | None = None
    tallies: dict[Aspect, dict[Label, Tally]] = field(default_factory=dict)
    notices: NoticesTaken | None = None
    deviations: dict[str, DeviationsOfStep] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """All groups of an answer; notices count as overdue after so long."""

    groups: tuple[Group, ...]
    overdue_after: timedelta
    terms: Terms


async def follow_up(work: Work, caller: Caller, *, by: By, first: Month, last: Month, care_type: str | None) -> FollowUp:
    """The follow-up of a period. The region sees everything, a municipality everything of its own, the running month included.

    Of other municipalities it sees closed months only, by municipality only, and no small group. By hospital and care centre it sees its
    own patients: sums over all patients would tell, less what it knows itself, of others.

    Raises:
        NotFound: The caller is neither the region's office nor a municipality.

    Source:
        Domain rule 4.
    """
    reader = _reader(caller)
    await work.become(Role.AUDITOR)  # figures are made of everybody's stays
    party: Party = "outpatient" if by == "care_centre" else "municipal"
    own = await _groups(work, Asked(by, first, last, care_type, reader), party)
    groups = list(own.values())
    if reader is not None and by == "municipality":
        groups += await _others(work, Asked(by, first, last, care_type, reader, shown_to_others=True), party)
    await _name(work, groups)
    return FollowUp(
        tuple(sorted(groups, key=lambda one: (one.key, CARE_TYPES.index(one.care_type)))), _overdue_after(work), load_indicator_terms()
    )


def _reader(caller: Caller) -> str | None:
    if caller.role == "municipality" and caller.municipality is not None:
        return caller.municipality
    if caller.role in REGION_OFFICES:
        return None
    raise NotFound


def _overdue_after(work: Work) -> timedelta:
    return load_statute().at(work.at).acknowledge


@dataclass(slots=True)
class _Cell:
    """A block of a municipality and care type; of one's own everything is one cell."""

    tallies: dict[Aspect, dict[Label, Tally]] = field(default_factory=dict)
    notices: NoticesTaken = field(default_factory=NoticesTaken)
    deviations: dict[str, Any] = field(default_factory=dict)

    @property
    def stays(self) -> int:
        return sum(one.stays for one in self.tallies.get(Aspect.WAITING, {}).values())


async def _cells(work: Work, asked: Asked, party: Party) -> dict[rows.Key, _Cell]:
    cells: dict[rows.Key, _Cell] = {}
    for key, cell, care_type, aspect, label, called, stays, days, planned, before, after in await rows.tallies(work, asked):
        labels = cells.setdefault((key, cell, care_type), _Cell()).tallies.setdefault(Aspect(aspect), {})
        one = Tally(stays, days, planned, before, after, {} if called is None else {called: stays})
        labels.setdefault(Label(label), Tally()).add(one)
    for row in await rows.taken(work, asked, party, work.at - _overdue_after(work)):
        taken = NoticesTaken(int(row.taken), int(row.late), int(row.still_open), int(row.overdue))
        cells[row.key, row.cell, row.care_type].notices = taken
    for row in await rows.minutes(work, asked, party):
        cells[row.key, row.cell, row.care_type].notices.minutes = row.minutes
    for row in await rows.deviations(work, asked):
        cells[row.key, row.cell, row.care_type].deviations[row.step] = row
    return cells


async def _groups(work: Work, asked: Asked, party: Party) -> dict[tuple[str, str], Group]:
    """What a reader may see in full."""
    groups: dict[tuple[str, str], Group] = {}
    waiting = await rows.waiting(work, asked)
    cells = await _cells(work, asked, party)
    for key, care_type in {(key, care_type) for key, _, care_type in cells} | waiting.keys():
        group = Group(key, None, care_type, own=True, periods=[(asked.first, asked.last)], stays=0, notices=NoticesTaken())
        group.tallies = {aspect: {} for aspect in Aspect}
        group.waiting_now = waiting.get((key, care_type), 0)
        groups[key, care_type] = group
    for (key, _, care_type), cell in cells.items():
        _add(groups[key, care_type], cell, frozenset(Aspect), cell.deviations, party)
    return groups


async def _others(work: Work, asked: Asked, party: Party) -> list[Group]:
    """What may be seen of the other municipalities: each in the answer, whatever there is of it."""
    terms, ends = load_indicator_terms(), await rows.blocks(work)
    care_types = [asked.care_type] if asked.care_type else list(CARE_TYPES)
    others = sorted((await rows.names(work, ())).keys() - {asked.municipality})
    groups = {(key, care_type): Group(key, None, care_type, own=False) for key in others for care_type in care_types}
    for (key, cell, care_type), found in (await _cells(work, asked, party)).items():
        group = groups.get((key, care_type))
        if group is None or cell is None:
            continue
        classes = {aspect: {label: one.stays for label, one in labels.items()} for aspect, labels in found.tallies.items()}
        steps = {
            step: row
            for step, row in found.deviations.items()
            if deviations_shown(found.stays, row.concerned, row.concerned_answered, terms)
        }
        group.periods.append((Month.of(cell), Month.of(ends[key, cell])))
        group.hidden |= {f"deviations.{step}" for step in found.deviations.keys() - steps.keys()}
        _add(group, found, aspects_shown(classes, terms), steps, party)
    for group in groups.values():
        group.periods.sort()
    return list(groups.values())


def _add(group: Group, cell: _Cell, shown: frozenset[Aspect], steps: dict[str, Any], party: Party) -> None:
    """Add to a group what may be seen of a cell."""
    relevant = frozenset(Aspect) - (frozenset(_PARTY_ASPECTS.values()) - {_PARTY_ASPECTS[party]})
    group.stays = (group.stays or 0) + cell.stays
    group.hidden |= {aspect.value for aspect in relevant - shown}
    for aspect in relevant & shown:
        into = group.tallies.setdefault(aspect, {})
        for label, tally in cell.tallies.get(aspect, {}).items():
            into.setdefault(label, Tally()).add(tally)
    if _PARTY_ASPECTS[party] in shown:
        notices = group.notices = group.notices or NoticesTaken()
        notices.taken += cell.notices.taken
        notices.late += cell.notices.late
        notices.still_open += cell.notices.still_open
        notices.overdue += cell.notices.overdue
        notices.minutes += cell.notices.minutes
    for step, row in steps.items():
        of_step = group.deviations.setdefault(step, DeviationsOfStep())
        of_step.reported += row.reported
        of_step.answered += row.answered
        of_step.minutes += row.minutes or []


def _merge(into: Tally, other: Tally) -> None:
    into.stays += other.stays
    into.days += other.days
    into.planned_days += other.planned_days
    into.days_before += other.days_before
    into.days_after += other.days_after
    for days, stays in other.called.items():
        into.called[days] = into.called.get(days, 0) + stays


async def _name(work: Work, groups: Sequence[Group]) -> None:
    names = await rows.names(work, {group.key for group in groups})
    for group in groups:
        group.name = names.get(group.key)


async def close_month(work: Work) -> Month | None:
    """Close the next month that may be closed, so that others see it as it is now, and never otherwise; which one that was.

    Source:
        Domain rule 4: others see closed months only.
    """
    terms = load_indicator_terms()
    over = local_date(work.at) - timedelta(days=terms.closed_after_days)
    month = await rows.next_to_close(work, Month.of(over).previous.first, terms.unmoved_for)
    if month is None:
        return None
    await rows.close(work, month)
    ending: dict[Any, list[str]] = {}
    for municipality, months in (await rows.pending(work, month)).items():
        if block_ends(list(months.values()), terms):
            ending.setdefault(min(months), []).append(municipality)
    for first, municipalities in ending.items():
        await rows.add_blocks(work, first, month, sorted(municipalities))
    return Month.of(month)


def stays_of(tallies: dict[Label, Tally], labels: Iterable[Label]) -> int:
    """How many stays have one of these labels."""
    return sum(tallies[label].stays for label in labels if label in tallies)
