"""GET and POST /v1/months: what a municipality owes for a month, and every step on the way to the invoice."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.billing.api.month_parts import (
    AverageGroupAnswer,
    ChargeAnswer,
    CorrectionAnswer,
    DisputedAnswer,
    DocumentAnswer,
    FindingAnswer,
    LineAnswer,
    PaperAnswer,
    money,
)
from services.billing.api.parts import (
    Acting,
    Amount,
    Calculation,
    Code,
    KnownAtQuery,
    MonthPath,
    MunicipalityPath,
    actor_of,
    closing_terms,
    known_at_of,
    month_of_text,
    person_of,
    reader_of,
    require_scope,
    require_side,
)
from services.billing.domain.closing import MonthAction
from services.billing.domain.correcting import Document
from services.billing.domain.persons import Actor
from services.billing.repository.months import MonthRow
from services.billing.usecases.accesses import record
from services.billing.usecases.bulk import Done, Item, Outcome, act_on_many, step_for
from services.billing.usecases.closing import amount_of, prepare
from services.billing.usecases.reading import MonthStanding, MonthView, month_of, months_of, without_debtor
from shared.dates import format_instant
from shared.http.call import Call, Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class CalculationAnswer(Answer):
    """The identity of a calculation, to be named in every later step."""

    version: int
    sha256: str


class MonthAnswer(Answer):
    """Where a municipality's month stands. `invoice` is its first document, `documents` are all of them, in the order of issue."""

    municipality: str
    name: str
    month: str
    state: str
    accepted: str | None
    calculation: CalculationAnswer | None
    amount: Amount | None
    published_at: str | None
    notice_entered_at: str | None
    invoice: str | None
    documents: list[DocumentAnswer]

    @classmethod
    def of(cls, done: Done) -> Self:
        """From what a step led to."""
        return cls(**_standing(done.row), name=done.name, documents=_documents(done.documents))


class MonthStandingAnswer(MonthAnswer):
    """The same in a list. `outdated`: facts came in after the calculation was prepared."""

    outdated: bool

    @classmethod
    def of_standing(cls, standing: MonthStanding) -> Self:
        """From where the month stands."""
        documents = _documents(standing.documents)
        return cls(**_standing(standing.row), name=standing.debtor.name, documents=documents, outdated=standing.outdated)


class MonthDetail(MonthStandingAnswer):
    """A municipality's month with everything it rests on."""

    agreement: str
    stays: int
    in_average: int
    sum_days: int
    excess: ChargeAnswer | None
    long_stays: int
    individual_days: int
    findings: list[FindingAnswer]
    lines: list[LineAnswer]
    average_groups: list[AverageGroupAnswer]
    disputed: DisputedAnswer | None
    correction: CorrectionAnswer | None
    signed_on_paper: PaperAnswer | None

    @classmethod
    def of_view(cls, view: MonthView) -> Self:
        """From the calculation the month stands on; an open month shows what it would be."""
        told = view.calculation
        standing = {**_standing(view.row), "amount": money(told["amount"])}
        return cls(
            **standing,
            name=view.debtor.name,
            outdated=view.outdated,
            agreement=told["agreement"],
            stays=told["stays"],
            in_average=told["in_average"],
            sum_days=told["sum_days"],
            excess=None if told["excess"] is None else ChargeAnswer.of(told["excess"]),
            long_stays=told["long_stays"],
            individual_days=told["individual_days"],
            findings=[FindingAnswer.of(finding) for finding in view.findings],
            lines=[LineAnswer.of(line) for line in told["lines"]],
            average_groups=[AverageGroupAnswer.of(group) for group in view.groups],
            disputed=DisputedAnswer.of(told["disputed"]) if "disputed" in told else None,
            correction=None if view.correction is None else CorrectionAnswer.of(view.correction),
            documents=_documents(view.documents),
            signed_on_paper=None if view.paper is None else PaperAnswer.of(view.paper),
        )


class MonthList(Answer):
    """Every municipality's month. `without_debtor`: who owes something for it, by what is known now, and is in no debtor register."""

    month: str
    months: list[MonthStandingAnswer]
    without_debtor: list[str]


class StepBody(Acting):
    """The calculation the step is taken on, and whom the client acts for."""

    model_config = with_example({"calculation": {"version": 1, "sha256": "5f" * 32}, "acted_by": "Anna Test"})

    calculation: Calculation


class ItemBody(Body):
    """One municipality in a step for many; preparing names no calculation."""

    municipality: Code
    calculation: Calculation | None = None


class ActionsBody(Acting):
    """One step for many municipalities."""

    model_config = with_example({"action": "prepare", "items": [{"municipality": "1480"}], "acted_by": "Anna Test"})

    action: Literal["prepare", "publish", "sign", "approve", "issue"]
    items: Annotated[list[ItemBody], Field(min_length=1, max_length=400)]


class OutcomeAnswer(Answer):
    """What became of one municipality: `done` with the month as it stands, or `refused` with the code and why."""

    municipality: str
    status: Literal["done", "refused"]
    code: str | None = None
    detail: str | None = None
    month: MonthAnswer | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """From the use case's outcome."""
        if outcome.done is None:
            error = outcome.error
            return cls(municipality=outcome.municipality, status="refused", code=error and error.code, detail=error and error.detail)
        return cls(municipality=outcome.municipality, status="done", month=MonthAnswer.of(outcome.done))


