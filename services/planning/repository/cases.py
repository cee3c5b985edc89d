"""Reading cases and their histories, each only for those who may see them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work
from shared.http.auth import Caller

# A case is its ward's, the party municipality's and the party care unit's; `parties` moves with the case, and access with it.
_VISIBLE: Final = """
    ((CAST(:municipality AS text) IS NOT NULL AND c.municipality = :municipality)
     OR EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS own (prefix)
                WHERE (c.provider = :organisation AND starts_with(c.ward, own.prefix)) OR starts_with(c.outpatient_unit, own.prefix)))
"""
_COLUMNS: Final = "c.id, c.version, c.subject, c.view, c.person, c.changed_at, c.outpatient_unit, c.municipality"
_ONE: Final = text(f"SELECT {_COLUMNS} FROM cases c WHERE c.id = :id AND {_VISIBLE}")  # noqa: S608  # constant text
_PAGE: Final = text(
    f"SELECT {_COLUMNS} FROM cases c WHERE c.version > 0 AND c.id > :after AND (CAST(:state AS text) IS NULL OR c.state = :state)"  # noqa: S608
    f" AND {_VISIBLE} ORDER BY c.id LIMIT :limit"
)
_BY_PERSON: Final = text(
    f"SELECT {_COLUMNS} FROM cases c WHERE c.person_id = :person AND c.person ->> 'type' = :type AND {_VISIBLE} ORDER BY c.id LIMIT 100"  # noqa: S608
)
_HISTORY: Final = text(
    """
    SELECT h.version, h.at, h.client, h.what, e.source, e.event_id, e.sent_at
    FROM case_history h LEFT JOIN events e ON e.id = h.event_row WHERE h.case_id = :id ORDER BY h.version
    """
)
_PARTIES: Final = text("SELECT parties FROM cases WHERE id = :id")
_LOCK: Final = text("SELECT id FROM cases WHERE id = :id FOR UPDATE")


def _rights(caller: Caller) -> dict[str, object]:
    return {"organisation": caller.organisation, "prefixes": list(caller.unit_prefixes), "municipality": caller.municipality}


async def parties(work: Work, case_id: UUID) -> frozenset[str]:
    """Who is concerned in a case now, as notices are addressed."""
    return frozenset((await work.connection.execute(_PARTIES, {"id": case_id})).scalar_one())


async def lock(work: Work, case_id: UUID) -> bool:
    """Lock one case, as every writer does before anything else; False when there is none."""
    return (await work.connection.execute(_LOCK, {"id": case_id})).one_or_none() is not None


async def visible(work: Work, caller: Caller, case_id: UUID) -> Any | None:  # a row
    """One case, if the caller may see it."""
    return (await work.connection.execute(_ONE, {"id": case_id} | _rights(caller))).one_or_none()


async def page(work: Work, caller: Caller, *, after: UUID, limit: int, state: str | None) -> Sequence[Any]:
    """Cases the caller may see, by id."""
    found = await work.connection.execute(_PAGE, {"after": after, "limit": limit, "state": state} | _rights(caller))
    return found.all()


async def by_person(work: Work, caller: Caller, kind: str, person: str) -> Sequence[Any]:
    """The cases of one person that the caller may see."""
    return (await work.connection.execute(_BY_PERSON, {"person": person, "type": kind} | _rights(caller))).all()


async def history(work: Work, case_id: UUID) -> Sequence[Any]:
    """Who did what when, oldest first."""
    return (await work.connection.execute(_HISTORY, {"id": case_id})).all()
