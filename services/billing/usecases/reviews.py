"""Deciding reviews: a named person accepts or excludes what the law lets be read in two ways."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.billing.domain.charge import months_touched
from services.billing.domain.gate import open_grounds
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.persons import Actor
from services.billing.domain.reasons import Exclusion, Reason, ReviewDecision, ReviewOutcome
from services.billing.domain.stay import Stay
from services.billing.repository import ledger, reviews, turns
from services.billing.usecases.ledger import recount
from services.billing.usecases.rules import rules_now
from shared.dates import local_date
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, NotFound


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person says of one stay and one reason; the facts it is bound to are those that stand when it is taken."""

    stay: UUID
    reason: Reason
    outcome: ReviewOutcome


async def decide_reviews(work: Work, verdicts: Sequence[Verdict], explanation: str, actor: Actor) -> None:
    """Decide reviews in bulk, and count anew every month the stays touch.

    Each decision is bound to the facts that hold the stay now. It may be put right by a later one as long as they stand; when one of them
    changes, the review is open again. A missing admission notice can be confirmed (`exclude`), never accepted: the law leaves no room.

    Raises:
        NotFound: A stay is unknown.
        Malformed: A stay is not held for that reason, or the same reason of a stay is decided twice.
    """
    cases = {verdict.stay for verdict in verdicts}
    _check_once(verdicts)
    await turns.count_in_turn(work)
    await ledger.lock(work, cases)
    rules, today = await rules_now(work), local_date(work.at)
    stays = {stay.case_id: stay for stay in await ledger.stays(work, cases, rules)}
    if len(stays) != len(cases):
        raise NotFound
    await work.become(Role.INTAKE)  # what follows counts anew whatever months the stays touch
    held = {(ground.stay, ground.reason, ground.facts) for stay in stays.values() for ground in grounds(stay, rules, today)}
    decisions: list[ReviewDecision] = []
    not_held: list[FieldError] = []
    for index, verdict in enumerate(verdicts):
        facts = sorted(facts for stay, reason, facts in held if (stay, reason) == (verdict.stay, verdict.reason))
        lawless = verdict.reason is Reason.NO_ADMISSION_NOTICE and verdict.outcome is ReviewOutcome.ACCEPT
        if lawless or not facts:
            not_held.append(FieldError(f"/decisions/{index}/reason", "not_decidable"))
        decisions += [ReviewDecision(verdict.stay, verdict.reason, verdict.outcome, one) for one in facts]
    if not_held:
        raise Malformed("review.not_decidable", errors=tuple(not_held))
    await reviews.keep(work, decisions, explanation, actor)
    await recount(work, cases)


def grounds(stay: Stay, rules: RuleBook, today: date) -> Iterator[Exclusion]:
    """Everything a person may decide about a stay, in any month it touches, as if nobody had decided yet."""
    if stay.municipality is None:
        return
    for month in months_touched(stay, today):
        agreement = rules.agreement(stay.municipality, month)
        if agreement is not None:
            basis = settle_month([stay], rules, stay.municipality, month, as_of=today)
            for line in basis.lines:
                yield from open_grounds(line)


def _check_once(verdicts: Sequence[Verdict]) -> None:
    seen: set[tuple[UUID, Reason]] = set()
    for index, verdict in enumerate(verdicts):
        if (verdict.stay, verdict.reason) in seen:
            raise Malformed("request.malformed", errors=(FieldError(f"/decisions/{index}", "decided_twice"),))
        seen.add((verdict.stay, verdict.reason))
