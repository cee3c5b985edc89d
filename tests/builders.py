"""Test data: plain functions with defaults. Every person lies inside Skatteverket's published test series."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from stdnum import luhn

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.events import (
    Admission,
    BlockEnd,
    BlockStart,
    Cancellation,
    CareType,
    CaseEvent,
    Compulsory,
    Death,
    Declination,
    Discharge,
    EventData,
    EventKey,
    EventType,
    LeaveEnd,
    LeaveStart,
    Need,
    PaperTime,
    PersonChange,
    Placement,
    PlannedDischarge,
    Readiness,
    ReadinessWithdrawal,
    SipContest,
    StayKey,
    Transfer,
)
from services.planning.domain.notices import Changes, SentNotice
from services.planning.domain.outages import Outage
from services.planning.domain.parties import Directory, Recipient

WARD = "SE2321000131-E000000000101"
SOURCE = f"urn:hsa:{WARD}"
OTHER_WARD = "SE2321000131-E000000000201"
OTHER_SOURCE = f"urn:hsa:{OTHER_WARD}"
CARE_CENTRE = "SE2321000131-E000000000901"
OTHER_CARE_CENTRE = "SE2321000131-E000000000902"
GOTEBORG = "1480"
HARRYDA = "1401"
STAY = StayKey("2321000131", "SU-2026-000123")
ALL_NEEDS: frozenset[Need] = frozenset({"municipal_social", "municipal_health", "outpatient"})
START = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)
DIRECTORY = Directory(
    frozenset(
        {
            Recipient("municipality", GOTEBORG),
            Recipient("municipality", HARRYDA),
            Recipient("unit", CARE_CENTRE),
            Recipient("unit", OTHER_CARE_CENTRE),
        }
    )
)


def hours(count: float) -> datetime:
    """So many hours after the start of the story."""
    return START + timedelta(hours=count)


def a_personnummer(number: int = 0) -> str:
    """A synthetic adult: born 1890-01-01 … 1909-12-31 with birth number 980 or 981 (Skatteverket's test series)."""
    born = date(1890, 1, 1) + timedelta(days=number % 7304)
    stem = f"{born:%Y%m%d}{980 + number // 7304 % 2}"
    return stem + str(luhn.calc_check_digit(stem[2:]))


def a_person(**other: object) -> dict[str, Any]:
    return {
        "type": "personnummer",
        "id": a_personnummer(),
        "name": {"given": "Test", "family": "Testsson"},
        "registered_address": {"street": "Testgatan 1", "postal_code": "411 01", "city": "Göteborg"},
        "registered_municipality": GOTEBORG,
        "protected": False,
    } | other


def admission_data(**other: object) -> dict[str, Any]:
    return {
        "person": a_person(),
        "care_type": "somatic",
        "planned_discharge_date": "2026-11-09",
        "needs": ["municipal_social", "municipal_health", "outpatient"],
        "outpatient_unit": CARE_CENTRE,
    } | other


def a_ward_event(kind: str = "stay.admitted", data: Mapping[str, object] | None = None, **other: object) -> dict[str, Any]:
    """One event as a ward posts it: a CloudEvent as decoded JSON."""
    defaults: dict[str, Mapping[str, object]] = {
        "stay.admitted": admission_data(),
        "stay.planned_discharge_changed": {"planned_discharge_date": "2026-11-11"},
        "stay.transferred": {"to_unit": OTHER_WARD, "to_subject": "NU-2026-000456"},
        "stay.outpatient_block_started": {"kind": "missing"},
        "stay.person_changed": {"person": a_person()},
        "stay.ready_withdrawn": {"reason": "Feber"},
        "stay.ready": {"secrecy_checked": True},
        "stay.discharged": {"discharged_to": "home", "secrecy_checked": True},
        "stay.event_cancelled": {"event": "SU-1", "reason": "Fel patient"},
    }
    return {
        "specversion": "1.0",
        "id": "SU-1",
        "source": SOURCE,
        "type": kind,
        "subject": "SU-2026-000123",
        "time": "2026-11-03T14:05:00+01:00",
        "data": dict(data if data is not None else defaults.get(kind, {})),
    } | other


def _event(
    kind: EventType, event_id: str, at: float, sent: float | None, data: EventData, corrects: str | None = None, source: str = SOURCE
) -> CaseEvent:
    sent_at, by_command = hours(at if sent is None else sent), kind.startswith("case.")
    return CaseEvent(EventKey(source, event_id), kind, hours(at), sent_at, data, corrects, STAY, by_command=by_command)


def on_paper(event: CaseEvent, given: float, *, stated: float | None = None) -> CaseEvent:
    """The same event, its notice given on paper so many hours after the start; stated when it was sent unless at another hour."""
    return replace(event, paper=PaperTime(hours(given), event.sent_at if stated is None else hours(stated)))


def an_outage(since: float, until: float, *, scope: str = "") -> Outage:
    return Outage(hours(since), hours(until), timedelta(hours=24), scope)


def admitted(
    event_id: str = "admitted",
    at: float = 0,
    *,
    sent: float | None = None,
    corrects: str | None = None,
    municipality: str | None = GOTEBORG,
    needs: Iterable[Need] = ALL_NEEDS,
    outpatient_unit: str | None = CARE_CENTRE,
    planned: date | None = date(2026, 11, 9),
    judged_at: float | None = None,
    care_type: CareType = "somatic",
    person: Mapping[str, object] | None = None,
) -> CaseEvent:
    data = Admission(
        person=a_person(registered_municipality=municipality) if person is None else person,
        registered_municipality=municipality,
        care_type=care_type,
        needs=frozenset(needs),
        outpatient_unit=outpatient_unit,
        planned_discharge_date=planned,
        judged_at=None if judged_at is None else hours(judged_at),
    )
    return _event(EventType.ADMITTED, event_id, at, sent, data, corrects)


def date_changed(
    event_id: str = "date", at: float = 20, day: date | None = date(2026, 11, 11), *, sent: float | None = None, corrects: str | None = None
) -> CaseEvent:
    return _event(EventType.PLANNED_DISCHARGE_CHANGED, event_id, at, sent, PlannedDischarge(day), corrects)


def ready(
    event_id: str = "ready", at: float = 40, *, sent: float | None = None, compulsory: Compulsory = "none", corrects: str | None = None
) -> CaseEvent:
    return _event(EventType.READY, event_id, at, sent, Readiness(compulsory), corrects)


def withdrawn(event_id: str = "withdrawn", at: float = 60, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.READY_WITHDRAWN, event_id, at, sent, ReadinessWithdrawal("Feber"), corrects)


def discharged(event_id: str = "discharged", at: float = 120, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.DISCHARGED, event_id, at, sent, Discharge("home"), corrects)


def deceased(event_id: str = "deceased", at: float = 100, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.DECEASED, event_id, at, sent, Death(), corrects)


def transferred(
    event_id: str = "transferred",
    at: float = 30,
    *,
    sent: float | None = None,
    to_unit: str = OTHER_WARD,
    to_subject: str | None = None,
    corrects: str | None = None,
) -> CaseEvent:
    return _event(EventType.TRANSFERRED, event_id, at, sent, Transfer(to_unit, to_subject), corrects)


def leave_started(event_id: str = "leave", at: float = 45, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.LEAVE_STARTED, event_id, at, sent, LeaveStart(), corrects)


def leave_ended(event_id: str = "back", at: float = 55, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.LEAVE_ENDED, event_id, at, sent, LeaveEnd(), corrects)


def block_started(
    event_id: str = "block", at: float = 50, *, sent: float | None = None, corrects: str | None = None, source: str = SOURCE
) -> CaseEvent:
    return _event(EventType.OUTPATIENT_BLOCK_STARTED, event_id, at, sent, BlockStart("missing"), corrects, source)


def block_ended(
    event_id: str = "block-over",
    at: float = 70,
    *,
    sent: float | None = None,
    contested: bool = False,
    corrects: str | None = None,
    source: str = SOURCE,
) -> CaseEvent:
    return _event(EventType.OUTPATIENT_BLOCK_ENDED, event_id, at, sent, BlockEnd(contested), corrects, source)


def person_changed(
    event_id: str = "person",
    at: float = 25,
    *,
    sent: float | None = None,
    municipality: str | None = HARRYDA,
    moved: bool = False,
    corrects: str | None = None,
    person: Mapping[str, object] | None = None,
) -> CaseEvent:
    known = a_person(registered_municipality=municipality) if person is None else person
    data = PersonChange(known, municipality, protected=bool(known.get("protected", False)), moved=moved)
    return _event(EventType.PERSON_CHANGED, event_id, at, sent, data, corrects)


def placed(
    event_id: str = "placed",
    at: float = 35,
    *,
    sent: float | None = None,
    municipality: str = HARRYDA,
    stated_by: str = GOTEBORG,
    corrects: str | None = None,
) -> CaseEvent:
    data = Placement(municipality, date(2026, 10, 1), "SN 2026-17", stated_by)
    return _event(EventType.MUNICIPALITY_PLACED, event_id, at, sent, data, corrects)


def declined(
    event_id: str = "declined",
    at: float = 50,
    *,
    sent: float | None = None,
    measures: Iterable[Need] = ("municipal_social",),
    stated_by: str | None = None,
    corrects: str | None = None,
) -> CaseEvent:
    data = Declination(uuid5(NAMESPACE_OID, event_id), frozenset(measures), stated_by)
    return _event(EventType.MEASURES_DECLINED, event_id, at, sent, data, corrects)


def sip_contested(
    event_id: str = "contested", at: float = 45, *, sent: float | None = None, contested: bool = True, corrects: str | None = None
) -> CaseEvent:
    return _event(EventType.SIP_CONTESTED, event_id, at, sent, SipContest(contested), corrects)


def cancelled(target: str, event_id: str = "", at: float = 130, *, sent: float | None = None, corrects: str | None = None) -> CaseEvent:
    return _event(EventType.EVENT_CANCELLED, event_id or f"cancel-{target}", at, sent, Cancellation(target, "Fel patient"), corrects)


def mailbox_after(already: Iterable[SentNotice], needed: Changes) -> list[SentNotice]:
    """What stands in the mailboxes once the changes were entered; notices get counted ids."""
    standing = {notice.id: notice for notice in already}
    ended = {sent.supersedes: NoticeStatus.SUPERSEDED for sent in needed.to_send if sent.supersedes is not None}
    ended |= {gone.cancels: NoticeStatus.CANCELLED for gone in needed.to_cancel}
    for ended_id, status in ended.items():
        old = standing[ended_id]
        standing[ended_id] = SentNotice(old.id, old.origin, old.fingerprint, old.revision, status)
    for sent in needed.to_send:
        notice_id = UUID(int=len(standing))
        standing[notice_id] = SentNotice(notice_id, sent.notice.origin, sent.notice.fingerprint, sent.revision, NoticeStatus.SENT)
    return list(standing.values())
