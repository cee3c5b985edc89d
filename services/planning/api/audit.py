"""Who read what: for those who review the access log of their organisation."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.planning import usecases
from services.planning.api.persons import PersonNamed, number_of
from services.planning.usecases import Access, Sought
from shared.dates import format_instant, parse_instant
from shared.errors import FieldError
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.feed_query import MOST_POSITIONS, Position
from shared.http.fields import Answer, Body, Instant, Whole
from shared.http.problems import HttpProblem

router = APIRouter(tags=["Access log and persons"], route_class=StrictRoute)
_WORD = r"^[^\x00-\x1f\x7f]{1,200}$"


class AccessShown(Answer):
    """One access: who did what, when, for which unit, about whom. Patients stand in it by pseudonym, never by number or name."""

    number: int
    hash: str = Field(description="the running hash of the log up to here")
    at: str
    action: str
    service: str = Field(description="the service that it was read in: planning or billing")
    client: str
    user: str | None = Field(description="name of the person who had signed in; none: a system")
    organisation: str
    unit: str | None = Field(description="the unit that it was done for, where the request was about one")
    units: list[str] = Field(description="which units the client acts for, by the beginnings of their HSA-ids")
    role: str
    cases: list[UUID] = Field(description="the cases, or plans without a stay")
    patients: list[str] = Field(description="keyed pseudonyms of the patients")
    request_id: str


class Accesses(Answer):
    """Some accesses by number; the rest behind the `Link` header, also where a page holds none: long logs are searched in parts."""

    accesses: list[AccessShown]


class AccessesFound(Answer):
    """Some accesses by number; for the rest ask again with `after` as `next` says, until it is null."""

    accesses: list[AccessShown]
    next: int | None


class AuditSearch(Body):
    """Whose accesses to look for."""

    model_config = with_example({"person": {"type": "personnummer", "id": "189001019802"}, "from": "2026-03-01T00:00:00+01:00"})

    person: PersonNamed
    since: Instant | None = Field(default=None, alias="from")
    until: Instant | None = Field(default=None, alias="to", description="until before this instant")
    after: Annotated[Whole, Field(ge=0, le=MOST_POSITIONS)] = 0
    limit: Annotated[Whole, Field(ge=1, le=500)] = 100


def _shown(access: Access) -> AccessShown:
    told: dict[str, Any] = {"service": "planning", "user": None, "unit": None, "units": [], "patients": []} | dict(access.told)
    return AccessShown(number=access.number, hash=access.hash.hex(), **told)


def _instant(text: str | None, name: str) -> Any:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        problem = HttpProblem("request.parameter_invalid")
        problem.errors = (FieldError(f"/{name}", "time.format"),)
        raise problem from error


@router.get("/v1/audit")
async def get_audit(  # noqa: PLR0913  # the parameters of the address
    call: Checked,
    work: Working,
    response: Response,
    after: Position = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    case_id: UUID | None = None,
    client: Annotated[str | None, Query(pattern=_WORD)] = None,
    user: Annotated[str | None, Query(pattern=_WORD)] = None,
    since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40)] = None,
) -> Accesses:
    """What the people and systems of the caller's organisation read, and whoever read of the cases that it provided the care of."""
    sought = Sought(case_id, client, user, _instant(since, "from"), _instant(until, "to"))
    found = await usecases.list_accesses(work, call.caller, sought, after=after, limit=limit, request_id=call.request_id)
    if found.next is not None:
        instants = {name: None if at is None else format_instant(at) for name, at in (("from", sought.since), ("to", sought.until))}
        asked = {"after": found.next, "limit": limit, "case_id": case_id, "client": client, "user": user, **instants}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        response.headers["Link"] = f'</v1/audit?{query}>; rel="next"'
    return Accesses(accesses=[_shown(access) for access in found.found])


@router.post("/v1/audit/search")
async def search_audit(call: Checked, work: Working, body: AuditSearch) -> AccessesFound:
    """The same for one patient; the number stands in the body and nowhere else."""
    sought = Sought(since=body.since, until=body.until)
    found = await usecases.accesses_of_person(
        work, call.caller, body.person.type, number_of(body.person), sought, after=body.after, limit=body.limit, request_id=call.request_id
    )
    return AccessesFound(accesses=[_shown(access) for access in found.found], next=found.next)
