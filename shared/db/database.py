"""The one place where a transaction begins and ends; a use case gets a `Work` and never commits itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.dates import now

_UNAVAILABLE_CLASSES: Final = ("08", "40", "53", "55", "57")
_READ_ONLY: Final = "25006"
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}


class DatabaseUnsafe(Exception):
    """The database may lose what was answered 2xx, or would be used with too much power; the service does not start."""


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction under way: the connection it runs on and the instant that counts as now for all of it."""

    connection: AsyncConnection
    at: datetime


class Database:
    """One service's database: a pool, transactions, and the check that an answer from it can be trusted."""

    def __init__(self, url: str, *, pool_size: int = 5, overflow: int = 5, application: str = "dirigent", by_key: bool = False) -> None:
        """Make the pool; connections are opened when they are needed.

        Args:
            url: SQLAlchemy address, driver asyncpg.
            pool_size: Connections kept.
            overflow: Connections beside them when all are busy.
            application: What the server shows them as.
            by_key: Every statement finds its rows by key. The planner must then not be led by how empty a new table is: a statement
                prepared on one would read it whole from then on, however large it grows, until the next ANALYZE (measured: 4 times slower
                after 5 000 events).
        """
        settings = {"application_name": application, "jit": "off"} | ({"enable_seqscan": "off"} if by_key else {})
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=5,
            hide_parameters=True,  # an error's text must not carry the values of a statement into a log
            connect_args={"timeout": 5, "server_settings": settings},
        )

    @asynccontextmanager
    async def transaction(self, at: datetime | None = None) -> AsyncIterator[Work]:
        """Open a transaction, commit when the block ends, roll back when it raises.

        An answer may leave only after this block has ended: in FastAPI declare it `Depends(..., scope="function")`.
        """
        async with self.engine.begin() as connection:
            yield Work(connection, at or now())

    async def refuse_unsafe(self) -> None:
        """Read the durability settings of the server and refuse to go on when a commit may be lost.

        Raises:
            DatabaseUnsafe: fsync, full_page_writes or synchronous_commit is off, the encoding is not UTF-8, or the role is a superuser.
        """
        async with self.engine.connect() as connection:
            for name, expected in _DURABLE.items():
                found = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
                if found != expected:
                    raise DatabaseUnsafe(f"{name} is {found}, must be {expected}")
            if (await connection.execute(text("SHOW synchronous_commit"))).scalar_one() == "off":
                raise DatabaseUnsafe("synchronous_commit is off")
            role = (
                await connection.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
            ).scalar_one()
            if role:
                raise DatabaseUnsafe("the role is a superuser or bypasses row-level security")

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE behind an error, whatever layer wrapped it."""
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return state
        cause = getattr(cause, "orig", None) or cause.__cause__
    return None


def is_unavailable(error: BaseException) -> bool:
    """Whether the same transaction may succeed when tried again: connection lost, server stopping, deadlock, out of room, read-only.

    Also a stale cached statement, which a migration under load leaves behind.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(
            cause, OSError | TimeoutError | PoolExhausted | asyncpg.InvalidCachedStatementError | asyncpg.InterfaceError | InterfaceError
        ):
            return True
        if isinstance(cause, DBAPIError) and cause.connection_invalidated:
            return True
        cause = getattr(cause, "orig", None) or cause.__cause__
    state = sqlstate(error)
    return state is not None and (state[:2] in _UNAVAILABLE_CLASSES or state == _READ_ONLY)
