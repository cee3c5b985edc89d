"""Merges of two numbers, kept for stays that their sender tells of later; the numbers by what stands for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from services.planning.repository.sealing import Opened, merge_of, sealed_json
from services.planning.vault import person_vault
from shared.db import Work
from shared.http.auth import Caller
from shared.identifiers import uuid7

_KEEP: Final = text(
    """
    INSERT INTO waiting_merges (id, client, organisation, message, merged, merged_into, person, happened_at, received_at)
    VALUES (:id, :client, :organisation, :message, :merged, :merged_into, CAST(:person AS jsonb), :happened_at, :received_at)
    ON CONFLICT (client, message) DO NOTHING RETURNING id
    """
)
_COLUMNS: Final = "message, merged, happened_at, received_at, jsonb_build_array('merge:' || id, person) AS person"
_KEPT: Final = text(
    f"SELECT {_COLUMNS} FROM waiting_merges WHERE client = :client AND message = :message"  # noqa: S608  # constant text
).columns(person=Opened)
_OF_NUMBERS: Final = text(
    f"SELECT {_COLUMNS} FROM waiting_merges"  # noqa: S608  # constant text
    " WHERE client = :client AND merged = ANY(CAST(:numbers AS text[])) AND received_at >= :since ORDER BY happened_at, message"
).columns(person=Opened)
_FORGET: Final = text("DELETE FROM waiting_merges WHERE received_at < :before")


@dataclass(frozen=True, slots=True)
class MergeRow:
    """One merge: the name of its message, the number that is merged into the person's own, when, and what was said of the person."""

    message: str
    merged: tuple[str, str]
    person: Mapping[str, Any]
    happened_at: datetime


async def keep(work: Work, caller: Caller, row: MergeRow) -> datetime | None:
    """Keep a merge, once; when it first came. None: its sender called another one so before."""
    merged = person_vault().stands_for(*row.merged)
    merge_id = uuid7()
    given = {
        "id": merge_id,
        "client": caller.client_id,
        "organisation": caller.organisation,
        "message": row.message,
        "merged": merged,
        "merged_into": person_vault().stands_for(str(row.person["type"]), str(row.person["id"])),
        "person": sealed_json(row.person, of=merge_of(merge_id)),
        "happened_at": row.happened_at,
        "received_at": work.at,
    }
    if (await work.connection.execute(_KEEP, given)).one_or_none() is not None:
        return work.at
    kept = (await work.connection.execute(_KEPT, {"client": caller.client_id, "message": row.message})).one()
    same = (kept.merged, kept.happened_at, kept.person) == (merged, row.happened_at, row.person)
    return kept.received_at if same else None


async def of_numbers(work: Work, caller: Caller, numbers: Sequence[str], since: datetime) -> Sequence[Any]:
    """The caller's merges of one of these numbers, as they happened: rows of message, merged, happened_at, received_at and person.

    Args:
        work: The transaction.
        caller: The sender; nobody else's merge holds for its stays.
        numbers: What stands for the numbers.
        since: Received before then it is kept no longer.
    """
    asked = {"client": caller.client_id, "numbers": list(numbers), "since": since}
    return (await work.connection.execute(_OF_NUMBERS, asked)).all()


async def forget(work: Work, before: datetime) -> int:
    """Remove what was received before then; how many."""
    return (await work.connection.execute(_FORGET, {"before": before})).rowcount
