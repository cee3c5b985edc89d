"""Disputes (tvister, domain rule 3.8): what a debtor may contest, who answers it, and what that means for the calculation."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.billing.domain.contested import Claim, Standing
from services.billing.domain.persons import Actor
from shared.dates import Month
from shared.errors import Refused


class DisputeReason(StrEnum):
    """Why a debtor does not think that it owes a stay, or some of its days."""

    READINESS_CONTESTED = "readiness_contested"
    SPECIALIST_MEASURES_MISSING = "specialist_measures_missing"
    NOTICE_MISSING = "notice_missing"
    WRONG_MUNICIPALITY = "wrong_municipality"
    OTHER = "other"


class DisputeOutcome(StrEnum):
    """What the creditor decided: the debtor was right, right about some days, or wrong."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"


class DisputeState(StrEnum):
    """Where a dispute stands; every state but `open` is also the name of the event that led there."""

    OPEN = "open"
    DECIDED = "decided"
    ESCALATED = "escalated"
    IN_COURT = "in_court"


class DisputeAction(StrEnum):
    """The steps. `escalate` asks the creditor to look again; `take_to_court` notes that a court has the matter."""

    DECIDE = "decide"
    ESCALATE = "escalate"
    TAKE_TO_COURT = "take_to_court"


TRANSITIONS: Final = {
    (DisputeState.OPEN, DisputeAction.DECIDE): DisputeState.DECIDED,
    (DisputeState.DECIDED, DisputeAction.ESCALATE): DisputeState.ESCALATED,
    (DisputeState.ESCALATED, DisputeAction.DECIDE): DisputeState.DECIDED,
    (DisputeState.OPEN, DisputeAction.TAKE_TO_COURT): DisputeState.IN_COURT,
    (DisputeState.DECIDED, DisputeAction.TAKE_TO_COURT): DisputeState.IN_COURT,
    (DisputeState.ESCALATED, DisputeAction.TAKE_TO_COURT): DisputeState.IN_COURT,
    (DisputeState.IN_COURT, DisputeAction.DECIDE): DisputeState.DECIDED,
}
INSTANT: Final = timedelta(microseconds=1)
# What a dispute that has been in such a state before never does again: it is looked at anew once, and a court has the last word.
ONCE_ONLY: Final = {
    DisputeAction.ESCALATE: frozenset({DisputeState.ESCALATED, DisputeState.IN_COURT}),
    DisputeAction.TAKE_TO_COURT: frozenset({DisputeState.IN_COURT}),
}


@dataclass(frozen=True, slots=True)
class DisputeEvent:
    """One step of a dispute: where it led, who took it, and of a decision its outcome (`days`: those upheld in part)."""

    state: DisputeState
    at: datetime
    by: Actor
    explanation: str
    outcome: DisputeOutcome | None = None
    days: frozenset[date] | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """What one debtor contests about one stay of one of its months; `days` None = the whole stay."""

    id: UUID
    municipality: str
    month: Month
    stay: UUID
    days: frozenset[date] | None
    reason: DisputeReason
    explanation: str
    by: Actor
    opened_at: datetime
    events: tuple[DisputeEvent, ...] = ()

    @property
    def state(self) -> DisputeState:
        """Where it stands."""
        return self.events[-1].state if self.events else DisputeState.OPEN

    @property
    def raised_by(self) -> tuple[Actor, ...]:
        """Who spoke for the debtor: opened it, or asked for another look."""
        return (self.by, *(event.by for event in self.events if event.state is DisputeState.ESCALATED))

    @property
    def outcome(self) -> DisputeOutcome | None:
        """What was decided, None while nothing is or the decision is looked at again."""
        return self.events[-1].outcome if self.events else None

    def step_at(self, at: datetime) -> datetime:
        """When a step taken at `at` counts: after the one before, though it may have begun earlier and waited, or by another clock."""
        before = self.events[-1].at if self.events else self.opened_at
        return max(at, before + INSTANT)


