"""POST /v1/months/{month}/{municipality}/signature-on-paper: what a debtor signed that reads no mailbox here."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from services.billing.api.months import MonthAnswer
from services.billing.api.parts import (
    Acting,
    Calculation,
    MonthPath,
    MunicipalityPath,
    actor_of,
    closing_terms,
    month_of_text,
    require_region,
)
from services.billing.domain.closing import PaperSignature
from services.billing.usecases.bulk import record_signature
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Day, ShortText
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class PaperBody(Acting):
    """Who signed for the debtor, on which day, where the paper is filed, and the calculation that was signed."""

    model_config = with_example(
        {
            "calculation": {"version": 1, "sha256": "5f" * 32},
            "signed_by": "Anna Test, ekonomichef",
            "signed_on": "2026-11-20",
            "reference": "RS 2026-04711",
            "acted_by": "Anna Test",
        }
    )

    calculation: Calculation
    signed_by: ShortText
    signed_on: Day
    reference: ShortText

    @property
    def paper(self) -> PaperSignature:
        """As the use case takes it."""
        return PaperSignature(self.signed_by, self.signed_on, self.reference)


@router.post("/v1/months/{month}/{municipality}/signature-on-paper", response_model=MonthAnswer)
async def record_paper(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: PaperBody
) -> Response:
    """Record that the debtor accepted its published month on paper; whoever records it does not approve the month."""
    require_region(call)

    async def act() -> MonthAnswer:
        terms, actor = closing_terms(request), actor_of(call, body)
        done = await record_signature(work, month_of_text(month), municipality, body.calculation.name, body.paper, actor, terms)
        return MonthAnswer.of(done)

    return await once(work, call, request, act, status=HTTPStatus.OK)
