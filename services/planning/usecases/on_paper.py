"""What the fold must know of outages: nothing, unless some notice of the case was given on paper."""

from collections.abc import Iterable

from services.planning.domain.events import CaseEvent
from services.planning.domain.outages import Outage
from services.planning.repository import outages as rows
from services.planning.statute import load_statute
from shared.db import Work


async def outages_for(work: Work, events: Iterable[CaseEvent]) -> tuple[Outage, ...]:
    """The outages that may explain the paper times of these events. Nothing is asked when there is none."""
    times = [event.paper.given_at for event in events if event.paper is not None]
    if not times:
        return ()
    found = await rows.counting(work, min(times), max(times))
    statute = load_statute()
    return tuple(Outage(row.since, row.until, statute.at(row.since).paper_stated, row.scope) for row in found)
