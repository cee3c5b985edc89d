"""What stands beside the envelopes in the mailboxes: personal parts, delivery and acknowledgement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from shared.db import Work

_PERSONAL: Final = text("SELECT id, case_id, personal FROM notices WHERE id = ANY(CAST(:ids AS uuid[]))")
_FETCHED: Final = text("UPDATE notices SET state = 'delivered', delivered_at = :at WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'sent'")
_ONE: Final = text(
    """
    SELECT id, mailbox, case_id, type, state, sent_at, personal, delivered_at, acknowledged_at, acknowledged_by
    FROM notices WHERE id = :id AND mailbox = ANY(CAST(:mailboxes AS uuid[]))
    """
)
_LOCK: Final = text("SELECT id FROM notices WHERE id = :id FOR UPDATE")
_ACKNOWLEDGE: Final = text(
    "UPDATE notices SET state = :state, acknowledged_at = :at, acknowledged_by = :by, acknowledged_client = :client WHERE id = :id"
)


async def personal_parts(work: Work, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """The personal parts of notices: rows of id, case_id, personal."""
    found = await work.connection.execute(_PERSONAL, {"ids": list(ids)})
    return {row.id: row for row in found}


async def note_delivered(work: Work, ids: Sequence[UUID]) -> None:
    """A system of the recipient fetched these notices; only the first time counts."""
    await work.connection.execute(_FETCHED, {"ids": list(ids), "at": work.at})


async def one(work: Work, notice_id: UUID, mailboxes: Sequence[UUID]) -> Any | None:  # a row
    """One notice, if it stands in one of these mailboxes."""
    return (await work.connection.execute(_ONE, {"id": notice_id, "mailboxes": list(mailboxes)})).one_or_none()


async def lock(work: Work, notice_id: UUID) -> None:
    """Lock one notice; its case is locked before."""
    await work.connection.execute(_LOCK, {"id": notice_id})


async def acknowledge(work: Work, notice_id: UUID, *, state: str, by: str, at: datetime, client: str) -> None:
    """Keep who took the notice on, and when."""
    await work.connection.execute(_ACKNOWLEDGE, {"id": notice_id, "state": state, "by": by, "at": at, "client": client})
