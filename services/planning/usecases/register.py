"""Keeping the directory: who there is, which mailboxes they have, what goes where and when somebody reads it.

Every entry that changes something is told on the stream as `directory.changed`; entering the same again changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from services.planning.repository import register as rows
from services.planning.repository.register import Change
from shared.db import Work
from shared.errors import BusinessError, FieldError, Malformed, Refused
from shared.events.facts import DirectoryChanged
from shared.http.documented import with_example
from shared.http.fields import Body, Day, ShortText, Truth
from shared.identifiers import parse_hsa_id, parse_municipality_code, parse_organisation_number, provider_of, uuid7
from shared.streams.outbox import stage_facts

HsaId = Annotated[str, AfterValidator(parse_hsa_id)]
OrganisationNumber = Annotated[str, AfterValidator(parse_organisation_number)]
MunicipalityCode = Annotated[str, AfterValidator(parse_municipality_code)]
RecipientName = Annotated[str, Field(pattern=r"^(municipality:[0-9]{4}|unit:SE[0-9]{10}-[A-Za-z0-9]{1,18})$")]
Function = Literal["municipality", "social_services", "health_care", "on_call", "district", "controller", "care_unit", "ward", "team"]
UnitKind = Literal["ward", "care_centre", "municipal", "team", "office"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]

EntryKind = Literal["organisation", "unit", "mailbox", "member", "addressing", "duty_calendar"]
_OWN_FUNCTION: Final = {"ward": "ward", "care_centre": "care_unit", "municipal": "municipality", "team": "team", "office": "controller"}
_OF_ANY: Final = frozenset({"on_call", "district", "controller", "social_services", "health_care"})


class _Dated(Body):
    """Something that stands from a first to a last day, both included; without one it is open on that side."""

    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "_Dated":
        if self.valid_from is not None and self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("period_reversed")
        return self


class OrganisationBody(_Dated):
    """A region, a municipality or a private care provider."""

    model_config = with_example({"name": "Göteborgs Stad", "municipality": "1480"})

    name: ShortText
    municipality: MunicipalityCode | None = Field(default=None, description="SCB code, of a municipality")
    sub_region: ShortText | None = None


class MailboxBody(Body):
    """A mailbox of a unit: what it is for, and of a district which."""

    function: Function
    district: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _named(self) -> "MailboxBody":
        if (self.function == "district") != bool(self.district):
            raise ValueError("district_missing" if self.function == "district" else "district_unexpected")
        return self


class MemberBody(_Dated):
    """A unit whose staff belong to a team, of whatever organisation."""

    unit: HsaId
    valid_from: Day


class UnitBody(_Dated):
    """A ward, care centre, municipal unit, team, or office of the region."""

    organisation: OrganisationNumber
    name: ShortText
    kind: UnitKind
    owner: OrganisationNumber | None = Field(default=None, description="who runs it, when that is another than `organisation`")
    municipality: MunicipalityCode | None = Field(default=None, description="where it lies")
    sub_region: ShortText | None = None
    stay_space: ShortText | None = Field(
        default=None,
        description="within what a ward's stay ids are unique, e.g. its hospital's record system; null leaves it, and means the care"
        " provider of a new ward",
    )

    @model_validator(mode="after")
    def _of_a_ward(self) -> "UnitBody":
        if self.stay_space is not None and self.kind != "ward":
            raise ValueError("stay_space_of_ward_only")
        return self


class RuleBody(_Dated):
    """Notices for this need, care type and place go to this mailbox of the recipient, by the day they were sent."""

    function: Function
    district: str = Field(default="", max_length=200)
    need: Literal["municipal_social", "municipal_health", "outpatient"] | None = None
    care_type: Literal["somatic", "psychiatric"] | None = None
    postal_code: str = Field(default="", pattern="^[0-9]{0,5}$", description="what the postal code of the registered address begins with")
    valid_from: Day


class HoursBody(Body):
    """A stretch of a day on the Swedish clock; 24:00 = until midnight."""

    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _in_order(self) -> "HoursBody":
        if self.end <= self.start:
            raise ValueError("period_reversed")
        return self


class WeeklyBody(Body):
    """The hours of each weekday; none = nobody reads the mailbox that day."""

    mon: tuple[HoursBody, ...] = ()
    tue: tuple[HoursBody, ...] = ()
    wed: tuple[HoursBody, ...] = ()
    thu: tuple[HoursBody, ...] = ()
    fri: tuple[HoursBody, ...] = ()
    sat: tuple[HoursBody, ...] = ()
    sun: tuple[HoursBody, ...] = ()


class CalendarBody(Body):
    """When somebody reads a mailbox, and the function of the recipient's mailbox that takes over otherwise."""

    model_config = with_example(
        {
            "weekly": {"mon": [{"start": "08:00", "end": "16:30"}], "fri": [{"start": "08:00", "end": "15:00"}]},
            "closed": ["2026-12-28"],
            "holidays_closed": True,
        }
    )

    weekly: WeeklyBody
    closed: tuple[Day, ...] = Field(default=(), max_length=1_000)
    holidays_closed: Truth = True
    outside: Function | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the directory: its key in the directory, and what it says."""

    key: tuple[str, ...]
    body: Body


async def enter(work: Work, entry: Entry) -> Change:
    """Enter one thing in the directory, and tell the stream when that changed anything.

    Raises:
        Malformed: It names something that is not in the directory, or does not fit it.
        Refused: 409, the municipality or the stay space belongs to another organisation, or stays are known by another stay space.
    """
    kind, change, organisation = await _entered(work, entry)
    if change != "unchanged":
        key = _rule_key(entry.key[0], entry.body) if isinstance(entry.body, RuleBody) else entry.key
        await _tell(work, kind, "/".join(key), organisation, change)
    return change


async def _entered(work: Work, entry: Entry) -> tuple[EntryKind, Change, str]:
    name = entry.key[0]
    match entry.body:
        case OrganisationBody() as body:
            return "organisation", await _enter_organisation(work, name, body), name
        case UnitBody() as body:
            return "unit", await _enter_unit(work, name, body), body.organisation
        case MailboxBody() as body:
            return "mailbox", *await _enter_mailbox(work, name, body)
        case MemberBody() as body:
            return "member", *await _enter_member(work, name, body)
        case RuleBody() as body:
            return "addressing", *await _enter_rule(work, name, body)
        case CalendarBody() as body:
            return "duty_calendar", *await _enter_calendar(work, entry.key, body)
    raise TypeError("no entry of the directory")


async def _tell(work: Work, kind: EntryKind, key: str, organisation: str, change: Literal["added", "changed", "removed"]) -> None:
    fact = DirectoryChanged(entry=kind, key=key, organisation=organisation, change=change, changed_at=work.at)
    await stage_facts(work, [(fact, None)])


def _unknown(place: str, code: str) -> Malformed:
    return Malformed("directory.unknown", errors=(FieldError(f"/{place}", code),))


async def _enter_organisation(work: Work, number: str, body: OrganisationBody) -> Change:
    if body.municipality is not None and await rows.organisation_of(work, body.municipality) not in {None, number}:
        raise Refused("directory.municipality_taken", "The municipality belongs to another organisation in the directory.")
    return await rows.put_organisation(work, {"number": number} | body.model_dump())


async def _enter_unit(work: Work, hsa_id: str, body: UnitBody) -> Change:
    for place, number in (("organisation", body.organisation), ("owner", body.owner)):
        if number is not None and await rows.organisation(work, number) is None:
            raise _unknown(place, "organisation_unknown")
    found: Any = await rows.organisation(work, body.organisation)
    if body.kind == "office" and found.municipality is not None:  # what the creditor alone is to hear goes there: no debtor has one
        raise _unknown("kind", "office_of_a_municipality")
    values = {"hsa_id": hsa_id} | body.model_dump()
    if body.stay_space is None:
        del values["stay_space"]
    else:
        await _check_stay_space(work, hsa_id, body.organisation, body.stay_space)
    return await rows.put_unit(work, values)


async def _check_stay_space(work: Work, ward: str, organisation: str, space: str) -> None:
    """A ward whose stays are known keeps counting as it did, and nobody counts within what is another organisation's.

    Raises:
        Refused: 409.
    """
    before = await rows.unit(work, ward)
    counted = provider_of(ward) if before is None or before.stay_space is None else before.stay_space
    if counted != space and await rows.has_stays(work, ward):
        raise Refused("directory.stay_space_in_use", "Stays of the ward are known by the stay space that it has.")
    if await rows.space_taken(work, space, organisation):
        raise Refused("directory.stay_space_taken", "The stay space is another organisation's.")


async def _known_unit(work: Work, hsa_id: str, place: str = "unit") -> Any:  # a row
    found = await rows.unit(work, hsa_id)
    if found is None:
        raise _unknown(place, "unit_unknown")
    return found


async def _enter_mailbox(work: Work, hsa_id: str, body: MailboxBody) -> tuple[Change, str]:
    unit = await _known_unit(work, hsa_id)
    if body.function != _OWN_FUNCTION[unit.kind] and (unit.kind == "office" or body.function not in _OF_ANY):
        raise _unknown("function", "function_of_other_kind")
    values = {
        "id": uuid7(),
        "organisation": unit.organisation,
        "unit": hsa_id,
        "recipient": await _recipient_at(work, unit),
        **body.model_dump(),
    }
    return await rows.put_mailbox(work, values), unit.organisation


async def _recipient_at(work: Work, unit: Any) -> str:  # a row
    """What a unit's mailboxes are addressed as: a municipal unit's as its municipality, any other's as the unit."""
    if unit.kind != "municipal":
        return f"unit:{unit.hsa_id}"
    organisation: Any = await rows.organisation(work, unit.organisation)
    if organisation.municipality is None:
        raise _unknown("unit", "no_municipality")
    return f"municipality:{organisation.municipality}"


