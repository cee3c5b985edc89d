"""Who can be reached: organisations, units and mailboxes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.domain.addressing import AddressingRule, Box, Boxes, precedence
from services.planning.domain.parties import ALWAYS, Directory, Recipient, Standing
from shared.dates import local_date
from shared.db import Work
from shared.events.team_member import TeamMember
from shared.http.auth import Caller

# Mailboxes with their rules and the days they stand in one statement: intake asks this for every batch.
BY_RECIPIENT: Final = text(
    """
    SELECT m.id, m.recipient, m.organisation, m.unit, m.function, m.district,
           greatest(u.valid_from, o.valid_from) AS stands_from, least(u.valid_to, o.valid_to) AS stands_to,
           r.id AS rule, r.need, r.care_type, r.postal_code, r.valid_from, r.valid_to
    FROM mailboxes m JOIN units u ON u.hsa_id = m.unit JOIN organisations o ON o.number = u.organisation
    LEFT JOIN addressing r ON r.mailbox = m.id WHERE m.recipient = ANY(CAST(:recipients AS text[]))
    """
)
_BY_ID: Final = text(
    """
    SELECT m.id, m.recipient, m.organisation, m.unit, m.function, m.district,
           greatest(u.valid_from, o.valid_from) AS stands_from, least(u.valid_to, o.valid_to) AS stands_to
    FROM mailboxes m JOIN units u ON u.hsa_id = m.unit JOIN organisations o ON o.number = u.organisation
    WHERE m.id = ANY(CAST(:ids AS uuid[])) ORDER BY m.id
    """
)
# No municipality has an office; a private care provider may have a `controller` of its own, which is no business of the creditor's.
_CONTROLLERS_OF_REGION: Final = text(
    """
    SELECT m.id, m.recipient, m.organisation, m.unit, m.function, m.district,
           greatest(u.valid_from, o.valid_from) AS stands_from, least(u.valid_to, o.valid_to) AS stands_to
    FROM mailboxes m JOIN units u ON u.hsa_id = m.unit JOIN organisations o ON o.number = m.organisation
    WHERE m.function = 'controller' AND u.kind = 'office' AND o.municipality IS NULL ORDER BY m.id
    """
)
_OF_CALLER: Final = text(
    """
    WITH teams AS (
        SELECT t.team FROM team_members t JOIN units u ON u.hsa_id = t.unit
        JOIN unnest(CAST(:prefixes AS text[])) AS p (prefix) ON starts_with(t.unit, p.prefix)
        WHERE u.organisation = :organisation AND daterange(t.valid_from, t.valid_to, '[]') @> CAST(:today AS date))
    SELECT m.id, m.recipient, m.organisation, m.unit, m.function, m.district, m.unit IN (SELECT team FROM teams) AS through_team
    FROM mailboxes m
    WHERE (m.organisation = :organisation AND EXISTS (
        SELECT FROM unnest(CAST(:prefixes AS text[])) AS p (prefix) WHERE starts_with(m.unit, p.prefix)))
       OR m.unit IN (SELECT team FROM teams)
    ORDER BY m.unit, m.function, m.district
    """
)
# `_OF_CALLER` the other way round: who may read what stands in the mailboxes of these teams.
_MEMBERS: Final = text(
    """
    SELECT DISTINCT t.team, u.organisation, t.unit FROM team_members t JOIN units u ON u.hsa_id = t.unit
    WHERE t.team = ANY(CAST(:teams AS text[])) AND daterange(t.valid_from, t.valid_to, '[]') @> CAST(:today AS date)
    ORDER BY t.team, u.organisation, t.unit
    """
)
_MUNICIPALITIES: Final = text("SELECT DISTINCT recipient FROM mailboxes WHERE starts_with(recipient, 'municipality:') ORDER BY recipient")
_PUT_ORGANISATIONS: Final = text(
    """
    INSERT INTO organisations (number, name, municipality)
    SELECT * FROM unnest(CAST(:numbers AS text[]), CAST(:names AS text[]), CAST(:municipalities AS text[]))
    ON CONFLICT (number) DO UPDATE SET name = excluded.name, municipality = excluded.municipality
    """
)
_PUT_UNITS: Final = text(
    """
    INSERT INTO units (hsa_id, organisation, name, kind, stay_space)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:organisations AS text[]), CAST(:names AS text[]), CAST(:kinds AS text[]),
                         CAST(:spaces AS text[]))
    ON CONFLICT (hsa_id) DO UPDATE SET organisation = excluded.organisation, name = excluded.name, kind = excluded.kind
    """
)
_PUT_MAILBOXES: Final = text(
    """
    INSERT INTO mailboxes (id, organisation, unit, function, recipient, district)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:organisations AS text[]), CAST(:units AS text[]), CAST(:functions AS text[]),
                         CAST(:recipients AS text[]), CAST(:districts AS text[]))
    ON CONFLICT (recipient, function, district) DO UPDATE SET organisation = excluded.organisation, unit = excluded.unit
    """
)
_POLLED: Final = text(
    """
    UPDATE mailboxes SET last_polled_at = :at WHERE id = :id AND (last_polled_at IS NULL OR last_polled_at < :noted_before) RETURNING id
    """
)
WARD: Final = "ward"
CONTROLLER: Final = "controller"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox: what it is addressed as, and who owns it."""

    id: UUID
    recipient: str
    organisation: str
    unit: str
    function: str
    district: str = ""
    standing: Standing = ALWAYS
    through_team: bool = False
    """Whether who reads it does so as a member of the team it is addressed to."""

    @property
    def feed(self) -> str:
        """The name of its feed."""
        return f"mailbox/{self.id}"

    @property
    def takes_patients(self) -> bool:
        """Whether notices of patients may stand in it: never with the region's controllers, who are no party of any stay."""
        return self.function != CONTROLLER or self.municipality is not None

    @property
    def of_care_unit(self) -> bool:
        """Whether it is a unit's own, as every team's is, and no municipality's."""
        return self.municipality is None

    @property
    def municipality(self) -> str | None:
        """The SCB code when it is a municipality's."""
        kind, _, code = self.recipient.partition(":")
        return code if kind == "municipality" else None


