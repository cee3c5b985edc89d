"""What waits, escalates and is under way when the version comes that tells members of teams: the migrations take it along."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from dirigent.migrate import migrate
from tests.old_databases import as_of
from tests.servers import Servers

OWN, UNIT = "2120001355", "SE2120001355-A1"
BEFORE = (
    f"""
    INSERT INTO subscriptions (id, organisation, unit_prefixes, client, url, types, units, secret, state, created_at, changed_at,
                               secret_since)
    VALUES ('00000000-0000-7000-8000-000000000001', '{OWN}', '{{{UNIT}}}', 'c', 'https://a.se/', '{{}}', '{{}}', '', 'active', now(), now(),
            now())
    """,  # noqa: S608  # constants
    """
    INSERT INTO deliveries (id, subscription_id, source, type, body, state, attempts, created_at, changed_at, number)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'notice.admission', '{}', 'pending', 4, now(), now(), 1 FROM subscriptions
    """,
    f"""
    INSERT INTO waiting_notices (notice_id, source, organisation, unit, mailbox, type, sent_at, acknowledge_by)
    SELECT gen_random_uuid(), gen_random_uuid(), '{OWN}', unit, 'm', type, now(), now()
    FROM (VALUES ('{UNIT}', 'notice.admission'), (NULL, 'notice.ready'), ('{UNIT}', 'notice.message')) AS new (unit, type)
    """,  # noqa: S608  # constants
    f"""
    INSERT INTO escalations (id, kind, subject, organisation, units, step, delivered, since, opened_at, changed_at)
    VALUES (gen_random_uuid(), 'notice.unacknowledged', gen_random_uuid(), '{OWN}', '{{{UNIT}}}', 'contact', false, now(), now(), now())
    """,  # noqa: S608  # constants
    f"""
    INSERT INTO feed_entries (feed, position, entry_id, kind, body, hash)
    VALUES ('push:{OWN}', 1, gen_random_uuid(), 'notice.admission', '{{"data":{{"unit":"{UNIT}"}}}}', '')
    """,  # noqa: S608  # constants
)
SEEN = {"subscriptions": 1, "deliveries": 1, "waiting_notices": 1, "escalations": 1, "feed_entries": 1}


async def test_what_waits_when_members_of_teams_begin_to_be_told_is_seen_by_whoever_saw_it_before(
    servers: Servers, new_database: Callable[[str], Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await as_of(servers, new_database("notifications"), "notifications", "0004", monkeypatch)
    engine = create_async_engine(old.owner, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in BEFORE:
            await connection.execute(text(statement))
    await migrate({"notifications": old})
    async with engine.begin() as connection:
        waiting = (await connection.execute(text("SELECT type, readers FROM waiting_notices ORDER BY type"))).all()
    await engine.dispose()
    assert [tuple(row) for row in waiting] == [("notice.admission", [UNIT]), ("notice.ready", [])]
    app = create_async_engine(old.app, poolclass=NullPool)
    for units, extra in ((UNIT, 0), (f"SE{OWN}-", 1)):
        async with app.begin() as connection:
            for key, value in (("organisation", OWN), ("units", f"{{{units}}}"), ("client", "c")):
                await connection.execute(text("SELECT set_config(:key, :value, true)"), {"key": f"dirigent.{key}", "value": value})
            counts = {
                table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608
                for table in SEEN
            }
        assert counts == SEEN | {"waiting_notices": 1 + extra}
    await app.dispose()
