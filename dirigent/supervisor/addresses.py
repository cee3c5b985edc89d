"""Where the databases and the queue are: embedded by default, or those the operator names in the environment."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from dirigent.databases import SERVICES, Access, address, connect, database_name, embedded_access, provision, refuse_missing
from dirigent.failure import CannotStart
from dirigent.secrets_store import Secrets, write_private
from dirigent.supervisor.folder import DataFolder

SERVER_VARIABLE: Final = "DIRIGENT_DATABASE_URL"
REDIS_VARIABLE: Final = "DIRIGENT_REDIS_URL"
_SCHEMES: Final = {"postgresql", "postgres", "postgresql+asyncpg"}
_REDIS_SCHEMES: Final = {"redis", "rediss"}
_ANSWERS_WITHIN: Final = 5


def _given(service: str, kind: str, environment: Mapping[str, str]) -> str | None:
    name = f"DIRIGENT_{service.upper()}_{kind}_URL"
    return _checked(name, environment[name]) if environment.get(name) else None


def _checked(name: str, url: str) -> str:
    if urlsplit(url).scheme not in _SCHEMES or not urlsplit(url).hostname:
        raise CannotStart(f"{name} must look like postgresql://role:password@host:port/database")
    return address(url)


def named_databases(environment: Mapping[str, str]) -> bool:
    """Whether the operator names the databases, so that none is embedded.

    Raises:
        CannotStart: Some services have an address and others have none.
    """
    if environment.get(SERVER_VARIABLE):
        return True
    named = [service for service in SERVICES if _given(service, "DATABASE", environment)]
    missing = [service for service in SERVICES if service not in named]
    if named and missing:
        wanted = ", ".join(f"DIRIGENT_{service.upper()}_DATABASE_URL" for service in missing)
        raise CannotStart(f"give every service its database or none: {wanted} missing (or give {SERVER_VARIABLE})")
    return bool(named)


async def external_databases(environment: Mapping[str, str], secrets: Secrets) -> dict[str, Access]:
    """The databases the operator names, made when they are missing and the given role may make them.

    A role that may make roles and databases is used for exactly that: the services get roles of their own. Any other role
    owns and uses databases that are there already.

    Raises:
        CannotStart: A server cannot be reached or refuses, or a database is missing.
    """
    access: dict[str, Access] = {}
    server = _checked(SERVER_VARIABLE, environment[SERVER_VARIABLE]) if environment.get(SERVER_VARIABLE) else ""
    if server:
        if await _may_make_databases(server):
            access = embedded_access(server, owner_password=secrets.owner, app_passwords=secrets.apps)
        else:
            own = {service: address(server, database=database_name(service)) for service in SERVICES}
            access = {service: Access(app=url, owner=url) for service, url in own.items()}
    explicit = {service: url for service in SERVICES if (url := _given(service, "DATABASE", environment))}
    made = {service: one for service, one in access.items() if service not in explicit and one.app != one.owner}
    if made:
        await provision(server, made)
    for service, url in explicit.items():
        access[service] = Access(app=url, owner=_given(service, "OWNER", environment) or url)
    await refuse_missing(access[service] for service in SERVICES if service not in made)
    return access


async def _may_make_databases(server: str) -> bool:
    connection = await connect(server)
    try:
        query = "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"
        return bool(await connection.fetchval(query))
    finally:
        await connection.close()


async def external_redis(url: str) -> str:
    """The queue the operator names.

    Raises:
        CannotStart: The address cannot be understood, nobody answers there, or the password is wrong.
    """
    # Only here: the client library would stay in the supervisor's memory for nothing.
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    parts = urlsplit(url)
    if parts.scheme not in _REDIS_SCHEMES or not parts.hostname:
        raise CannotStart(f"{REDIS_VARIABLE} must look like redis://:password@host:port/0")
    client = Redis.from_url(url, socket_timeout=_ANSWERS_WITHIN, socket_connect_timeout=_ANSWERS_WITHIN)
    try:
        await asyncio.wait_for(client.ping(), 2 * _ANSWERS_WITHIN)
    except (RedisError, OSError, TimeoutError) as error:
        reason = str(error).strip() or type(error).__name__
        raise CannotStart(f"Redis at {parts.hostname}:{parts.port or 6379} cannot be used: {reason}") from None
    finally:
        await client.aclose()
    return url


def tell_addresses(folder: DataFolder, databases: Mapping[str, Access]) -> None:
    """Write down where the databases are, for programs that look at a running system."""
    write_private(folder.addresses, json.dumps({service: {"app": one.app, "owner": one.owner} for service, one in databases.items()}))


def told_addresses(folder: DataFolder) -> dict[str, Access]:
    """Where the databases of the running system are.

    Raises:
        CannotStart: It is still starting.
    """
    try:
        told = json.loads(folder.addresses.read_bytes())
    except FileNotFoundError:
        raise CannotStart(f"the system in {folder.path} is still starting; try again in a moment") from None
    return {service: Access(**one) for service, one in told.items()}
