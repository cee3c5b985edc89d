"""Deciding reviews: a named person accepts or excludes what the law lets be read in two ways."""

from collections.abc import Sequence

from services.billing.domain.reasons import Reason, ReviewDecision, ReviewOutcome
from services.billing.repository import ledger, reviews
from services.billing.repository.months import Actor
from services.billing.usecases.ledger import recount
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound

HELD: frozenset[Reason] = frozenset(
    {Reason.LATE_ADMISSION_NOTICE, Reason.LATE_SIP_INVITATION, Reason.CONTRADICTORY_EVENTS, Reason.NO_SIGN_OF_LIFE}
)


async def decide_reviews(work: Work, decisions: Sequence[ReviewDecision], explanation: str, actor: Actor) -> None:
    """Decide reviews in bulk, and count anew every month the stays touch.

    A missing admission notice can be confirmed (`exclude`), never accepted: the law leaves no room there.

    Raises:
        NotFound: A stay is unknown.
        Malformed: A reason that nobody can decide on.
    """
    for index, decision in enumerate(decisions):
        confirmed = decision.reason is Reason.NO_ADMISSION_NOTICE and decision.outcome is ReviewOutcome.EXCLUDE
        if decision.reason not in HELD and not confirmed:
            raise Malformed("review.not_decidable", errors=(FieldError(f"/decisions/{index}/reason", "not_decidable"),))
    cases = {decision.stay for decision in decisions}
    if len(await ledger.stays(work, cases)) != len(cases):
        raise NotFound
    await ledger.lock(work, cases)
    await reviews.keep(work, decisions, explanation, actor)
    await recount(work, cases)
