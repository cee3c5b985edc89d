"""Every place where a person is kept, row after row in the order of the ids: which key sealed it, and what takes its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import TextClause, text

from services.planning.repository.sealing import (
    SEALED,
    case_of,
    event_fingerprint,
    merge_of,
    notice_of,
    opened_event,
    opened_value,
    plan_of,
    sealed_event,
    sealed_json,
)
from services.planning.vault import Vault, person_vault
from shared.db import Work
from shared.streams.canonical import canonical_plain

PLAIN: Final = "plain"
"""In place of a key's id: written before persons were sealed."""
_HASH_DIGITS: Final = 64
_BEGIN: Final = text(
    """
    INSERT INTO person_sealing (kept_in, key) VALUES (:kept_in, :key)
    ON CONFLICT (kept_in) DO UPDATE SET key = excluded.key, through = NULL, sealed = 0, finished_at = NULL
    WHERE person_sealing.key <> excluded.key
    """
)
_LOCK: Final = text("SELECT through, finished_at FROM person_sealing WHERE kept_in = :kept_in FOR UPDATE SKIP LOCKED")
_MOVE: Final = text(
    """
    UPDATE person_sealing SET through = coalesce(:through, through), sealed = sealed + :sealed,
        finished_at = CASE WHEN CAST(:finished AS boolean) THEN clock_timestamp() END WHERE kept_in = :kept_in
    """
)
_PROGRESS: Final = text("SELECT kept_in, key, sealed, finished_at FROM person_sealing ORDER BY kept_in")


@dataclass(frozen=True, slots=True)
class Place:
    """One place where persons are kept.

    `some`: rows behind an id; `locked`: the same rows again, those that nobody else holds; `write`: what takes their place.
    """

    name: str
    first: str
    some: TextClause
    locked: TextClause
    write: TextClause
    keys: TextClause
    id_type: Callable[[str], Any]
    key_of: Callable[[Any], str | None]
    anew: Callable[[Any], Mapping[str, str | None]]


def _place(  # noqa: PLR0913  # what differs between the places
    name: str,
    columns: str,
    sets: str,
    *,
    id_type: str,
    first: str,
    sealed_in: str,
    read: Callable[[str], Any],
    key_of: Callable[[Any], str | None],
    anew: Callable[[Any], Mapping[str, str | None]],
) -> Place:
    given = ", ".join(f"CAST(:{column} AS text[])" for column in columns.split(", ")[1:])
    there = f"FROM {name} WHERE {sealed_in} IS NOT NULL"
    return Place(
        name,
        first,
        text(f"SELECT {columns} {there} AND id > CAST(:after AS {id_type}) ORDER BY id LIMIT :limit"),  # constant text
        text(f"SELECT {columns} FROM {name} WHERE id = ANY(CAST(:ids AS {id_type}[])) ORDER BY id FOR UPDATE SKIP LOCKED"),  # noqa: S608
        text(f"UPDATE {name} AS t SET {sets} FROM unnest(CAST(:ids AS {id_type}[]), {given}) AS n ({columns}) WHERE t.id = n.id"),  # noqa: S608
        text(
            f"SELECT CASE WHEN jsonb_exists(kept, 'withheld') THEN 'withheld' ELSE coalesce(split_part(kept ->> 'sealed', '.', 1), 'plain')"  # noqa: S608
            f" END AS key, count(*) AS rows FROM (SELECT {sealed_in} AS kept {there}) AS k GROUP BY 1 ORDER BY 1"
        ),
        read,
        key_of,
        anew,
    )


def _key_of(kept: Mapping[str, Any] | None) -> str | None:
    if kept is None or "withheld" in kept:
        return None
    return str(kept[SEALED]).partition(".")[0] if SEALED in kept else PLAIN


def _key_of_event(row: Any) -> str | None:
    return _key_of(msgspec.json.decode(row.body)["data"].get("person"))


def _key_of_person(row: Any) -> str | None:
    return _key_of(row.person)


def _event_anew(row: Any) -> Mapping[str, str | None]:
    event = opened_event(row.body)
    plain = canonical_plain(event)
    return {"body": sealed_event(event, plain), "fingerprint": event_fingerprint(event, plain).hex()}


def _case_anew(row: Any) -> Mapping[str, str | None]:
    person, vault = opened_value(row.person, of=case_of(row.id)), person_vault()
    return {
        "person": sealed_json(person, of=case_of(row.id)),
        "person_id": vault.stands_for(str(person["type"]), str(person["id"])),
        "person_ids": msgspec.json.encode([_hashed(number, vault) for number in row.person_ids]).decode(),
    }


def _plan_anew(row: Any) -> Mapping[str, str | None]:
    person = opened_value(row.person, of=plan_of(row.id))
    return {
        "person": sealed_json(person, of=plan_of(row.id)),
        "person_id": person_vault().stands_for(str(person["type"]), str(person["id"])),
    }


def _notice_anew(row: Any) -> Mapping[str, str | None]:
    return {"personal": sealed_json(opened_value(row.personal, of=notice_of(row.id)), of=notice_of(row.id))}


def _merge_anew(row: Any) -> Mapping[str, str | None]:
    return {"person": sealed_json(opened_value(row.person, of=merge_of(row.id)), of=merge_of(row.id))}


