"""The life of one notice in its mailbox, and who has taken it on (kvittera)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.errors import Refused


class NoticeStatus(StrEnum):
    """What became of a notice: fetched by a system, taken on by a named person, sent back, replaced, or taken back."""

    SENT = "sent"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


class NoticeTrigger(StrEnum):
    """What can be done with a notice."""

    FETCH = "fetch"
    ACKNOWLEDGE = "acknowledge"
    RETURN = "return"
    FORWARD = "forward"
    SUPERSEDE = "supersede"
    CANCEL = "cancel"


_S = NoticeStatus
_T = NoticeTrigger

NOTICE_TRANSITIONS: Final[dict[tuple[NoticeStatus, NoticeTrigger], NoticeStatus]] = {
    (_S.SENT, _T.FETCH): _S.DELIVERED,
    (_S.SENT, _T.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.SENT, _T.RETURN): _S.RETURNED,
    (_S.SENT, _T.FORWARD): _S.SENT,
    (_S.SENT, _T.SUPERSEDE): _S.SUPERSEDED,
    (_S.SENT, _T.CANCEL): _S.CANCELLED,
    (_S.DELIVERED, _T.FETCH): _S.DELIVERED,
    (_S.DELIVERED, _T.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.DELIVERED, _T.RETURN): _S.RETURNED,
    (_S.DELIVERED, _T.FORWARD): _S.DELIVERED,
    (_S.DELIVERED, _T.SUPERSEDE): _S.SUPERSEDED,
    (_S.DELIVERED, _T.CANCEL): _S.CANCELLED,
    (_S.ACKNOWLEDGED, _T.FETCH): _S.ACKNOWLEDGED,
    # Repeated by the person who did it; `acknowledge` refuses anybody else.
    (_S.ACKNOWLEDGED, _T.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    # Wrongly addressed is often seen only after somebody took the notice on.
    (_S.ACKNOWLEDGED, _T.RETURN): _S.RETURNED,
    (_S.ACKNOWLEDGED, _T.FORWARD): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _T.SUPERSEDE): _S.SUPERSEDED,
    (_S.ACKNOWLEDGED, _T.CANCEL): _S.CANCELLED,
    (_S.RETURNED, _T.FETCH): _S.RETURNED,
    (_S.RETURNED, _T.SUPERSEDE): _S.SUPERSEDED,
    (_S.RETURNED, _T.CANCEL): _S.CANCELLED,
    (_S.SUPERSEDED, _T.FETCH): _S.SUPERSEDED,
    # Who works through the mailbox in order meets the old notice before the new one. That somebody took it on is true and is kept;
    # the new notice still waits for its own acknowledgement.
    (_S.SUPERSEDED, _T.ACKNOWLEDGE): _S.SUPERSEDED,
    (_S.CANCELLED, _T.FETCH): _S.CANCELLED,
}
"""What is not here is refused."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A named person at the recipient took the notice on."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NoticeStanding:
    """Where a notice stands: its status, and its acknowledgement, which stays true whatever happens to the notice afterwards."""

    status: NoticeStatus
    acknowledgement: Acknowledgement | None = None


def move(standing: NoticeStanding, trigger: NoticeTrigger) -> NoticeStanding:
    """The standing of a notice after something was done with it.

    Raises:
        Refused: `notice.<status>`: a notice in this status does not allow it.
    """
    status = NOTICE_TRANSITIONS.get((standing.status, trigger))
    if status is None:
        raise Refused(f"notice.{standing.status}", f"The notice is {standing.status}, which does not allow: {trigger}.")
    return NoticeStanding(status, standing.acknowledgement)


def acknowledge(standing: NoticeStanding, by: str, at: datetime) -> NoticeStanding:
    """Record that a named person took the notice on; the same person doing it again changes nothing.

    Raises:
        Refused: `notice.returned`, `notice.cancelled`, or `notice.acknowledged_by_another`.
    """
    moved = move(standing, NoticeTrigger.ACKNOWLEDGE)
    if moved.acknowledgement is None:
        return NoticeStanding(moved.status, Acknowledgement(by, at))
    if moved.acknowledgement.by != by:
        raise Refused("notice.acknowledged_by_another", "The notice was acknowledged by another person.")
    return moved
