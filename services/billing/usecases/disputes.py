"""Disputes: a debtor contests a stay or some of its days, the creditor decides, and the month is counted anew either way.

Nothing waits for a dispute. A month with undecided disputes may be signed, approved and issued like any other: what is billed is the lower
of the amounts with and without what is contested, and after the decision the whole month is recomputed and the difference billed or
credited. So a dispute opened in the window makes the debtor's silence no yes to what it contests, and to nothing else: silence still
accepts the rest, for the contested part is not in the amount. Opening and deciding make the month's calculation outdated wherever they
change it, as any fact does, and every later step must then name one that was prepared after.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.billing.domain.charge import standing
from services.billing.domain.disputing import (
    Dispute,
    DisputeAction,
    DisputeEvent,
    DisputeOutcome,
    DisputeReason,
    next_state,
    refuse_repeated,
    refuse_same_person,
)
from services.billing.domain.persons import Actor
from services.billing.repository import disputes as rows
from services.billing.repository import ledger, turns
from services.billing.repository.disputes import Wanted
from services.billing.usecases.ledger import recount
from services.billing.usecases.rules import rules_now
from shared.dates import Month
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.events.creditor_facts import DisputeEscalated
from shared.events.facts import DisputeDecided, DisputeOpened
from shared.identifiers import uuid7
from shared.logging import mask
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class Contested:
    """What a debtor says: which stay of which month, the whole of it (`days` None) or some days, and why."""

    municipality: str
    month: Month
    stay: UUID
    days: tuple[date, ...] | None
    reason: DisputeReason
    explanation: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the creditor says; `days`: those upheld, of one upheld in part."""

    outcome: DisputeOutcome
    days: tuple[date, ...] | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """What a party says who does not leave it at that: look again, or a court has it; `reference` names the court's matter."""

    action: DisputeAction
    explanation: str
    reference: str | None


async def open_dispute(work: Work, contested: Contested, actor: Actor) -> Dispute:
    """Take what a debtor contests in the calculation it was shown last, before the invoice or long after.

    Raises:
        Malformed: The stay is not in that calculation, a day is none that the patient waited, or the text names a person.
        Refused: No calculation of the month was published, or the same days are contested already.
    """
    _refuse_persons(contested.explanation)
    body = await rows.published_body(work, contested.municipality, contested.month)
    if body is None:
        raise Refused("dispute.month_not_published", "only what was published can be contested")
    if str(contested.stay) not in {line["case"] for line in json.loads(body)["lines"]}:
        raise Malformed("dispute.not_contestable", errors=(FieldError("/case", "not_in_calculation"),))
    await work.become(Role.INTAKE)  # what follows counts anew whatever months the stay touches
    await turns.count_in_turn(work)
    cases = await ledger.known_as(work, {contested.stay})
    await ledger.lock(work, cases)
    days = None if contested.days is None else frozenset(contested.days)
    await _check_days(work, contested.days, contested.municipality, contested.month, contested.stay)
    own = [one for one in await rows.about(work, cases) if one.municipality == contested.municipality]
    refuse_repeated(own, days, contested.reason, await rows.changed_at(work, contested.stay))
    dispute = Dispute(
        uuid7(),
        contested.municipality,
        contested.month,
        contested.stay,
        days,
        contested.reason,
        contested.explanation,
        actor,
        work.at,
    )
    await rows.add(work, dispute)
    opened = DisputeOpened(
        dispute_id=dispute.id,
        municipality=dispute.municipality,
        month=str(dispute.month),
        case_id=dispute.stay,
        opened_at=work.at,
    )
    await stage_facts(work, [(opened, None)])
    await recount(work, cases)
    return dispute


async def decide_dispute(work: Work, dispute_id: UUID, ruling: Ruling, actor: Actor) -> Dispute:
    """Decide a dispute, tell the debtor, and count the stay anew.

    Raises:
        NotFound: There is no such dispute.
        Malformed: The days do not go with the outcome, or the text names a person.
        Refused: It is decided already, or by one who made the calculation or raised the dispute.
    """
    _refuse_persons(ruling.explanation)
    dispute = await _locked(work, dispute_id)
    state = next_state(dispute, DisputeAction.DECIDE)
    refuse_same_person(actor, [*await rows.answerable(work, dispute.municipality, dispute.month), *dispute.raised_by])
    await _check_ruling(work, dispute, ruling)
    days = None if ruling.days is None else frozenset(ruling.days)
    at = dispute.step_at(work.at)
    decided = await _moved(work, dispute, DisputeEvent(state, at, actor, ruling.explanation, ruling.outcome, days))
    fact = DisputeDecided(
        dispute_id=dispute.id,
        municipality=dispute.municipality,
        month=str(dispute.month),
        case_id=dispute.stay,
        outcome=ruling.outcome.value,
        decided_at=at,
    )
    await stage_facts(work, [(fact, None)])
    return decided


