"""Reading and entering the directory's own rows: each entry is written when it differs from what stands, and otherwise left alone."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.planning.tables import addressing, duty_calendars, mailboxes, organisations, team_members, units
from shared.db import Work

Change = Literal["added", "changed", "unchanged"]
Values = Mapping[str, Any]

_WHOLE_UNIT: Final = """
    SELECT u.hsa_id, u.organisation, u.name, u.kind, u.owner, u.municipality, u.sub_region, u.valid_from, u.valid_to, u.stay_space,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'recipient', m.recipient, 'function', m.function,
                                                         'district', m.district) ORDER BY m.function, m.district), '[]')
            FROM mailboxes m WHERE m.unit = u.hsa_id) AS mailboxes,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('unit', t.unit, 'valid_from', t.valid_from, 'valid_to', t.valid_to)
                                      ORDER BY t.unit, t.valid_from), '[]')
            FROM team_members t WHERE t.team = u.hsa_id) AS members
    FROM units u
"""
_ONE_UNIT: Final = text(f"{_WHOLE_UNIT} WHERE u.hsa_id = :id")  # constant text
_UNITS: Final = text(
    f"""
    {_WHOLE_UNIT}
    WHERE u.hsa_id > :after AND (CAST(:organisation AS text) IS NULL OR u.organisation = :organisation)
      AND (CAST(:kind AS text) IS NULL OR u.kind = :kind)
      AND (CAST(:on AS date) IS NULL OR daterange(u.valid_from, u.valid_to, '[]') @> CAST(:on AS date))
    ORDER BY u.hsa_id LIMIT :limit
    """  # constant text
)
_RULES: Final = text(
    """
    SELECT r.id, r.need, r.care_type, r.postal_code, m.function, m.district, r.valid_from, r.valid_to
    FROM addressing r JOIN mailboxes m ON m.id = r.mailbox WHERE r.recipient = :recipient
    ORDER BY r.valid_from, m.function, m.district, r.need, r.care_type, r.postal_code
    """
)

_HAS_STAYS: Final = text("SELECT EXISTS (SELECT FROM events WHERE source = :source) OR EXISTS (SELECT FROM cases WHERE ward = :ward)")
_SPACE_TAKEN: Final = text(
    """
    SELECT EXISTS (SELECT FROM units WHERE stay_space = :space AND organisation <> :organisation)
        OR EXISTS (SELECT FROM organisations WHERE number = :space AND number <> :organisation)
    """
)


async def put_organisation(work: Work, values: Values) -> Change:
    """Enter an organisation."""
    return await _put(work, organisations, ("number",), values)


async def put_unit(work: Work, values: Values) -> Change:
    """Enter a unit."""
    return await _put(work, units, ("hsa_id",), values)


async def put_mailbox(work: Work, values: Values) -> Change:
    """Enter a mailbox; one that exists keeps its id, and so its feed."""
    return await _put(work, mailboxes, ("recipient", "function", "district"), values, made_once=("id",))


async def put_member(work: Work, values: Values) -> Change:
    """Enter a unit as a member of a team."""
    return await _put(work, team_members, ("team", "unit", "valid_from"), values)


async def put_rule(work: Work, values: Values) -> Change:
    """Enter one addressing rule; the same rule with another last day is the same rule."""
    alike = (addressing.c[name].is_not_distinct_from(values[name]) for name in values if name not in {"id", "valid_to"})
    found = (await work.connection.execute(select(addressing).where(*alike).with_for_update())).mappings().first()
    if found is None:
        await work.connection.execute(insert(addressing).values(**values))
        return "added"
    if found["valid_to"] == values["valid_to"]:
        return "unchanged"
    await work.connection.execute(update(addressing).where(addressing.c.id == found["id"]).values(valid_to=values["valid_to"]))
    return "changed"


async def put_calendar(work: Work, values: Values) -> Change:
    """Enter the duty calendar of a mailbox."""
    return await _put(work, duty_calendars, ("mailbox",), values)


async def _put(work: Work, table: Table, keys: Sequence[str], values: Values, *, made_once: Sequence[str] = ()) -> Change:
    added = await work.connection.execute(
        insert(table).values(**values).on_conflict_do_nothing(index_elements=list(keys)).returning(table.c[keys[0]])
    )
    if added.one_or_none() is not None:
        return "added"
    same = [table.c[key] == values[key] for key in keys]
    found = (await work.connection.execute(select(table).where(*same).with_for_update())).mappings().one()
    different = {name: value for name, value in values.items() if name not in made_once and found[name] != value}
    if not different:
        return "unchanged"
    await work.connection.execute(update(table).where(*same).values(**different))
    return "changed"


async def remove_rule(work: Work, rule: UUID) -> None:
    """Remove one addressing rule."""
    await work.connection.execute(delete(addressing).where(addressing.c.id == rule))


async def members_of(work: Work, team: str) -> Sequence[Any]:
    """The members of a team, past and future ones included."""
    return (await work.connection.execute(select(team_members).where(team_members.c.team == team).order_by(team_members.c.unit))).all()


async def remove_member(work: Work, team: str, unit: str, since: date) -> None:
    """Remove what was said of one member from one day on."""
    same = (team_members.c.team == team, team_members.c.unit == unit, team_members.c.valid_from == since)
    await work.connection.execute(delete(team_members).where(*same))


async def has_stays(work: Work, ward: str) -> bool:
    """Whether anything is known of a stay at a ward."""
    return bool((await work.connection.execute(_HAS_STAYS, {"ward": ward, "source": f"urn:hsa:{ward}"})).scalar_one())


async def space_taken(work: Work, space: str, organisation: str) -> bool:
    """Whether wards of another organisation count their stays within a space, named or as their care provider."""
    return bool((await work.connection.execute(_SPACE_TAKEN, {"space": space, "organisation": organisation})).scalar_one())


async def organisation(work: Work, number: str) -> Any | None:  # a row
    """One organisation."""
    return (await work.connection.execute(select(organisations).where(organisations.c.number == number))).one_or_none()


async def organisation_of(work: Work, municipality: str) -> str | None:
    """The organisation number of a municipality."""
    found = await work.connection.execute(select(organisations.c.number).where(organisations.c.municipality == municipality))
    return found.scalar_one_or_none()


async def all_organisations(work: Work) -> Sequence[Any]:
    """Every organisation, by number."""
    return (await work.connection.execute(select(organisations).order_by(organisations.c.number))).all()


async def unit(work: Work, hsa_id: str) -> Any | None:  # a row
    """One unit."""
    return (await work.connection.execute(select(units).where(units.c.hsa_id == hsa_id))).one_or_none()


async def page_of_units(
    work: Work, *, after: str, limit: int, organisation: str | None, kind: str | None, on: date | None
) -> Sequence[Any]:
    """Units by HSA-id, each with its mailboxes and, of a team, its members."""
    asked = {"after": after, "limit": limit, "organisation": organisation, "kind": kind, "on": on}
    return (await work.connection.execute(_UNITS, asked)).all()


async def one_with_all(work: Work, hsa_id: str) -> Any:  # a row
    """One unit with its mailboxes and members; it must be there."""
    return (await work.connection.execute(_ONE_UNIT, {"id": hsa_id})).one()


async def mailbox_id(work: Work, recipient: str, function: str, district: str) -> UUID | None:
    """The mailbox of a recipient for a function."""
    same = (mailboxes.c.recipient == recipient, mailboxes.c.function == function, mailboxes.c.district == district)
    found: UUID | None = (await work.connection.execute(select(mailboxes.c.id).where(*same))).scalar_one_or_none()
    return found


async def rules_of(work: Work, recipient: str) -> Sequence[Any]:
    """The addressing rules of a recipient, oldest first."""
    return (await work.connection.execute(_RULES, {"recipient": recipient})).all()


async def calendar_of(work: Work, mailbox: UUID) -> Any | None:  # a row
    """The duty calendar of a mailbox, if it has one."""
    return (await work.connection.execute(select(duty_calendars).where(duty_calendars.c.mailbox == mailbox))).one_or_none()
