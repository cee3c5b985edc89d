"""Keeping the stay ledger: every fact that moves a stay recounts every month the stay left or entered, in the same transaction."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from services.billing.domain.charge import months_touched
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.reasons import ReviewDecision
from services.billing.domain.stay import Stay
from services.billing.repository import ledger, turns
from services.billing.repository.ledger import Pair, StayMonth
from services.billing.usecases.rollup import replace_months
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work
from shared.events.facts import MeasuresDeclined, PlanConsentChanged, PlanInvited, StayChanged

_OPEN: Final = "open"


async def apply_stays(work: Work, facts: Sequence[StayChanged]) -> None:
    """Take in newer versions of stays; an older version than the one known changes nothing."""
    await turns.count_in_turn(work)
    await ledger.keep(work, facts, await rules_now(work))
    await recount(work, {fact.case_id for fact in facts})


async def apply_invitations(work: Work, facts: Sequence[PlanInvited]) -> None:
    """Take in calls to a SIP; one that comes before its stay waits for it."""
    await turns.count_in_turn(work)
    await ledger.keep_invitations(work, facts)
    await recount(work, await ledger.known_as(work, {fact.case_id for fact in facts if fact.case_id is not None}))


async def apply_consents(work: Work, facts: Sequence[PlanConsentChanged]) -> None:
    """Take in answers about consent to a SIP; every answer is kept, for the order they came in says nothing of when they were given."""
    await turns.count_in_turn(work)
    await ledger.keep_consents(work, facts)
    await recount(work, await ledger.known_as(work, {fact.case_id for fact in facts if fact.case_id is not None}))


async def apply_declined(work: Work, facts: Sequence[MeasuresDeclined]) -> None:
    """Take in what patients declined; a statement that comes before its stay waits for it."""
    await turns.count_in_turn(work)
    await ledger.keep_declined(work, facts)
    await recount(work, await ledger.known_as(work, {fact.case_id for fact in facts}))


async def recount(work: Work, cases: Collection[UUID], also: Collection[Pair] = ()) -> None:
    """Work out anew how these stays count in every month they touch, and replace the sums of those months.

    Args:
        work: The transaction.
        cases: The stays that moved.
        also: Months to add up again although none of their stays moved, for instance because a price came.
    """
    await turns.count_in_turn(work)
    await ledger.lock(work, cases)
    rules = await rules_now(work)
    decisions: dict[UUID, list[ReviewDecision]] = {}
    for decision in await ledger.decisions(work, cases):
        decisions.setdefault(decision.stay, []).append(decision)
    today = local_date(work.at)
    lines: list[StayMonth] = []
    for stay in await ledger.stays(work, cases, rules):
        lines += stay_months(stay, rules, decisions.get(stay.case_id, ()), today)
    moved = await ledger.replace_lines(work, cases, lines)
    await replace_months(work, moved | set(also), rules)


def stay_months(stay: Stay, rules: RuleBook, decisions: Sequence[ReviewDecision], today: date) -> list[StayMonth]:
    """How one stay counts in each month it touches: the law of a whole month, given this stay alone, and nothing contested."""
    if stay.municipality is None:
        return []
    found = []
    for month in months_touched(stay, today):
        agreement = rules.agreement(stay.municipality, month)
        if agreement is None:
            continue
        basis = settle_month([stay], rules, stay.municipality, month, decisions=decisions, as_of=today)
        if basis.lines:
            (line,) = basis.lines
            amount = None if line.amount is None else line.amount.ore
            counted, ended = line.counted_as.value, line.ended_on is not None
            found.append(StayMonth(stay.case_id, month, stay.municipality, counted, ended, line.days, line.chargeable_days, amount))
        elif basis.open_stays:
            found.append(StayMonth(stay.case_id, month, stay.municipality, _OPEN, False, 0, 0, 0))
    return found


async def turn_month(work: Work) -> bool:
    """Count one municipality's month that has ended since it was last counted: patients still waiting are charged now.

    Returns:
        Whether there was one.
    """
    pair = await ledger.unturned(work, Month.of(local_date(work.at)))
    if pair is None:
        return False
    await recount(work, await ledger.waiting_in(work, pair), also={pair})
    return True
