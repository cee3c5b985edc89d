"""POST /v1/reviews/decide: what the law lets be read in two ways is decided by a named person, in bulk, with a reason."""

from http import HTTPStatus
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.billing.api.parts import Acting, person_of, require_region
from services.billing.domain.reasons import Reason, ReviewOutcome
from services.billing.usecases.reviews import Verdict, decide_reviews
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
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

    model_config = with_example(
        {
            "decisions": [{"case": "01890a5d-ac96-774b-bcce-b302099a8057", "reason": "no_sign_of_life", "outcome": "exclude"}],
            "explanation": "The ward says that the patient left",
            "acted_by": "Anna Test",
        }
    )

    decisions: Annotated[list[DecisionBody], Field(min_length=1, max_length=1_000)]
    explanation: Text


class Decided(Answer):
    """How many decisions were taken."""

    decided: int


@router.post(PATH, response_model=Decided, responses={404: {"description": "No stay of yours is held for that."}})
async def decide(call: Checked, work: Working, request: Request, body: ReviewsBody) -> Response:
    """Decide what is held; the months of the stays are counted anew, and calculations on them become outdated.

    Neither a stay's ward nor its debtor decides: only the region's own offices do. A decision holds for the facts it was taken on.
    """
    require_region(call)
    verdicts = [Verdict(one.case, one.reason, ReviewOutcome(one.outcome)) for one in body.decisions]

    async def act() -> Decided:
        await decide_reviews(work, verdicts, body.explanation, person_of(call, body))
        return Decided(decided=len(verdicts))

    return await once(work, call, request, act, status=HTTPStatus.OK)