def next_state(dispute: Dispute, action: DisputeAction) -> DisputeState:
    """Where a step leads: open → decided → escalated → decided, and from anywhere to a court, whose matter is decided once more.

    A ruling is entered as a decision when it has gained legal force: an appeal leaves the dispute in court.

    Raises:
        Refused: The dispute was escalated already, is decided, or is not decided yet.

    Source:
        Domain rule 3.8, disputes (decided by the creditor, escalated at most once, or marked as in court).
    """
    if {event.state for event in dispute.events} & ONCE_ONLY.get(action, frozenset()):
        raise Refused("dispute.escalated", "a dispute is looked at again once, and has been")
    state = TRANSITIONS.get((dispute.state, action))
    if state is not None:
        return state
    if action is DisputeAction.DECIDE:
        raise Refused("dispute.decided", "the dispute is decided; the debtor may escalate it once")
    raise Refused("dispute.not_decided", f"the dispute is {dispute.state}")


def claim_of(
    dispute: UUID,
    stay: UUID,
    days: Collection[date] | None,
    state: DisputeState,
    outcome: DisputeOutcome | None = None,
    upheld: Collection[date] | None = None,
) -> Claim:
    """What a dispute says to the calculation: undecided until the creditor or a court has decided it, whatever was decided before.

    Args:
        dispute: Which.
        stay: The stay it is about.
        days: The days contested, None = the whole stay.
        state: Where it stands.
        outcome: What was decided, when it is.
        upheld: Of one upheld in part, the days that were; the others are charged as if never contested.

    Source:
        Domain rule 3.8, disputes (while undecided: with and without, and the lower amount).
    """
    contested = None if days is None else frozenset(days)
    if state is not DisputeState.DECIDED:
        return Claim(dispute, stay, contested, Standing.UNDECIDED)
    if outcome is DisputeOutcome.REJECTED:
        return Claim(dispute, stay, contested, Standing.REJECTED)
    return Claim(dispute, stay, frozenset(upheld or ()) if outcome is DisputeOutcome.PARTLY else contested, Standing.UPHELD)


def overlap(one: frozenset[date] | None, other: frozenset[date] | None) -> bool:
    """Whether two disputes about one stay are about the same days; the whole stay holds all of them."""
    return one is None or other is None or bool(one & other)


def refuse_repeated(earlier: Iterable[Dispute], days: frozenset[date] | None, reason: DisputeReason, changed_at: datetime | None) -> None:
    """Let nothing be contested twice at a time, nor again for the same reason once it is decided: that is what escalating is for.

    Args:
        earlier: Every dispute of the same debtor about the stay.
        days: What is contested now.
        reason: Why.
        changed_at: When the facts of the stay last moved; on other facts the same reason may be raised again.

    Raises:
        Refused: The same days are contested and not yet decided, or were decided on the facts that stand.

    Source:
        Domain rule 3.8, disputes (per stay or per day; escalated at most once).
    """
    for dispute in (one for one in earlier if overlap(one.days, days)):
        if dispute.state is not DisputeState.DECIDED:
            raise Refused("dispute.open", "a dispute about these days is not decided yet")
        if dispute.reason is reason and (changed_at is None or changed_at <= dispute.events[-1].at):
            raise Refused("dispute.decided", "this was decided on the facts that stand; the decision may be escalated once")


def refuse_same_person(actor: Actor, answerable: Sequence[Actor]) -> None:
    """Let nobody decide about her own calculation, nor in a dispute that she raised.

    Args:
        actor: Who decides.
        answerable: Everybody who prepared or published a calculation of the month, or who spoke for the debtor.

    Raises:
        Refused: She is one of them.

    Source:
        Domain rule 3.8, disputes (decided by the creditor, not by the preparer).
    """
    if any(actor.is_same_person_as(one) for one in answerable):
        raise Refused("dispute.same_person", "a dispute is decided by somebody who neither prepared or published the month nor raised it")
