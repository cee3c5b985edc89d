"""The course of one stay: when it truly began, when the patient was ready, when it ended, and when each fact was sent."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from random import Random
from typing import Final

from dirigent.county.model import CareType
from dirigent.simulate.draws import geometric, happens, minutes, weighted, whole
from shared.dates import STOCKHOLM, Month

LONGEST_WAIT: Final = 45
LONG_FROM: Final = 8
OPEN_SHARE: Final = 0.08
NEVER_READY_SHARE: Final = 0.05
DEATH_SHARE: Final = 0.025
LATE_ADMISSION_NOTICE_SHARE: Final = 0.02
LATER_JUDGEMENT_SHARE: Final = 0.05
LATE_REPORT_SHARE: Final = 0.04
READY_TOLD_AFTERWARDS_SHARE: Final = 0.005
JUDGED_LATER_FROM: Final = 4  # days of care: the notice still comes before readiness
NOTICE_LATE_FROM: Final = 5
WEEKDAY_WEIGHTS: Final = (10, 10, 10, 10, 12, 3, 2)


class End(Enum):
    """How a stay ends."""

    DISCHARGED = "discharged"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True)
class Flow:
    """How fast a municipality takes its patients home: share of zero-day stays, mean further days, share of long stays."""

    zero_days: float
    mean_days: float
    long_stays: float


SWIFT: Final = Flow(0.68, 0.8, 0.03)
ORDINARY: Final = Flow(0.5, 1.2, 0.05)
STRAINED: Final = Flow(0.06, 5.0, 0.08)
FLOWS: Final = ((SWIFT, 55.0), (ORDINARY, 30.0), (STRAINED, 15.0))


@dataclass(frozen=True, slots=True)
class Moment:
    """Two clocks of one fact: when it happened and when it was sent; both Swedish wall-clock time."""

    at: datetime
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Course:
    """One stay from admission to end; what lies after the simulated month has not been sent yet and is cut away when written."""

    admitted: Moment
    judged_at: datetime | None
    planned: date | None
    ready: Moment | None
    end: Moment
    how: End

    @property
    def waiting_days(self) -> int:
        """Local dates from the day the ready notice was sent to the end; 0 when the patient was never ready."""
        return (self.end.at.date() - self.ready.sent_at.date()).days if self.ready else 0


def draw_course(random: Random, month: Month, flow: Flow, care_type: CareType) -> Course:
    """Draw a stay that ends in the month, or (some) after it; it may have begun in an earlier month."""
    ended = _end_day(random, month)
    waited = _waiting_days(random, flow, care_type)
    ready_day = ended - timedelta(days=waited)
    care_days = 1 + geometric(random, 14.0 if care_type == "psychiatric" else 5.0)
    admitted = at_clock(ready_day - timedelta(days=care_days), whole(random, 0, 23), whole(random, 0, 59))
    ready = None if happens(random, NEVER_READY_SHARE) else _ready(random, ready_day, waited)
    judged_at, notice = _admission_notice(random, admitted, care_days)
    end = _end(random, ended, ready)
    how = End.DECEASED if happens(random, DEATH_SHARE) else End.DISCHARGED
    planned = None if happens(random, 0.03) else ready_day + timedelta(days=whole(random, -1, 2))
    return Course(Moment(admitted, notice), judged_at, planned, ready, end, how)


def at_clock(day: date, hour: int, minute: int = 0) -> datetime:
    """A Swedish wall-clock time as an aware value; one that the spring change skips becomes the hour after."""
    return datetime.combine(day, time(hour, minute), STOCKHOLM).astimezone(UTC).astimezone(STOCKHOLM)


def later(moment: datetime, span: timedelta) -> datetime:
    """An instant later by a span of real time, in Swedish time: adding to the wall clock is an hour off when clocks change."""
    return (moment.astimezone(UTC) + span).astimezone(STOCKHOLM)


def _end_day(random: Random, month: Month) -> date:
    if happens(random, OPEN_SHARE):
        return month.next.first + timedelta(days=whole(random, 0, 20))
    days = [month.first + timedelta(days=offset) for offset in range((month.next.first - month.first).days)]
    return weighted(random, [(day, float(WEEKDAY_WEIGHTS[day.weekday()])) for day in days])


def _waiting_days(random: Random, flow: Flow, care_type: CareType) -> int:
    if happens(random, flow.zero_days):
        return 0
    if happens(random, flow.long_stays):
        return min(LONGEST_WAIT, LONG_FROM + geometric(random, 9.0))
    mean = flow.mean_days * (1.8 if care_type == "psychiatric" else 1.0)
    return 1 + geometric(random, mean) % (LONG_FROM - 1)


def _ready(random: Random, day: date, waited: int) -> Moment:
    judged = later(at_clock(day, 8), minutes(random, 30, 240 if waited == 0 else 540))
    if waited == 0 and happens(random, READY_TOLD_AFTERWARDS_SHARE / 0.5):
        return Moment(judged, later(judged, timedelta(days=1)))
    if waited > 1 and happens(random, LATE_REPORT_SHARE):
        return Moment(judged, at_clock(day + timedelta(days=1), whole(random, 7, 15)))
    return Moment(judged, later(judged, minutes(random, 1, 45)))


def _admission_notice(random: Random, admitted: datetime, care_days: int) -> tuple[datetime | None, datetime]:
    """When need was judged (None: at admission) and when the admission notice was sent: within 24 hours, but for some."""
    judged_at = (
        later(admitted, minutes(random, 20 * 60, 40 * 60))
        if care_days >= JUDGED_LATER_FROM and happens(random, LATER_JUDGEMENT_SHARE)
        else None
    )
    start = judged_at or admitted
    if care_days >= NOTICE_LATE_FROM and happens(random, LATE_ADMISSION_NOTICE_SHARE):
        return judged_at, later(start, minutes(random, 25 * 60, 50 * 60))
    return judged_at, later(start, minutes(random, 5, 6 * 60))


def _end(random: Random, day: date, ready: Moment | None) -> Moment:
    at = later(at_clock(day, 13), minutes(random, 0, 300))
    if ready is not None and ready.sent_at.date() == day and ready.sent_at >= at:
        at = later(ready.sent_at, timedelta(minutes=20))
    late = happens(random, LATE_REPORT_SHARE)
    return Moment(at, later(at, minutes(random, 12 * 60, 60 * 60) if late else minutes(random, 2, 90)))