async def _enter_member(work: Work, team: str, body: MemberBody) -> tuple[Change, str]:
    found = await _known_unit(work, team, "team")
    if found.kind != "team":
        raise _unknown("team", "no_team")
    if (await _known_unit(work, body.unit)).kind == "team":
        raise _unknown("unit", "is_team")
    return await rows.put_member(work, {"team": team} | body.model_dump()), found.organisation


async def owner_of(work: Work, recipient: str) -> str:
    """The organisation number that a recipient's mailboxes belong to.

    Raises:
        Malformed: There is no such recipient in the directory.
    """
    kind, _, code = recipient.partition(":")
    if kind == "municipality":
        number = await rows.organisation_of(work, code)
        if number is None:
            raise _unknown("recipient", "recipient_unknown")
        return number
    return str((await _known_unit(work, code, "recipient")).organisation)


async def _mailbox(work: Work, recipient: str, function: str, district: str, place: str = "function") -> Any:
    found = await rows.mailbox_id(work, recipient, function, district)
    if found is None:
        raise _unknown(place, "mailbox_unknown")
    return found


async def _enter_rule(work: Work, recipient: str, body: RuleBody) -> tuple[Change, str]:
    organisation = await owner_of(work, recipient)
    mailbox = await _mailbox(work, recipient, body.function, body.district)
    values = {"id": uuid7(), "recipient": recipient, "mailbox": mailbox} | body.model_dump(exclude={"function", "district"})
    return await rows.put_rule(work, values), organisation


