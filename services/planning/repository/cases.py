"""Reading cases and their histories, each only for those who may see them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from services.planning.repository.sealing import Opened
from services.planning.vault import person_vault
from shared.db import Role, Work
from shared.http.auth import Caller

# A case is its ward's, the party municipality's and the party care unit's or team's; `parties` moves with the case, and access with it.
_OWN_TEAMS: Final = """
    SELECT t.team FROM team_members t JOIN units u ON u.hsa_id = t.unit
    JOIN unnest(CAST(:prefixes AS text[])) AS own (prefix) ON starts_with(t.unit, own.prefix)
    WHERE u.organisation = :organisation
      AND daterange(t.valid_from, t.valid_to, '[]') @> CAST(now() AT TIME ZONE 'Europe/Stockholm' AS date)
"""
VISIBLE: Final = f"""
    (c.parties @> to_jsonb('municipality:' || CAST(:municipality AS text))
     OR EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS own (prefix)
                WHERE (substr(c.ward, 3, 10) = :organisation AND starts_with(c.ward, own.prefix))
                   OR starts_with(c.outpatient_unit, own.prefix))
     OR c.outpatient_unit IN ({_OWN_TEAMS}))
"""
# Of a person whose identity is protected nothing leaves but by the admission notice, to a named reader.
PERSON: Final = """
    jsonb_build_array('case:' || c.id,
        CASE WHEN c.person -> 'protected' = 'true' THEN jsonb_build_object('withheld', 'protected') ELSE c.person END) AS person
"""
# How far a stay that is over has come by its plans (domain rule 2.1); one without a plan stays discharged.
STATE: Final = """
    CASE WHEN c.state = 'discharged' THEN coalesce((
        SELECT CASE WHEN bool_and(p.state IN ('closed', 'refused', 'withdrawn')) THEN 'closed'
                    WHEN bool_or(EXISTS (SELECT FROM plan_entries e WHERE e.plan_id = p.id AND e.what = 'follow_up')) THEN 'followed_up' END
        FROM plans p WHERE p.case_id = c.id), c.state) ELSE c.state END
