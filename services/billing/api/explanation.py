"""GET /v1/months/{month}/{municipality}/explanation: everything an amount rests on, to be recomputed offline."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response

from services.billing.api.parts import KnownAtQuery, MonthPath, MunicipalityPath, known_at_of, month_of_text, reader_of
from services.billing.domain.identity import canonical_json
from services.billing.usecases.accesses import record
from services.billing.usecases.explaining import explanation_of
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer

router = APIRouter(route_class=StrictRoute, tags=["Finance"])
MEDIA: Final = "application/json"


class CalculationExplained(Answer):
    """The calculation that is explained; `version` null = the month is not prepared, and this is what it would be."""

    version: int | None
    sha256: str
    inputs_sha256: str


class Explanation(Answer):
    """How a month's amount comes about. `dirigent explain --verify FILE` makes it again from `inputs` alone.

    `result` is the calculation in the form its SHA-256 is taken of; `steps` lead to the amount sentence by sentence; `stays` holds every
    stay with its notices, what each rule said, and why it was or was not counted; `agreements` each rule set with unit, mark and source of
    every value. `words` is the version of the sentences: they are verified word by word by a program of the same version, by any other the
    numbers alone. `sha256` is that of the whole explanation without it, as RFC 8785 writes it.
    """

    format: str
    words: int
    municipality: str
    month: str
    known_at: str | None
    calculation: CalculationExplained
    result: dict[str, Any]
    rule_sets: list[str]
    prices: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    stays: list[dict[str, Any]]
    agreements: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    inputs: dict[str, Any]
    sha256: str


@router.get("/v1/months/{month}/{municipality}/explanation", response_model=Explanation)
async def read_explanation(
    call: Checked, work: Working, month: MonthPath, municipality: MunicipalityPath, known_at: KnownAtQuery = None
) -> Response:
    """Every stay, notice, rule, price and exclusion behind the month's amount; with `known_at` as it was known then."""
    told = await explanation_of(work, municipality, month_of_text(month), reader_of(call.caller), known_at_of(known_at, work.at))
    await record(work, call.caller, "explanation.read", cases_of(told), request_id=call.request_id)
    # As it was sealed, byte for byte: nothing in between writes it in another way.
    return Response(canonical_json(told), media_type=MEDIA)


def cases_of(told: dict[str, Any]) -> list[UUID]:
    """The stays that a reader sees in it."""
    return [UUID(stay["case"]) for stay in told["stays"]]
