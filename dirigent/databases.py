"""The four databases and their roles: names, addresses, and how they are made on a PostgreSQL server."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from dirigent.failure import CannotStart
from shared.db import Role

SERVICES: Final = ("planning", "billing", "notifications", "gateway")
OWNER: Final = "dirigent_owner"
_DRIVER: Final = "postgresql+asyncpg"
_BESIDE: Final = (Role.INTAKE, Role.WORKER, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Access:
    """How one service's database is reached: `app` for its processes, `owner` for migrations only. Both SQLAlchemy addresses."""

    app: str = field(repr=False)
    owner: str = field(repr=False)

    @property
    def app_role(self) -> str:
        """The role that migrations grant rights to."""
        return unquote(urlsplit(self.app).username or "")


def database_name(service: str) -> str:
    """The name of a service's database."""
    return f"dirigent_{service}"


def app_role(service: str) -> str:
    """The role a service's processes work as: it may use the tables of its own database and change no definition."""
    return f"dirigent_{service}_app"


def address(server: str, *, user: str | None = None, password: str | None = None, database: str | None = None) -> str:
    """A SQLAlchemy address derived from another one: same server and options, other role or database."""
    parts = urlsplit(server)
    credentials, _, host = parts.netloc.rpartition("@")
    if user is not None:
        credentials = f"{user}:{password}" if password else user
    netloc = f"{credentials}@{host}" if credentials else host
    path = parts.path if database is None else f"/{database}"
    # SQLAlchemy's asyncpg dialect knows libpq's word for encryption under another name.
    return urlunsplit((_DRIVER, netloc, path, parts.query.replace("sslmode=", "ssl="), ""))


def dsn(url: str) -> str:
    """The same address for asyncpg itself, which does not know SQLAlchemy's names."""
    parts = urlsplit(address(url))
    return urlunsplit(parts._replace(scheme="postgresql", query=parts.query.replace("ssl=", "sslmode=")))


async def connect(url: str) -> asyncpg.Connection:
    """Connect to a database, or say in one line why that is impossible.

    Raises:
        CannotStart: Nobody listens, the role or password is wrong, the database does not exist, or it cannot be used now.
    """
    where = _shown(url)
    try:
        return await asyncpg.connect(dsn(url), timeout=10, server_settings={"application_name": "dirigent"})
    except asyncpg.InvalidCatalogNameError:
        raise CannotStart(f"the database {where} does not exist") from None
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError):
        raise CannotStart(f"PostgreSQL refuses the role or password for {where}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotStart(f"PostgreSQL at {where} refuses the connection: {_first_line(error)}") from None
    except TimeoutError:
        raise CannotStart(f"PostgreSQL at {where} does not answer within 10 s") from None
    except (OSError, ValueError) as error:
        raise CannotStart(f"PostgreSQL at {where} cannot be reached: {_first_line(error)}") from None


def _shown(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.username or ''}@{host}{parts.path}"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def embedded_access(server: str, *, owner_password: str, app_passwords: Mapping[str, str]) -> dict[str, Access]:
    """The addresses of the four databases on a server where Dirigent makes its own roles."""
    return {
        service: Access(
            app=address(server, user=app_role(service), password=app_passwords[service], database=database_name(service)),
            owner=address(server, user=OWNER, password=owner_password, database=database_name(service)),
        )
        for service in SERVICES
    }


async def provision(admin: str, access: Mapping[str, Access]) -> None:
    """Make the roles and databases that are missing and bring the passwords up to date; safe to repeat.

    Args:
        admin: Address of any database on the server, with a role that may create roles and databases.
        access: The databases to be, by service, each with role and password in its addresses.

    Raises:
        CannotStart: The server cannot be reached or refuses.
    """
    connection = await connect(admin)
    try:
        async with connection.transaction():
            await _make_roles(connection, access)
        present = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        for one in access.values():
            name, app, owner = _database_of(one.app), one.app_role, _role_of(one.owner)
            if name not in present:
                await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}" TEMPLATE template0 ENCODING UTF8')
            await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC; GRANT CONNECT ON DATABASE "{name}" TO "{app}"')
    except asyncpg.PostgresError as error:
        raise CannotStart(f"PostgreSQL at {_shown(admin)} does not let Dirigent make its databases: {_first_line(error)}") from None
    finally:
        await connection.close()


async def _make_roles(connection: asyncpg.Connection, access: Mapping[str, Access]) -> None:
    wanted = {_role_of(url): url for one in access.values() for url in (one.owner, one.app)}
    apps = {one.app_role for one in access.values()}
    present = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role, url in wanted.items():
        verb = "ALTER" if role in present else "CREATE"
        await connection.execute(f"{verb} ROLE \"{role}\" LOGIN PASSWORD '{_password_of(url)}'")
        # The operator's role must be a member to hand a database over, unless it is a superuser.
        if role not in apps and not await _is_member(connection, role):
            await connection.execute(f'GRANT "{role}" TO CURRENT_USER')
    for role in sorted(apps):
        # It may become the others, and has none of their rights until it does: policies for them would count for it too.
        await connection.execute(f'ALTER ROLE "{role}" NOINHERIT; ALTER ROLE "{role}" SET idle_in_transaction_session_timeout = \'5s\'')
        for other in (beside.of(role) for beside in _BESIDE):
            if other not in present:
                await connection.execute(f'CREATE ROLE "{other}" NOLOGIN')
            await connection.execute(f'GRANT "{other}" TO "{role}"')


async def _is_member(connection: asyncpg.Connection, role: str) -> bool:
    return bool(await connection.fetchval("SELECT pg_has_role(current_user, $1, 'MEMBER')", role))


def _role_of(url: str) -> str:
    return unquote(urlsplit(url).username or "")


def _password_of(url: str) -> str:
    # Our own passwords are hexadecimal; doubling quotes keeps an odd one from breaking the statement.
    return unquote(urlsplit(url).password or "").replace("'", "''")


def _database_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


async def refuse_missing(access: Iterable[Access]) -> None:
    """Check that databases somebody else made are there and let both roles in.

    Raises:
        CannotStart: One of them does not.
    """
    for one in access:
        for url in dict.fromkeys((one.owner, one.app)):
            await (await connect(url)).close()
