"""After a real move: until when the municipality that the patient left is still concerned."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.planning.domain.amendments import Amended
from services.planning.domain.events import CaseEvent, EventType, sent_order
from services.planning.domain.outages import Outage, on_paper

_OVER: Final = frozenset({EventType.DISCHARGED, EventType.DECEASED})
READINESS: Final = _OVER | {EventType.READY, EventType.READY_WITHDRAWN}
"""What decides, after a real move, whether the municipality that the patient left is still concerned."""


def decided_by(amended: Amended, instant: datetime, outages: Sequence[Outage]) -> datetime:
    """A municipality that the patient had left by then is liable under no rule, and so none to be told of her any longer.

    That is the ready notice that stands, for where she was registered then may be liable; while none does, the end of the stay, and while
    it lasts the present. Of the notices of one readiness the one sent first counts; a withdrawal after the end of the stay closes nothing.

    Args:
        amended: The events that counted at `instant`.
        instant: The present, as the replay has it.
        outages: They decide from when a ready notice counts that was given on paper.

    Source:
        Lag (2017:612) 5 kap. 2 §; domain rule 3.7, registered municipality changes during the stay.
    """
    notices: list[CaseEvent] = []
    ended_at: datetime | None = None
    for event in amended.events:
        if event.type is EventType.READY:
            notices.append(event)
        elif event.type is EventType.READY_WITHDRAWN and ended_at is None:
            notices.clear()
        elif event.type in _OVER:
            ended_at = ended_at or event.time
    if notices:
        return on_paper(notices, outages).counts_from(min(notices, key=sent_order).sent_at)
    return ended_at or instant
