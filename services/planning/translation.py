"""Between the words of the public interface and those of the domain: an event's JSON, and the facts that billing reads."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.planning.domain.case import CaseState
from services.planning.domain.events import (
    Admission,
    BlockEnd,
    BlockStart,
    Cancellation,
    CaseEvent,
    Death,
    Declination,
    Discharge,
    EventData,
    EventKey,
    EventType,
    LeaveEnd,
    LeaveStart,
    PaperTime,
    PersonChange,
    Placement,
    PlannedDischarge,
    Readiness,
    ReadinessWithdrawal,
    SipContest,
    StayKey,
    Transfer,
    ward_of,
)
from services.planning.domain.stay import stay_facts
from shared.dates import parse_instant
from shared.identifiers import provider_of

Data = Mapping[str, Any]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _admission(data: Data) -> Admission:
    judged = data.get("judged_at")
    person = data["person"]
    return Admission(
        person=person,
        registered_municipality=person.get("registered_municipality"),
        care_type=data["care_type"],
        needs=frozenset(data.get("needs", ())),
        outpatient_unit=data.get("outpatient_unit"),
        planned_discharge_date=_day(data.get("planned_discharge_date")),
        judged_at=None if judged is None else parse_instant(judged),
        protected=bool(person.get("protected", False)),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _person_change(data: Data) -> PersonChange:
    person = data["person"]
    return PersonChange(
        person=person,
        registered_municipality=person.get("registered_municipality"),
        protected=bool(person.get("protected", False)),
        moved=bool(data.get("moved", False)),
    )


def _placement(data: Data) -> Placement:
    return Placement(data["municipality"], date.fromisoformat(data["decision_date"]), data["reference"], data["stated_by"])


_READ: Final[Mapping[EventType, Callable[[Data], EventData]]] = {
    EventType.ADMITTED: _admission,
    EventType.PLANNED_DISCHARGE_CHANGED: lambda data: PlannedDischarge(_day(data.get("planned_discharge_date"))),
    EventType.TRANSFERRED: lambda data: Transfer(data["to_unit"], data.get("to_subject")),
    EventType.LEAVE_STARTED: lambda data: LeaveStart(_instant(data.get("expected_back_at"))),
    EventType.LEAVE_ENDED: lambda _data: LeaveEnd(),
    EventType.OUTPATIENT_BLOCK_STARTED: lambda data: BlockStart(data["kind"]),
    EventType.OUTPATIENT_BLOCK_ENDED: lambda data: BlockEnd(bool(data.get("contested", False))),
    EventType.PERSON_CHANGED: _person_change,
    EventType.MUNICIPALITY_PLACED: _placement,
    EventType.MEASURES_DECLINED: lambda data: Declination(UUID(data["id"]), frozenset(data["measures"]), data.get("municipality")),
    EventType.SIP_CONTESTED: lambda data: SipContest(bool(data["contested"])),
    EventType.READY: lambda data: Readiness(data.get("compulsory", "none"), data.get("secrecy_checked")),
    EventType.READY_WITHDRAWN: lambda data: ReadinessWithdrawal(data.get("reason", "")),
    EventType.DISCHARGED: lambda data: Discharge(data.get("discharged_to"), data.get("secrecy_checked")),
    EventType.DECEASED: lambda _data: Death(),
    EventType.EVENT_CANCELLED: lambda data: Cancellation(data["event"], data.get("reason", "")),
}


def case_event(value: Mapping[str, Any], sent_at: datetime, space: str | None = None, *, by_command: bool = False) -> CaseEvent:
    """The domain's event for a validated CloudEvent, with the sent time it was accepted with.

    Args:
        value: The event's JSON.
        sent_at: When it counts as sent.
        space: Within what its stay id is unique, when that is not the sender's care provider.
        by_command: Whether it was kept by a command, and not sent as an event.
    """
    kind = EventType(value["type"])
    data: Data = value.get("data") or {}
    given_at = data.get("given_on_paper_at")
    return CaseEvent(
        key=EventKey(value["source"], value["id"]),
        type=kind,
        time=parse_instant(value["time"]),
        sent_at=sent_at,
        data=_READ[kind](data),
        corrects=data.get("corrects"),
        stay=StayKey(space or provider_of(ward_of(value["source"])), value["subject"]),
        paper=None if given_at is None else PaperTime(parse_instant(given_at), sent_at),
        by_command=by_command,
    )


def stay_changed(case_id: UUID, version: int, state: CaseState, joined: Sequence[UUID] = ()) -> dict[str, object] | None:
    """The members of the fact `StayChanged` for billing, or None while no admission is known: nobody could be liable."""
    stay = stay_facts(state)
    if stay is None:
        return None
    return {
        "case_id": case_id,
        "case_version": version,
        "provider": stay.provider,
        "ward": stay.ward,
        "care_type": stay.care_type,
        "admitted_at": stay.admitted_at,
        "municipality": stay.municipality,
        "need_judged_at": stay.need_judged_at,
        "admission_notice_sent_at": stay.admission_notice_sent_at,
        "ready": stay.ready,
        "sip_required": stay.sip_required,
        "discharged_at": stay.discharged_at,
        "deceased_at": stay.deceased_at,
        "cancelled": stay.cancelled,
        "findings": stay.findings,
        "last_sign_of_life_at": stay.last_sign_of_life_at,
        "transfers": stay.transfers,
        "leaves": stay.leaves,
        "outpatient_blocks": stay.outpatient_blocks,
        "residences": stay.residences,
        "placements": stay.placements,
        "joined_cases": joined,
        "municipal_needs": stay.municipal_needs,
        "other_municipalities": stay.other_municipalities,
        "admission_notice_paper": stay.admission_notice_paper,
        "admission_notice_given_on_paper_at": stay.admission_notice_given_on_paper_at,
        "declined": stay.declined,
        "sip_contested": stay.sip_contested,
    }
