"""What lasts beside the way from admission to discharge: leaves from the ward, and the times outpatient care holds a discharge up."""

from collections.abc import Sequence
from typing import Final

from services.planning.domain.case import CaseStatus, Leave, OutpatientBlock
from services.planning.domain.events import BlockEnd, CaseEvent, EventType, StayKey, led_to, sent_order
from services.planning.domain.findings import Finding, FindingCode

Story = Sequence[tuple[CaseEvent, CaseStatus]]
"""The events that count, in fold order, each with the status it met."""

_IN_HOSPITAL: Final = frozenset({CaseStatus.ADMITTED, CaseStatus.PLANNING, CaseStatus.READY})


def leaves_of(story: Story, findings: list[Finding]) -> tuple[Leave, ...]:
    """Every leave in the order it began. Of two beginnings the one sent first stands; a return without a leave is only found."""
    leaves: list[Leave] = []
    for event, met in story:
        if met not in _IN_HOSPITAL:
            continue
        away = bool(leaves) and leaves[-1].end is None
        if event.type is EventType.LEAVE_STARTED and away:
            findings.append(Finding(FindingCode.LEAVE_TWICE, event.key))
            leaves[-1] = Leave(min(leaves[-1].start, event, key=sent_order))
        elif event.type is EventType.LEAVE_STARTED:
            leaves.append(Leave(event))
        elif event.type is EventType.LEAVE_ENDED and away:
            leaves[-1] = leaves[-1]._replace(end=event)
        elif event.type is EventType.LEAVE_ENDED:
            findings.append(Finding(FindingCode.LEAVE_NOT_STARTED, event.key))
    return tuple(leaves)


def blocks_of(story: Story, findings: list[Finding]) -> tuple[OutpatientBlock, ...]:
    """Every outpatient block in the order it began. Ward, care centre and municipality each state their own, side by side.

    An end belongs to the block of the same sender that lasts, else to the one that has lasted longest; it may come after the discharge.
    Of two beginnings by the same sender the one sent first stands.

    Source:
        Lag (2017:612) 5 kap. 5 §; domain rule 3.1.
    """
    blocks: list[OutpatientBlock] = []
    for event, met in story:
        if event.type is EventType.OUTPATIENT_BLOCK_STARTED and met in _IN_HOSPITAL:
            own = _lasting(blocks, event.key.source, others=False)
            if own is None:
                blocks.append(OutpatientBlock(event))
                continue
            findings.append(Finding(FindingCode.BLOCK_TWICE, event.key))
            blocks[own] = OutpatientBlock(min(blocks[own].start, event, key=sent_order))
        elif event.type is EventType.OUTPATIENT_BLOCK_ENDED and met not in {CaseStatus.AWAITING_ADMISSION, CaseStatus.CANCELLED}:
            ended = _lasting(blocks, event.key.source, others=True)
            if ended is None:
                findings.append(Finding(FindingCode.BLOCK_NOT_STARTED, event.key))
                continue
            blocks[ended] = blocks[ended]._replace(end=event)
            if isinstance(event.data, BlockEnd) and event.data.contested:
                findings.append(Finding(FindingCode.BLOCK_CONTESTED, event.key))
    return tuple(blocks)


def _lasting(blocks: Sequence[OutpatientBlock], source: str, *, others: bool) -> int | None:
    lasting = [place for place, block in enumerate(blocks) if block.end is None]
    own = [place for place in lasting if blocks[place].start.key.source == source]
    return next(iter(own or (lasting if others else ())), None)


def holder_of(events: Sequence[CaseEvent]) -> StayKey | None:
    """Where the last transfer to another id of the stay led; none when the stay never changed its id.

    Args:
        events: The events that count, in fold order.
    """
    led = [(event.stay, led_to(event)) for event in events if event.type is EventType.TRANSFERRED]
    return next((target for stay, target in reversed(led) if target != stay), None)
