"""POST /v1/reviews/decide: what the law lets be read in two ways is decided by a named person, in bulk, with a reason."""

from http import HTTPStatus
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.billing.api.parts import Acting, actor_of
from services.billing.domain.reasons import Reason, ReviewDecision, ReviewOutcome
from services.billing.usecases.reviews import decide_reviews
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer, Body, Text
from shared.http.idempotency import once

PATH: Final = "/v1/reviews/decide"

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class DecisionBody(Body):
    """One stay, the reason it is held for, and the outcome."""

    case: UUID
    reason: Reason
    outcome: Literal["accept", "exclude"]


class ReviewsBody(Acting):
    """Decisions with one explanation."""

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=1_000)]
    explanation: Text


class Decided(Answer):
    """How many decisions were taken."""

    decided: int


@router.post(PATH, response_model=Decided)
async def decide(call: Checked, work: Working, request: Request, body: ReviewsBody) -> Response:
    """Decide reviews; the months of the stays are counted anew, and calculations on them become outdated."""
    decisions = [ReviewDecision(one.case, one.reason, ReviewOutcome(one.outcome)) for one in body.decisions]

    async def act() -> Decided:
        await decide_reviews(work, decisions, body.explanation, actor_of(call, body))
        return Decided(decided=len(decisions))

    return await once(work, call, request, act, status=HTTPStatus.OK)
