"""/v1/disputes: a debtor contests a stay or some of its days, the creditor decides, either side takes it further."""

from collections.abc import Iterable
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.billing.api.parts import Acting, actor_of, month_of_text, person_of, reader_of, require_region
from services.billing.domain.disputing import Dispute, DisputeAction, DisputeEvent, DisputeOutcome, DisputeReason, DisputeState
from services.billing.repository.disputes import Wanted
from services.billing.usecases.accesses import record
from services.billing.usecases.disputes import (
    Contested,
    Escalation,
    Ruling,
    decide_dispute,
    dispute_of,
    disputes_of,
    escalate_dispute,
    open_dispute,
)
from shared.dates import Month, format_instant
from shared.http.call import Call, Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Day, MonthText, ShortText, Text
from shared.http.idempotency import once
from shared.http.problems import HttpProblem

PATH: Final = "/v1/disputes"
MONTH: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
ONE: Final = PATH + "/{dispute_id}"
FIRST: Final = UUID(int=0)
READ: Final = "dispute.read"
ACTIONS: Final = {"review": DisputeAction.ESCALATE, "court": DisputeAction.TAKE_TO_COURT}
UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "Unknown, or not yours."}}

router = APIRouter(route_class=StrictRoute, tags=["Finance"])
Days = Annotated[list[Day], Field(min_length=1, max_length=400)]


class DisputeBody(Acting):
    """What is contested: a stay of a published month, or some of the days its patient waited."""

    model_config = with_example(
        {
            "month": "2026-10",
            "case": "01890a5d-ac96-774b-bcce-b302099a8057",
            "days": ["2026-10-05", "2026-10-06"],
            "reason": "readiness_contested",
            "explanation": "The patient was moved back to intensive care on 5 October",
            "acted_by": "Anna Test",
        }
    )

    month: MonthText
    case: UUID
    days: Days | None = Field(default=None, description="null = the whole stay")
    reason: DisputeReason
    explanation: Text


class RulingBody(Acting):
    """What the creditor decides."""

    model_config = with_example(
        {"outcome": "partly", "days": ["2026-10-05"], "explanation": "The ward confirms one of the days", "acted_by": "Berit Test"}
    )

    outcome: DisputeOutcome
    days: Days | None = Field(default=None, description="those upheld, when the outcome is `partly`")
    explanation: Text


class EscalationBody(Acting):
    """Where the dispute goes: `review` = the debtor asks the creditor to look again; `court` = a court has it."""

    model_config = with_example({"to": "review", "explanation": "The decision does not answer what we wrote", "acted_by": "Anna Test"})

    to: Literal["review", "court"]
    explanation: Text
    reference: ShortText | None = Field(default=None, description="the court's number of the matter")


class DisputeEventAnswer(Answer):
    """One step: where it led, and who took it."""

    state: str
    at: str
    by: str
    explanation: str
    outcome: str | None = None
    days: list[date] | None = None
    reference: str | None = None

    @classmethod
    def of(cls, event: DisputeEvent) -> Self:
        """From the history."""
        return cls(
            state=event.state.value,
            at=format_instant(event.at),
            by=event.by.person,
            explanation=event.explanation,
            outcome=event.outcome and event.outcome.value,
            days=_in_order(event.days),
            reference=event.reference,
        )


class DisputeAnswer(Answer):
    """One dispute. `outcome` is null until it is decided, and again while the decision is looked at anew or a court has it."""

    id: UUID
    municipality: str
    month: str
    case: UUID
    days: list[date] | None
    reason: str
    explanation: str
    state: str
    outcome: str | None
    opened_at: str
    opened_by: str
    history: list[DisputeEventAnswer]

    @classmethod
    def of(cls, dispute: Dispute) -> Self:
        """From the dispute as it stands."""
        return cls(
            id=dispute.id,
            municipality=dispute.municipality,
            month=str(dispute.month),
            case=dispute.stay,
            days=_in_order(dispute.days),
            reason=dispute.reason.value,
            explanation=dispute.explanation,
            state=dispute.state.value,
            outcome=dispute.outcome and dispute.outcome.value,
            opened_at=format_instant(dispute.opened_at),
            opened_by=dispute.by.person,
            history=[DisputeEventAnswer.of(event) for event in dispute.events],
        )


