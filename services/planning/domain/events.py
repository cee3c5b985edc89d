"""The facts of one inpatient stay as the fold reads them: plain frozen values, made from what the wards sent.

The public JSON form of the same events lies in `shared.events.ward`; `services.planning.translation` makes these of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple
from uuid import UUID

from shared.identifiers import provider_of

WARD_PREFIX: Final = "urn:hsa:"

CareType = Literal["somatic", "psychiatric"]
Compulsory = Literal["none", "opt", "orv"]
Need = Literal["municipal_social", "municipal_health", "outpatient"]
BlockKind = Literal["missing", "not_clarified"]


class StayKey(NamedTuple):
    """What a sender calls a stay by: within what its ids are unique (its record system, else the care provider), and its own id of it.

    After a transfer two of them name one case.
    """

    space: str
    subject: str


UNSAID: Final = StayKey("", "")


class EventType(StrEnum):
    """What can happen to a stay, by the names of the public interface; `case.…` is what another party stated with a command."""

    ADMITTED = "stay.admitted"
    PLANNED_DISCHARGE_CHANGED = "stay.planned_discharge_changed"
    TRANSFERRED = "stay.transferred"
    LEAVE_STARTED = "stay.leave_started"
    LEAVE_ENDED = "stay.leave_ended"
    READY = "stay.ready"
    READY_WITHDRAWN = "stay.ready_withdrawn"
    OUTPATIENT_BLOCK_STARTED = "stay.outpatient_block_started"
    OUTPATIENT_BLOCK_ENDED = "stay.outpatient_block_ended"
    DISCHARGED = "stay.discharged"
    DECEASED = "stay.deceased"
    PERSON_CHANGED = "stay.person_changed"
    EVENT_CANCELLED = "stay.event_cancelled"
    MUNICIPALITY_PLACED = "case.municipality_placed"
    MEASURES_DECLINED = "case.declined"
    SIP_CONTESTED = "case.sip_contested"


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
class Transfer:
    """The patient was moved to another ward; the clock goes on. `to_subject` is what the receiving ward calls the stay.

    `to_space`: within what the receiving ward's stay ids are unique, when that is not its care provider; `other_person`: the stay of that
    id is known to be somebody else's, so that the transfer names no other id of this one.
    """

    to_unit: str
    to_subject: str | None = None
    to_space: str | None = None
    other_person: bool = False


@dataclass(frozen=True, slots=True)
class LeaveStart:
    """The patient left the ward for a while (permission) and is expected back."""

    expected_back_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeaveEnd:
    """The patient is back from leave."""


@dataclass(frozen=True, slots=True)
class BlockStart:
    """Outpatient care measures that are missing or not clarified hold the discharge up (5 kap. 5 §)."""

    kind: BlockKind


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """The measures are there or clear; `contested`: the region holds that nothing ever held the discharge up."""

    contested: bool = False


@dataclass(frozen=True, slots=True)
class PersonChange:
    """The person as now known, e.g. a reserve number that became a personnummer, or another registered municipality.

    `moved` says that the patient really moved then; otherwise what was stated before was wrong from the beginning.
    """

    person: Mapping[str, object]
    registered_municipality: str | None
    protected: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """A municipality placed the patient in another one by decision and is liable instead (5 kap. 2 §), as `stated_by` a municipality."""

    municipality: str
    decision_date: date
    reference: str
    stated_by: str


@dataclass(frozen=True, slots=True)
class Declination:
    """The patient declined measures, as `municipality` (its code) or somebody else stated."""

    id: UUID
    measures: frozenset[Need]
    municipality: str | None = None


@dataclass(frozen=True, slots=True)
class SipContest:
    """Ward or municipality holds that the stated needs do not say rightly whether a SIP is required; or no longer."""

    contested: bool


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


EventData = (
    Admission
    | PlannedDischarge
    | Transfer
    | LeaveStart
    | LeaveEnd
    | Readiness
    | ReadinessWithdrawal
    | BlockStart
    | BlockEnd
    | Discharge
    | Death
    | PersonChange
    | Placement
    | Declination
    | SipContest
    | Cancellation
)


class PaperTime(NamedTuple):
    """A notice was given on paper while the service or the network was down: when, and when that was stated to us."""

    given_at: datetime
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One fact about a stay: `time` is when it happened, `sent_at` when it was sent to us (receipt, or `sentat` of history).

    `corrects` is the id, by the same sender, of the event that this one replaces; `stay` what the sender calls the stay by; `paper` that
    its notice had been given on paper before, as the sender states. Whether that counts is for `services.planning.domain.outages`.
    `by_command`: a party stated it with a command, which found that it was its to state then; no sender of events can say so.
    """

    key: EventKey
    type: EventType
    time: datetime
    sent_at: datetime
    data: EventData
    corrects: str | None = None
    stay: StayKey = UNSAID
    paper: PaperTime | None = None
    by_command: bool = False


def fold_order(event: CaseEvent) -> tuple[datetime, datetime, str, str]:
    """The one order in which the events of a case are read, whatever order they came in."""
    return (event.time, event.sent_at, event.key.source, event.key.id)


def sent_order(event: CaseEvent) -> tuple[datetime, datetime, str, str]:
    """The order in which we came to know the events of a case."""
    return (event.sent_at, event.time, event.key.source, event.key.id)


def led_to(event: CaseEvent) -> StayKey | None:
    """What the receiving ward calls the stay after a transfer; none when the event is no transfer, or leads to another person's stay."""
    if not isinstance(event.data, Transfer) or event.data.other_person:
        return None
    return StayKey(event.data.to_space or provider_of(event.data.to_unit), event.data.to_subject or event.stay.subject)


def ward_of(source: str) -> str:
    """The HSA-id inside the `source` of an event."""
    return source.removeprefix(WARD_PREFIX)
