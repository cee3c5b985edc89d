"""What parties state of a stay with commands, and may take back: measures the patient declined, a SIP requirement they contest."""

from collections.abc import Sequence
from typing import Final

from services.planning.domain.case import Declined
from services.planning.domain.events import CaseEvent, EventType, SipContest, sent_order

BY_COMMAND: Final = frozenset(
    {
        EventType.OUTPATIENT_BLOCK_STARTED,
        EventType.OUTPATIENT_BLOCK_ENDED,
        EventType.MUNICIPALITY_PLACED,
        EventType.MEASURES_DECLINED,
        EventType.SIP_CONTESTED,
    }
)
"""What can be stated with a command, and so be withdrawn with one."""


def declined_of(known: Sequence[CaseEvent], counted: Sequence[CaseEvent]) -> tuple[Declined, ...]:
    """Every statement that the patient declined measures, in sent order; those withdrawn too, for who learnt of them must learn that.

    Args:
        known: Every event of the case.
        counted: Those that count.

    Source:
        Domain rule 3.7, patient declines municipal measures.
    """
    standing = {event.key for event in counted}
    stated = (event for event in known if event.type is EventType.MEASURES_DECLINED and event.corrects is None)
    return tuple(Declined(event, event.key not in standing) for event in sorted(stated, key=sent_order))


def contests_of(counted: Sequence[CaseEvent]) -> tuple[CaseEvent, ...]:
    """Of each unit its latest word on whether a SIP is rightly held to be required, where that contests it.

    Source:
        Lag (2017:612) 4 kap. 1 §; domain rule 2: ward and municipality may each contest it.
    """
    latest: dict[str, CaseEvent] = {}
    for event in sorted((one for one in counted if one.type is EventType.SIP_CONTESTED), key=sent_order):
        latest[event.key.source] = event
    return tuple(event for event in latest.values() if isinstance(event.data, SipContest) and event.data.contested)
