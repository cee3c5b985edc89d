"""Alembic for the four services, in one process: `python -m dirigent.migrate [--check] [service...]`.

The configuration is built here and not read from a file, which would be looked for relative to the working folder.
Every service keeps its own `migrations/versions/`; the entry script is shared.
"""

import argparse
import asyncio
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import SERVICES, Access, address, connect
from dirigent.failure import CannotStart

MIGRATION_OPTIONS: Final[dict[str, Any]] = {"compare_type": True, "compare_server_default": False}
APP_ROLE_VARIABLE: Final = "DIRIGENT_APP_ROLE"
_ROOT: Final = Path(__file__).parent.parent
_ENTRY: Final = Path(__file__).with_name("migrations")
_LOCK: Final = 0x0D1819E7


def configuration(service: str) -> Config:
    """Alembic's configuration for one service."""
    versions = _ROOT / "services" / service / "migrations" / "versions"
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", _escaped(_ENTRY))
    config.set_main_option("version_locations", _escaped(versions))
    config.attributes["tables"] = _tables(service)
    return config


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def _tables(service: str) -> MetaData:
    name = f"services.{service}.tables"
    if importlib.util.find_spec(name) is None:
        return MetaData()
    return cast("MetaData", importlib.import_module(name).metadata)


async def migrate(access: Mapping[str, Access]) -> None:
    """Bring the databases of these services to the newest definition, one after the other, each in one transaction.

    Several programs may do this at once: they take turns.

    Raises:
        CannotStart: A database cannot be reached, or was left by a newer program.
    """
    for service, one in access.items():
        config = configuration(service)
        # Migrations grant rights to this role; they read it from the environment so that they need nothing of ours.
        os.environ[APP_ROLE_VARIABLE] = one.app_role

        def upgrade(connection: Connection, config: Config = config) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

        try:
            await _in_one_transaction(one.owner, upgrade)
        except CommandError as error:
            raise CannotStart(f"the database of {service} does not fit this version of Dirigent: {error}") from None


async def check(access: Mapping[str, Access]) -> list[str]:
    """Compare each service's tables with its database after migration; returns one line per service that differs."""
    differences: list[str] = []
    for service, one in access.items():
        config = configuration(service)

        def compare(connection: Connection, config: Config = config) -> None:
            config.attributes["connection"] = connection
            command.check(config)

        config.print_stdout = lambda *_line: None  # type: ignore[method-assign]  # alembic prints what it finds; the caller does that
        try:
            await _in_one_transaction(one.owner, compare)
        except CommandError as error:
            differences.append(f"{service}: {error}")
    return differences


async def _in_one_transaction(url: str, action: Any) -> None:
    await (await connect(url)).close()
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(action)
    finally:
        await engine.dispose()


def from_environment(services: Iterable[str], environment: Mapping[str, str]) -> dict[str, Access]:
    """The databases to migrate, as the supervisor or the operator gives them.

    Raises:
        CannotStart: An address is missing.
    """
    access: dict[str, Access] = {}
    for service in services:
        prefix = f"DIRIGENT_{service.upper()}"
        app = environment.get(f"{prefix}_DATABASE_URL")
        if not app:
            raise CannotStart(f"{prefix}_DATABASE_URL is not set")
        access[service] = Access(app=address(app), owner=address(environment.get(f"{prefix}_OWNER_URL") or app))
    return access


def main() -> int:
    """Migrate (or only check) the services named on the command line, by default all."""
    parser = argparse.ArgumentParser(prog="python -m dirigent.migrate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare tables and database, change nothing")
    parser.add_argument("services", nargs="*", metavar="service", help="planning, billing, notifications, gateway")
    chosen = parser.parse_args()
    try:
        access = from_environment(chosen.services or SERVICES, os.environ)
        if not chosen.check:
            asyncio.run(migrate(access))
            return 0
        differences = asyncio.run(check(access))
    except (CannotStart, DBAPIError, OSError) as error:
        print(f"dirigent: {_one_line(error)}", file=sys.stderr)
        return 1
    for line in differences:
        print(line, file=sys.stderr)
    return 1 if differences else 0


def _one_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