async def escalate_dispute(work: Work, dispute_id: UUID, escalation: Escalation, actor: Actor, reader: str | None) -> Dispute:
    """Ask the creditor to look again, once, or note that a court has the dispute; undecided from then on, until it is decided again.

    It is told on the stream, without what was written.

    Args:
        work: The transaction.
        dispute_id: Which.
        escalation: What is said.
        actor: Who says it.
        reader: The municipality that acts, None for the region, which may only note that a court has it.

    Raises:
        NotFound: There is no such dispute, or it is somebody else's.
        Malformed: The text names a person.
        Refused: It is not decided yet, or was escalated before.
    """
    _refuse_persons(escalation.explanation, escalation.reference)
    dispute = await _locked(work, dispute_id, reader)
    if reader is None and escalation.action is DisputeAction.ESCALATE:
        raise Refused("dispute.debtor_only", "only the debtor asks for another look; either side notes that a court has it")
    state = next_state(dispute, escalation.action)
    at = dispute.step_at(work.at)
    fact = DisputeEscalated(
        dispute_id=dispute.id,
        municipality=dispute.municipality,
        month=str(dispute.month),
        case_id=dispute.stay,
        to="review" if escalation.action is DisputeAction.ESCALATE else "court",
        by="creditor" if reader is None else "debtor",
        escalated_at=at,
    )
    await stage_facts(work, [(fact, None)])
    return await _moved(work, dispute, DisputeEvent(state, at, actor, escalation.explanation, reference=escalation.reference))


async def dispute_of(work: Work, dispute_id: UUID, reader: str | None) -> Dispute:
    """One dispute with its history.

    Raises:
        NotFound: There is no such dispute, or it is somebody else's.
    """
    dispute = await rows.find(work, dispute_id)
    if dispute is None or reader not in {None, dispute.municipality}:
        raise NotFound
    return dispute


async def disputes_of(work: Work, wanted: Wanted) -> list[Dispute]:
    """Some disputes, in the order they were opened."""
    return await rows.some(work, wanted)


async def _locked(work: Work, dispute_id: UUID, reader: str | None = None) -> Dispute:
    """A dispute while its stay is locked: what happens to one stay happens in one order."""
    known = await dispute_of(work, dispute_id, reader)
    await work.become(Role.INTAKE)  # what follows counts anew whatever months the stay touches
    await turns.count_in_turn(work)
    await ledger.lock(work, await ledger.known_as(work, {known.stay}))
    return await dispute_of(work, dispute_id, reader)


async def _moved(work: Work, dispute: Dispute, event: DisputeEvent) -> Dispute:
    await rows.add_event(work, dispute.id, event)
    await recount(work, await ledger.known_as(work, {dispute.stay}))
    return replace(dispute, events=(*dispute.events, event))


async def _check_ruling(work: Work, dispute: Dispute, ruling: Ruling) -> None:
    """Hold the days of a decision against its outcome.

    Raises:
        Malformed: Days where the outcome takes none, none where it needs some, or not a part of what is contested.
    """
    if (ruling.outcome is DisputeOutcome.PARTLY) != bool(ruling.days):
        raise Malformed("dispute.days_malformed", errors=(FieldError("/days", "missing_or_unexpected"),))
    if ruling.days and dispute.days is not None and not frozenset(ruling.days) < dispute.days:
        raise Malformed("dispute.days_malformed", errors=(FieldError("/days", "not_a_part"),))
    await _check_days(work, ruling.days, dispute.municipality, dispute.month, dispute.stay)


async def _check_days(work: Work, days: Collection[date] | None, municipality: str, month: Month, case: UUID) -> None:
    """Hold days against those that the patient waited.

    Raises:
        Malformed: One of them is none, or is named twice.
    """
    if days is None:
        return
    waited = await _days_waited(work, municipality, month, case)
    errors = [FieldError(f"/days/{index}", "no_waiting_day") for index, day in enumerate(days) if day not in waited]
    if len(set(days)) != len(days):
        errors.append(FieldError("/days", "named_twice"))
    if errors:
        raise Malformed("dispute.not_contestable", errors=tuple(errors))


async def _days_waited(work: Work, municipality: str, month: Month, case: UUID) -> frozenset[date]:
    """The waiting days of a stay up to its end or the end of the month, whatever was upheld of them before."""
    book = await rules_now(work)
    for stay in await ledger.stays(work, {case}, book):
        found = standing(stay, book.rule_sets(municipality), month)
        return frozenset() if found is None or found.waiting is None else frozenset(found.waiting.days)
    return frozenset()


def _refuse_persons(*texts: str | None) -> None:
    """Billing knows cases, never persons, and what is written about a dispute is read on both sides of the invoice.

    Raises:
        Malformed: Something in the text looks like a person number.
    """
    if any(text is not None and mask(text) != text for text in texts):
        raise Malformed("dispute.person_named", errors=(FieldError("/explanation", "person_number"),))
