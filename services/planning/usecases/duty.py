"""Who reads a mailbox now: its duty calendar, and the mailbox that takes over outside its hours."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from services.planning.domain.duty_calendar import END_OF_DAY, WEEKDAYS, DutyCalendar, Hours, reader_of
from services.planning.holidays import load_holidays
from services.planning.repository import register as rows
from shared.db import Work


async def duty_calendar(work: Work, mailbox: UUID) -> DutyCalendar | None:
    """The duty calendar of a mailbox; none when it is read at all times, as far as anybody said."""
    found = await rows.calendar_of(work, mailbox)
    if found is None:
        return None
    closed = frozenset(date.fromisoformat(day) for day in found.closed)
    return DutyCalendar(_weekly(found.weekly), closed, found.holidays_closed, found.outside)


async def reading_mailbox(work: Work, mailbox: UUID, at: datetime) -> UUID:
    """The mailbox that somebody reads at this instant in place of another one (jour); itself while it is attended."""
    return reader_of(mailbox, await duty_calendar(work, mailbox), at, load_holidays())


def _weekly(told: Mapping[str, Any]) -> tuple[tuple[Hours, ...], ...]:
    return tuple(tuple(Hours(time.fromisoformat(one["start"]), _end(one["end"])) for one in told[day]) for day in WEEKDAYS)


def _end(told: str) -> time:
    return END_OF_DAY if told == "24:00" else time.fromisoformat(told)