class Outcomes(Answer):
    """One outcome for each municipality, in the order of their codes."""

    outcomes: list[OutcomeAnswer]


@router.get("/v1/months/{month}")
async def read_months(call: Checked, work: Working, month: MonthPath, known_at: KnownAtQuery = None) -> MonthList:
    """Where every municipality's month stands, or stood at an earlier instant; a municipality sees its own."""
    reader = reader_of(call.caller)
    found = await months_of(work, month_of_text(month), reader, known_at_of(known_at, work.at))
    unknown = await without_debtor(work, month_of_text(month), reader)
    return MonthList(month=month, months=[MonthStandingAnswer.of_standing(one) for one in found], without_debtor=unknown)


@router.get("/v1/months/{month}/{municipality}")
async def read_month(
    call: Checked, work: Working, month: MonthPath, municipality: MunicipalityPath, known_at: KnownAtQuery = None
) -> MonthDetail:
    """One municipality's month with every stay, how it was counted and why; with `known_at` as it was known then."""
    view = await month_of(work, municipality, month_of_text(month), reader_of(call.caller), known_at_of(known_at, work.at))
    detail = MonthDetail.of_view(view)
    await record(work, call.caller, "month.read", [line.case for line in detail.lines], request_id=call.request_id)
    return detail


@router.post("/v1/months/{month}/{municipality}/prepare", response_model=MonthAnswer)
async def prepare_month(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: Acting
) -> Response:
    """Calculate a month that is over; the answer names the calculation."""
    require_side(call, MonthAction.PREPARE, [municipality])

    async def act() -> MonthAnswer:
        return MonthAnswer.of(await prepare(work, municipality, month_of_text(month), actor_of(call, body)))

    return await once(work, call, request, act, status=HTTPStatus.OK)


@router.post("/v1/months/{month}/{municipality}/publish", response_model=MonthAnswer)
async def publish_month(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: StepBody
) -> Response:
    """Show the month to its debtor; a notice goes to its mailbox and the dispute window starts when it has arrived."""
    return await _step(MonthAction.PUBLISH, call, work, request, (month, municipality), body)


@router.post("/v1/months/{month}/{municipality}/sign", response_model=MonthAnswer)
async def sign_month(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: StepBody
) -> Response:
    """The municipality accepts its own published month."""
    return await _step(MonthAction.SIGN, call, work, request, (month, municipality), body)


@router.post("/v1/months/{month}/{municipality}/approve", response_model=MonthAnswer)
async def approve_month(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: StepBody
) -> Response:
    """Another person approves what the debtor accepted, by signature or by silence."""
    return await _step(MonthAction.APPROVE, call, work, request, (month, municipality), body)


@router.post("/v1/months/{month}/{municipality}/issue", response_model=MonthAnswer)
async def issue_month(
    call: Checked, work: Working, request: Request, month: MonthPath, municipality: MunicipalityPath, body: StepBody
) -> Response:
    """Issue the invoice; a month of amount 0 is settled without invoice and number."""
    return await _step(MonthAction.ISSUE, call, work, request, (month, municipality), body)


@router.post("/v1/months/{month}/actions", response_model=Outcomes)
async def act_on_months(call: Checked, work: Working, request: Request, month: MonthPath, body: ActionsBody) -> Response:
    """One step for many municipalities at once, one outcome each; a refused one stops no other."""
    require_scope(call, f"months:{body.action}")
    require_side(call, MonthAction(body.action), [item.municipality for item in body.items])
    actor = _actor(call, MonthAction(body.action), body)
    items = [Item(item.municipality, None if item.calculation is None else item.calculation.name) for item in body.items]

    async def act() -> Outcomes:
        found = await act_on_many(work, month_of_text(month), MonthAction(body.action), items, actor, closing_terms(request))
        return Outcomes(outcomes=[OutcomeAnswer.of(outcome) for outcome in found])

    return await once(work, call, request, act, status=HTTPStatus.OK)


async def _step(action: MonthAction, call: Call, work: Working, request: Request, of: tuple[str, str], body: StepBody) -> Response:
    """One step, once per idempotency key."""
    month, municipality = of
    require_side(call, action, [municipality])
    step = step_for(action, _actor(call, action, body), closing_terms(request))

    async def act() -> MonthAnswer:
        return MonthAnswer.of(await step(work, municipality, month_of_text(month), body.calculation.name))

    return await once(work, call, request, act, status=HTTPStatus.OK)


def _actor(call: Call, action: MonthAction, acting: Acting) -> Actor:
    """A machine may prepare, and issue what was approved; the other steps are a person's."""
    return actor_of(call, acting) if action in {MonthAction.PREPARE, MonthAction.ISSUE} else person_of(call, acting)


def _documents(documents: Iterable[Document]) -> list[DocumentAnswer]:
    return [DocumentAnswer.of(document) for document in documents]


def _standing(row: MonthRow) -> dict[str, Any]:
    known = row.version is not None and row.sha256 is not None
    return {
        "municipality": row.municipality,
        "month": str(row.month),
        "state": row.state.value,
        "accepted": row.accepted,
        "calculation": CalculationAnswer(version=row.version or 0, sha256=row.sha256 or "") if known else None,
        "amount": Amount.of(amount_of(row)),
        "published_at": None if row.published_at is None else format_instant(row.published_at),
        "notice_entered_at": None if row.notice_entered_at is None else format_instant(row.notice_entered_at),
        "invoice": row.invoice_number,
    }
