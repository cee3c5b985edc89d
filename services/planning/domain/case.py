"""The case: a pure fold over the events of one inpatient stay.

For given events and sent times any order of arrival and any duplication ends in the same state (promise P3): the fold reads the
events in one fixed order and derives who knew what from sent times only. Two rules settle contradictions without losing anything:
of two statements of the same thing the one sent first stands (a change is stated with a correction), and every other becomes a finding.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from services.planning.domain.events import Admission, CaseEvent, EventKey, EventType, Readiness
from services.planning.domain.findings import Finding, FindingCode
from services.planning.domain.outages import NOT_ON_PAPER, OnPaper, PaperMark
from services.planning.domain.parties import Party
from services.planning.domain.persons import Residence

IDENTITY: Final = ("type", "id", "name")
"""The part of a person that every notice carries."""
WHOLE_PERSON: Final = (*IDENTITY, "registered_address")
"""The part of a person that the admission notice carries, and nothing more (lag 2017:612 2 kap. 3 §)."""


class CaseStatus(StrEnum):
    """Where a case stands. `awaiting_admission` is a case of which something is known, but not yet its admission."""

    AWAITING_ADMISSION = "awaiting_admission"
    ADMITTED = "admitted"
    PLANNING = "planning"
    READY = "ready"
    DISCHARGED = "discharged"
    DECEASED = "deceased"
    CANCELLED = "cancelled"


class Step(NamedTuple):
    """What an event makes of a case: the status after it, and what does not fit."""

    status: CaseStatus
    finding: FindingCode | None = None


class CaseTrigger(StrEnum):
    """What moves a case besides the events of its stay."""

    PLANNING_STARTED = "planning_started"


_S = CaseStatus
_E = EventType
_F = FindingCode

TRANSITIONS: Final[dict[tuple[CaseStatus, EventType | CaseTrigger], Step]] = {
    (_S.AWAITING_ADMISSION, _E.ADMITTED): Step(_S.ADMITTED),
    (_S.AWAITING_ADMISSION, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.AWAITING_ADMISSION, _F.PLANNED_DATE_WITHOUT_ADMISSION),
    (_S.AWAITING_ADMISSION, _E.READY): Step(_S.AWAITING_ADMISSION, _F.READY_WITHOUT_ADMISSION),
    (_S.AWAITING_ADMISSION, _E.READY_WITHDRAWN): Step(_S.AWAITING_ADMISSION, _F.WITHDRAWAL_WITHOUT_ADMISSION),
    (_S.AWAITING_ADMISSION, _E.DISCHARGED): Step(_S.AWAITING_ADMISSION, _F.DISCHARGED_WITHOUT_ADMISSION),
    (_S.AWAITING_ADMISSION, _E.DECEASED): Step(_S.AWAITING_ADMISSION, _F.DECEASED_WITHOUT_ADMISSION),
    (_S.AWAITING_ADMISSION, CaseTrigger.PLANNING_STARTED): Step(_S.AWAITING_ADMISSION),
    (_S.ADMITTED, _E.ADMITTED): Step(_S.ADMITTED, _F.TWO_ADMISSIONS),
    (_S.ADMITTED, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.ADMITTED),
    (_S.ADMITTED, _E.READY): Step(_S.READY),
    (_S.ADMITTED, _E.READY_WITHDRAWN): Step(_S.ADMITTED, _F.WITHDRAWAL_WITHOUT_READY),
    (_S.ADMITTED, _E.DISCHARGED): Step(_S.DISCHARGED),
    (_S.ADMITTED, _E.DECEASED): Step(_S.DECEASED),
    (_S.ADMITTED, CaseTrigger.PLANNING_STARTED): Step(_S.PLANNING),
    (_S.PLANNING, _E.ADMITTED): Step(_S.PLANNING, _F.TWO_ADMISSIONS),
    (_S.PLANNING, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.PLANNING),
    (_S.PLANNING, _E.READY): Step(_S.READY),
    (_S.PLANNING, _E.READY_WITHDRAWN): Step(_S.PLANNING, _F.WITHDRAWAL_WITHOUT_READY),
    (_S.PLANNING, _E.DISCHARGED): Step(_S.DISCHARGED),
    (_S.PLANNING, _E.DECEASED): Step(_S.DECEASED),
    (_S.PLANNING, CaseTrigger.PLANNING_STARTED): Step(_S.PLANNING),
    (_S.READY, _E.ADMITTED): Step(_S.READY, _F.TWO_ADMISSIONS),
    (_S.READY, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.READY),
    (_S.READY, _E.READY): Step(_S.READY, _F.READY_TWICE),
    (_S.READY, _E.READY_WITHDRAWN): Step(_S.PLANNING),
    (_S.READY, _E.DISCHARGED): Step(_S.DISCHARGED),
    (_S.READY, _E.DECEASED): Step(_S.DECEASED),
    (_S.READY, CaseTrigger.PLANNING_STARTED): Step(_S.READY),
    (_S.DISCHARGED, _E.ADMITTED): Step(_S.DISCHARGED, _F.TWO_ADMISSIONS),
    (_S.DISCHARGED, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.DISCHARGED, _F.PLANNED_DATE_AFTER_DISCHARGE),
    (_S.DISCHARGED, _E.READY): Step(_S.DISCHARGED, _F.READY_AFTER_DISCHARGE),
    (_S.DISCHARGED, _E.READY_WITHDRAWN): Step(_S.DISCHARGED, _F.WITHDRAWAL_AFTER_DISCHARGE),
    (_S.DISCHARGED, _E.DISCHARGED): Step(_S.DISCHARGED, _F.TWO_DISCHARGES),
    (_S.DISCHARGED, _E.DECEASED): Step(_S.DISCHARGED, _F.DECEASED_AFTER_DISCHARGE),
    (_S.DISCHARGED, CaseTrigger.PLANNING_STARTED): Step(_S.DISCHARGED),
    (_S.DECEASED, _E.ADMITTED): Step(_S.DECEASED, _F.TWO_ADMISSIONS),
    (_S.DECEASED, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.DECEASED, _F.PLANNED_DATE_AFTER_DEATH),
    (_S.DECEASED, _E.READY): Step(_S.DECEASED, _F.READY_AFTER_DEATH),
    (_S.DECEASED, _E.READY_WITHDRAWN): Step(_S.DECEASED, _F.WITHDRAWAL_AFTER_DEATH),
    (_S.DECEASED, _E.DISCHARGED): Step(_S.DECEASED, _F.DISCHARGED_AFTER_DEATH),
    (_S.DECEASED, _E.DECEASED): Step(_S.DECEASED, _F.TWO_DEATHS),
    (_S.DECEASED, CaseTrigger.PLANNING_STARTED): Step(_S.DECEASED),
    (_S.CANCELLED, _E.ADMITTED): Step(_S.ADMITTED),
    (_S.CANCELLED, _E.PLANNED_DISCHARGE_CHANGED): Step(_S.CANCELLED),
    (_S.CANCELLED, _E.READY): Step(_S.CANCELLED),
    (_S.CANCELLED, _E.READY_WITHDRAWN): Step(_S.CANCELLED),
    (_S.CANCELLED, _E.DISCHARGED): Step(_S.CANCELLED),
    (_S.CANCELLED, _E.DECEASED): Step(_S.CANCELLED),
    (_S.CANCELLED, CaseTrigger.PLANNING_STARTED): Step(_S.CANCELLED),
}
"""Every status against every event that moves a case. Cancellations are not here: they are applied before the fold, by `amend`."""

# What happens beside the way from admission to discharge: no status changes, and what cannot be true is found. In the order: before
# there is an admission, after the discharge, after death.
_BESIDE: Final[dict[EventType, tuple[FindingCode | None, FindingCode | None, FindingCode | None]]] = {
    _E.TRANSFERRED: (_F.TRANSFER_WITHOUT_ADMISSION, _F.TRANSFER_AFTER_DISCHARGE, _F.TRANSFER_AFTER_DEATH),
    _E.LEAVE_STARTED: (_F.LEAVE_WITHOUT_ADMISSION, _F.LEAVE_AFTER_DISCHARGE, _F.LEAVE_AFTER_DEATH),
    _E.LEAVE_ENDED: (_F.LEAVE_WITHOUT_ADMISSION, _F.LEAVE_AFTER_DISCHARGE, _F.LEAVE_AFTER_DEATH),
    _E.OUTPATIENT_BLOCK_STARTED: (_F.BLOCK_WITHOUT_ADMISSION, _F.BLOCK_AFTER_DISCHARGE, _F.BLOCK_AFTER_DEATH),
    # That a block is over, who the person is and who answers for her is often known only afterwards.
    _E.OUTPATIENT_BLOCK_ENDED: (_F.BLOCK_WITHOUT_ADMISSION, None, None),
    _E.PERSON_CHANGED: (_F.PERSON_CHANGE_WITHOUT_ADMISSION, None, None),
    _E.MUNICIPALITY_PLACED: (None, None, None),
    _E.MEASURES_DECLINED: (None, None, None),
    _E.SIP_CONTESTED: (None, None, None),
}
_FOUND_IN: Final = (_S.AWAITING_ADMISSION, _S.DISCHARGED, _S.DECEASED)
TRANSITIONS.update(
    {
        (status, kind): Step(status, found[_FOUND_IN.index(status)] if status in _FOUND_IN else None)
        for kind, found in _BESIDE.items()
        for status in CaseStatus
    }
)


class PlannedDate(NamedTuple):
    """One statement of the planned discharge date, by the admission or a later change."""

    key: EventKey
    sent_at: datetime
    day: date | None
    paper_given_at: datetime | None = None


class ReadyPeriod(NamedTuple):
    """One readiness: from the ready notice (N5) that was sent first, to its withdrawal if there was one; `paper` tells of both."""

    key: EventKey
    ready_at: datetime
    sent_at: datetime
    judgement: Readiness
    withdrawal: CaseEvent | None = None
    paper: OnPaper = NOT_ON_PAPER
    withdrawal_paper: OnPaper = NOT_ON_PAPER

    @property
    def withdrawn_at(self) -> datetime | None:
        """When the patient was found to need hospital care again."""
        return None if self.withdrawal is None else self.withdrawal.time

    @property
    def counts_from(self) -> datetime:
        """When its ready notice counts as sent: really, or on paper during an outage."""
        return self.paper.counts_from(self.sent_at)


class PaperNotice(NamedTuple):
    """An event whose notice was given on paper as its sender states, and what that is worth."""

    event: CaseEvent
    mark: PaperMark


class Leave(NamedTuple):
    """One leave from the ward, with its end if the patient is back."""

    start: CaseEvent
    end: CaseEvent | None = None


class OutpatientBlock(NamedTuple):
    """Outpatient care held the discharge up, as one sender states (5 kap. 5 §), until `end` if it is over."""

    start: CaseEvent
    end: CaseEvent | None = None


class Declined(NamedTuple):
    """The patient declined measures, as somebody stated; `withdrawn`: it was stated by mistake."""

    event: CaseEvent
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class CaseState:
    """What is known of one stay, after all its events.

    `admission` is the admission that stands, as corrected, and `about` what it says with the person as now known; for a cancelled case the
    one that was taken away; none while it is awaited. `story` is every other event that counts, in order; `discharge` and `death` are the
    statements that stand; `placements` what municipalities stated of 5 kap. 2 §, the latest of each; `residences` where the person was
    registered, oldest first, more than one only after a real move.

    `person_version` and `identity_version` name the event that first stated the person as it now is (with address; number and name only):
    they change when the personal part of a notice does, without holding anything personal. `last_sent_at` is how far our knowledge reaches.
    """

    status: CaseStatus
    ward: str | None = None
    admission: CaseEvent | None = None
    about: Admission | None = None
    person_version: EventKey | None = None
    identity_version: EventKey | None = None
    sip_required: bool = False
    parties: tuple[Party, ...] = ()
    planned_dates: tuple[PlannedDate, ...] = ()
    ready: tuple[ReadyPeriod, ...] = ()
    discharge: CaseEvent | None = None
    death: CaseEvent | None = None
    transfers: tuple[CaseEvent, ...] = ()
    leaves: tuple[Leave, ...] = ()
    blocks: tuple[OutpatientBlock, ...] = ()
    residences: tuple[Residence, ...] = ()
    placements: tuple[CaseEvent, ...] = ()
    declined: tuple[Declined, ...] = ()
    sip_contested: bool = False
    person_ids: tuple[tuple[str, str], ...] = ()
    story: tuple[CaseEvent, ...] = ()
    on_paper: tuple[PaperNotice, ...] = ()
    last_sign_of_life_at: datetime | None = None
    last_sent_at: datetime | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def planned_discharge_date(self) -> date | None:
        """The planned discharge date as last stated (beräknad utskrivning)."""
        return self.planned_dates[-1].day if self.planned_dates else None
