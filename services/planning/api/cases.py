"""Cases as their parties see them."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.planning import usecases
from shared.dates import format_instant, parse_instant
from shared.errors import FieldError, Malformed
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body
from shared.identifiers import PersonIdType, parse_person_id

FIRST: Final = UUID(int=0)
WITHHELD: Final = {"withheld": "protected"}
router = APIRouter(tags=["Cases"], route_class=StrictRoute)
StateShown = Literal["awaiting_admission", "admitted", "planning", "ready", "discharged", "deceased", "cancelled", "followed_up", "closed"]
"""A case's own status, and of one that is discharged how far its plans are."""


class CaseListed(Answer):
    """A case in a list: no person."""

    id: UUID
    version: int
    state: str
    ward: str | None
    care_type: str | None
    planned_discharge_date: str | None
    findings: int = Field(description="how many things do not fit")


class Cases(Answer):
    """Some of the caller's cases; the rest behind the `Link` header."""

    cases: list[CaseListed]


class CaseShown(Answer):
    """The whole of a case for its parties."""

    id: UUID
    version: int
    subject: str = Field(description="the ward's own id of the stay")
    changed_at: str
    person: dict[str, Any] | None
    state: str
    ward: str | None
    care_type: str | None
    needs: list[str]
    registered_municipality: str | None
    outpatient_unit: str | None
    admitted_at: str | None
    planned_discharge_date: str | None
    ready: list[dict[str, Any]]
    discharged_at: str | None
    deceased_at: str | None
    sip_required: bool
    sip_contested: bool = False
    on_leave: bool = False
    transfers: list[dict[str, str]] = Field(default_factory=list)
    leaves: list[dict[str, str | None]] = Field(default_factory=list)
    outpatient_blocks: list[dict[str, Any]] = Field(default_factory=list)
    placements: list[dict[str, str]] = Field(default_factory=list, description="what municipalities stated of 5 kap. 2 §")
    parties: list[dict[str, str]]
    on_paper: list[dict[str, str]] = Field(
        default_factory=list, description="notices that were given on paper, and whether that time counts: `counted`, `unconfirmed`"
    )
    findings: list[dict[str, str]]
    sip: dict[str, str | None] | None = Field(
        default=None,
        description="when the parties were first called to the plan (`invited_at`) and when it is made (`meeting_at`); of one case only",
    )
    planning: list[dict[str, Any]] | None = Field(
        default=None, description="what each unit told the ward of its planning; of one case only"
    )
    care_contact: dict[str, str | None] | None = Field(default=None, description="the permanent care contact; of one case only")
    declined: list[dict[str, Any]] | None = Field(default=None, description="what the patient declined; of one case only")
    admission_reason: dict[str, Any] | None = Field(
        default=None,
        description="why the patient was admitted, if the ward told it; `text` for the ward, and for others while the patient"
        " consents; of one case only",
    )


class CasesFound(Answer):
    """The caller's cases of one person."""

    cases: list[CaseShown]


class HistoryLine(Answer):
    """Who did what when."""

    version: int
    at: str
    client: str
    what: str
    source: str | None
    event_id: str | None
    sent_at: str | None


class History(Answer):
    """The history of a case, oldest first."""

    case_id: UUID
    history: list[HistoryLine]


class PersonSought(Body):
    """A person's number; never in a URL."""

    type: PersonIdType
    id: str = Field(max_length=12)


class Search(Body):
    """Whose cases to find."""

    model_config = with_example({"person": {"type": "personnummer", "id": "189001019802"}})

    person: PersonSought


def shown_case(row: Any) -> CaseShown:  # a row
    """A case as its parties see it, without what they have told."""
    person = _person(row)
    told = row.view | {"state": row.state}
    if person == WITHHELD:
        told["registered_municipality"] = None  # where she lives is part of who she is
    return CaseShown(id=row.id, version=row.version, subject=row.subject, changed_at=format_instant(row.changed_at), person=person, **told)


