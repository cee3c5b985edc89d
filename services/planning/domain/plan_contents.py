"""What is said in a plan: its meeting, what the parties agreed, how it was followed up. Free text, shared only where the plan is."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.planning.domain.plans import Plan, PlanStatus, PlanTrigger, move
from shared.errors import FieldError, Malformed, Refused

Actor = Literal["unit", "relative", "patient"]
Outcome = Literal["goals_met", "partly_met", "not_met"]


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and where a plan is made: a place, a video link, or both."""

    at: datetime
    place: str | None = None
    link: str | None = None

    @property
    def by_video(self) -> bool:
        """Whether it can be joined by video."""
        return self.link is not None


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: what is done, and who answers for it, down to the unit; or a relative or the patient does it."""

    what: str
    by: Actor
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a plan names: the needs, the measures, the unit with the main responsibility, the day of the follow-up."""

    needs: tuple[str, ...]
    measures: tuple[Measure, ...]
    main_responsibility: str
    follow_up_on: date


def schedule(plan: Plan, meeting: Meeting) -> PlanStatus:
    """Set the plan's next meeting.

    Raises:
        Malformed: `plan.meeting_nowhere`.
        Refused: As `move`.

    Source:
        Domain rule 2: held at home rather than in hospital, by video in most cases.
    """
    if meeting.place is None and meeting.link is None:
        raise Malformed("plan.meeting_nowhere")
    return move(plan, PlanTrigger.SCHEDULE)


def hold(plan: Plan, meeting: Meeting, at: datetime) -> PlanStatus:
    """The meeting took place.

    Raises:
        Malformed: `plan.meeting_nowhere`, or `plan.not_yet`: it lies ahead.
        Refused: As `move`.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    if meeting.place is None and meeting.link is None:
        raise Malformed("plan.meeting_nowhere")
    if meeting.at > at:
        raise Malformed("plan.not_yet", errors=(FieldError("/at", "in_future"),))
    return move(plan, PlanTrigger.HOLD)


def agree(plan: Plan, measures: Measures, participants: Set[str]) -> PlanStatus:
    """Write down what the plan names.

    Args:
        plan: The plan.
        measures: What was agreed.
        participants: The units that take part, the plan's own included.

    Raises:
        Malformed: `plan.measure_unassigned`: a measure names no unit that takes part, or a unit beside a relative or the patient;
            or the main responsibility lies elsewhere.
        Refused: As `move`.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    wrong = [
        FieldError(f"/measures/{index}/unit", "unit_not_participant" if measure.by == "unit" else "unit_not_answerable")
        for index, measure in enumerate(measures.measures)
        if (measure.unit in participants if measure.by == "unit" else measure.unit is None) is False
    ]
    if measures.main_responsibility not in participants:
        wrong.append(FieldError("/main_responsibility", "unit_not_participant"))
    if wrong:
        raise Malformed("plan.measure_unassigned", errors=tuple(wrong))
    return move(plan, PlanTrigger.AGREE)


def follow_up(plan: Plan, *, agreed: bool, held_at: datetime, at: datetime) -> PlanStatus:
    """The plan was followed up.

    Raises:
        Malformed: `plan.not_yet`.
        Refused: `plan.measures_missing`: there is nothing to follow up, or as `move`.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    if held_at > at:
        raise Malformed("plan.not_yet", errors=(FieldError("/held_at", "in_future"),))
    status = move(plan, PlanTrigger.FOLLOW_UP)
    if not agreed:
        raise Refused("plan.measures_missing", f"The plan is {plan.status} and names no measures yet.")
    return status
