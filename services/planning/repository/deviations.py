"""Deviations, and everything that was said about them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import Work
from shared.http.auth import Caller

_ADD: Final = text(
    """
    INSERT INTO deviations (id, case_id, notice_id, state, category, step, reporter, reported_at, due_at)
    VALUES (:id, :case, :notice, :state, :category, :step, :reporter, :at, :due)
    """
)
# A deviation is its reporter's, and its answerer's from when it was assigned.
_OWN: Final = """
    EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS own (prefix)
            WHERE starts_with(d.reporter, own.prefix) OR starts_with(d.assigned_to, own.prefix))
"""
_COLUMNS: Final = (
    "d.id, d.case_id, d.notice_id, d.state, d.category, d.step, d.reporter, d.assigned_to, d.reported_at, d.assigned_at, d.answered_at,"
    " d.closed_at, d.due_at"
)
_ONE: Final = text(f"SELECT {_COLUMNS} FROM deviations d WHERE d.id = :id")  # noqa: S608  # constant text
_OWN_ONE: Final = text(f"SELECT {_COLUMNS} FROM deviations d WHERE d.id = :id AND {_OWN}")  # noqa: S608  # constant text
_PAGE: Final = text(
    f"SELECT {_COLUMNS} FROM deviations d WHERE d.id > :after AND (CAST(:state AS text) IS NULL OR d.state = :state) AND {_OWN}"  # noqa: S608
    " ORDER BY d.id LIMIT :limit"
)
_PERIOD: Final = text(
    f"SELECT {_COLUMNS} FROM deviations d WHERE d.reported_at >= :first AND d.reported_at < :last AND {_OWN} ORDER BY d.id"  # noqa: S608
)
_LOCK: Final = text("SELECT id FROM deviations WHERE id = :id FOR UPDATE")
_MOVE: Final = text(
    """
    UPDATE deviations SET state = CAST(:state AS text), assigned_to = coalesce(CAST(:assigned_to AS text), assigned_to), due_at = :due,
        assigned_at = CASE WHEN CAST(:state AS text) = 'assigned' THEN CAST(:at AS timestamptz) ELSE assigned_at END,
        answered_at = CASE WHEN CAST(:state AS text) = 'answered' THEN CAST(:at AS timestamptz) ELSE answered_at END,
        closed_at = CASE WHEN CAST(:state AS text) = 'closed' THEN CAST(:at AS timestamptz) ELSE closed_at END
    WHERE id = :id
    """
)
_SAY: Final = text(
    """
    INSERT INTO deviation_entries (deviation_id, number, at, client, unit, what, body)
    SELECT :id, coalesce(max(number), 0) + 1, :at, :client, :unit, :what, CAST(:body AS jsonb)
    FROM deviation_entries WHERE deviation_id = :id
    """
)
_ENTRIES: Final = text("SELECT number, at, unit, what, body FROM deviation_entries WHERE deviation_id = :id ORDER BY number")


async def add(  # noqa: PLR0913  # the columns of one row
    work: Work,
    deviation_id: UUID,
    case_id: UUID,
    *,
    notice_id: UUID | None,
    state: str,
    category: str,
    step: str,
    reporter: str,
    due_at: datetime | None,
) -> None:
    """Write a new deviation."""
    values = {"id": deviation_id, "case": case_id, "notice": notice_id, "state": state, "category": category, "step": step}
    await work.connection.execute(_ADD, values | {"reporter": reporter, "at": work.at, "due": due_at})


async def one(work: Work, deviation_id: UUID) -> Any:  # a row
    """One deviation that is known to be there."""
    return (await work.connection.execute(_ONE, {"id": deviation_id})).one()


async def own(work: Work, caller: Caller, deviation_id: UUID) -> Any | None:  # a row
    """One deviation, if it is the caller's to see."""
    return (await work.connection.execute(_OWN_ONE, {"id": deviation_id, "prefixes": list(caller.unit_prefixes)})).one_or_none()


async def page(work: Work, caller: Caller, *, after: UUID, limit: int, state: str | None) -> Sequence[Any]:
    """Deviations of the caller, by id."""
    values = {"after": after, "limit": limit, "state": state, "prefixes": list(caller.unit_prefixes)}
    return (await work.connection.execute(_PAGE, values)).all()


async def of_period(work: Work, caller: Caller, first: datetime, last: datetime) -> Sequence[Any]:
    """Deviations of the caller that were reported from the first instant until before the last."""
    return (await work.connection.execute(_PERIOD, {"first": first, "last": last, "prefixes": list(caller.unit_prefixes)})).all()


async def lock(work: Work, deviation_id: UUID) -> None:
    """Lock one deviation; its case is locked before."""
    await work.connection.execute(_LOCK, {"id": deviation_id})


async def move(work: Work, deviation_id: UUID, state: str, *, assigned_to: str | None, due_at: datetime | None) -> None:
    """Keep where a deviation stands, since when, and until when the next step is expected."""
    values = {"id": deviation_id, "state": state, "assigned_to": assigned_to, "due": due_at, "at": work.at}
    await work.connection.execute(_MOVE, values)


async def say(work: Work, deviation_id: UUID, unit: str, what: str, body: Mapping[str, Any], *, client: str) -> None:
    """Add what a unit said about a locked deviation."""
    values = {"id": deviation_id, "at": work.at, "client": client, "unit": unit, "what": what}
    await work.connection.execute(_SAY, values | {"body": msgspec.json.encode(body).decode()})


async def entries(work: Work, deviation_id: UUID) -> Sequence[Any]:
    """Everything that was said about a deviation, oldest first."""
    return (await work.connection.execute(_ENTRIES, {"id": deviation_id})).all()
