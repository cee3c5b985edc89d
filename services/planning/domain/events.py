"""The facts of one inpatient stay as the fold reads them: plain frozen values, made from what the wards sent.

The public JSON form of the same events lies in `shared.events.ward`; `services.planning.translation` makes these of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple

WARD_PREFIX: Final = "urn:hsa:"

CareType = Literal["somatic", "psychiatric"]
Compulsory = Literal["none", "opt", "orv"]
Need = Literal["municipal_social", "municipal_health", "outpatient"]


class EventType(StrEnum):
    """What can happen to a stay, by the names of the public interface."""

    ADMITTED = "stay.admitted"
    PLANNED_DISCHARGE_CHANGED = "stay.planned_discharge_changed"
    READY = "stay.ready"
    READY_WITHDRAWN = "stay.ready_withdrawn"
    DISCHARGED = "stay.discharged"
    DECEASED = "stay.deceased"
    EVENT_CANCELLED = "stay.event_cancelled"


class EventKey(NamedTuple):
    """What makes an event the same event however often it is sent: its sender (`urn:hsa:…`) and the sender's own id."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Admission:
    """A patient came in who may need measures afterwards (inskrivning); `person` is passed on as the ward wrote it."""

    person: Mapping[str, object]
    registered_municipality: str | None
    care_type: CareType
    needs: frozenset[Need]
    outpatient_unit: str | None = None
    planned_discharge_date: date | None = None
    judged_at: datetime | None = None
    protected: bool = False


@dataclass(frozen=True, slots=True)
class PlannedDischarge:
    """A new planned discharge date (beräknad utskrivning); none means that it is no longer known."""

    planned_discharge_date: date | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The treating doctor judged the patient ready for discharge (utskrivningsklar)."""

    compulsory: Compulsory = "none"
    secrecy_checked: bool | None = None


@dataclass(frozen=True, slots=True)
class ReadinessWithdrawal:
    """The patient needs hospital care again (återtagen utskrivningsklar)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Discharge:
    """The patient left inpatient care (utskrivning)."""

    discharged_to: str | None = None
    secrecy_checked: bool | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """The patient died during the stay."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """An event was sent in error; `event` is the id that the same sender gave it."""

    event: str
    reason: str


EventData = Admission | PlannedDischarge | Readiness | ReadinessWithdrawal | Discharge | Death | Cancellation


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One fact about a stay: `time` is when it happened, `sent_at` when it was sent to us (receipt, or `sentat` of history).

    `corrects` is the id, by the same sender, of the event that this one replaces.
    """

    key: EventKey
    type: EventType
    time: datetime
    sent_at: datetime
    data: EventData
    corrects: str | None = None


def fold_order(event: CaseEvent) -> tuple[datetime, datetime, str, str]:
    """The one order in which the events of a case are read, whatever order they came in."""
    return (event.time, event.sent_at, event.key.source, event.key.id)


def sent_order(event: CaseEvent) -> tuple[datetime, datetime, str, str]:
    """The order in which we came to know the events of a case."""
    return (event.sent_at, event.time, event.key.source, event.key.id)


def ward_of(source: str) -> str:
    """The HSA-id inside the `source` of an event."""
    return source.removeprefix(WARD_PREFIX)
