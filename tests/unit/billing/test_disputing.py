"""Domain rule 3.8, disputes: the table of states, what is contested twice, and what a dispute says to the calculation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from services.billing.domain.contested import Standing
from services.billing.domain.disputing import (
    TRANSITIONS,
    Dispute,
    DisputeAction,
    DisputeEvent,
    DisputeOutcome,
    DisputeReason,
    DisputeState,
    claim_of,
    next_state,
    overlap,
    refuse_repeated,
    refuse_same_person,
)
from services.billing.domain.persons import Actor
from shared.dates import Month
from shared.errors import Refused

AT = datetime(2026, 4, 10, 9, tzinfo=UTC)
STAY, OTHER = UUID(int=1), UUID(int=2)
ANNA, BERIT = Actor("kommun-1480", "Anna Test"), Actor("approver", "Berit Test")
DECIDE, ESCALATE, TO_COURT = DisputeAction.DECIDE, DisputeAction.ESCALATE, DisputeAction.TAKE_TO_COURT
MARCH = frozenset({date(2026, 3, 10), date(2026, 3, 11)})


def a_dispute(*states: DisputeState, days: frozenset[date] | None = None, outcome: DisputeOutcome = DisputeOutcome.REJECTED) -> Dispute:
    """A dispute that went through these states, one a day."""
    dispute = Dispute(OTHER, "1480", Month(2026, 3), STAY, days, DisputeReason.NOTICE_MISSING, "No notice came", ANNA, AT)
    for index, state in enumerate(states, start=1):
        said = outcome if state is DisputeState.DECIDED else None
        dispute = replace(dispute, events=(*dispute.events, DisputeEvent(state, AT + timedelta(days=index), BERIT, "Because", said)))
    return dispute


def stories(length: int) -> Iterator[tuple[DisputeAction, ...]]:
    for steps in range(length + 1):
        yield from product(DisputeAction, repeat=steps)


def outcome_of(story: tuple[DisputeAction, ...]) -> str:
    """Where a story ends: its last state, or the code of the first refusal."""
    dispute = a_dispute()
    for action in story:
        try:
            dispute = a_dispute(*(event.state for event in dispute.events), next_state(dispute, action))
        except Refused as refusal:
            return refusal.code
    return dispute.state.value


def test_the_whole_table_of_disputes() -> None:
    decided, refused_once = "dispute.decided", "dispute.escalated"
    table = {
        (): "open",
        (DECIDE,): "decided",
        (ESCALATE,): "dispute.not_decided",
        (TO_COURT,): "in_court",
        (DECIDE, DECIDE): decided,
        (DECIDE, ESCALATE): "escalated",
        (DECIDE, TO_COURT): "in_court",
        (TO_COURT, DECIDE): "decided",
        (TO_COURT, ESCALATE): refused_once,
        (TO_COURT, TO_COURT): refused_once,
        (DECIDE, ESCALATE, DECIDE): "decided",
        (DECIDE, ESCALATE, ESCALATE): refused_once,
        (DECIDE, ESCALATE, TO_COURT): "in_court",
        (DECIDE, TO_COURT, DECIDE): "decided",
        (DECIDE, TO_COURT, ESCALATE): refused_once,
        (DECIDE, TO_COURT, TO_COURT): refused_once,
        (TO_COURT, DECIDE, DECIDE): decided,
        (TO_COURT, DECIDE, ESCALATE): refused_once,
        (TO_COURT, DECIDE, TO_COURT): refused_once,
    }
    reached = {story: outcome_of(story) for story in stories(3)}
    begun = {story for story in reached if outcome_of(story[:-1]) in set(DisputeState) or not story}
    assert {story: reached[story] for story in begun} == table


def test_no_dispute_goes_on_for_ever() -> None:
    states = set(DisputeState)
    longest = max(len(story) for story in stories(7) if outcome_of(story) in states)
    assert longest == len([DECIDE, ESCALATE, DECIDE, TO_COURT, DECIDE])


def test_every_state_is_reached_and_every_step_of_the_table_is_taken() -> None:
    taken = set()
    for story in stories(5):
        for end in range(1, len(story) + 1):
            if outcome_of(story[:end]) in set(DisputeState):
                taken.add((DisputeState(outcome_of(story[: end - 1])), story[end - 1]))
    assert taken == set(TRANSITIONS)


@pytest.mark.parametrize("states", [[], [DisputeState.DECIDED]])
@pytest.mark.parametrize("hours", [-24, 0, 48])
def test_a_step_counts_after_the_one_before_it_whatever_the_clock_says(states: list[DisputeState], hours: int) -> None:
    dispute = a_dispute(*states)
    before = dispute.events[-1].at if states else dispute.opened_at
    at = before + timedelta(hours=hours)
    assert dispute.step_at(at) == (at if hours > 0 else before + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("states", "outcome", "standing", "days"),
    [
        ([], None, Standing.UNDECIDED, MARCH),
        ([DisputeState.DECIDED], DisputeOutcome.UPHELD, Standing.UPHELD, MARCH),
        ([DisputeState.DECIDED], DisputeOutcome.PARTLY, Standing.UPHELD, frozenset({date(2026, 3, 10)})),
        ([DisputeState.DECIDED], DisputeOutcome.REJECTED, Standing.REJECTED, MARCH),
        ([DisputeState.ESCALATED], None, Standing.UNDECIDED, MARCH),
        ([DisputeState.IN_COURT], None, Standing.UNDECIDED, MARCH),
    ],
)
def test_what_the_calculation_hears(
    states: list[DisputeState], outcome: DisputeOutcome | None, standing: Standing, days: frozenset[date]
) -> None:
    upheld = [date(2026, 3, 10)] if outcome is DisputeOutcome.PARTLY else None
    claim = claim_of(OTHER, STAY, sorted(MARCH), states[-1] if states else DisputeState.OPEN, outcome, upheld)
    assert (claim.standing, claim.days, claim.stay, claim.dispute) == (standing, days, STAY, OTHER)


def test_a_whole_stay_upheld_in_part_is_upheld_for_those_days_alone() -> None:
    claim = claim_of(OTHER, STAY, None, DisputeState.DECIDED, DisputeOutcome.PARTLY, [date(2026, 3, 10)])
    assert (claim.standing, claim.days) == (Standing.UPHELD, frozenset({date(2026, 3, 10)}))


def test_the_whole_stay_holds_every_day_and_other_days_none_of_them() -> None:
    other = frozenset({date(2026, 3, 12)})
    assert (overlap(None, other), overlap(MARCH, None), overlap(MARCH, MARCH | other), overlap(MARCH, other)) == (True, True, True, False)


@pytest.mark.parametrize(
    ("earlier", "days", "reason", "changed_at", "code"),
    [
        (a_dispute(days=MARCH), MARCH, DisputeReason.OTHER, None, "dispute.open"),
        (a_dispute(DisputeState.DECIDED, DisputeState.ESCALATED), MARCH, DisputeReason.OTHER, None, "dispute.open"),
        (a_dispute(DisputeState.IN_COURT), None, DisputeReason.OTHER, None, "dispute.open"),
        (a_dispute(days=MARCH), frozenset({date(2026, 3, 12)}), DisputeReason.NOTICE_MISSING, None, None),
        (a_dispute(DisputeState.DECIDED), MARCH, DisputeReason.NOTICE_MISSING, None, "dispute.decided"),
        (a_dispute(DisputeState.DECIDED), MARCH, DisputeReason.NOTICE_MISSING, AT + timedelta(days=1), "dispute.decided"),
        (a_dispute(DisputeState.DECIDED), MARCH, DisputeReason.NOTICE_MISSING, AT + timedelta(days=2), None),
        (a_dispute(DisputeState.DECIDED), MARCH, DisputeReason.OTHER, None, None),
    ],
)
def test_nothing_is_contested_twice_at_a_time_nor_again_on_the_same_ground(
    earlier: Dispute, days: frozenset[date] | None, reason: DisputeReason, changed_at: datetime | None, code: str | None
) -> None:
    if code is None:
        refuse_repeated([earlier], days, reason, changed_at)
        return
    with pytest.raises(Refused) as refusal:
        refuse_repeated([earlier], days, reason, changed_at)
    assert refusal.value.code == code


def test_nobody_decides_about_her_own_calculation_under_any_spelling() -> None:
    refuse_same_person(BERIT, [Actor("controller", "Cecilia Test"), Actor("dirigent", "dirigent (maskin)")])
    with pytest.raises(Refused) as refusal:
        refuse_same_person(BERIT, [Actor("controller", "berit  TEST")])
    assert refusal.value.code == "dispute.same_person"