async def _enter_calendar(work: Work, key: Sequence[str], body: CalendarBody) -> tuple[Change, str]:
    recipient, function, district = key
    organisation = await owner_of(work, recipient)
    values = {
        "mailbox": await _mailbox(work, recipient, function, district),
        "weekly": body.weekly.model_dump(mode="json"),
        "closed": sorted(day.isoformat() for day in body.closed),
        "holidays_closed": body.holidays_closed,
        "outside": None if body.outside is None else await _mailbox(work, recipient, body.outside, "", "outside"),
    }
    return await rows.put_calendar(work, values), organisation


async def replace_rules(work: Work, recipient: str, rules: Sequence[RuleBody]) -> None:
    """Let these be all addressing rules of a recipient; what became of each is told on the stream.

    Rules are read by the day a notice was sent: a rule that ends, and one that begins, leave what was sent before where it is, while a
    rule that is changed for days gone by moves its notices at the case's next event, visibly, by cancelling them in the old mailbox.

    Raises:
        Malformed: A mailbox is not the recipient's.
    """
    organisation = await owner_of(work, recipient)
    kept = set()
    for index, rule in enumerate(rules):
        try:
            change, _ = await _enter_rule(work, recipient, rule)
        except Malformed as error:
            raise Malformed(error.code, errors=tuple(_inside(f"/rules/{index}", error))) from None
        if change != "unchanged":
            await _tell(work, "addressing", "/".join(_rule_key(recipient, rule)), organisation, change)
        kept.add((rule.function, rule.district, rule.need, rule.care_type, rule.postal_code, rule.valid_from))
    for row in await rows.rules_of(work, recipient):
        if (row.function, row.district, row.need, row.care_type, row.postal_code, row.valid_from) not in kept:
            await rows.remove_rule(work, row.id)
            await _tell(work, "addressing", f"{recipient}/{row.function}/{row.district}", organisation, "removed")


