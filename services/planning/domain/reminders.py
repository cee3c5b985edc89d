"""When somebody is reminded of a duty. Reminders may look at who is on duty; deadlines never do."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from services.planning.domain.duty_rules import Duty
from services.planning.domain.limits import Statute


class Step(StrEnum):
    """What a reminder says: it came in outside the unit's hours, its time is nearly over, or its time is over."""

    CAME_IN = "came_in"
    SOON_DUE = "soon_due"
    OVERDUE = "overdue"


class Reminder(NamedTuple):
    """One step of one duty, and when it is taken."""

    duty: Duty
    step: Step
    at: datetime


def reminders(duties: Iterable[Duty], statute: Statute, *, imported_until: datetime | None) -> tuple[Reminder, ...]:
    """Every reminder that open duties call for, earlier steps first. What was imported as history reminds nobody.

    Args:
        duties: The open duties of one case.
        statute: When the first reminder comes before a deadline.
        imported_until: Until when what is known of the case was imported; none when nothing was.

    Source:
        Lag (2017:612) 2 kap. 5-6 §§, 4 kap. 2-3 §§; when to remind is our default.
    """
    live = (duty for duty in duties if imported_until is None or duty.since > imported_until)
    return tuple(sorted((reminder for duty in live for reminder in _steps(duty, statute)), key=lambda one: (one.at, one.duty.key)))


def _steps(duty: Duty, statute: Statute) -> Iterator[Reminder]:
    if duty.mailbox is None:
        return
    if duty.at_once:
        yield Reminder(duty, Step.CAME_IN, duty.since)
    if duty.by is None:
        return
    soon = duty.by - statute.at(duty.by).remind_before
    if soon > duty.since:
        yield Reminder(duty, Step.SOON_DUE, soon)
    yield Reminder(duty, Step.OVERDUE, duty.late_from or duty.by)