@dataclass(slots=True)
class Reach:
    """Who can be reached, and in which mailboxes: what a case needs to know of the directory."""

    boxes: dict[Recipient, Boxes] = field(default_factory=dict)
    mailboxes: dict[UUID, Mailbox] = field(default_factory=dict)
    directory: Directory = field(default_factory=lambda: Directory(frozenset()))
    """The same as the fold of a case reads it: who can be reached, and on which days."""

    @classmethod
    def of(cls, mailboxes: Iterable[Mailbox], rules: Mapping[str, Sequence[AddressingRule]] | None = None) -> "Reach":
        """What these mailboxes and rules (by recipient) reach. A ward is told by its mailbox, but is never a party of its own stays."""
        reach = cls()
        for mailbox in sorted(mailboxes, key=lambda one: one.id):
            reach.mailboxes[mailbox.id] = mailbox
            if mailbox.function != WARD and mailbox.takes_patients:
                kind, _, code = mailbox.recipient.partition(":")
                recipient = Recipient("municipality" if kind == "municipality" else "unit", code)
                others = reach.boxes[recipient].boxes if recipient in reach.boxes else ()
                box = Box(mailbox.id, mailbox.function, mailbox.district, mailbox.standing)
                reach.boxes[recipient] = Boxes((*others, box), tuple((rules or {}).get(mailbox.recipient, ())))
        dated = {recipient: tuple(box.standing for box in boxes.boxes) for recipient, boxes in reach.boxes.items()}
        reach.directory = Directory(frozenset(dated), {recipient: days for recipient, days in dated.items() if ALWAYS not in days})
        return reach

    def add(self, mailboxes: Iterable[Mailbox]) -> None:
        """Know further mailboxes by their id; nothing is addressed to them."""
        self.mailboxes.update({mailbox.id: mailbox for mailbox in mailboxes})


def _mailbox(row: Any) -> Mailbox:  # a row
    return Mailbox(row.id, row.recipient, row.organisation, row.unit, row.function, row.district)


def _standing(row: Any) -> Mailbox:  # a row
    return replace(_mailbox(row), standing=Standing(row.stands_from, row.stands_to))


async def reach_of(work: Work, recipients: Sequence[str]) -> Reach:
    """The mailboxes of those recipients that can be reached, and the rules between them."""
    if not recipients:
        return Reach()
    mailboxes: dict[UUID, Mailbox] = {}
    rules: dict[str, list[AddressingRule]] = {}
    for row in (await work.connection.execute(BY_RECIPIENT, {"recipients": list(recipients)})).all():
        mailboxes[row.id] = _standing(row)
        if row.rule is not None:
            rule = AddressingRule(row.id, row.need, row.care_type, row.postal_code, row.valid_from, row.valid_to)
            rules.setdefault(row.recipient, []).append(rule)
    return Reach.of(mailboxes.values(), rules)


