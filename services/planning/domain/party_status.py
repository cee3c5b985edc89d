"""Where a party's planning stands: its answer to the ward (planeringsstatus)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.planning.domain.case import CaseStatus
from shared.errors import Refused


class PartyStatus(StrEnum):
    """What a unit has told the ward of its planning."""

    RECEIVED = "received"
    ASSESSING = "assessing"
    READY_FROM = "ready_from"
    NEEDS = "needs"
    NO_MEASURES = "no_measures"


class Missing(StrEnum):
    """What a unit needs before it can receive the patient. A closed list: free text could carry what secrecy bars without consent."""

    INFORMATION = "information"
    ASSESSMENT = "assessment"
    MEDICATION_LIST = "medication_list"
    PRESCRIPTIONS = "prescriptions"
    AIDS = "aids"
    HOME_ADAPTATION = "home_adaptation"
    PLACEMENT = "placement"
    PLAN_MEETING = "plan_meeting"
    OUTPATIENT_MEASURES = "outpatient_measures"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PlanningStatus:
    """A unit's answer: `ready_from` when it can receive the patient, `needs` what it lacks; each only with its status."""

    status: PartyStatus
    ready_from: datetime | None = None
    needs: tuple[Missing, ...] = ()


_P = PartyStatus
_ANSWERS: Final = frozenset({_P.READY_FROM, _P.NEEDS, _P.NO_MEASURES})

PARTY_TRANSITIONS: Final[dict[PartyStatus | None, frozenset[PartyStatus]]] = {
    None: frozenset(_P),
    _P.RECEIVED: frozenset(_P),
    # Whoever has begun cannot have only received; any answer may be replaced by another one, or taken up for assessment again.
    _P.ASSESSING: frozenset(_P) - {_P.RECEIVED},
    _P.READY_FROM: frozenset(_P) - {_P.RECEIVED},
    _P.NEEDS: frozenset(_P) - {_P.RECEIVED},
    _P.NO_MEASURES: frozenset(_P) - {_P.RECEIVED},
}
"""From what a unit has told to what it may tell next; what is not here is refused."""

OVER: Final = frozenset({CaseStatus.DISCHARGED, CaseStatus.DECEASED, CaseStatus.CANCELLED})


def answers_the_ward(status: PartyStatus | None) -> bool:
    """Whether a status says when the ward can count on the unit, or what it must do for it.

    Source:
        Lag (2017:612) 2 kap. 6 §.
    """
    return status in _ANSWERS


def restate(before: PlanningStatus | None, told: PlanningStatus, case: CaseStatus) -> PlanningStatus:
    """A unit's planning status after it told the ward something.

    Raises:
        Refused: `case.over` when the stay has ended, `party.status_backwards` when planning had begun already.

    Source:
        Lag (2017:612) 2 kap. 6 §: every unit that got the admission notice starts to plan.
    """
    if case in OVER:
        raise Refused("case.over", f"The case is {case}; there is nothing left to plan for (2 kap. 6 §).")
    if told.status not in PARTY_TRANSITIONS[None if before is None else before.status]:
        raise Refused("party.status_backwards", f"The unit has told {before.status if before else None}; planning has begun (2 kap. 6 §).")
    return told


def check_care_contact(case: CaseStatus) -> None:
    """Whether a permanent care contact (fast vårdkontakt) may be appointed or replaced: late is a fault, but better than never.

    Raises:
        Refused: `case.over` when there was no such stay, or the patient has died.

    Source:
        Lag (2017:612) 2 kap. 5 §: before the patient is discharged.
    """
    if case in {CaseStatus.DECEASED, CaseStatus.CANCELLED}:
        raise Refused("case.over", f"The case is {case}; no care contact can be appointed (2 kap. 5 §).")


def check_declined(case: CaseStatus, measures: frozenset[str], needs: frozenset[str]) -> None:
    """Whether the patient can have declined these measures: only what was needed can be declined.

    Raises:
        Refused: `case.over` for a case that was cancelled, `case.measure_not_needed`.

    Source:
        Lag (2017:612) 4 kap. 2 §: a plan is made only with the patient's consent; VGR agreement, switch `declined_measures`.
    """
    if case is CaseStatus.CANCELLED:
        raise Refused("case.over", "The case is cancelled; there was no such stay.")
    if not measures <= needs:
        raise Refused("case.measure_not_needed", "Only measures that the ward stated as needed can be declined.")
