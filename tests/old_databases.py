"""Databases as they were before a migration, for tests of what it makes of old rows."""

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access, address
from dirigent.migrate import APP_ROLE_VARIABLE, configuration
from tests.servers import Servers


async def as_of(servers: Servers, like: Access, service: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> Access:
    """An empty database of a service beside another one, as it was after some migration."""
    name = f"{like.app.rpartition('/')[2]}_old"
    owner = like.owner.split("://")[1].split(":")[0]
    admin = create_async_engine(servers.admin_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f'CREATE DATABASE "{name}" OWNER "{owner}"'))
    await admin.dispose()
    access = Access(app=address(like.app, database=name), owner=address(like.owner, database=name))
    config = configuration(service)
    monkeypatch.setenv(APP_ROLE_VARIABLE, access.app_role)

    def upgrade(connection: Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_async_engine(access.owner, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    return access
