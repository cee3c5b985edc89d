"""The gateway's queries."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.gateway.tables import clients, former_credentials, staff_cuts, used_assertions
from shared.db import Work


async def find_client(work: Work, client_id: str) -> sa.RowMapping | None:
    """The row of one client that may still ask for tokens."""
    wanted = sa.select(clients).where(clients.c.client_id == client_id, clients.c.disabled_at.is_(None))
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def hold_client(work: Work, client_id: str) -> sa.RowMapping | None:
    """The same, and nobody changes it until the transaction ends: what was proved by it is still what stands there."""
    wanted = sa.select(clients).where(clients.c.client_id == client_id, clients.c.disabled_at.is_(None)).with_for_update(read=True)
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def find_by_subject(work: Work, issuer: str, subject: str) -> sa.RowMapping | None:
    """The row of the client that an issuer knows under a name, while it may still come in."""
    wanted = sa.select(clients).where(clients.c.issuer == issuer, clients.c.subject == subject, clients.c.disabled_at.is_(None))
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def list_clients(work: Work) -> list[sa.RowMapping]:
    """Every client, also those that were disabled, by name."""
    return list((await work.connection.execute(sa.select(clients).order_by(clients.c.client_id))).mappings())


async def lock_client(work: Work, client_id: str) -> sa.RowMapping | None:
    """The row of a client, disabled or not, locked until the transaction ends."""
    wanted = sa.select(clients).where(clients.c.client_id == client_id).with_for_update()
    return (await work.connection.execute(wanted)).mappings().one_or_none()


async def put_client(work: Work, values: dict[str, Any]) -> None:
    """Write a client as given; a known one is overwritten, keeps its day of registration and who did it, and is enabled again.

    What it held when it was disabled stays refused.
    """
    kept = {"client_id", "registered_at", "registered_by"}
    changed = {name: value for name, value in values.items() if name not in kept}
    again = {"disabled_at": None, "tokens_not_before": sa.func.greatest(clients.c.tokens_not_before, clients.c.disabled_at)}
    await work.connection.execute(
        insert(clients).values(values).on_conflict_do_update(index_elements=["client_id"], set_={**changed, **again})
    )


async def replace_credentials(work: Work, client_id: str, values: dict[str, Any]) -> None:
    """Give a client other credentials, and no others beside them."""
    await work.connection.execute(sa.update(clients).where(clients.c.client_id == client_id).values(values))


async def keep_former(work: Work, row: sa.RowMapping, valid_until: datetime) -> None:
    """Let the credentials of a client be good for a while after they were replaced."""
    stated = {name: row[name] for name in ("client_id", "secret_hash", "public_keys", "jwks_url")}
    await work.connection.execute(insert(former_credentials).values(**stated, replaced_at=work.at, valid_until=valid_until))


async def forget_former(work: Work, client_id: str, *, all_of_them: bool) -> None:
    """Remove replaced credentials: those that are over, or all of them."""
    over = sa.true() if all_of_them else former_credentials.c.valid_until <= work.at
    await work.connection.execute(sa.delete(former_credentials).where(former_credentials.c.client_id == client_id, over))


async def former(work: Work, client_id: str) -> list[sa.RowMapping]:
    """The replaced credentials of a client that are still good, the youngest first."""
    wanted = (
        sa.select(former_credentials)
        .where(former_credentials.c.client_id == client_id, former_credentials.c.valid_until > work.at)
        .order_by(former_credentials.c.replaced_at.desc())
    )
    return list((await work.connection.execute(wanted)).mappings())


async def end_tokens(work: Work, client_id: str) -> None:
    """Let no token hold that a client was given until now."""
    await work.connection.execute(sa.update(clients).where(clients.c.client_id == client_id).values(tokens_not_before=_latest(work)))


def _latest(work: Work) -> sa.ColumnElement[datetime]:
    """Now by the clock of the database, when the row is ours already: later than the issue of any token that was given by it."""
    return sa.func.greatest(sa.func.clock_timestamp(), work.at)


async def disable_client(work: Work, client_id: str) -> bool:
    """Take a client's right to tokens away; false when there is no such client in use."""
    done = await work.connection.execute(
        sa.update(clients).where(clients.c.client_id == client_id, clients.c.disabled_at.is_(None)).values(disabled_at=_latest(work))
    )
    return done.rowcount == 1


async def tell_change(work: Work, client_id: str) -> None:
    """Wake every gateway process when this transaction has committed."""
    await work.connection.execute(sa.select(sa.func.pg_notify("clients", client_id)))


async def revoked_since(work: Work, since: datetime) -> dict[str, datetime | None]:
    """Clients that were disabled since then (None), or whose tokens hold only from an instant later than that; members of staff, too."""
    wanted = sa.select(clients.c.client_id, clients.c.disabled_at, clients.c.tokens_not_before).where(
        sa.or_(clients.c.disabled_at > since, clients.c.tokens_not_before > since)
    )
    rows = (await work.connection.execute(wanted)).all()
    cut = sa.select(staff_cuts.c.user_id, staff_cuts.c.tokens_not_before).where(staff_cuts.c.tokens_not_before > since)
    staff = {row.user_id: row.tokens_not_before for row in await work.connection.execute(cut)}
    return staff | {row.client_id: row.tokens_not_before if row.disabled_at is None else None for row in rows}


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
