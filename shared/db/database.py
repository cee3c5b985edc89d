"""The one place where a transaction begins and ends; a use case gets a `Work` and never commits itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import Final

import asyncpg
import structlog
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.dates import CLOCK, Clock, now

_log = structlog.get_logger(__name__)

_UNAVAILABLE_CLASSES: Final = ("08", "40", "53", "55", "57")
_READ_ONLY: Final = "25006"
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}


_APP_ENDING: Final = "_app"
_READ_AS: Final = text(
    """
    SELECT set_config('dirigent.client', :client, true), set_config('dirigent.organisation', :organisation, true),
           set_config('dirigent.units', CAST(CAST(:units AS text[]) AS text), true),
           set_config('dirigent.municipality', :municipality, true), set_config('dirigent.role', :role, true),
           set_config('dirigent.region', :region, true)
    """
)
_BECOME: Final = text("SELECT set_config('role', :role, true)")
_NOW: Final = text("SELECT clock_timestamp()")
# Of each role whether row-level security would not hold for who logs in: directly, by becoming it, or by having its rights already.
_TOO_MUCH: Final = text(
    """
    SELECT rolname AS role, rolname = session_user AS itself, rolsuper OR rolbypassrls AS bypasses,
           oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS owns
    FROM pg_roles
    WHERE pg_has_role(session_user, oid, 'MEMBER')
      AND (rolsuper OR rolbypassrls OR oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace)
           OR (rolname = ANY (CAST(:beside AS text[])) AND pg_has_role(session_user, oid, 'USAGE')))
    ORDER BY itself DESC, bypasses DESC, owns DESC, rolname LIMIT 1
    """
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
    """For whom a transaction reads, as row-level security must know it; all of it from the token.

    But `region`: the organisation number of the region that this service serves, by its settings.
    """

    client: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    municipality: str | None = None
    region: str = ""


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
            at: The instant that counts as now; none: now, by the clock of a database. A process that has not asked one yet asks this one
                first: no command and no loop need remember to.
            reader: For whom it reads. Costs one round trip; where row-level security holds, a transaction without one sees nothing.
            role: As whom it runs, when not as the role of this pool.
        """
        if at is None and not CLOCK.is_told:
            await tell_time(self)
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
                too much power: it is, or may become, a superuser, one that bypasses row-level security, or the owner; or it has the rights
                of the roles beside it without becoming one of them, so that policies for them count for it too.
        """
        async with self.engine.connect() as connection:
            for name, expected in _DURABLE.items():
                found = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
                if found != expected:
                    raise DatabaseUnsafe(f"{name} is {found}, must be {expected}")
            if (await connection.execute(text("SHOW synchronous_commit"))).scalar_one() == "off":
                raise DatabaseUnsafe("synchronous_commit is off")
            beside = [role.of(self._login) for role in Role if role is not Role.APP]
            found = (await connection.execute(_TOO_MUCH, {"beside": beside})).one_or_none()
            if found is not None:
                raise DatabaseUnsafe(_told(found.role, itself=found.itself, bypasses=found.bypasses, owns=found.owns))

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


async def tell_time(database: Database, clock: Clock = CLOCK) -> timedelta:
    """Ask the database what time it is, and set this process's clock by it; returns how far off that was."""
    async with database.engine.connect() as connection:
        asked = monotonic()
        instant = (await connection.execute(_NOW)).scalar_one()
        took = monotonic() - asked
    off = clock.tell(instant + timedelta(seconds=took / 2))
    if abs(off) > Clock.TOLERATED:
        _log.warning("clock.wrong", seconds=round(off.total_seconds(), 3))
    return off


def _told(role: str, *, itself: bool, bypasses: bool, owns: bool) -> str:
    if bypasses:
        return "the role is a superuser or bypasses row-level security" if itself else f"the role may become {role}, which no wall holds"
    if owns:
        return "the role owns the tables it works with" if itself else f"the role may become {role}, which owns the tables"
    return f"the role has the rights of {role} without becoming it: it must not inherit (NOINHERIT)"


def _settings(reader: Reader) -> dict[str, object]:
    return {
        "client": reader.client,
        "organisation": reader.organisation,
        "units": list(reader.unit_prefixes),
        "municipality": reader.municipality or "",
        "role": reader.role,
        "region": reader.region,
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
