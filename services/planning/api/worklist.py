"""The caller's check list: every open duty, and for the conductor where each party stands."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.planning import usecases
from services.planning.domain.duties import PartyAt
from services.planning.domain.duty_rules import EXPLAINED
from services.planning.usecases.worklist import Owed
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.fields import Answer

FIRST: Final = UUID(int=0)
router = APIRouter(tags=["Municipalities and care centres"], route_class=StrictRoute)


class DutyShown(Answer):
    """One open duty: what, why, by when, and the call that fulfils it."""

    case_id: UUID | None = Field(description="null for a plan without a stay")
    plan_id: UUID | None = Field(description="the plan it belongs to, if it does")
    rule: str
    unit: str = Field(description="whose duty it is")
    why: str
    legal_basis: str
    since: str
    due_at: str | None = Field(description="null where nobody gives a number")
    overdue: bool = Field(description="a call to SIP whose last day is no weekday is so only after the next one (lag 1930:173 2 §)")
    fulfilled_by: str = Field(description="method and address, ids filled in", examples=["POST /v1/plans"])


class PartyShown(Answer):
    """Where one party's planning stands."""

    unit: str
    recipient: str
    since: str
    acknowledged: bool
    status: str | None
    ready_from: str | None


class ConductedCase(Answer):
    """A case the caller conducts, with all its parties."""

    case_id: UUID
    state: str
    planned_discharge_date: str | None
    ready_notice_sent_at: str | None
    parties: list[PartyShown]


class WorkListShown(Answer):
    """What the caller's units owe, the most urgent first; `conducted` is for the care centre as conductor of the process."""

    duties: list[DutyShown]
    conducted: list[ConductedCase]


@router.get("/v1/worklist")
async def get_worklist(
    call: Checked, work: Working, response: Response, after: UUID = FIRST, limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000
) -> WorkListShown:
    """Every open duty of the caller's units, derived from rules and cases; `limit` counts cases and plans without a stay."""
    found = await usecases.work_list(work, call.caller, after=after, limit=limit, request_id=call.request_id)
    if found.last is not None:
        response.headers["Link"] = f'</v1/worklist?after={found.last}&limit={limit}>; rel="next"'
    return WorkListShown(
        duties=[_duty(owed, work) for owed in found.owed],
        conducted=[
            ConductedCase(
                case_id=case.id,
                state=case.status.value if case.status is not None else "",
                planned_discharge_date=None if case.planned_discharge_date is None else case.planned_discharge_date.isoformat(),
                ready_notice_sent_at=None if case.ready_notice_sent_at is None else format_instant(case.ready_notice_sent_at),
                parties=[_party(party) for party in case.parties],
            )
            for case in found.conducted
        ],
    )


def _duty(owed: Owed, work: Working) -> DutyShown:
    duty, told = owed.duty, EXPLAINED[owed.duty.rule]
    return DutyShown(
        case_id=owed.case.case_id,
        plan_id=duty.plan,
        rule=duty.rule.value,
        unit=duty.unit,
        why=told.why,
        legal_basis=duty.legal_basis,
        since=format_instant(duty.since),
        due_at=None if duty.by is None else format_instant(duty.by),
        overdue=duty.late_from is not None and duty.late_from <= work.at,
        fulfilled_by=duty.fulfilled_by(owed.case.case_id),
    )


def _party(party: PartyAt) -> PartyShown:
    return PartyShown(
        unit=party.unit,
        recipient=party.recipient,
        since=format_instant(party.since),
        acknowledged=party.acknowledged,
        status=None if party.status is None else party.status.value,
        ready_from=None if party.ready_from is None else format_instant(party.ready_from),
    )
