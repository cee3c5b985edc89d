"""The gateway's queries."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.gateway.tables import clients, used_assertions
from shared.db import Work


async def find_client(work: Work, client_id: str) -> sa.RowMapping | None:
    """The row of one client that may still ask for tokens."""
    wanted = sa.select(clients).where(clients.c.client_id == client_id, clients.c.disabled_at.is_(None))
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def list_clients(work: Work) -> list[sa.RowMapping]:
    """Every client, also those that were disabled, by name."""
    return list((await work.connection.execute(sa.select(clients).order_by(clients.c.client_id))).mappings())


async def lock_secret_hash(work: Work, client_id: str) -> str | None:
    """The stored secret hash of a client, its row locked until the transaction ends."""
    wanted = sa.select(clients.c.secret_hash).where(clients.c.client_id == client_id).with_for_update()
    return (await work.connection.execute(wanted)).scalar_one_or_none()


async def put_client(work: Work, values: dict[str, Any]) -> None:
    """Write a client as given; a known one is overwritten, keeps its day of registration and is enabled again."""
    changed = {name: value for name, value in values.items() if name not in {"client_id", "registered_at"}}
    await work.connection.execute(
        insert(clients).values(values).on_conflict_do_update(index_elements=["client_id"], set_={**changed, "disabled_at": None})
    )


async def disable_client(work: Work, client_id: str) -> bool:
    """Take a client's right to tokens away; false when there is no such client in use."""
    done = await work.connection.execute(
        sa.update(clients).where(clients.c.client_id == client_id, clients.c.disabled_at.is_(None)).values(disabled_at=work.at)
    )
    return done.rowcount == 1


async def use_assertion(work: Work, client_id: str, jti: str, expires_at: datetime) -> bool:
    """Remember that an assertion was used; false when it already had been. Those of this client that have expired are forgotten."""
    expired = (
        sa.select(used_assertions.c.jti)
        .where(used_assertions.c.client_id == client_id, used_assertions.c.expires_at < work.at)
        .with_for_update(skip_locked=True)
    )
    await work.connection.execute(
        sa.delete(used_assertions).where(used_assertions.c.client_id == client_id, used_assertions.c.jti.in_(expired))
    )
    taken = await work.connection.execute(
        insert(used_assertions)
        .values(client_id=client_id, jti=jti, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(used_assertions.c.jti)
    )
    return taken.scalar_one_or_none() is not None
