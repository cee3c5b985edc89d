"""What a patient is told when she leaves the ward (N7, information till patienten vid utskrivning)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.planning.domain.events import Need

ORDER: Final[tuple[Need, ...]] = ("municipal_social", "municipal_health", "outpatient")


@dataclass(frozen=True, slots=True)
class ContactKnown:
    """The permanent care contact (fast vårdkontakt)."""

    name: str
    role: str | None
    phone: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class PlanKnown:
    """A plan of the stay: whether it goes on and the patient lets it be told of, its meeting, and what it names once it was agreed."""

    goes_on: bool
    consented: bool
    meets_at: datetime | None = None
    held_at: datetime | None = None
    place: str | None = None
    by_video: bool = False
    main_responsibility: str | None = None
    follow_up_on: date | None = None


@dataclass(frozen=True, slots=True)
class PatientInformation:
    """What is known and may be told: intended measures, care contact, the meeting to come and the last one held, the plans there are."""

    intended: tuple[Need, ...]
    contact: ContactKnown | None
    meeting: PlanKnown | None
    held: PlanKnown | None
    plans: tuple[PlanKnown, ...]


def patient_information(
    needs: Iterable[Need], declined: Iterable[Need], contact: ContactKnown | None, plans: Iterable[PlanKnown], at: datetime
) -> PatientInformation:
    """What the patient is told at the discharge; the summary of the care itself is the ward's to write.

    Args:
        needs: The measures that may be needed, as the ward stated them.
        declined: Those that the patient declined.
        contact: The permanent care contact, if there is one.
        plans: The plans of the stay. One that was closed, or that the patient does not consent to, is not told of.
        at: When the information is given: a meeting before it is over.

    Source:
        Lag (2017:612) 3 kap. 3 §.
    """
    wanted = frozenset(needs) - frozenset(declined)
    told = [plan for plan in plans if plan.goes_on and plan.consented]
    to_come = [(plan.meets_at, number) for number, plan in enumerate(told) if plan.meets_at is not None and plan.meets_at >= at]
    held = [(plan.held_at, number) for number, plan in enumerate(told) if plan.held_at is not None]
    return PatientInformation(
        intended=tuple(need for need in ORDER if need in wanted),
        contact=contact,
        meeting=told[min(to_come)[1]] if to_come else None,
        held=told[max(held)[1]] if held else None,
        plans=tuple(plan for plan in told if plan.main_responsibility is not None),
    )
