"""What one stay contributes to the follow-up (domain rule 4): a label in each aspect, and the numbers beside it; no person.

Every aspect divides the same stays into classes that do not overlap, so that one is a share of the others, and a class that is too small to
be shown can be told from the counts alone. Defined in words in docs/indicators.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.planning.domain.limits import Statute, acknowledgement_due, admission_notice_is_late, sip_invitation_late_from
from shared.dates import local_date


@dataclass(frozen=True, slots=True)
class Terms:
    """What the follow-up counts with; the values stand in a data file."""

    readmission_days: int
    long_wait_over: int
    smallest_group: int
    closed_after_days: int
    unmoved_for: timedelta


class Aspect(StrEnum):
    """What is asked of every stay; each has a column of labels."""

    WAITING = "waiting"
    ADMISSION_NOTICE = "admission_notice"
    NOTICE_ORDER = "notice_order"
    CARE_CONTACT = "care_contact"
    SIP_CALLED = "sip_called"
    SIP_HELD = "sip_held"
    READY_FROM = "ready_from"
    PLANNED = "planned"
    OUTCOME = "outcome"
    MUNICIPAL_NOTICES = "municipal_notices"
    OUTPATIENT_NOTICES = "outpatient_notices"


class Label(StrEnum):
    """The classes of all aspects. The first ones say why an aspect does not ask of a stay, and mean the same in each."""

    DECEASED = "deceased"
    NOT_READY = "not_ready"
    NOT_CONCERNED = "not_concerned"
    NOT_REQUIRED = "not_required"
    STILL_THERE = "still_there"
    STILL_WAITING = "still_waiting"
    ZERO_DAYS = "zero_days"
    SOME_DAYS = "some_days"
    LONG = "long"
    IN_TIME = "in_time"
    LATE = "late"
    MISSING = "missing"
    BEFORE = "before"
    ON_THE_DAY = "on_the_day"
    AFTER = "after"
    NOT_CALLED = "not_called"
    NOT_HELD = "not_held"
    HELD = "held"
    HELD_BY_VIDEO = "held_by_video"
    ANSWERED = "answered"
    NOT_ANSWERED = "not_answered"
    READMITTED = "readmitted"
    NOT_READMITTED = "not_readmitted"
    NO_NOTICE = "no_notice"
    OPEN = "open"


_L = Label


@dataclass(frozen=True, slots=True)
class ReadySpan:
    """One readiness as told to the municipality: when its notice was sent, and when it was withdrawn, if it was."""

    sent_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StayTold:
    """One stay as the fact `stay.changed` tells it, as far as the follow-up asks."""

    care_type: str
    ward: str
    municipality: str | None = None
    need_judged_at: datetime | None = None
    admission_notice_sent_at: datetime | None = None
    ready: tuple[ReadySpan, ...] = ()
    sip_required: bool = False
    discharged_at: datetime | None = None
    deceased_at: datetime | None = None

    @property
    def died(self) -> bool:
        """Whether death ended the stay; a discharge written at the moment of death changes nothing."""
        return self.deceased_at is not None and (self.discharged_at is None or self.deceased_at <= self.discharged_at)

    @property
    def ended_at(self) -> datetime | None:
        """When inpatient care ended; none while the patient is there."""
        return self.deceased_at if self.died else self.discharged_at

    @property
    def ended_on(self) -> date | None:
        """Local date inpatient care ended."""
        return None if self.ended_at is None else local_date(self.ended_at)


@dataclass(frozen=True, slots=True)
class NoticeTaken:
    """A notice that a named person is expected to take on, and when one did."""

    sent_at: datetime
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """A deviation: the step of the chain that failed, and how long it took to answer it, none while it is open."""

    step: str
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What else planning knows of the case of a stay."""

    outpatient_unit: str | None = None
    planned_date: date | None = None
    care_contact_at: datetime | None = None
    called_at: datetime | None = None
    sip_refused: bool = False
    held_at: datetime | None = None
    held_by_video: bool = False
    ready_from: datetime | None = None
    next_admitted_at: datetime | None = None
    municipal_notices: tuple[NoticeTaken, ...] = ()
    outpatient_notices: tuple[NoticeTaken, ...] = ()
    deviations: tuple[Handled, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """How the notices to one party of a stay were taken on: minutes until each one was, how many too late, and since when others wait."""

    label: Label
    minutes: tuple[int, ...] = ()
    late: int = 0
    open_since: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """What one stay contributes. A stay that has not ended has only its place in `waiting`, and counts in no period."""

    labels: dict[Aspect, Label]
    ended_on: date | None = None
    days: int | None = None
    called_after_days: int | None = None
    planned_days: int | None = None
    days_before: int | None = None
    days_after: int | None = None
    municipal: Taken = Taken(_L.NO_NOTICE)
    outpatient: Taken = Taken(_L.NO_NOTICE)


def counted_ready(stay: StayTold) -> ReadySpan | None:
    """The readiness that the clock of a stay runs from: the last one that was not withdrawn, and whose notice was sent before it ended.

    Source:
        Domain rule 3.2; switch withdrawn_readiness, default: as billing counts.
    """
    ended_on = stay.ended_on
    standing = [one for one in stay.ready if one.withdrawn_at is None and (ended_on is None or local_date(one.sent_at) <= ended_on)]
    return standing[-1] if standing else None


def days_ready(stay: StayTold) -> int | None:
    """The days a stay waited as ready: from the date its ready notice was sent to the date it ended, both local; none if it was not ready.

    Source:
        Domain rule 3.2: calendar days, the day of discharge not counted; as billing counts.
    """
    ready, ended_on = counted_ready(stay), stay.ended_on
    return None if ready is None or ended_on is None else (ended_on - local_date(ready.sent_at)).days


def measure(stay: StayTold, beside: Beside, statute: Statute, terms: Terms) -> Measures:
    """What one stay contributes to the follow-up.

    Source:
        Domain rule 4.
    """
    ended_on, ready, days = stay.ended_on, counted_ready(stay), days_ready(stay)
    if ended_on is None:
        return Measures({Aspect.WAITING: _L.STILL_THERE if ready is None else _L.STILL_WAITING})
    why_not = _L.DECEASED if stay.died else _L.NOT_READY if ready is None else None
    # A meeting that was held was called, however.
    called_at = beside.called_at or beside.held_at
    municipal, outpatient = _taken(beside.municipal_notices, statute), _taken(beside.outpatient_notices, statute)
    labels = {
        Aspect.WAITING: why_not or _waiting(days or 0, terms),
        Aspect.ADMISSION_NOTICE: _admission_notice(stay, statute),
        Aspect.NOTICE_ORDER: why_not or _notice_order(stay),
        Aspect.CARE_CONTACT: _L.DECEASED if stay.died else _care_contact(stay, beside),
        Aspect.SIP_CALLED: why_not or _sip_called(stay, called_at, ready, statute, refused=beside.sip_refused),
        Aspect.SIP_HELD: why_not or _sip_held(stay, called_at, beside),
        Aspect.READY_FROM: why_not or _ready_from(stay, beside),
        Aspect.PLANNED: _L.DECEASED if stay.died else _planned(ended_on, beside.planned_date),
        Aspect.OUTCOME: _L.DECEASED if stay.died else _outcome(ended_on, beside.next_admitted_at, terms),
        Aspect.MUNICIPAL_NOTICES: municipal.label,
        Aspect.OUTPATIENT_NOTICES: outpatient.label,
    }
    called = labels[Aspect.SIP_CALLED] in {_L.IN_TIME, _L.LATE} and called_at is not None and ready is not None
    before = _days_before(ready, ended_on, beside) if labels[Aspect.READY_FROM] is _L.ANSWERED else None
    return Measures(
        labels,
        ended_on=ended_on,
        days=None if why_not else days,
        called_after_days=max(0, (local_date(called_at) - local_date(ready.sent_at)).days) if called and called_at and ready else None,
        planned_days=None if stay.died or beside.planned_date is None else (ended_on - beside.planned_date).days,
        days_before=before,
        days_after=None if before is None else (days or 0) - before,
        municipal=municipal,
        outpatient=outpatient,
    )


def _waiting(days: int, terms: Terms) -> Label:
    if days > terms.long_wait_over:
        return _L.LONG
    return _L.SOME_DAYS if days else _L.ZERO_DAYS


def _admission_notice(stay: StayTold, statute: Statute) -> Label:
    """Whether N1 reached the municipality within 24 hours of the admission, or of the judgement when that came later (2 kap. 1–3 §§)."""
    if stay.municipality is None or stay.need_judged_at is None:
        return _L.NOT_CONCERNED
    if stay.admission_notice_sent_at is None:
        return _L.MISSING
    return _L.LATE if admission_notice_is_late(stay.admission_notice_sent_at, stay.need_judged_at, None, statute) else _L.IN_TIME


def _notice_order(stay: StayTold) -> Label:
    """Whether the municipality had an N1 before its first N5."""
    if stay.municipality is None:
        return _L.NOT_CONCERNED
    if stay.admission_notice_sent_at is None:
        return _L.MISSING
    return _L.BEFORE if stay.admission_notice_sent_at < min(one.sent_at for one in stay.ready) else _L.AFTER


def _care_contact(stay: StayTold, beside: Beside) -> Label:
    if beside.outpatient_unit is None:
        return _L.NOT_CONCERNED
    if beside.care_contact_at is None or stay.ended_at is None:
        return _L.MISSING
    return _L.BEFORE if beside.care_contact_at <= stay.ended_at else _L.AFTER


def _sip_called(stay: StayTold, called_at: datetime | None, ready: ReadySpan | None, statute: Statute, *, refused: bool) -> Label:
    """Whether the call to SIP was in time; nobody is to be called to a plan that the patient does not want."""
    if not stay.sip_required or ready is None:
        return _L.NOT_REQUIRED
    if called_at is None:
        return _L.NOT_REQUIRED if refused else _L.NOT_CALLED
    return _L.IN_TIME if called_at < sip_invitation_late_from(ready.sent_at, statute) else _L.LATE


def _sip_held(stay: StayTold, called_at: datetime | None, beside: Beside) -> Label:
    if not stay.sip_required:
        return _L.NOT_REQUIRED
    if beside.held_at is not None:
        return _L.HELD_BY_VIDEO if beside.held_by_video else _L.HELD
    if beside.sip_refused:
        return _L.NOT_REQUIRED
    return _L.NOT_CALLED if called_at is None else _L.NOT_HELD


def _ready_from(stay: StayTold, beside: Beside) -> Label:
    if stay.municipality is None:
        return _L.NOT_CONCERNED
    return _L.NOT_ANSWERED if beside.ready_from is None else _L.ANSWERED


def _days_before(ready: ReadySpan | None, ended_on: date, beside: Beside) -> int:
    """The part of the wait before the day on which the municipality could receive the patient."""
    if ready is None or beside.ready_from is None:
        return 0
    ready_on = local_date(ready.sent_at)
    return (min(max(local_date(beside.ready_from), ready_on), ended_on) - ready_on).days


def _planned(ended_on: date, planned: date | None) -> Label:
    if planned is None:
        return _L.MISSING
    if ended_on == planned:
        return _L.ON_THE_DAY
    return _L.BEFORE if ended_on < planned else _L.AFTER


def _outcome(ended_on: date, next_admitted_at: datetime | None, terms: Terms) -> Label:
    if next_admitted_at is None or local_date(next_admitted_at) - ended_on > timedelta(days=terms.readmission_days):
        return _L.NOT_READMITTED
    return _L.READMITTED


def _taken(notices: Sequence[NoticeTaken], statute: Statute) -> Taken:
    """How notices were taken on; late is after what is expected, which is a warning only (2 kap. 6 §, our default)."""
    waits = [(one, one.acknowledged_at) for one in notices]
    minutes = tuple(sorted(max(0, int((at - one.sent_at) / timedelta(minutes=1))) for one, at in waits if at is not None))
    late = sum(at > acknowledgement_due(one.sent_at, statute) for one, at in waits if at is not None)
    still_open = tuple(sorted(one.sent_at for one, at in waits if at is None))
    label = _L.OPEN if still_open else _L.LATE if late else _L.IN_TIME if minutes else _L.NO_NOTICE
    return Taken(label, minutes, late, still_open)
