"""Reading the events of one stay into the state of its case."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.planning.domain.amendments import Amended, amend, standing_admission
from services.planning.domain.case import (
    IDENTITY,
    TRANSITIONS,
    WHOLE_PERSON,
    CaseState,
    CaseStatus,
    CaseTrigger,
    PaperNotice,
    PlannedDate,
    ReadyPeriod,
)
from services.planning.domain.events import (
    Admission,
    CaseEvent,
    EventKey,
    EventType,
    PlannedDischarge,
    Readiness,
    StayKey,
    Transfer,
    sent_order,
    ward_of,
)
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.holding import Holding, by_others, holding_of
from services.planning.domain.outages import NOT_ON_PAPER, Outage, on_paper, paper_mark
from services.planning.domain.parties import (
    Directory,
    Party,
    Recipient,
    Returned,
    parties,
    placement_findings,
    routing_findings,
    sent_back,
    sip_required,
)
from services.planning.domain.periods import blocks_of, holder_of, leaves_of
from services.planning.domain.persons import first_stating, person_known
from services.planning.domain.statements import contests_of, declined_of
from shared.dates import local_date

CLOCK_TOLERANCE: Final = timedelta(minutes=5)

_OVER: Final = frozenset({CaseStatus.DISCHARGED, CaseStatus.DECEASED})
# What municipalities and care centres state says nothing of whether the patient is still there.
_NO_SIGN_OF_LIFE: Final = frozenset(
    {
        EventType.MUNICIPALITY_PLACED,
        EventType.MEASURES_DECLINED,
        EventType.SIP_CONTESTED,
        EventType.OUTPATIENT_BLOCK_STARTED,
        EventType.OUTPATIENT_BLOCK_ENDED,
    },
)
_BEFORE_ADMITTED: Final = {
    EventType.PLANNED_DISCHARGE_CHANGED: FindingCode.PLANNED_DATE_BEFORE_ADMITTED,
    EventType.READY: FindingCode.READY_BEFORE_ADMITTED,
    EventType.READY_WITHDRAWN: FindingCode.WITHDRAWAL_BEFORE_ADMITTED,
    EventType.DISCHARGED: FindingCode.DISCHARGED_BEFORE_ADMITTED,
    EventType.DECEASED: FindingCode.DECEASED_BEFORE_ADMITTED,
    EventType.TRANSFERRED: FindingCode.TRANSFER_BEFORE_ADMITTED,
    EventType.LEAVE_STARTED: FindingCode.LEAVE_BEFORE_ADMITTED,
    EventType.LEAVE_ENDED: FindingCode.LEAVE_BEFORE_ADMITTED,
    EventType.OUTPATIENT_BLOCK_STARTED: FindingCode.BLOCK_BEFORE_ADMITTED,
    EventType.OUTPATIENT_BLOCK_ENDED: FindingCode.BLOCK_BEFORE_ADMITTED,
}
# These move nothing that is charged while leave days count, and so are told from what does: nobody need judge them before a bill.
_NOT_BY_HOLDER: Final = {
    EventType.PLANNED_DISCHARGE_CHANGED: FindingCode.PLANNED_DATE_NOT_BY_HOLDER,
    EventType.LEAVE_STARTED: FindingCode.LEAVE_NOT_BY_HOLDER,
    EventType.LEAVE_ENDED: FindingCode.LEAVE_NOT_BY_HOLDER,
}


class _Told(NamedTuple):
    """One event in its place in the story: the status it met."""

    event: CaseEvent
    met: CaseStatus


def fold(
    events: Iterable[CaseEvent],
    directory: Directory,
    *,
    planned_by: Collection[Recipient] = (),
    returned: Sequence[Returned] = (),
    outages: Sequence[Outage] = (),
) -> CaseState:
    """Read all events of one case, in whatever order and however often they came.

    Args:
        events: Every event of the case that was ever accepted.
        directory: Which recipients can be reached.
        planned_by: Who has begun to plan (lag 2017:612 2 kap. 6 §): acknowledged its admission notice, or told more of its planning than
            that it was received. Planning has started when one of them is concerned now.
        returned: Who sent a notice back as wrongly addressed, and when.
        outages: When notices could not be sent; they decide from when those count that were given on paper.
    """
    known = tuple({event.key: event for event in events}.values())
    if not known:
        return CaseState(CaseStatus.AWAITING_ADMISSION)
    amended = amend(known)
    papers = tuple(PaperNotice(event, paper_mark(event, outages)) for event in amended.events if event.paper is not None)
    findings = [*amended.findings, *_unconfirmed(papers)]
    admission = standing_admission(amended)
    basis = admission or (amended.cancelled_admissions[0] if amended.cancelled_admissions else None)
    holding = holding_of(amended.events, basis)
    holder = holder_of(holding.moves)
    status, story = _tell(admission, amended, holder, findings)
    ended = [told for told in story if not _goes_on_elsewhere(told.event, holder)]
    ready = _ready_periods(story, outages)
    discharge = _first_sent(ended, EventType.DISCHARGED)
    findings += _sent_too_late(ready, discharge, findings)
    person = person_known(amended, basis) if basis is not None else None
    about = None if person is None else person.about
    concerned = _told_on_paper(parties(known, directory, returned, outages), admission, outages) if admission is not None else ()
    if any(party.recipient in planned_by for party in concerned):
        status = TRANSITIONS[status, CaseTrigger.PLANNING_STARTED].status
    dates = _planned_dates(admission, story)
    leaves, blocks = leaves_of(story, findings), blocks_of(story, findings)
    moves = {event.key for event in holding.moves}
    transfers = tuple(told.event for told in story if told.event.key in moves and told.met not in _OVER)
    findings += _not_by_holder(amended.events, holding, basis, () if person is None else person.set_aside)
    contests = contests_of(amended.events)
    findings += (Finding(FindingCode.SIP_REQUIREMENT_CONTESTED, event.key) for event in contests)
    if admission is not None and about is not None and person is not None:
        findings += placement_findings(person.placements, directory)
        away = sent_back(known, returned, outages)
        findings += routing_findings(admission.key, about, {party.recipient for party in concerned}.union(away))
        findings += (Finding(FindingCode.WRONGLY_ADDRESSED, admission.key, recipient.code) for recipient in away)
        if dates[-1].day is None:
            findings.append(Finding(FindingCode.PLANNED_DATE_MISSING, admission.key))
    return CaseState(
        status=status,
        ward=_ward(transfers) or (holding.held[0].ward if holding.held else ward_of(min(known, key=sent_order).key.source)),
        admission=basis,
        about=about,
        person_version=first_stating(person.stated, WHOLE_PERSON) if admission is not None and person is not None else None,
        identity_version=first_stating(person.stated, IDENTITY) if admission is not None and person is not None else None,
        sip_required=about is not None and sip_required(about.needs, ready[-1].judgement.compulsory if ready else "none"),
        parties=concerned,
        planned_dates=dates,
        ready=ready,
        discharge=discharge,
        death=_first_sent(story, EventType.DECEASED),
        transfers=transfers,
        leaves=leaves,
        blocks=blocks,
        residences=() if person is None else person.residences,
        placements=() if person is None else person.placements,
        declined=declined_of(known, amended.events),
        sip_contested=bool(contests),
        person_ids=() if person is None else person.person_ids,
        story=tuple(told.event for told in story),
        on_paper=papers,
        last_sign_of_life_at=max((event.time for event in amended.events if event.type not in _NO_SIGN_OF_LIFE), default=None),
        last_sent_at=max(event.sent_at for event in known),
        findings=tuple(findings),
    )


def _tell(admission: CaseEvent | None, amended: Amended, holder: StayKey | None, findings: list[Finding]) -> tuple[CaseStatus, list[_Told]]:
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
        if isinstance(event.data, Transfer) and event.data.other_person:
            findings.append(Finding(FindingCode.TRANSFER_TO_OTHER_PERSON, event.key))
        story.append(_Told(event, status))
        if _goes_on_elsewhere(event, holder):
            findings.append(Finding(FindingCode.DISCHARGED_AFTER_TRANSFER, event.key))
            continue
        status, finding = TRANSITIONS[status, event.type]
        if finding is FindingCode.TWO_ADMISSIONS and admission is not None and event.stay != admission.stay:
            finding = None  # the receiving ward's own admission of a patient that was transferred to it
        if finding is not None:
            findings.append(Finding(finding, event.key))
        if admission is not None and event.time < admission.time and event.type in _BEFORE_ADMITTED:
            findings.append(Finding(_BEFORE_ADMITTED[event.type], event.key))
    return status, story


def _not_by_holder(events: Sequence[CaseEvent], holding: Holding, basis: CaseEvent | None, set_aside: Sequence[CaseEvent]) -> list[Finding]:
    """What wards stated of a patient that they did not hold then. Most of it counts, so that no notice is lost; she is not moved by it."""
    moves, holder = {event.key for event in holding.moves}, holder_of(holding.moves)
    findings = [
        Finding(FindingCode.TRANSFER_NOT_BY_HOLDER, event.key)
        for event in events
        if event.type is EventType.TRANSFERRED and event.key not in moves
    ]
    findings += (Finding(FindingCode.PERSON_CHANGE_NOT_BY_HOLDER, event.key) for event in set_aside)
    told = {finding.event for finding in findings} | {event.key for event in events if _goes_on_elsewhere(event, holder)}
    for event in by_others(events, holding):
        if event.key not in told and not event.by_command and not _by_who_admitted(event, basis):
            findings.append(Finding(_NOT_BY_HOLDER.get(event.type, FindingCode.NOT_BY_HOLDER), event.key))
    return findings


def _by_who_admitted(event: CaseEvent, basis: CaseEvent | None) -> bool:
    """Whether it is the admission, or who she is by the ward that admitted her: correcting its admission it may say that at any time, and
    it is in whose name two numbers of a stay are merged, wherever she is by then.
    """
    if basis is None or event.key.source != basis.key.source:
        return False
    return event.key == basis.key or event.type is EventType.PERSON_CHANGED


def _unconfirmed(papers: Sequence[PaperNotice]) -> list[Finding]:
    return [Finding(FindingCode.PAPER_TIME_UNCONFIRMED, paper.event.key) for paper in papers if paper.mark == "unconfirmed"]


def _told_on_paper(concerned: tuple[Party, ...], admission: CaseEvent, outages: Sequence[Outage]) -> tuple[Party, ...]:
    """The parties with what the paper admission notice means for each: one that a later statement brought in was given none."""
    paper = on_paper([admission], outages)
    if paper == NOT_ON_PAPER:
        return concerned
    return tuple(party._replace(paper=paper.before(party.since)) if party.since <= admission.sent_at else party for party in concerned)


def _goes_on_elsewhere(event: CaseEvent, holder: StayKey | None) -> bool:
    """Whether this is a discharge by one that the patient was transferred from: many systems state one beside the transfer."""
    return event.type is EventType.DISCHARGED and holder is not None and event.stay != holder


def _ward(transfers: Sequence[CaseEvent]) -> str | None:
    """The ward that the last transfer led to."""
    return next((event.data.to_unit for event in reversed(transfers) if isinstance(event.data, Transfer)), None)


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
        dates.append(PlannedDate(admission.key, admission.sent_at, admission.data.planned_discharge_date, _given_at(admission)))
    for event, _met in story:
        if isinstance(event.data, PlannedDischarge):
            dates.append(PlannedDate(event.key, event.sent_at, event.data.planned_discharge_date, _given_at(event)))
    return tuple(dates)


def _given_at(event: CaseEvent) -> datetime | None:
    return None if event.paper is None else event.paper.given_at


def _ready_periods(story: Sequence[_Told], outages: Sequence[Outage]) -> tuple[ReadyPeriod, ...]:
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
                periods.append(ReadyPeriod(first.key, first.time, first.sent_at, first.data, paper=on_paper(repeated, outages)))
        elif event.type is EventType.READY_WITHDRAWN and repeated and met not in _OVER:
            periods[-1] = periods[-1]._replace(withdrawal=event, withdrawal_paper=on_paper([event], outages))
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
        if period.counts_from > discharge.time and local_date(period.counts_from) > local_date(discharge.time)
    ]
    return [finding for finding in late if finding not in found]
