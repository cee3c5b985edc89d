"""Digests: who gets one, when, and how far it has counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from services.notifications.tables import digests
from shared.db import Work

DIGEST_KIND: Final = "digest"


async def add(work: Work, values: dict[str, Any]) -> None:
    """Write a digest."""
    await work.connection.execute(sa.insert(digests).values(values))


async def of_organisation(work: Work, organisation: str) -> Sequence[Any]:
    """Every digest of an organisation that was not deleted, oldest first."""
    wanted = sa.select(digests).where(digests.c.organisation == organisation, digests.c.state != "deleted").order_by(digests.c.id)
    return (await work.connection.execute(wanted)).all()


async def of_client(work: Work, client: str) -> Sequence[UUID]:
    """Every digest that a client made and that was not deleted."""
    wanted = sa.select(digests.c.id).where(digests.c.client == client, digests.c.state != "deleted").order_by(digests.c.id)
    return (await work.connection.execute(wanted)).scalars().all()


async def find(work: Work, digest_id: UUID) -> Any | None:  # a row
    """One digest that was not deleted."""
    wanted = sa.select(digests).where(digests.c.id == digest_id, digests.c.state != "deleted")
    return (await work.connection.execute(wanted)).one_or_none()


async def lock(work: Work, digest_id: UUID) -> Any | None:  # a row
    """The same, locked."""
    wanted = sa.select(digests).where(digests.c.id == digest_id, digests.c.state != "deleted").with_for_update()
    return (await work.connection.execute(wanted)).one_or_none()


async def delete(work: Work, digest_id: UUID) -> None:
    """End a digest."""
    await _set(work, digest_id, state="deleted")


async def counted(work: Work, digest_id: UUID, position: int) -> None:
    """Keep how far it has counted."""
    await _set(work, digest_id, position=position)


async def was_sent(work: Work, digest_id: UUID, at: datetime) -> None:
    """Keep that a mail of it was taken."""
    await _set(work, digest_id, state="active", last_error=None, last_sent_at=at)


async def failed(work: Work, digest_id: UUID, error: str) -> None:
    """Keep that its mails are not taken."""
    await _set(work, digest_id, state="failing", last_error=error)


async def _set(work: Work, digest_id: UUID, **values: object) -> None:
    await work.connection.execute(
        sa.update(digests).where(digests.c.id == digest_id, digests.c.state != "deleted").values(**values, changed_at=work.at)
    )
