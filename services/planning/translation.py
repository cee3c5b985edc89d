"""Between the words of the public interface and those of the domain: an event's JSON, and the facts that billing reads."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.planning.domain.case import CaseState
from services.planning.domain.events import (
    Admission,
    Cancellation,
    CaseEvent,
    Death,
    Discharge,
    EventData,
    EventKey,
    EventType,
    PlannedDischarge,
    Readiness,
    ReadinessWithdrawal,
)
from services.planning.domain.stay import stay_facts
from shared.dates import parse_instant

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


_READ: Final[Mapping[EventType, Callable[[Data], EventData]]] = {
    EventType.ADMITTED: _admission,
    EventType.PLANNED_DISCHARGE_CHANGED: lambda data: PlannedDischarge(_day(data.get("planned_discharge_date"))),
    EventType.READY: lambda data: Readiness(data.get("compulsory", "none"), data.get("secrecy_checked")),
    EventType.READY_WITHDRAWN: lambda data: ReadinessWithdrawal(data.get("reason", "")),
    EventType.DISCHARGED: lambda data: Discharge(data.get("discharged_to"), data.get("secrecy_checked")),
    EventType.DECEASED: lambda _data: Death(),
    EventType.EVENT_CANCELLED: lambda data: Cancellation(data["event"], data.get("reason", "")),
}


def case_event(value: Mapping[str, Any], sent_at: datetime) -> CaseEvent:
    """The domain's event for a validated CloudEvent, with the sent time it was accepted with."""
    kind = EventType(value["type"])
    data: Data = value.get("data") or {}
    return CaseEvent(
        key=EventKey(value["source"], value["id"]),
        type=kind,
        time=parse_instant(value["time"]),
        sent_at=sent_at,
        data=_READ[kind](data),
        corrects=data.get("corrects"),
    )


def stay_changed(case_id: UUID, version: int, state: CaseState) -> dict[str, object] | None:
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
    }
