"""What care centres and municipalities state of a stay: outpatient blocks, and who placed the patient."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, model_validator

from services.planning import usecases
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, Instant, ShortText
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN, MUNICIPALITY_CODE_PATTERN

router = APIRouter(tags=["Municipalities and care centres"], route_class=StrictRoute)
HsaId = Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$")]
_UNIT = Field(default=None, description="the unit that states it; the caller's own when it has one")


class OutpatientBlockBody(Body):
    """Outpatient care measures that are missing or not clarified hold the discharge up from `at` on, or do no longer."""

    model_config = with_example({"state": "started", "at": "2026-11-05T08:00:00+01:00", "kind": "missing"})

    state: Literal["started", "ended"]
    at: Instant
    kind: Literal["missing", "not_clarified"] | None = Field(default=None, description="only with `started`")
    contested: bool = Field(default=False, description="only with `ended`, by the region: nothing held the discharge up")
    unit: HsaId | None = _UNIT

    @model_validator(mode="after")
    def _whole(self) -> "OutpatientBlockBody":
        if (self.state == "started") != (self.kind is not None) or (self.contested and self.state == "started"):
            raise ValueError("block_incomplete")
        return self


class OutpatientBlockShown(Answer):
    """What was stated, and the version the case has by it."""

    event_id: str
    case_id: UUID
    case_version: int
    unit: str
    state: str
    at: str
    stated_at: str


class PlacementBody(Body):
    """The municipality that placed the patient by decision under SoL (2025:400), and is liable instead of the registered one."""

    model_config = with_example({"municipality": "1401", "decision_date": "2026-10-01", "reference": "SN 2026/123"})

    municipality: Annotated[str, Field(pattern=f"^{MUNICIPALITY_CODE_PATTERN}$")]
    decision_date: Day
    reference: ShortText = Field(description="how the deciding municipality files its decision")
    unit: HsaId | None = _UNIT
    stated_by: Annotated[str, Field(pattern=f"^{MUNICIPALITY_CODE_PATTERN}$")] | None = Field(
        default=None, description="which municipality stated it; only from clients that import history"
    )
    stated_at: Instant | None = Field(default=None, description="when it was stated; only from clients that import history")


class PlacementShown(Answer):
    """What was stated; `disputed` when municipalities state different things, which holds the stay for review."""

    event_id: str
    case_id: UUID
    case_version: int
    municipality: str
    decision_date: date
    reference: str
    stated_at: str
    disputed: bool


@router.post("/v1/cases/{case_id}/outpatient-block", status_code=HTTPStatus.CREATED, response_model=OutpatientBlockShown)
async def post_outpatient_block(call: Checked, work: Working, request: Request, case_id: UUID, body: OutpatientBlockBody) -> Response:
    """State that outpatient care holds the discharge up, or does no longer (5 kap. 5 §)."""

    async def act() -> OutpatientBlockShown:
        at: datetime = body.at
        block = usecases.BlockStated(body.unit, at, body.kind, body.contested)
        done = await usecases.state_outpatient_block(work, call.caller, case_id, block)
        return OutpatientBlockShown(
            event_id=done.event_id,
            case_id=done.case_id,
            case_version=done.case_version,
            unit=done.unit,
            state=body.state,
            at=format_instant(at),
            stated_at=format_instant(done.sent_at),
        )

    return await once(work, call, request, act)


@router.put("/v1/cases/{case_id}/liable-municipality")
async def put_liable_municipality(call: Checked, work: Working, case_id: UUID, body: PlacementBody) -> PlacementShown:
    """State which municipality placed the patient (5 kap. 2 §); it becomes a party. Saying it again changes nothing."""
    placement = usecases.PlacementStated(body.municipality, body.decision_date, body.reference, body.unit, body.stated_by, body.stated_at)
    done = await usecases.state_placement(work, call.caller, case_id, placement)
    return PlacementShown(
        event_id=done.event_id,
        case_id=done.case_id,
        case_version=done.case_version,
        municipality=body.municipality,
        decision_date=body.decision_date,
        reference=body.reference,
        stated_at=format_instant(done.sent_at),
        disputed=done.disputed,
    )
