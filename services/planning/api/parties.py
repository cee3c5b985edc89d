"""What the parties of a case tell each other besides notices: planning status, care contact, declined measures."""

from datetime import datetime, time
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, model_validator

from services.planning import usecases
from services.planning.domain.party_status import Missing, PartyStatus, PlanningStatus
from services.planning.repository.parties import CareContact
from shared.dates import at_local_time, format_instant
from shared.http.acting import acting_person
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day, Instant, ShortText
from shared.http.idempotency import once
from shared.identifiers import HSA_ID_PATTERN

router = APIRouter(tags=["Municipalities and care centres"], route_class=StrictRoute)
HsaId = Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$")]
UnitPath = Annotated[str, Path(pattern=f"^{HSA_ID_PATTERN}$")]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["13:00"])]


class ReadyFrom(Body):
    """From when the unit can receive the patient, by local time."""

    date: Day
    time: Clock = "00:00"

    @property
    def instant(self) -> datetime:
        """The instant that is meant."""
        return at_local_time(self.date, time.fromisoformat(self.time))


class PlanningStatusBody(Body):
    """Where the unit's planning stands: `ready_from` and `needs` come with their own status, and only then."""

    model_config = with_example({"status": "ready_from", "ready_from": {"date": "2026-11-09", "time": "13:00"}})

    status: Literal["received", "assessing", "ready_from", "needs", "no_measures"]
    ready_from: ReadyFrom | None = None
    needs: Annotated[list[Missing], Field(max_length=len(Missing))] = Field(default=[], description="what the unit lacks")

    @model_validator(mode="after")
    def _whole(self) -> "PlanningStatusBody":
        if (self.status == "ready_from") != (self.ready_from is not None) or (self.status == "needs") != bool(self.needs):
            raise ValueError("status_incomplete")
        return self

    @property
    def told(self) -> PlanningStatus:
        """As the domain knows it."""
        ready_from = None if self.ready_from is None else self.ready_from.instant
        return PlanningStatus(PartyStatus(self.status), ready_from, tuple(dict.fromkeys(self.needs)))


class PlanningStatusShown(Answer):
    """What the unit has told the ward."""

    case_id: UUID
    case_version: int
    unit: str
    status: str
    ready_from: str | None
    needs: list[str]
    stated_at: str


class CareContactBody(Body):
    """Who the patient's permanent care contact is (fast vårdkontakt)."""

    model_config = with_example(
        {"unit": "SE2321000131-E000000000901", "name": "Kim Test", "role": "distriktssköterska", "phone": "031-390 600"}
    )

    unit: HsaId = Field(description="the outpatient unit of the case")
    name: ShortText = Field(examples=["Anna Test"])
    role: ShortText | None = None
    phone: Annotated[str, Field(pattern=r"^\+?[0-9 -]{5,20}$")] | None = None


class CareContactShown(Answer):
    """The permanent care contact of a case."""

    case_id: UUID
    case_version: int
    unit: str
    name: str
    role: str | None
    phone: str | None
    set_at: str


class DeclinedBody(Body):
    """What the patient declined, and to whom of which unit it was said."""

    model_config = with_example(
        {
            "unit": "SE2321000131-E000000000901",
            "measures": ["municipal_social"],
            "declined_at": "2026-11-05T09:00:00+01:00",
            "recorded_by": "Anna Test",
        }
    )

    unit: HsaId
    measures: Annotated[list[Literal["municipal_social", "municipal_health", "outpatient"]], Field(min_length=1, max_length=3)]
    declined_at: Instant
    recorded_by: ShortText | None = Field(
        default=None, description="the person the patient told; who signed in may leave it out", examples=["Anna Test"]
    )


class DeclinedShown(Answer):
    """A statement that was kept."""

    id: UUID
    case_id: UUID
    case_version: int
    measures: list[str]
    recorded_at: str


@router.put("/v1/cases/{case_id}/parties/{unit}/planning-status")
async def put_planning_status(call: Checked, work: Working, case_id: UUID, unit: UnitPath, body: PlanningStatusBody) -> PlanningStatusShown:
    """Tell the ward where the unit's planning stands (planeringsstatus)."""
    status = body.told
    told = await usecases.state_planning_status(work, call.caller, case_id, unit, status)
    return PlanningStatusShown(
        case_id=case_id,
        case_version=told.case_version,
        unit=unit,
        status=status.status.value,
        ready_from=None if status.ready_from is None else format_instant(status.ready_from),
        needs=[one.value for one in status.needs],
        stated_at=format_instant(told.at),
    )


@router.put("/v1/cases/{case_id}/care-contact")
async def put_care_contact(call: Checked, work: Working, case_id: UUID, body: CareContactBody) -> CareContactShown:
    """Appoint or replace the permanent care contact (N3)."""
    contact = CareContact(body.unit, body.name, body.role, body.phone)
    told = await usecases.set_care_contact(work, call.caller, case_id, contact)
    return CareContactShown(case_id=case_id, case_version=told.case_version, set_at=format_instant(told.at), **body.model_dump())


@router.post("/v1/cases/{case_id}/declined", status_code=HTTPStatus.CREATED, response_model=DeclinedShown)
async def post_declined(call: Checked, work: Working, request: Request, case_id: UUID, body: DeclinedBody) -> Response:
    """Keep that the patient declined measures that were needed; money may hang on it."""

    async def act() -> DeclinedShown:
        declined = usecases.Declined(
            body.unit, body.measures, body.declined_at, acting_person(call.caller, body.recorded_by, "/recorded_by")
        )
        kept = await usecases.decline_measures(work, call.caller, case_id, declined)
        return DeclinedShown(
            id=kept.id,
            case_id=case_id,
            case_version=kept.told.case_version,
            measures=sorted(set(body.measures)),
            recorded_at=format_instant(kept.told.at),
        )

    return await once(work, call, request, act)
