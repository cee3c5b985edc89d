"""The access log while it is migrated: who reads then is found by whoever reviews later (P13)."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from dirigent.migrate import migrate
from shared.identifiers import uuid7
from tests.old_databases import as_of
from tests.servers import Servers

BODY = '{"at":"2026-11-03T13:05:00Z","organisation":"2321000131","client":"ward-su","user":null,"cases":[],"patients":[]}'
NUMBERED = """
    INSERT INTO feed_entries (feed, position, entry_id, kind, body, hash) VALUES ('access', :at, gen_random_uuid(), 'case.read', :body, '')
"""
CASE = "INSERT INTO cases (id, space, subject, provider) VALUES (:id, '2321000131', 'STAY-1', '2321000131')"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND wait_event_type = 'Lock'"


async def waits(connection: AsyncConnection, name: str) -> bool:
    return bool((await connection.execute(text(WAITING), {"name": name})).scalar_one())


async def test_what_is_numbered_while_the_log_is_indexed_is_found_by_its_terms(
    servers: Servers, new_database: Callable[[str], Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of the version before goes on until it is replaced."""
    old = await as_of(servers, new_database("planning"), "planning", "0013", monkeypatch)
    name = old.app.rpartition("/")[2]
    engine = create_async_engine(servers.admin_url.rpartition("/")[0] + f"/{name}", poolclass=NullPool)
    case = str(uuid7())
    of_case = BODY.replace('"2321000131"', '"2120001355"').replace("[]", f'["{case}"]', 1)
    async with engine.begin() as connection:
        await connection.execute(text(CASE), {"id": case})
        await connection.execute(text(NUMBERED), {"at": 1, "body": of_case})
    async with engine.connect() as watching, engine.connect() as numbering:
        await watching.execution_options(isolation_level="AUTOCOMMIT")
        await numbering.execute(text(NUMBERED), {"at": 2, "body": BODY})
        migrating = asyncio.create_task(migrate({"planning": old}))
        for _ in range(600):
            if migrating.done() or await waits(watching, name):
                break
            await asyncio.sleep(0.05)
        assert not migrating.done()
        await numbering.commit()
        await migrating
        await numbering.execute(text(NUMBERED), {"at": 3, "body": BODY})
        await numbering.commit()
        found = await watching.execute(text("SELECT position FROM access_terms WHERE term = 'organisation:2321000131' ORDER BY position"))
        assert found.scalars().all() == [1, 2, 3]
    await engine.dispose()
