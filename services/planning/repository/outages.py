"""Outages, and the cases that one of them concerns.

Whoever reads outages to fold a case holds them still until its transaction ends, and whoever changes one waits for those: so no case is
folded without an outage and written after the cases it concerns were looked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import Work

_STILL: Final = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('planning.outages', 0))")
_CHANGING: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('planning.outages', 0))")
_COUNTING: Final = text(
    """
    SELECT since, until, scope FROM outages
    WHERE (origin = 'recorded' OR confirmed_at IS NOT NULL) AND since <= :latest AND until >= :earliest
    ORDER BY since, id
    """
)
_COLUMNS: Final = "id, since, until, scope, origin, cause, organisation, stated_by, stated_at, confirmed_by, confirmed_at"
_LOCKED: Final = text(f"SELECT {_COLUMNS} FROM outages WHERE id = :id FOR UPDATE")  # noqa: S608  # constant text
_SEEN: Final = text(
    f"""
    SELECT {_COLUMNS} FROM outages
    WHERE (CAST(:before AS uuid) IS NULL OR id < :before) AND (scope = '' OR organisation = :organisation OR :every)
    ORDER BY id DESC LIMIT :limit
    """  # noqa: S608  # constant text
)
_ADD: Final = text(
    """
    INSERT INTO outages (id, since, until, scope, origin, cause, organisation, stated_by, stated_at)
    VALUES (:id, :since, :until, :scope, :origin, :cause, :organisation, :stated_by, :at)
    """
)
_END: Final = text("UPDATE outages SET until = :until WHERE id = :id")
_CONFIRM: Final = text("UPDATE outages SET confirmed_by = :person, confirmed_at = :at WHERE id = :id")
_ENTER: Final = text(
    """
    INSERT INTO outage_entries (outage_id, number, at, client, person, what, body)
    SELECT :id, coalesce(max(number), 0) + 1, :at, :client, :person, :what, CAST(:body AS jsonb) FROM outage_entries WHERE outage_id = :id
    """
)
_ENTRIES: Final = text("SELECT what, client, person FROM outage_entries WHERE outage_id = :id ORDER BY number")
_CONCERNED: Final = text(
    """
    SELECT id FROM cases
    WHERE (view -> 'on_paper') IS NOT NULL AND EXISTS (
        SELECT FROM jsonb_array_elements(view -> 'on_paper') AS told (notice)
        WHERE CAST(notice ->> 'given_on_paper_at' AS timestamptz) BETWEEN :since AND :until
          AND starts_with(notice ->> 'ward', :scope))
    ORDER BY id
    """
)
_LAST_BEAT: Final = text("SELECT at FROM service_beats WHERE service = :service FOR UPDATE")
_FIRST_BEAT: Final = text("INSERT INTO service_beats (service, at) VALUES (:service, clock_timestamp()) ON CONFLICT DO NOTHING")
_BEAT: Final = text("UPDATE service_beats SET at = clock_timestamp() WHERE service = :service RETURNING at")
_VIEW: Final = text("SELECT view FROM cases WHERE id = :id")


@dataclass(frozen=True, slots=True)
class NewOutage:
    """An outage to enter; `organisation` none for one that the service recorded itself."""

    id: UUID
    since: datetime
    until: datetime | None
    scope: str
    origin: str
    cause: str
    organisation: str | None
    stated_by: str


async def counting(work: Work, earliest: datetime, latest: datetime) -> Sequence[Any]:
    """The outages that count and touch a time, held still until the transaction ends."""
    await work.connection.execute(_STILL)  # a statement of its own: the next one must see what was committed while this one waited
    return (await work.connection.execute(_COUNTING, {"earliest": earliest, "latest": latest})).all()


async def about_to_change(work: Work) -> None:
    """Wait for everybody who has read outages, and let nobody read any until the transaction ends."""
    await work.connection.execute(_CHANGING)


async def locked(work: Work, outage_id: UUID) -> Any | None:  # a row
    """One outage, locked."""
    return (await work.connection.execute(_LOCKED, {"id": outage_id})).one_or_none()


async def seen(work: Work, *, organisation: str, every: bool, before: UUID | None, limit: int) -> Sequence[Any]:
    """Outages of the whole service and of an organisation, or every one; the latest entered first."""
    asked = {"organisation": organisation, "every": every, "before": before, "limit": limit}
    return (await work.connection.execute(_SEEN, asked)).all()


async def add(work: Work, outage: NewOutage, at: datetime) -> None:
    """Enter one outage."""
    told = {name: getattr(outage, name) for name in NewOutage.__slots__}
    await work.connection.execute(_ADD, told | {"at": at})


async def end(work: Work, outage_id: UUID, until: datetime) -> None:
    """Write when an outage ended."""
    await work.connection.execute(_END, {"id": outage_id, "until": until})


async def confirm(work: Work, outage_id: UUID, person: str) -> None:
    """Write who confirmed an outage."""
    await work.connection.execute(_CONFIRM, {"id": outage_id, "person": person, "at": work.at})


async def enter(work: Work, outage_id: UUID, what: str, *, client: str, person: str, body: Mapping[str, object]) -> None:
    """Add to what was said of an outage."""
    told = {"id": outage_id, "at": work.at, "client": client, "person": person, "what": what, "body": msgspec.json.encode(body).decode()}
    await work.connection.execute(_ENTER, told)


async def entries(work: Work, outage_id: UUID) -> Sequence[Any]:
    """What was said of an outage, by which client and whom, in order."""
    return (await work.connection.execute(_ENTRIES, {"id": outage_id})).all()


async def concerned(work: Work, *, since: datetime, until: datetime, scope: str) -> Sequence[UUID]:
    """The cases with a notice that was given on paper at such a time, by a ward within the scope."""
    return (await work.connection.execute(_CONCERNED, {"since": since, "until": until, "scope": scope})).scalars().all()


async def view_of_case(work: Work, case_id: UUID) -> Mapping[str, Any] | None:
    """What a case looked like when it was last folded."""
    found: Mapping[str, Any] | None = (await work.connection.execute(_VIEW, {"id": case_id})).scalar_one_or_none()
    return found


async def beat(work: Work, service: str) -> tuple[datetime, datetime] | None:
    """Note that the service is up now, by the clock of the database; the beat before and this one, none at the very first."""
    before = (await work.connection.execute(_LAST_BEAT, {"service": service})).scalar_one_or_none()
    if before is None:
        await work.connection.execute(_FIRST_BEAT, {"service": service})
        return None
    return before, (await work.connection.execute(_BEAT, {"service": service})).scalar_one()
