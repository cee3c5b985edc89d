"""The paper list for the hours when the network is down, and the list of what does not fit."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from services.planning import usecases
from services.planning.domain.findings import FindingCode
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer
from shared.identifiers import HSA_ID_PATTERN

FIRST: Final = UUID(int=0)
router = APIRouter(tags=["Cases"], route_class=StrictRoute)


class FindingListed(Answer):
    """Something that does not fit in a case."""

    case_id: UUID
    ward: str | None
    state: str
    code: str
    detail: str
    event_id: str | None = Field(default=None, description="the event that shows it, by its sender's id")
    about: str | None = Field(default=None, description="the party it concerns, where it concerns one")


class FindingsListed(Answer):
    """What does not fit in some of the caller's cases; the rest behind the `Link` header."""

    findings: list[FindingListed]


@router.get("/v1/cases/paper", response_class=HTMLResponse)
async def get_paper(call: Checked, work: Working) -> HTMLResponse:
    """The caller's open cases as a page to print; persons with protected identity are not named."""
    page = await usecases.paper_list(work, call.caller, request_id=call.request_id)
    return HTMLResponse(
        page, headers={"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    )


@router.get("/v1/findings")
async def get_findings(
    call: Checked,
    work: Working,
    response: Response,
    code: FindingCode | None = None,
    unit: Annotated[str | None, Query(pattern=f"^{HSA_ID_PATTERN}$")] = None,
    after: UUID = FIRST,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FindingsListed:
    """Everything that does not fit in the caller's cases, by case; `unit` is a ward or a unit of a party, `limit` counts cases."""
    rows = await usecases.list_findings(work, call.caller, after=after, limit=limit, code=code, unit=unit, request_id=call.request_id)
    if len(rows) == limit:
        kept = "".join(f"&{name}={value}" for name, value in (("code", code), ("unit", unit)) if value)
        response.headers["Link"] = f'</v1/findings?after={rows[-1].id}&limit={limit}{kept}>; rel="next"'
    return FindingsListed(
        findings=[
            FindingListed(case_id=row.id, ward=row.ward, state=row.state, **finding)
            for row in rows
            for finding in row.findings
            if code in {None, finding["code"]}
        ]
    )
