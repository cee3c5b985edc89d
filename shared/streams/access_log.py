"""Who read what: a feed of its own in every service's database, hashed like all feeds, staged in the transaction that reads (P13)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.dates import format_instant
from shared.db import Work
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain
from shared.streams.outbox import Staged, stage

ACCESS_FEED: Final = "access"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of the log: its id, and what it says."""

    id: UUID
    told: Mapping[str, object]


async def record(  # noqa: PLR0913  # what the law wants to see in it
    work: Work,
    caller: Caller,
    action: str,
    cases: Iterable[UUID],
    *,
    request_id: str,
    patients: Iterable[str] = (),
    unit: str | None = None,
    even_of_none: bool = False,
) -> Recorded | None:
    """Log that a caller read personal data of some cases; what stands in the log from now on, or none when there was nothing to log.

    Args:
        work: The transaction that reads.
        caller: Who reads: the member of staff who signed in where there is one, the system, its organisation, units and role.
        action: What was done.
        cases: The cases; nothing is logged when there were none.
        request_id: The request's id.
        patients: What stands for the patients, never their numbers.
        unit: The unit that it was done for, where it was one; beside it the log says for which units the caller might act.
        even_of_none: Log also that nothing was found.

    Source:
        HSLF-FS 2016:40, 4 kap. 9 §.
    """
    named = sorted({str(case) for case in cases})
    if not named and not even_of_none:
        return None
    entry = Recorded(
        uuid7(),
        {
            "at": format_instant(work.at),
            "client": caller.client_id,
            "organisation": caller.organisation,
            "role": caller.role,
            "action": action,
            "cases": list(named),
            "patients": sorted(set(patients)),
            "unit": unit,
            "units": sorted(caller.unit_prefixes),
            "user": caller.person,
            "request_id": request_id,
        },
    )
    await keep(work, [entry])
    return entry


async def keep(work: Work, entries: Iterable[Recorded]) -> None:
    """Put entries into this service's log, also those that another service made."""
    await stage(work, [Staged(ACCESS_FEED, one.id, str(one.told["action"]), None, canonical_plain(one.told)) for one in entries])
