"""Deviations (avvikelser): faults in the co-operation, reported, assigned to the counterpart, answered with measures, closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from services.planning.domain.figures import median
from services.planning.domain.limits import Statute
from shared.errors import Refused

MINUTES_PER_HOUR: Final = 60
Category = Literal[
    "notice_missing",
    "notice_late",
    "wrong_recipient",
    "information_missing",
    "care_contact",
    "plan",
    "medication",
    "aids",
    "transport",
    "self_care",
    "receipt",
    "other",
]
Step = Literal["admission", "planning", "ready", "discharge", "plan", "follow_up"]


class DeviationStatus(StrEnum):
    """Where a deviation stands."""

    REPORTED = "reported"
    ASSIGNED = "assigned"
    ANSWERED = "answered"
    CLOSED = "closed"


class DeviationTrigger(StrEnum):
    """What can be done with a deviation."""

    ASSIGN = "assign"
    ANSWER = "answer"
    CLOSE = "close"


_S = DeviationStatus
_T = DeviationTrigger

DEVIATION_TRANSITIONS: Final[dict[tuple[DeviationStatus, DeviationTrigger], DeviationStatus]] = {
    (_S.REPORTED, _T.ASSIGN): _S.ASSIGNED,
    # Reported by mistake.
    (_S.REPORTED, _T.CLOSE): _S.CLOSED,
    # Passed on: it is another unit's to answer.
    (_S.ASSIGNED, _T.ASSIGN): _S.ASSIGNED,
    (_S.ASSIGNED, _T.ANSWER): _S.ANSWERED,
    (_S.ASSIGNED, _T.CLOSE): _S.CLOSED,
    # The reporter is not content, or asks another unit as well.
    (_S.ANSWERED, _T.ASSIGN): _S.ASSIGNED,
    (_S.ANSWERED, _T.ANSWER): _S.ANSWERED,
    (_S.ANSWERED, _T.CLOSE): _S.CLOSED,
}
"""What is not here is refused."""


def move(status: DeviationStatus, trigger: DeviationTrigger) -> DeviationStatus:
    """The status of a deviation after something was done with it.

    Raises:
        Refused: `deviation.closed` or `deviation.not_assigned`.
    """
    after = DEVIATION_TRANSITIONS.get((status, trigger))
    if after is None:
        code = "deviation.closed" if status is DeviationStatus.CLOSED else "deviation.not_assigned"
        raise Refused(code, f"The deviation is {status}, which does not allow: {trigger}.")
    return after


def due_at(status: DeviationStatus, since: datetime, statute: Statute) -> datetime | None:
    """Until when the next step is expected: assigning what was reported, answering what was assigned. Calendar time.

    Source:
        Domain rule 5: deviation flow with deadlines; their lengths are our defaults.
    """
    limits = statute.at(since)
    if status is DeviationStatus.REPORTED:
        return since + limits.deviation_assigned
    return since + limits.deviation_answered if status is DeviationStatus.ASSIGNED else None


@dataclass(frozen=True, slots=True)
class DeviationTimes:
    """When the steps of one deviation were taken, and whether its next one is overdue."""

    step: Step
    category: Category
    reported_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepStatistics:
    """The deviations of one step of the chain."""

    step: str
    reported: int
    answered: int
    closed: int
    overdue: int
    median_hours_to_answer: str | None
    categories: dict[str, int]


def statistics(deviations: list[DeviationTimes], at: datetime) -> list[StepStatistics]:
    """How many deviations each step of the chain had, and how long it took to answer them.

    Source:
        Domain rule 4: deviations per step and their handling time.
    """
    found = []
    for step in sorted({one.step for one in deviations}):
        of_step = [one for one in deviations if one.step == step]
        categories: dict[str, int] = {}
        for one in of_step:
            categories[one.category] = categories.get(one.category, 0) + 1
        minutes = [(one.answered_at - one.reported_at) // timedelta(minutes=1) for one in of_step if one.answered_at is not None]
        found.append(
            StepStatistics(
                step=step,
                reported=len(of_step),
                answered=sum(one.answered_at is not None for one in of_step),
                closed=sum(one.closed_at is not None for one in of_step),
                overdue=sum(one.due_at is not None and one.due_at < at for one in of_step),
                median_hours_to_answer=median(minutes, MINUTES_PER_HOUR),
                categories=dict(sorted(categories.items())),
            )
        )
    return found
