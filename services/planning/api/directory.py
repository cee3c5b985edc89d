"""The directory: organisations, units with their mailboxes and members, addressing rules, duty calendars. No person in it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from services.planning import usecases
from services.planning.usecases.register import (
    CalendarBody,
    MailboxBody,
    MemberBody,
    OrganisationBody,
    RuleBody,
    UnitBody,
    UnitKind,
)
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, Day
from shared.identifiers import HSA_ID_PATTERN, ORGANISATION_NUMBER_PATTERN

router = APIRouter(tags=["Directory"], route_class=StrictRoute)

HsaIdPath = Annotated[str, Path(pattern=f"^{HSA_ID_PATTERN}$")]
NumberPath = Annotated[str, Path(pattern=f"^{ORGANISATION_NUMBER_PATTERN}$")]
RecipientPath = Annotated[
    str, Path(pattern=f"^(municipality:[0-9]{{4}}|unit:{HSA_ID_PATTERN})$", description="municipality:CODE or unit:HSA-id")
]


class OrganisationShown(Answer):
    """An organisation: a region, a municipality or a private care provider."""

    number: str
    name: str
    municipality: str | None
    sub_region: str | None
    valid_from: Day | None
    valid_to: Day | None


class Organisations(Answer):
    """Every organisation in the directory."""

    organisations: list[OrganisationShown]


class MailboxOfUnit(Answer):
    """A mailbox at a unit."""

    id: UUID
    recipient: str
    function: str
    district: str


class MemberOfTeam(Answer):
    """A unit whose staff belong to a team."""

    unit: str
    valid_from: Day
    valid_to: Day | None


class UnitShown(Answer):
    """A unit, its mailboxes and, of a team, its members."""

    hsa_id: str
    organisation: str
    name: str
    kind: str
    owner: str | None
    municipality: str | None
    sub_region: str | None
    valid_from: Day | None
    valid_to: Day | None
    stay_space: str | None = Field(description="within what a ward's stay ids are unique; null = the care provider")
    mailboxes: list[MailboxOfUnit]
    members: list[MemberOfTeam]


class Units(Answer):
    """Some of the units; the rest behind the `Link` header."""

    units: list[UnitShown]


class UnitPut(UnitBody):
    """A unit with the mailboxes it is to have, and all members of a team. Mailboxes are added, never removed: they hold what was sent."""

    model_config = with_example(
        {
            "organisation": "2321000131",
            "name": "Medicin avdelning 9",
            "kind": "ward",
            "municipality": "1480",
            "mailboxes": [{"function": "ward"}],
        }
    )

    mailboxes: tuple[MailboxBody, ...] = Field(default=(), max_length=100)
    members: tuple[MemberBody, ...] | None = Field(default=None, max_length=1_000, description="all members, of a team; null leaves them")


class RuleShown(Answer):
    """One addressing rule of a recipient."""

    function: str
    district: str
    need: str | None
    care_type: str | None
    postal_code: str
    valid_from: Day
    valid_to: Day | None


class AddressingBody(Body):
    """All addressing rules that a recipient is to have."""

    model_config = with_example({"rules": [{"function": "municipality", "need": "municipal_social", "valid_from": "2026-01-01"}]})

    rules: tuple[RuleBody, ...] = Field(max_length=1_000)


class Addressing(Answer):
    """All addressing rules of a recipient; what none of them fits goes to its default mailbox."""

    recipient: str
    rules: list[RuleShown]


class CalendarShown(Answer):
    """When somebody reads a mailbox."""

    mailbox: UUID
    weekly: dict[str, list[dict[str, str]]]
    closed: list[Day]
    holidays_closed: bool
    outside: UUID | None


def _shown(row: Any) -> UnitShown:  # a row
    return UnitShown.model_validate(row, from_attributes=True)


async def _addressing(work: Working, recipient: str) -> Addressing:
    found = await usecases.addressing_of(work, recipient)
    return Addressing(recipient=recipient, rules=[RuleShown.model_validate(row, from_attributes=True) for row in found])


async def _calendar(work: Working, mailbox: UUID) -> CalendarShown:
    return CalendarShown.model_validate((await usecases.calendar_of(work, mailbox)), from_attributes=True)


@router.get("/v1/organisations")
async def get_organisations(_call: Checked, work: Working) -> Organisations:
    """Every organisation in the directory."""
    found = await usecases.list_organisations(work)
    return Organisations(organisations=[OrganisationShown.model_validate(row, from_attributes=True) for row in found])


@router.put("/v1/organisations/{number}")
async def put_organisation(call: Checked, work: Working, number: NumberPath, body: OrganisationBody) -> OrganisationShown:
    """Enter an organisation, or replace the whole entry: what the body leaves out is empty afterwards. The region keeps them."""
    row = await usecases.put_organisation(work, call.caller, number, body)
    return OrganisationShown.model_validate(row, from_attributes=True)


@router.get("/v1/units")
async def get_units(  # the parameters of the address, one to one
    _call: Checked,
    work: Working,
    response: Response,
    organisation: Annotated[str | None, Query(pattern=f"^{ORGANISATION_NUMBER_PATTERN}$")] = None,
    kind: UnitKind | None = None,
    on: Annotated[Day | None, Query(description="only units that stand on this day")] = None,
    after: Annotated[str, Query(pattern=f"^({HSA_ID_PATTERN})?$", max_length=31)] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Units:
    """Units by HSA-id, each with its mailboxes and, of a team, its members."""
    rows = await usecases.list_units(work, after=after, limit=limit, organisation=organisation, kind=kind, on=on)
    if len(rows) == limit:
        asked = {"organisation": organisation, "kind": kind, "on": on}
        kept = "".join(f"&{name}={value}" for name, value in asked.items() if value is not None)
        response.headers["Link"] = f'</v1/units?after={rows[-1].hsa_id}&limit={limit}{kept}>; rel="next"'
    return Units(units=[_shown(row) for row in rows])


@router.put("/v1/units/{hsa_id}")
async def put_unit(call: Checked, work: Working, hsa_id: HsaIdPath, body: UnitPut) -> UnitShown:
    """Enter a unit with its mailboxes and members, or replace the whole entry: what the body leaves out is empty afterwards.

    Only these stay: the mailboxes, a ward's `stay_space` that is left out, and the members when `members` is null.
    """
    unit = UnitBody(**body.model_dump(exclude={"mailboxes", "members"}))
    return _shown(await usecases.put_unit(work, call.caller, hsa_id, unit, body.mailboxes, body.members))


@router.get("/v1/addressing/{recipient}")
async def get_addressing(_call: Checked, work: Working, recipient: RecipientPath) -> Addressing:
    """The addressing rules of a municipality or unit."""
    return await _addressing(work, recipient)


@router.put("/v1/addressing/{recipient}")
async def put_addressing(call: Checked, work: Working, recipient: RecipientPath, body: AddressingBody) -> Addressing:
    """Let these be all addressing rules of a municipality or unit. To change one, end it and let another begin the day after."""
    await usecases.put_addressing(work, call.caller, recipient, body.rules)
    return await _addressing(work, recipient)


@router.get("/v1/mailboxes/{mailbox_id}/duty-calendar")
async def get_duty_calendar(_call: Checked, work: Working, mailbox_id: UUID) -> CalendarShown:
    """When somebody reads a mailbox. 404 = it has no calendar, or does not exist."""
    return await _calendar(work, mailbox_id)


@router.put("/v1/mailboxes/{mailbox_id}/duty-calendar")
async def put_duty_calendar(call: Checked, work: Working, mailbox_id: UUID, body: CalendarBody) -> CalendarShown:
    """Say when somebody reads a mailbox, and who takes over otherwise. No deadline moves by it."""
    await usecases.put_calendar(work, call.caller, mailbox_id, body)
    return await _calendar(work, mailbox_id)