def _rule_key(recipient: str, rule: RuleBody) -> tuple[str, ...]:
    return (recipient, rule.function, rule.district)


async def replace_members(work: Work, team: str, members: Sequence[MemberBody]) -> None:
    """Let these be all members of a team; who joined and who left is told on the stream.

    Raises:
        Malformed: It is no team, or a member is no unit in the directory.
    """
    organisation = str((await _known_unit(work, team, "team")).organisation)
    kept = set()
    for index, member in enumerate(members):
        try:
            change, _ = await _enter_member(work, team, member)
        except Malformed as error:
            raise Malformed(error.code, errors=tuple(_inside(f"/members/{index}", error))) from None
        if change != "unchanged":
            await _tell(work, "member", f"{team}/{member.unit}", organisation, change)
        kept.add((member.unit, member.valid_from))
    for row in await rows.members_of(work, team):
        if (row.unit, row.valid_from) not in kept:
            await rows.remove_member(work, team, row.unit, row.valid_from)
            await _tell(work, "member", f"{team}/{row.unit}", organisation, "removed")


def _inside(place: str, error: BusinessError) -> list[FieldError]:
    return [FieldError(f"{place}{one.pointer}", one.code) for one in error.errors]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry of an import: entered, or why not (a code of the problem catalogue or of the field)."""

    entry: Entry
    change: Change | None
    reason: str = ""


_ORDER: Final = (OrganisationBody, UnitBody, MailboxBody, MemberBody, RuleBody, CalendarBody)


async def import_directory(work: Work, entries: Sequence[Entry]) -> list[Outcome]:
    """Enter many things, what others need first; what cannot be entered is left out and told, the rest is entered."""
    outcomes: dict[int, Outcome] = {}
    for place, entry in sorted(enumerate(entries), key=lambda one: (_ORDER.index(type(one[1].body)), one[0])):
        try:
            outcomes[place] = Outcome(entry, await enter(work, entry))
        except BusinessError as error:
            outcomes[place] = Outcome(entry, None, error.errors[0].code if error.errors else error.code)
    return [outcomes[place] for place in range(len(entries))]
