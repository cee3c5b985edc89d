"""Reading the events of one stay into the state of its case."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.planning.domain.amendments import Amended, amend, standing_admission
from services.planning.domain.case import IDENTITY, TRANSITIONS, WHOLE_PERSON, CaseState, CaseStatus, CaseTrigger, PlannedDate, ReadyPeriod
from services.planning.domain.events import (
    Admission,
    CaseEvent,
    EventKey,
    EventType,
    PlannedDischarge,
    Readiness,
    sent_order,
    ward_of,
)
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.parties import Directory, Party, parties, routing_findings, sip_required
from shared.dates import local_date

ADMISSION_NOTICE_LIMIT: Final = timedelta(hours=24)
CLOCK_TOLERANCE: Final = timedelta(minutes=5)

_OVER: Final = frozenset({CaseStatus.DISCHARGED, CaseStatus.DECEASED})
_BEFORE_ADMITTED: Final = {
    EventType.PLANNED_DISCHARGE_CHANGED: FindingCode.PLANNED_DATE_BEFORE_ADMITTED,
    EventType.READY: FindingCode.READY_BEFORE_ADMITTED,
    EventType.READY_WITHDRAWN: FindingCode.WITHDRAWAL_BEFORE_ADMITTED,
    EventType.DISCHARGED: FindingCode.DISCHARGED_BEFORE_ADMITTED,
    EventType.DECEASED: FindingCode.DECEASED_BEFORE_ADMITTED,
}


class _Told(NamedTuple):
    """One event in its place in the story: the status it met."""

    event: CaseEvent
    met: CaseStatus


def fold(events: Iterable[CaseEvent], directory: Directory, *, planning_started: bool = False) -> CaseState:
    """Read all events of one case, in whatever order and however often they came.

    Args:
        events: Every event of the case that was ever accepted.
        directory: Which recipients can be reached.
        planning_started: Whether a party has begun to plan (lag 2017:612 2 kap. 6 §), e.g. acknowledged its admission notice.
    """
    known = tuple({event.key: event for event in events}.values())
    if not known:
        return CaseState(CaseStatus.AWAITING_ADMISSION)
    amended = amend(known)
    findings = list(amended.findings)
    admission = standing_admission(amended)
    status, story = _tell(admission, amended, findings)
    if planning_started:
        status = TRANSITIONS[status, CaseTrigger.PLANNING_STARTED].status
    ready = _ready_periods(story)
    discharge = _first_sent(story, EventType.DISCHARGED)
    findings += _sent_too_late(ready, discharge, findings)
    basis = admission or (amended.cancelled_admissions[0] if amended.cancelled_admissions else None)
    about = basis.data if basis is not None and isinstance(basis.data, Admission) else None
    concerned = parties(known, directory) if admission is not None else ()
    dates = _planned_dates(admission, story)
    if admission is not None and about is not None:
        findings += routing_findings(admission.key, about, directory)
        findings += _admission_findings(admission, about, concerned, dates)
    versions = amended.versions.get(admission.key, (admission,)) if admission is not None else ()
    return CaseState(
        status=status,
        ward=ward_of((basis or min(known, key=sent_order)).key.source),
        admission=basis,
        about=about,
        person_version=_first_stating(versions, WHOLE_PERSON),
        identity_version=_first_stating(versions, IDENTITY),
        sip_required=about is not None and sip_required(about.needs, ready[-1].judgement.compulsory if ready else "none"),
        parties=concerned,
        planned_dates=dates,
        ready=ready,
        discharge=discharge,
        death=_first_sent(story, EventType.DECEASED),
        story=tuple(told.event for told in story),
        last_sign_of_life_at=max((event.time for event in amended.events), default=None),
        last_sent_at=max(event.sent_at for event in known),
        findings=tuple(findings),
    )


def _tell(admission: CaseEvent | None, amended: Amended, findings: list[Finding]) -> tuple[CaseStatus, list[_Told]]:
    """Run the events through the table; the stay begins with its admission whatever times the others state."""
    status = CaseStatus.CANCELLED if admission is None and amended.cancelled_admissions else CaseStatus.AWAITING_ADMISSION
    story = []
    if admission is not None:
        status = TRANSITIONS[status, EventType.ADMITTED].status
    for event in amended.events:
        if event.time > _stated_at(event, amended.versions) + CLOCK_TOLERANCE:
            findings.append(Finding(FindingCode.HAPPENED_AFTER_SENT, event.key))
        if event is admission:
            continue
        story.append(_Told(event, status))
        status, finding = TRANSITIONS[status, event.type]
        if finding is not None:
            findings.append(Finding(finding, event.key))
        if admission is not None and event.time < admission.time and event.type in _BEFORE_ADMITTED:
            findings.append(Finding(_BEFORE_ADMITTED[event.type], event.key))
    return status, story


def _stated_at(event: CaseEvent, versions: Mapping[EventKey, tuple[CaseEvent, ...]]) -> datetime:
    """When the event was stated as it now stands: a correction keeps the sent time of its original, but was stated later."""
    return versions[event.key][-1].sent_at if event.key in versions else event.sent_at


def _first_sent(story: Sequence[_Told], kind: EventType) -> CaseEvent | None:
    """Of several statements of the same thing, the one sent first."""
    return min((told.event for told in story if told.event.type is kind), key=sent_order, default=None)


def _planned_dates(admission: CaseEvent | None, story: Sequence[_Told]) -> tuple[PlannedDate, ...]:
    """Every statement of the planned discharge date; the last one is the date."""
    dates = []
    if admission is not None and isinstance(admission.data, Admission):
        dates.append(PlannedDate(admission.key, admission.sent_at, admission.data.planned_discharge_date))
    for event, _met in story:
        if isinstance(event.data, PlannedDischarge):
            dates.append(PlannedDate(event.key, event.sent_at, event.data.planned_discharge_date))
    return tuple(dates)


def _ready_periods(story: Sequence[_Told]) -> tuple[ReadyPeriod, ...]:
    """Every readiness in the order it happened.

    A ready notice while the patient is already ready opens nothing new: of the notices of one readiness the one sent first is its N5.
    A withdrawal after the end of the stay closes nothing; it is only a finding.
    """
    periods: list[ReadyPeriod] = []
    repeated: list[CaseEvent] = []
    for event, met in story:
        if isinstance(event.data, Readiness):
            repeated.append(event)
            first = min(repeated, key=sent_order)
            if len(repeated) > 1:
                periods.pop()
            if isinstance(first.data, Readiness):
                periods.append(ReadyPeriod(first.key, first.time, first.sent_at, first.data))
        elif event.type is EventType.READY_WITHDRAWN and repeated and met not in _OVER:
            periods[-1] = periods[-1]._replace(withdrawal=event)
            repeated = []
    return tuple(periods)


def _sent_too_late(ready: Sequence[ReadyPeriod], discharge: CaseEvent | None, found: Sequence[Finding]) -> list[Finding]:
    """A ready notice that was sent after the day of discharge, as opposed to one that says it happened after it.

    Source:
        Lag (2017:612) 3 kap. 1 §; domain rule 3.2.
    """
    if discharge is None:
        return []
    late = [
        Finding(FindingCode.READY_AFTER_DISCHARGE, period.key)
        for period in ready
        if period.sent_at > discharge.time and local_date(period.sent_at) > local_date(discharge.time)
    ]
    return [finding for finding in late if finding not in found]


def _admission_findings(admission: CaseEvent, about: Admission, concerned: Sequence[Party], dates: Sequence[PlannedDate]) -> list[Finding]:
    """What is missing or late about an admission notice.

    Source:
        Lag (2017:612) 2 kap. 1 § and 3 §: within 24 hours after the admission, or after the judgement when that comes later.
    """
    findings = []
    if dates[-1].day is None:
        findings.append(Finding(FindingCode.PLANNED_DATE_MISSING, admission.key))
    limit = max(admission.time, about.judged_at or admission.time) + ADMISSION_NOTICE_LIMIT
    late = (party.recipient.code for party in concerned if party.since > limit)
    findings += (Finding(FindingCode.LATE_ADMISSION_NOTICE, admission.key, code) for code in late)
    return findings


def _first_stating(versions: Sequence[CaseEvent], parts: Sequence[str]) -> EventKey | None:
    """The version that first stated these parts of the person as they now stand; it changes exactly when they do."""
    stating: CaseEvent | None = None
    for version in reversed(versions):
        if stating is not None and not _same_person(version, stating, parts):
            break
        stating = version
    return stating.key if stating is not None else None


def _same_person(one: CaseEvent, other: CaseEvent, parts: Sequence[str]) -> bool:
    if not isinstance(one.data, Admission) or not isinstance(other.data, Admission):
        return False
    mine, yours = one.data.person, other.data.person
    return all(mine.get(part) == yours.get(part) for part in parts)
