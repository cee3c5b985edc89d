"""What a party is told beside the way from admission to discharge: transfers, leaves, outpatient blocks, what the patient declined."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.planning.domain.case import CaseState
from services.planning.domain.events import BlockEnd, BlockStart, CaseEvent, Declination, EventKey, LeaveStart, Transfer, ward_of
from shared.dates import format_instant

Content = Mapping[str, str | bool | Sequence[str] | None]


class Aside(NamedTuple):
    """One thing to tell: which event says it, when it is sent, and the words."""

    event: EventKey
    sent_at: datetime
    content: Content


def transfers_told(state: CaseState, since: datetime) -> Iterator[Aside]:
    """Every transfer that was stated while the recipient was a party, and always the last one: it says where the patient is."""
    for event in state.transfers:
        if isinstance(event.data, Transfer) and (event.sent_at >= since or event is state.transfers[-1]):
            to_unit = event.data.to_unit
            told = {"transferred_at": format_instant(event.time), "from_unit": ward_of(event.key.source), "to_unit": to_unit}
            yield Aside(event.key, max(event.sent_at, since), told)


def leaves_told(state: CaseState, since: datetime) -> Iterator[Aside]:
    """Every leave and return, but not a leave that was over when the recipient became a party."""
    for leave in state.leaves:
        if _over(leave.end, since):
            continue
        start = leave.start
        expected = start.data.expected_back_at if isinstance(start.data, LeaveStart) else None
        told = {
            "leave": "started",
            "at": format_instant(start.time),
            "expected_back_at": None if expected is None else format_instant(expected),
        }
        yield Aside(start.key, max(start.sent_at, since), told)
        if leave.end is not None:
            yield Aside(leave.end.key, leave.end.sent_at, {"leave": "ended", "at": format_instant(leave.end.time)})


def blocks_told(state: CaseState, since: datetime) -> Iterator[Aside]:
    """Every outpatient block and its end, with who stated it; not one that was over when the recipient became a party."""
    for block in state.blocks:
        if _over(block.end, since):
            continue
        kind = block.start.data.kind if isinstance(block.start.data, BlockStart) else None
        yield _block(block.start, since, {"block": "started", "kind": kind})
        if block.end is not None:
            contested = isinstance(block.end.data, BlockEnd) and block.end.data.contested
            yield _block(block.end, since, {"block": "ended", "contested": contested})


def declines_told(state: CaseState, since: datetime) -> Iterator[Aside]:
    """Every statement that stands of what the patient declined: what is planned, and who pays for the waiting, may hang on it."""
    for declined in state.declined:
        event, data = declined.event, declined.event.data
        if isinstance(data, Declination) and not declined.withdrawn:
            said = {"declined_at": format_instant(event.time), "stated_by": ward_of(event.key.source)}
            yield Aside(event.key, max(event.sent_at, since), {"measures": sorted(data.measures), **said})


def _block(event: CaseEvent, since: datetime, said: Content) -> Aside:
    who = {"at": format_instant(event.time), "stated_by": ward_of(event.key.source)}
    return Aside(event.key, max(event.sent_at, since), {**said, **who})


def _over(end: CaseEvent | None, since: datetime) -> bool:
    return end is not None and end.sent_at < since
