"""/v1/comparisons: months of today's service held against ours (`dirigent shadow`), every difference explained, and who signed."""

from http import HTTPStatus
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.billing.api.parts import Acting, Amount, reader_of, require_region
from services.billing.domain.persons import Actor
from services.billing.usecases.accesses import record
from services.billing.usecases.comparisons import ComparisonView, comparison, comparisons, sign_comparison
from shared.dates import format_instant
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Text
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Follow-up"])


class Signature(Answer):
    """Who answers for a comparison, and how the differences are explained; that may be about anybody's, and is the region's to read."""

    signed_by: str
    signed_at: str
    explanation: str | None


class ComparisonAnswer(Answer):
    """One comparison; `differing` counts the stays and municipalities that differ, a municipality sees its own."""

    id: UUID
    month: str
    file_sha256: str
    rows: int | None
    stays: int | None
    differing: int
    compared_by: str
    compared_at: str
    signature: Signature | None

    @classmethod
    def of(cls, view: ComparisonView) -> Self:
        """From what the reader may see."""
        return cls(**_head(view))


class Ground(Answer):
    """A rule of ours that explains a difference."""

    code: str
    source: str


class TheirStayAnswer(Answer):
    """A stay in the file of today's service: its line, waiting days, whether it counts, and its own amount where the file states one."""

    line: int
    days: int
    counted: bool
    amount: Amount | None


class OurStayAnswer(Answer):
    """The same stay in our calculation."""

    days: int
    counted_as: str
    chargeable_days: int
    amount: Amount | None


class StayDifferenceAnswer(Answer):
    """One stay that differs; `case` null = no ward has told of it, `theirs` or `ours` null = only the other side has it."""

    municipality: str
    case: UUID | None
    differs: list[str]
    theirs: TheirStayAnswer | None
    ours: OurStayAnswer | None
    because: list[Ground]


class TheirMonthAnswer(Answer):
    """What today's service charges a municipality."""

    line: int
    days: str
    amount: Amount


class OurMonthAnswer(Answer):
    """What we would charge it, and where that comes from."""

    days: str
    amount: Amount | None
    stays: int
    in_average: int
    sum_days: int
    average: str | None
    excess_days: str
    individual_days: int
    agreement: str


class MonthDifferenceAnswer(Answer):
    """One municipality whose days or amount differ."""

    municipality: str
    differs: list[str]
    theirs: TheirMonthAnswer | None
    ours: OurMonthAnswer | None


class ComparisonDetail(ComparisonAnswer):
    """A comparison with everything that differs."""

    differing_stays: list[StayDifferenceAnswer]
    differing_months: list[MonthDifferenceAnswer]

    @classmethod
    def of(cls, view: ComparisonView) -> Self:
        """From what the reader may see."""
        return cls(**_head(view), **_with_money({name: view.told[name] for name in ("differing_stays", "differing_months")}))


class ComparisonList(Answer):
    """Some comparisons, the newest first; the rest behind the `Link` header."""

    comparisons: list[ComparisonAnswer]


class SignatureBody(Acting):
    """A named person answers for the comparison."""

    model_config = with_example({"explanation": "Skillnaderna är genomgångna med kommunerna; reglerna stämmer.", "acted_by": "Anna Test"})

    explanation: Text


@router.get("/v1/comparisons")
async def read_comparisons(
    call: Checked,
    work: Working,
    response: Response,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ComparisonList:
    """Every comparison made, without its differences."""
    found = await comparisons(work, reader_of(call.caller), before, limit)
    if len(found) == limit:
        response.headers["Link"] = f'</v1/comparisons?before={found[-1].row.id}&limit={limit}>; rel="next"'
    return ComparisonList(comparisons=[ComparisonAnswer.of(view) for view in found])


@router.get("/v1/comparisons/{comparison_id}")
async def read_comparison(call: Checked, work: Working, comparison_id: UUID) -> ComparisonDetail:
    """Every stay and municipality that differs, with the rule of ours that explains it."""
    view = await comparison(work, comparison_id, reader_of(call.caller))
    await record(work, call.caller, "comparison.read", view.cases, request_id=call.request_id)
    return ComparisonDetail.of(view)


@router.post("/v1/comparisons/{comparison_id}/signature", status_code=HTTPStatus.CREATED, response_model=ComparisonAnswer)
async def sign(call: Checked, work: Working, request: Request, comparison_id: UUID, body: SignatureBody) -> Response:
    """Sign a comparison, once. Where the installation asks for it, nothing is issued before one is signed."""
    require_region(call)

    async def act() -> ComparisonAnswer:
        # A comparison with the old way is answered for by name, in a demo as well.
        actor = Actor(call.caller.client_id, acting_person(call.caller, body.acted_by, "/acted_by", stand_ins=False))
        return ComparisonAnswer.of(await sign_comparison(work, comparison_id, body.explanation, actor))

    return await once(work, call, request, act)


def _head(view: ComparisonView) -> dict[str, Any]:
    row = view.row
    signature = (
        None
        if row.signed_at is None
        else Signature(signed_by=row.signed_by or "", signed_at=format_instant(row.signed_at), explanation=row.explanation)
    )
    stays = view.told["stays"]
    return {
        "id": row.id,
        "month": str(row.month),
        "file_sha256": row.file_sha256,
        "rows": None if stays is None else row.rows,
        "stays": stays,
        "differing": view.differing,
        "compared_by": row.compared_by,
        "compared_at": format_instant(row.compared_at),
        "signature": signature,
    }


def _with_money(told: Any) -> Any:  # canonical JSON
    """The same, each amount written as every answer writes money."""
    if isinstance(told, list):
        return [_with_money(one) for one in told]
    if isinstance(told, dict):
        return {name: _money(value) if name == "amount" else _with_money(value) for name, value in told.items()}
    return told


def _money(text: str | None) -> Amount | None:
    return None if text is None else Amount(amount=text)
