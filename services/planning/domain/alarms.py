"""Who is told when nobody has taken a notice on in time: one step after another, each later than the one before."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.duty_rules import Duty, DutyRule
from services.planning.domain.limits import Statute


class EscalationStep(StrEnum):
    """Who is told: the contacts of the mailbox, then whoever takes over outside its hours, then the operator."""

    CONTACT = "contact"
    ON_CALL = "on_call"
    OPERATOR = "operator"


ESCALATION_STEPS: Final = tuple(EscalationStep)


class Escalation(NamedTuple):
    """One step of one notice that waits, and when it is taken."""

    duty: Duty
    notice: UUID
    mailbox: UUID
    by: datetime
    step: EscalationStep
    at: datetime


def escalations(duties: Iterable[Duty], statute: Statute, *, imported_until: datetime | None) -> tuple[Escalation, ...]:
    """Every step that notices call for which nobody has taken on, earlier steps first. What was imported as history is never escalated.

    Args:
        duties: The open duties of one case; only those to take a notice on are escalated.
        statute: How long after the limit each step comes.
        imported_until: Until when what is known of the case was imported; none when nothing was.

    Source:
        Lag (2017:612) 2 kap. 6 §: planning starts on receipt; whom to tell when nobody does, and when, is our default.
    """
    live = (duty for duty in duties if imported_until is None or duty.since > imported_until)
    found = (escalation for duty in live for escalation in _steps(duty, statute))
    return tuple(sorted(found, key=lambda one: (one.at, ESCALATION_STEPS.index(one.step), one.duty.key)))


def _steps(duty: Duty, statute: Statute) -> Iterator[Escalation]:
    if duty.rule is not DutyRule.ACKNOWLEDGE or duty.mailbox is None or duty.about is None or duty.by is None:
        return
    limits = statute.at(duty.by)
    waits = {
        EscalationStep.CONTACT: limits.escalate_to_contact,
        EscalationStep.ON_CALL: limits.escalate_on_call,
        EscalationStep.OPERATOR: limits.escalate_to_operator,
    }
    for step, wait in waits.items():
        yield Escalation(duty, duty.about, duty.mailbox, duty.by, step, duty.by + wait)