async def mailboxes_for(work: Work, recipients: Sequence[str], *, function: str | None = None) -> dict[str, Mailbox]:
    """One mailbox for each of those recipients that have any: that of the named function where there is one, else the one that takes all.

    Of several the first at a unit that stands today. Wards are found here too, which routing never does.
    """
    found = await work.connection.execute(BY_RECIPIENT, {"recipients": list(recipients)})
    mailboxes, today = {row.id: _standing(row) for row in found}.values(), local_date(work.at)

    def order(box: Mailbox) -> tuple[bool, bool, int, str]:
        return (not box.standing.on(today), box.function != function, precedence(box.function), box.district)

    ordered = sorted(mailboxes, key=order)
    return {mailbox.recipient: mailbox for mailbox in reversed(ordered)}


async def municipalities(work: Work) -> Sequence[str]:
    """Every municipality that can be reached, as notices are addressed."""
    return (await work.connection.execute(_MUNICIPALITIES)).scalars().all()


async def controllers_of_region(work: Work) -> list[Mailbox]:
    """The mailboxes of the region's controllers that stand today; none unless the directory has one."""
    today = local_date(work.at)
    return [box for box in map(_standing, await work.connection.execute(_CONTROLLERS_OF_REGION)) if box.standing.on(today)]


async def by_id(work: Work, ids: Sequence[UUID]) -> list[Mailbox]:
    """Mailboxes by their ids."""
    return [_standing(row) for row in await work.connection.execute(_BY_ID, {"ids": list(ids)})]


async def mailboxes_of(work: Work, caller: Caller) -> list[Mailbox]:
    """The mailboxes a caller may read: of its organisation, at units inside its prefixes; and of the teams those units are members of."""
    asked = {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "today": local_date(work.at)}
    found = await work.connection.execute(_OF_CALLER, asked)
    return [replace(_mailbox(row), through_team=row.through_team) for row in found]


async def members_of(work: Work, teams: Collection[str]) -> dict[str, list[TeamMember]]:
    """Those who may read the mailboxes of teams today as their members, by team; a unit that is no team, or has none, is not here."""
    if not teams:
        return {}
    found: dict[str, list[TeamMember]] = {}
    for row in await work.connection.execute(_MEMBERS, {"teams": sorted(teams), "today": local_date(work.at)}):
        found.setdefault(row.team, []).append(TeamMember(organisation=row.organisation, unit=row.unit))
    return found


async def note_poll(work: Work, mailbox: Mailbox, every: timedelta) -> bool:
    """Note that a mailbox was read by its owner; False when that was noted within the last `every`."""
    found = await work.connection.execute(_POLLED, {"id": mailbox.id, "at": work.at, "noted_before": work.at - every})
    return found.one_or_none() is not None


async def put_organisations(work: Work, rows: Sequence[tuple[str, str, str | None]]) -> None:
    """Enter organisations: number, name, municipality code."""
    await work.connection.execute(
        _PUT_ORGANISATIONS,
        {"numbers": [row[0] for row in rows], "names": [row[1] for row in rows], "municipalities": [row[2] for row in rows]},
    )


async def put_units(work: Work, rows: Sequence[tuple[str, str, str, str, str | None]]) -> None:
    """Enter units: HSA-id, organisation, name, kind, stay space. A unit that is there keeps its stay space: stays hang on it."""
    await work.connection.execute(
        _PUT_UNITS,
        {
            "ids": [row[0] for row in rows],
            "organisations": [row[1] for row in rows],
            "names": [row[2] for row in rows],
            "kinds": [row[3] for row in rows],
            "spaces": [row[4] for row in rows],
        },
    )


async def put_mailboxes(work: Work, rows: Sequence[Mailbox]) -> None:
    """Enter mailboxes; one that exists keeps its id, and so its feed."""
    await work.connection.execute(
        _PUT_MAILBOXES,
        {
            "ids": [row.id for row in rows],
            "organisations": [row.organisation for row in rows],
            "units": [row.unit for row in rows],
            "functions": [row.function for row in rows],
            "recipients": [row.recipient for row in rows],
            "districts": [row.district for row in rows],
        },
    )
