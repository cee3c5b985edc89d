"""GET and POST /v1/agreements: every rule set with unit, mark and source of each value; a new version is entered by two persons."""

from http import HTTPStatus
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from services.billing.agreements import agreement_files
from services.billing.api.parts import Acting, person_of, reader_of, require_region
from services.billing.usecases.agreements import RuleSet, approve_agreement, propose_agreement, rule_sets
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, ShortText
from shared.http.idempotency import once

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


def _example() -> dict[str, Any]:
    """A rule set for trying out, that binds nobody."""
    shipped = next(file for file in agreement_files() if file.name == "vgr-2018")
    told = shipped.model_dump(mode="json", exclude_none=True)
    only = {"value": True, "unit": "choice", "mark": "D", "source": "made up for this example"}
    titles = {"title": "Made up for this example", "title_sv": "Påhittat för det här exemplet"}
    return told | titles | {"name": "example-of-an-agreement", "only_for_simulation": only}


class AgreementBody(Acting):
    """The next version of a rule set, in the shape of the files that are shipped, and where it was read."""

    model_config = with_example({"agreement": _example(), "source": "made up for this example", "acted_by": "Anna Test"})

    agreement: Annotated[dict[str, Any], Field(min_length=1, max_length=50)]
    source: ShortText


class AgreementAnswer(Answer):
    """One version of a rule set as its file has it: each value with unit, mark (L law, A agreement, D our default) and source.

    `state`: `shipped` (version 0), `proposed` or `approved`; `counts` = it is the version in force of its name.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    title: str
    first: str
    last: str | None
    parties: list[str] | None
    average: list[dict[str, Any]]
    care: list[dict[str, Any]]
    switches: list[dict[str, Any]]
    version: int
    state: str
    counts: bool
    id: UUID | None = None
    source: str | None = None
    proposed_by: str | None = None
    proposed_at: str | None = None
    approved_by: str | None = None
    approved_at: str | None = None

    @classmethod
    def of(cls, one: RuleSet) -> Self:
        """From the file or the region's own entry."""
        row, told = one.row, {**one.text, "version": one.version, "counts": one.counts}
        if row is None:
            return cls(**told, state="shipped")
        return cls(
            **told,
            id=row.id,
            state="proposed" if row.approved_at is None else "approved",
            source=row.source,
            proposed_by=row.person,
            proposed_at=format_instant(row.proposed_at),
            approved_by=row.approved_by,
            approved_at=None if row.approved_at is None else format_instant(row.approved_at),
        )


class Agreements(Answer):
    """Every version of every rule set, by name and version."""

    agreements: list[AgreementAnswer]


@router.get("/v1/agreements")
async def read_agreements(call: Checked, work: Working) -> Agreements:
    """The rule sets shipped with this version, and those the region has entered."""
    reader_of(call.caller)
    return Agreements(agreements=[AgreementAnswer.of(one) for one in await rule_sets(work)])


@router.post("/v1/agreements", status_code=HTTPStatus.CREATED, response_model=AgreementAnswer)
async def propose(call: Checked, work: Working, request: Request, body: AgreementBody) -> Response:
    """Propose the next version of a rule set; it counts when another person has approved it."""
    require_region(call)

    async def act() -> AgreementAnswer:
        return AgreementAnswer.of(await propose_agreement(work, body.agreement, body.source, person_of(call, body)))

    return await once(work, call, request, act)


@router.post("/v1/agreements/{agreement_id}/approval", response_model=AgreementAnswer)
async def approve(call: Checked, work: Working, request: Request, agreement_id: UUID, body: Acting) -> Response:
    """Approve a version somebody else proposed: every month it touches is counted anew, and what was issued can be corrected."""
    require_region(call)

    async def act() -> AgreementAnswer:
        return AgreementAnswer.of(await approve_agreement(work, agreement_id, person_of(call, body)))

    return await once(work, call, request, act, status=HTTPStatus.OK)
