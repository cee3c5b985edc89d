"""The one place where a transaction begins and ends; a use case gets a `Work` and never commits itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.dates import now

_UNAVAILABLE_CLASSES: Final = ("08", "40", "53", "55", "57")
_READ_ONLY: Final = "25006"
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}


_APP_ENDING: Final = "_app"
_READ_AS: Final = text(
    """
    SELECT set_config('dirigent.client', :client, true), set_config('dirigent.organisation', :organisation, true),
           set_config('dirigent.units', CAST(CAST(:units AS text[]) AS text), true),
           set_config('dirigent.municipality', :municipality, true), set_config('dirigent.role', :role, true)
    """
)
_BECOME: Final = text("SELECT set_config('role', :role, true)")
_OWNS: Final = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner = CAST(session_user AS regrole))"
)


class Role(StrEnum):
    """As whom statements run, beside the role that logs in; row-level security asks for it.

    `APP` is the role that logs in: it sees what the caller of the request may see, and without a caller nothing of anybody.
    `INTAKE` writes what was checked, `WORKER` works for everybody in turn, `AUDITOR` reads everything and changes nothing.
    """

    APP = "app"
    INTAKE = "intake"
    WORKER = "worker"
    AUDITOR = "auditor"

    def of(self, login: str) -> str:
        """The role's name in the database, by that of the role that logs in."""
        return login if self is Role.APP else f"{login.removesuffix(_APP_ENDING)}_{self.value}"


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a transaction reads, as row-level security must know it; all of it from the token."""

    client: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    municipality: str | None = None


class DatabaseUnsafe(Exception):
    """The database may lose what was answered 2xx, or would be used with too much power; the service does not start."""


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction under way: the connection it runs on and the instant that counts as now for all of it."""

    connection: AsyncConnection
    at: datetime
    login: str = field(default="", repr=False)

    async def become(self, role: Role) -> None:
        """Run the rest of this transaction as another role: what follows was decided, and is written for more than the caller.

        A command reads as its caller until it has found and checked what it is about, and becomes `INTAKE` to write what follows.
        """
        await self.connection.execute(_BECOME, {"role": role.of(self.login)})


class Database:
    """One service's database: a pool, transactions, and the check that an answer from it can be trusted."""

    def __init__(
        self,
        url: str,
        *,
        role: Role | None = Role.WORKER,
        pool_size: int = 5,
        overflow: int = 5,
        application: str = "dirigent",
        by_key: bool = False,
    ) -> None:
        """Make the pool; connections are opened when they are needed.

        Args:
            url: SQLAlchemy address, driver asyncpg.
            role: As whom statements run. None: as whoever logs in, in a database without our roles or as its owner.
            pool_size: Connections kept.
            overflow: Connections beside them when all are busy.
            application: What the server shows them as.
            by_key: Every statement finds its rows by key. The planner must then not be led by how empty a new table is: a statement
                prepared on one would read it whole from then on, however large it grows, until the next ANALYZE (measured: 4 times slower
                after 5 000 events).
        """
        self._login = make_url(url).username or ""
        settings = {"application_name": application, "jit": "off"} | ({"enable_seqscan": "off"} if by_key else {})
        if role is not None and role is not Role.APP:
            settings["role"] = role.of(self._login)
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=5,
            hide_parameters=True,  # an error's text must not carry the values of a statement into a log
            connect_args={"timeout": 5, "server_settings": settings},
        )

    @asynccontextmanager
    async def transaction(
        self, at: datetime | None = None, *, reader: Reader | None = None, role: Role | None = None
    ) -> AsyncIterator[Work]:
        """Open a transaction, commit when the block ends, roll back when it raises.

        An answer may leave only after this block has ended: in FastAPI declare it `Depends(..., scope="function")`.

        Args:
            at: The instant that counts as now; none: now.
            reader: For whom it reads. Costs one round trip; where row-level security holds, a transaction without one sees nothing.
            role: As whom it runs, when not as the role of this pool.
        """
        async with self.engine.begin() as connection:
            work = Work(connection, at or now(), self._login)
            if role is not None:
                await work.become(role)
            if reader is not None:
                await connection.execute(_READ_AS, _settings(reader))
            yield work

    async def refuse_unsafe(self) -> None:
        """Read the durability settings of the server and refuse to go on when a commit may be lost.

        Raises:
            DatabaseUnsafe: fsync, full_page_writes or synchronous_commit is off, the encoding is not UTF-8, or the role that logs in has
                too much power: a superuser, one that bypasses row-level security, or the owner.
        """
        async with self.engine.connect() as connection:
            for name, expected in _DURABLE.items():
                found = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
                if found != expected:
                    raise DatabaseUnsafe(f"{name} is {found}, must be {expected}")
            if (await connection.execute(text("SHOW synchronous_commit"))).scalar_one() == "off":
                raise DatabaseUnsafe("synchronous_commit is off")
            role = (
                await connection.execute(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"))
            ).scalar_one()
            if role:
                raise DatabaseUnsafe("the role is a superuser or bypasses row-level security")
            if (await connection.execute(_OWNS)).scalar_one():
                raise DatabaseUnsafe("the role owns the tables it works with")

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def _settings(reader: Reader) -> dict[str, object]:
    return {
        "client": reader.client,
        "organisation": reader.organisation,
        "units": list(reader.unit_prefixes),
        "municipality": reader.municipality or "",
        "role": reader.role,
    }


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