"""
BY_PLANS: Final = frozenset({"closed", "followed_up"})
"""States of a discharged case that its plans say."""
# The same by the column alone: what may come before row-level security has looked at a row, and spares it most of them.
_MAY_BE: Final = "(CAST(:kept_as AS text[]) IS NULL OR c.state = ANY(CAST(:kept_as AS text[])))"
_COLUMNS: Final = (
    f"c.id, c.version, c.provider, c.space, c.subject, c.view, c.changed_at, c.outpatient_unit, c.municipality, {PERSON}, {STATE} AS state"
)
# What the decision table asks of a case.
_WHOSE: Final = f"c.ward, c.parties, coalesce(c.outpatient_unit IN ({_OWN_TEAMS}), false) AS through_team"
# A case that is part of another one, after a transfer, is answered for by that one.
_ONE: Final = text(
    f"SELECT {_COLUMNS}, {_WHOSE} FROM cases c WHERE c.id = (SELECT coalesce(joined_to, id) FROM cases WHERE id = :id) AND {VISIBLE}"  # noqa: S608
).columns(person=Opened)
_PAGE: Final = text(
    f"SELECT {_COLUMNS} FROM cases c WHERE c.version > 0 AND c.id > :after AND {_MAY_BE}"  # noqa: S608
    f" AND (CAST(:states AS text[]) IS NULL OR ({STATE}) = ANY(CAST(:states AS text[])))"
    " AND (CAST(:on_leave AS boolean) IS NULL OR coalesce(CAST(c.view ->> 'on_leave' AS boolean), false) = :on_leave)"
    f" AND {VISIBLE} ORDER BY c.id LIMIT :limit"
).columns(person=Opened)
# A number leads to every case of the person, under whatever number she was admitted: one case that had both names them together.
_BY_PERSON: Final = text(
    f"SELECT {_COLUMNS}, {_WHOSE} FROM cases c WHERE c.id IN (SELECT cases_of_person(CAST(:numbers AS text[]))) AND {VISIBLE}"  # noqa: S608
    " ORDER BY c.id LIMIT 100"
).columns(person=Opened)
_HISTORY: Final = text(
    """
    SELECT h.version, h.at, h.client, h.what, e.source, e.event_id, e.sent_at
    FROM case_history h LEFT JOIN events e ON e.id = h.event_row
    WHERE h.case_id IN (SELECT m.id FROM cases c JOIN cases m ON m.id = c.id OR m.joined_to = c.joined_to WHERE c.id = :id)
    ORDER BY h.at, h.case_id, h.version
    """
)
_GROUP: Final = "SELECT m.id FROM cases c JOIN cases m ON m.id = c.id OR m.joined_to = c.joined_to WHERE c.id = :id"
_WHOLE: Final = text(_GROUP)
_LOCK: Final = text(f"SELECT id FROM cases WHERE id IN ({_GROUP}) ORDER BY id FOR UPDATE")  # noqa: S608  # constant text
_PARTIES: Final = text("SELECT parties FROM cases WHERE id = :id")


def rights(caller: Caller) -> dict[str, object]:
    """The parameters of `VISIBLE`."""
    return {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "municipality": caller.municipality}


async def parties(work: Work, case_id: UUID) -> frozenset[str]:
    """Who is concerned in a case now, as notices are addressed."""
    return frozenset((await work.connection.execute(_PARTIES, {"id": case_id})).scalar_one())


class _GrownMeanwhile(Exception):
    """The case that was locked is a part of a larger one now; leaving the savepoint lets go of it."""


async def lock(work: Work, case_id: UUID) -> bool:
    """Lock one case whole, as every writer does before anything else; False when there is none.

    While it waits a transfer may make the case larger. Then it lets go and locks anew, all of it in the order of the ids: to hold one row
    and ask for an earlier one is how two commands would wait for each other.
    """
    while True:
        with suppress(_GrownMeanwhile):
            async with work.connection.begin_nested():
                locked = set((await work.connection.execute(_LOCK, {"id": case_id})).scalars())
                if not locked.issuperset((await work.connection.execute(_WHOLE, {"id": case_id})).scalars()):
                    raise _GrownMeanwhile
                return bool(locked)


async def lock_for_caller(work: Work, case_id: UUID) -> bool:
    """Lock a case that its caller has found: what follows is written for everybody whom it concerns, so from here on as intake."""
    await work.become(Role.INTAKE)
    return await lock(work, case_id)


async def visible(work: Work, caller: Caller, case_id: UUID) -> Any | None:  # a row
    """One case, if the caller may see it."""
    return (await work.connection.execute(_ONE, {"id": case_id} | rights(caller))).one_or_none()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the cases stand that are asked for: in one of these states as they are shown, on leave or not; none: in any."""

    states: tuple[str, ...] | None = None
    on_leave: bool | None = None

    @property
    def kept_as(self) -> list[str] | None:
        """The same states as the column has them, which knows nothing of plans."""
        return None if self.states is None else ["discharged" if state in BY_PLANS else state for state in self.states]

    def holds(self, case: Any) -> bool:  # a row
        """Whether a case that was found stands so."""
        on_leave = bool(case.view.get("on_leave"))
        return (self.states is None or case.state in self.states) and (self.on_leave is None or on_leave is self.on_leave)


ANYWHERE: Final = Standing()


async def page(work: Work, caller: Caller, *, after: UUID, limit: int, standing: Standing) -> Sequence[Any]:
    """Cases the caller may see, by id; where none can stand so, nothing is asked."""
    if standing.states == ():
        return []
    asked = {"states": None if standing.states is None else list(standing.states), "kept_as": standing.kept_as}
    values = {"after": after, "limit": limit, "on_leave": standing.on_leave, **asked}
    return (await work.connection.execute(_PAGE, values | rights(caller))).all()


async def by_person(work: Work, caller: Caller, kind: str, person: str) -> Sequence[Any]:
    """The cases of one person that the caller may see."""
    return (await work.connection.execute(_BY_PERSON, {"numbers": names_of(kind, person)} | rights(caller))).all()


def names_of(kind: str, person: str) -> list[str]:
    """How a number stands in `person_ids`: by its keyed hash, and as it is in rows that were written before and are not yet sealed."""
    return [person_vault().stands_for(kind, person), f"{kind}:{person}"]


async def history(work: Work, case_id: UUID) -> Sequence[Any]:
    """Who did what when, oldest first."""
    return (await work.connection.execute(_HISTORY, {"id": case_id})).all()
