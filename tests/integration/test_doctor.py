"""`doctor` calls a sound database sound, and finds every kind of damage to a feed."""

import pytest
from sqlalchemy import text

from dirigent.databases import Access
from dirigent.doctor import Finding, examine
from shared.db import Database
from shared.identifiers import uuid7
from shared.streams.canonical import GENESIS, link

ADD_ENTRY = text(
    """
    INSERT INTO feed_entries (feed, position, entry_id, kind, body, hash)
    VALUES ('facts', :position, :id, 'test', :body, :hash)
    """
)
ADD_HEAD = text("INSERT INTO feed_heads (feed, position, hash) VALUES ('facts', :position, :hash)")


async def write_feed(access: Access, entries: int) -> None:
    database = Database(access.owner, role=None)
    async with database.transaction() as work:
        running = GENESIS
        for position in range(1, entries + 1):
            body = f'{{"n":{position}}}'
            running = link(running, body)
            await work.connection.execute(ADD_ENTRY, {"position": position, "id": uuid7(), "body": body, "hash": running})
        await work.connection.execute(ADD_HEAD, {"position": entries, "hash": running})
    await database.close()


async def damage(access: Access, statement: str) -> None:
    """What somebody with the owner's rights could do behind everybody's back."""
    database = Database(access.owner, role=None)
    async with database.transaction() as work:
        await work.connection.execute(text("ALTER TABLE feed_entries DISABLE TRIGGER USER"))
        await work.connection.execute(text(statement))
        await work.connection.execute(text("ALTER TABLE feed_entries ENABLE TRIGGER USER"))
    await database.close()


async def finding_of(databases: dict[str, Access], service: str) -> Finding:
    return next(finding for finding in await examine(databases) if finding.service == service)


async def test_databases_as_they_should_be_are_sound(databases: dict[str, Access]) -> None:
    await write_feed(databases["planning"], 3)
    assert await finding_of(databases, "planning") == Finding("planning", 1, 3, ())
    assert all(finding.faults == () for finding in await examine(databases))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE feed_entries SET body = '{}' WHERE position = 2", "feed facts, position 2: changed"),
        ("DELETE FROM feed_entries WHERE position = 2", "feed facts, position 2: missing"),
        ("DELETE FROM feed_entries WHERE position = 3", "feed facts, position 2: head differs"),
        ("UPDATE feed_heads SET position = 9", "feed facts, position 3: head differs"),
        ("DROP INDEX feed_entries_entry", "planning: New upgrade operations detected"),
    ],
    ids=["an entry changed", "an entry removed", "the last entry removed", "the head moved", "an index removed"],
)
async def test_damage_is_found(databases: dict[str, Access], statement: str, found: str) -> None:
    await write_feed(databases["planning"], 3)
    await damage(databases["planning"], statement)
    faults = (await finding_of(databases, "planning")).faults
    assert len(faults) == 1
    assert faults[0].startswith(found)


async def test_the_app_role_cannot_do_such_damage(databases: dict[str, Access]) -> None:
    await write_feed(databases["planning"], 3)
    database = Database(databases["planning"].app)
    with pytest.raises(Exception, match="permission denied"):
        async with database.transaction() as work:
            await work.connection.execute(text("UPDATE feed_entries SET body = '{}'"))
    await database.close()
