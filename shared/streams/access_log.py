"""Who read what: a feed of its own in every service's database, hashed like all feeds, staged in the transaction that reads (P13)."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from shared.dates import format_instant
from shared.db import Work
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.canonical import canonical_plain
from shared.streams.outbox import Staged, stage

ACCESS_FEED: Final = "access"


async def record(work: Work, caller: Caller, action: str, cases: Iterable[UUID], *, request_id: str) -> None:
    """Log that a caller read personal data of some cases; nothing is logged when there were none."""
    named = sorted({str(case) for case in cases})
    if not named:
        return
    body = canonical_plain(
        {
            "at": format_instant(work.at),
            "client": caller.client_id,
            "organisation": caller.organisation,
            "role": caller.role,
            "action": action,
            "cases": list(named),
            "request_id": request_id,
        }
    )
    await stage(work, [Staged(ACCESS_FEED, uuid7(), action, None, body)])
