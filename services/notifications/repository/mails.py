"""E-mails that wait, were sent or were given up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.notifications.tables import digests, mails
from shared.db import Work
from shared.streams import due

MAIL_KIND: Final = "mail"
ONE_SERVER: Final = UUID("0192f000-0000-7000-8000-00000000e0a1")
"""The lane of all mails: one server takes them all, and when it is away nothing is gained by trying many."""


async def add(work: Work, new: Sequence[dict[str, Any]]) -> int:
    """Write mails and make them due; what was written about the same to the same address is not written again. Returns how many were."""
    if not new:
        return 0
    rows = [{"state": "pending", "created_at": work.at, "changed_at": work.at, "digest_id": None} | one for one in new]
    written = await work.connection.execute(insert(mails).values(rows).on_conflict_do_nothing().returning(mails.c.id))
    ids = written.scalars().all()
    await due.schedule(work, MAIL_KIND, [(ONE_SERVER, mail_id) for mail_id in ids])
    return len(ids)


async def find(work: Work, mail_id: UUID) -> Any | None:  # a row
    """A mail that still waits; `ended` says that the digest it belongs to was deleted meanwhile."""
    ended = sa.exists().where(digests.c.id == mails.c.digest_id, digests.c.state == "deleted").label("ended")
    return (await work.connection.execute(sa.select(mails, ended).where(mails.c.id == mail_id, mails.c.state == "pending"))).one_or_none()


async def settle(work: Work, mail_id: UUID, state: str, error: str | None) -> int:
    """Count an attempt and keep what came of it; returns how many there have been."""
    changed = (
        sa.update(mails)
        .where(mails.c.id == mail_id)
        .values(state=state, last_error=error, attempts=mails.c.attempts + 1, changed_at=work.at)
        .returning(mails.c.attempts)
    )
    return int((await work.connection.execute(changed)).scalar_one())


async def give_up(work: Work, mail_id: UUID) -> None:
    """Keep that a mail was tried as often as it is."""
    await work.connection.execute(sa.update(mails).where(mails.c.id == mail_id).values(state="failed", changed_at=work.at))


async def forget(work: Work, before: datetime) -> int:
    """Delete mails that were sent or given up before then: they hold addresses of persons at work. Returns how many."""
    old = sa.delete(mails).where(mails.c.state != "pending", mails.c.changed_at < before)
    return (await work.connection.execute(old)).rowcount