def _whole(found: usecases.CaseWhole) -> CaseShown:
    contact = found.care_contact
    return shown_case(found.case).model_copy(
        update={
            "sip": None
            if found.sip is None
            else {
                "invited_at": format_instant(found.sip.invited_at),
                "meeting_at": None if found.sip.meeting_at is None else format_instant(parse_instant(found.sip.meeting_at)),
            },
            "planning": [
                {
                    "unit": one.unit,
                    "recipient": one.recipient,
                    "status": one.status,
                    "ready_from": None if one.ready_from is None else format_instant(one.ready_from),
                    "needs": one.needs,
                    "stated_at": format_instant(one.stated_at),
                }
                for one in found.statuses
            ],
            "care_contact": None
            if contact is None
            else {
                "unit": contact.unit,
                "name": contact.name,
                "role": contact.role,
                "phone": contact.phone,
                "appointed_at": format_instant(contact.appointed_at),
            },
            "declined": [
                {"id": str(one.id), "unit": one.unit, "measures": one.measures, "declined_at": format_instant(one.declined_at)}
                for one in found.declined
            ],
            "admission_reason": None
            if found.reason is None
            else {
                "unit": found.reason.unit,
                "stated_at": format_instant(found.reason.stated_at),
                "text": found.reason.text,
                "withheld": found.reason.text is None,
            },
        }
    )


def _person(row: Any) -> dict[str, Any] | None:  # a row
    """The person, unless protected: named readers read the admission notice by its id, and nothing else shows it."""
    return WITHHELD if row.person and row.person.get("protected") else row.person


@router.get("/v1/cases")
async def get_cases(
    call: Checked,
    work: Working,
    response: Response,
    state: StateShown | None = None,
    after: UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Cases:
    """The caller's cases, without persons."""
    standing = usecases.Standing(states=None if state is None else (state,))
    rows = await usecases.list_cases(work, call.caller, after=after, limit=limit, standing=standing, request_id=call.request_id)
    if len(rows) == limit:
        kept = f"&state={state}" if state else ""
        response.headers["Link"] = f'</v1/cases?after={rows[-1].id}&limit={limit}{kept}>; rel="next"'
    return Cases(
        cases=[
            CaseListed(
                id=row.id,
                version=row.version,
                state=row.state,
                ward=row.view["ward"],
                care_type=row.view["care_type"],
                planned_discharge_date=row.view["planned_discharge_date"],
                findings=len(row.view["findings"]),
            )
            for row in rows
        ]
    )


@router.post("/v1/cases/search")
async def search_cases(call: Checked, work: Working, body: Search) -> CasesFound:
    """The caller's cases of one person."""
    try:
        person = parse_person_id(body.person.type, body.person.id)
    except ValueError as error:
        raise Malformed("request.malformed", errors=(FieldError("/person/id", str(error)),)) from None
    rows = await usecases.search_cases(work, call.caller, body.person.type, person, request_id=call.request_id)
    return CasesFound(cases=[shown_case(row) for row in rows])


@router.get("/v1/cases/{case_id}")
async def get_case(call: Checked, work: Working, case_id: UUID) -> CaseShown:
    """One case, with its person, what its parties have told, and everything that does not fit."""
    return _whole(await usecases.read_whole_case(work, call.caller, case_id, request_id=call.request_id))


@router.get("/v1/cases/{case_id}/history")
async def get_history(call: Checked, work: Working, case_id: UUID) -> History:
    """Who did what when in a case."""
    rows = await usecases.read_history(work, call.caller, case_id, request_id=call.request_id)
    return History(
        case_id=case_id,
        history=[
            HistoryLine(
                version=row.version,
                at=format_instant(row.at),
                client=row.client,
                what=row.what,
                source=row.source,
                event_id=row.event_id,
                sent_at=None if row.sent_at is None else format_instant(row.sent_at),
            )
            for row in rows
        ],
    )