class Disputes(Answer):
    """Some disputes in the order they were opened; the rest behind the `Link` header."""

    disputes: list[DisputeAnswer]


@router.post(PATH, status_code=HTTPStatus.CREATED, response_model=DisputeAnswer)
async def post_dispute(call: Checked, work: Working, request: Request, body: DisputeBody) -> Response:
    """Contest a stay of an own month, or some of its days. Until it is decided the lower amount is billed; nothing waits for it."""
    contested = Contested(
        _own(call),
        Month.parse(body.month),
        body.case,
        None if body.days is None else tuple(body.days),
        body.reason,
        body.explanation,
    )

    async def act() -> DisputeAnswer:
        return DisputeAnswer.of(await open_dispute(work, contested, actor_of(call, body)))

    return await once(work, call, request, act)


@router.get(PATH)
async def get_disputes(
    call: Checked,
    work: Working,
    response: Response,
    month: Annotated[str | None, Query(pattern=MONTH, examples=["2026-10"])] = None,
    state: DisputeState | None = None,
    after: UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Disputes:
    """The disputes of the caller's own months, or all of them for the region's offices."""
    wanted = Wanted(reader_of(call.caller), None if month is None else month_of_text(month), state, after, limit)
    found = await disputes_of(work, wanted)
    await record(work, call.caller, READ, [dispute.stay for dispute in found], request_id=call.request_id)
    if len(found) == limit:
        kept = "".join(f"&{name}={value}" for name, value in (("month", month), ("state", state)) if value is not None)
        response.headers["Link"] = f'</v1/disputes?after={found[-1].id}&limit={limit}{kept}>; rel="next"'
    return Disputes(disputes=[DisputeAnswer.of(dispute) for dispute in found])


@router.get(ONE, responses=UNKNOWN)
async def get_dispute(call: Checked, work: Working, dispute_id: UUID) -> DisputeAnswer:
    """One dispute with its history."""
    found = await dispute_of(work, dispute_id, reader_of(call.caller))
    await record(work, call.caller, READ, [found.stay], request_id=call.request_id)
    return DisputeAnswer.of(found)


@router.post(ONE + "/decision", response_model=DisputeAnswer, responses=UNKNOWN)
async def post_decision(call: Checked, work: Working, request: Request, dispute_id: UUID, body: RulingBody) -> Response:
    """Decide a dispute; the debtor is told, and the month is counted anew. A court's ruling is entered here when it has gained legal force.

    Only the region's own offices decide, and never a person who prepared or published a calculation of that month.
    """
    require_region(call)
    ruling = Ruling(body.outcome, None if body.days is None else tuple(body.days), body.explanation)

    async def act() -> DisputeAnswer:
        return DisputeAnswer.of(await decide_dispute(work, dispute_id, ruling, person_of(call, body)))

    return await once(work, call, request, act, status=HTTPStatus.OK)


@router.post(ONE + "/escalation", response_model=DisputeAnswer, responses=UNKNOWN)
async def post_escalation(call: Checked, work: Working, request: Request, dispute_id: UUID, body: EscalationBody) -> Response:
    """Ask for another look at a decision, once and by the debtor, or note that a court has the dispute, by either side."""
    escalation = Escalation(ACTIONS[body.to], body.explanation, body.reference)
    reader = reader_of(call.caller)

    async def act() -> DisputeAnswer:
        return DisputeAnswer.of(await escalate_dispute(work, dispute_id, escalation, actor_of(call, body), reader))

    return await once(work, call, request, act, status=HTTPStatus.OK)


def _own(call: Call) -> str:
    """The municipality that contests.

    Raises:
        HttpProblem: 403 for the region's own offices: nobody contests what is owed to her.
    """
    own = reader_of(call.caller)
    if own is None:
        raise HttpProblem("access.denied")
    return own


def _in_order(days: Iterable[date] | None) -> list[date] | None:
    return None if days is None else sorted(days)