def _hashed(number: str, vault: Vault) -> str:
    kind, _, rest = number.partition(":")
    return number if len(rest) == _HASH_DIGITS else vault.stands_for(kind, rest)


_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
PLACES: Final = (
    _place(
        "events",
        "id, body, fingerprint",
        "body = n.body, fingerprint = decode(n.fingerprint, 'hex')",
        id_type="bigint",
        first="0",
        sealed_in="CAST(body AS jsonb) #> '{data,person}'",
        read=int,
        key_of=_key_of_event,
        anew=_event_anew,
    ),
    _place(
        "cases",
        "id, person, person_id, person_ids",
        "person = CAST(n.person AS jsonb), person_id = n.person_id, person_ids = CAST(n.person_ids AS jsonb)",
        id_type="uuid",
        first=_NO_ID,
        sealed_in="person",
        read=str,
        key_of=_key_of_person,
        anew=_case_anew,
    ),
    _place(
        "notices",
        "id, personal",
        "personal = CAST(n.personal AS jsonb)",
        id_type="uuid",
        first=_NO_ID,
        sealed_in="personal",
        read=str,
        key_of=lambda row: _key_of(row.personal),
        anew=_notice_anew,
    ),
    _place(
        "plans",
        "id, person, person_id",
        "person = CAST(n.person AS jsonb), person_id = n.person_id",
        id_type="uuid",
        first=_NO_ID,
        sealed_in="person",
        read=str,
        key_of=_key_of_person,
        anew=_plan_anew,
    ),
    _place(
        "waiting_merges",
        "id, person",
        "person = CAST(n.person AS jsonb)",
        id_type="uuid",
        first=_NO_ID,
        sealed_in="person",
        read=str,
        key_of=_key_of_person,
        anew=_merge_anew,
    ),
)


async def seal_some(work: Work, place: Place, limit: int) -> tuple[int, bool]:
    """Seal some rows with the key that seals now; how many were looked at, and whether that was the end of them.

    A row that somebody else holds is not waited for: the next round begins with it.
    """
    vault = person_vault()
    await work.connection.execute(_BEGIN, {"kept_in": place.name, "key": vault.first})
    progress = (await work.connection.execute(_LOCK, {"kept_in": place.name})).one_or_none()
    if progress is None or progress.finished_at is not None:
        return 0, True
    after = place.id_type(progress.through or place.first)
    rows = (await work.connection.execute(place.some, {"after": after, "limit": limit})).all()
    wanted = [row.id for row in rows if place.key_of(row) not in {None, vault.first}]
    held = (await work.connection.execute(place.locked, {"ids": wanted})).all() if wanted else []
    await _write(work, place, [row for row in held if place.key_of(row) not in {None, vault.first}])
    missed = set(wanted) - {row.id for row in held}
    reached = _before(rows, missed)
    await work.connection.execute(
        _MOVE,
        {
            "kept_in": place.name,
            "through": None if reached is None else str(reached),
            "sealed": len(held),
            "finished": not missed and len(rows) < limit,
        },
    )
    return len(rows), not missed and len(rows) < limit


async def begin_anew(work: Work) -> None:
    """Look at everything once more: a process that still had the old ring may have sealed with it meanwhile."""
    await work.connection.execute(text("UPDATE person_sealing SET through = NULL, finished_at = NULL WHERE finished_at IS NOT NULL"))


async def _write(work: Work, place: Place, rows: Sequence[Any]) -> None:
    if not rows:
        return
    written = [place.anew(row) for row in rows]
    columns = {name: [one[name] for one in written] for name in written[0]}
    await work.connection.execute(place.write, {"ids": [row.id for row in rows], **columns})


def _before(rows: Sequence[Any], missed: set[Any]) -> Any | None:
    """The last id before the first row that was missed."""
    reached = None
    for row in rows:
        if row.id in missed:
            break
        reached = row.id
    return reached


async def keys_in_use(work: Work) -> dict[str, dict[str, int]]:
    """How many rows each key sealed, by place; `plain` and `withheld` in place of a key. Reads everything."""
    return {place.name: {row.key: row.rows for row in await work.connection.execute(place.keys)} for place in PLACES}


async def progress(work: Work) -> Sequence[Any]:
    """How far the sealing has come: rows of kept_in, key, sealed and finished_at."""
    return (await work.connection.execute(_PROGRESS)).all()


async def unopened(work: Work, limit: int) -> list[str]:
    """Every row whose person cannot be opened, or is not found by its number; reads everything."""
    faults: list[str] = []
    for place in PLACES:
        after: Any = place.id_type(place.first)
        while rows := (await work.connection.execute(place.some, {"after": after, "limit": limit})).all():
            after = rows[-1].id
            faults += [f"{place.name} {row.id}: {fault}" for row in rows if (fault := _fault(place, row)) is not None]
    return faults


def _fault(place: Place, row: Any) -> str | None:
    key = place.key_of(row)
    if key in {None, PLAIN}:
        return None
    if key not in person_vault().names:
        return "the person is sealed with a key that is not at hand"
    try:
        told = place.anew(row)
    except Exception:  # noqa: BLE001  # whatever is wrong with it, it cannot be read
        return "the person cannot be opened"
    found = getattr(row, "person_id", None)
    return None if found is None or found == told["person_id"] else "the person is not found by her number"
