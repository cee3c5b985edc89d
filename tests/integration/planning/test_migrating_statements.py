"""What parties stated with commands before that was kept of an event: the migration tells it from what wards sent."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dirigent.databases import Access
from dirigent.migrate import migrate
from shared.identifiers import uuid7
from tests.old_databases import as_of
from tests.servers import Servers

CASE = "INSERT INTO cases (id, space, subject, provider) VALUES (:id, '2321000131', 'STAY-1', '2321000131')"
EVENT = """
    INSERT INTO events (source, event_id, space, subject, sent_at, received_at, history, client, fingerprint, body)
    VALUES ('urn:hsa:SE2321000131-E1', :id, '2321000131', 'STAY-1', now(), now(), false, 'x', '', :body) RETURNING id
"""
LINE = """
    INSERT INTO case_history (case_id, version, at, client, what, event_row, answer)
    VALUES (:case, :version, now(), 'x', :what, :row, :answer)
"""
COMMANDED, SENT = '{"event_id":"e","unit":"u","case_version":1}', '{"event_id":"e","case_id":"c","case_version":1,"findings":[]}'
OLD = {
    "a block stated with a command": ("stay.outpatient_block_started", COMMANDED),
    "the end of one": ("stay.outpatient_block_ended", COMMANDED),
    "one taken back": ("stay.event_cancelled", COMMANDED),
    "a block that a ward named as we do": ("stay.outpatient_block_started", SENT),
    "what the ward says of the stay": ("stay.ready", SENT),
    "a placement": ("case.municipality_placed", COMMANDED),
    "measures declined, which have no line of their own": ("case.declined", None),
}


async def test_what_was_stated_with_a_command_is_known_by_its_answer(
    servers: Servers, new_database: Callable[[str], Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await as_of(servers, new_database("planning"), "planning", "0015", monkeypatch)
    engine = create_async_engine(old.owner, poolclass=NullPool)
    case, names = uuid7(), {str(uuid7()): name for name in OLD}
    async with engine.begin() as connection:
        await connection.execute(text(CASE), {"id": case})
        for version, (event, name) in enumerate(names.items()):
            kind, answer = OLD[name]
            row = await connection.scalar(text(EVENT), {"id": event, "body": f'{{"data":{{}},"type":"{kind}"}}'})
            if answer is not None:
                line = {"case": case, "version": version, "what": kind, "row": row, "answer": answer}
                await connection.execute(text(LINE), line)
    await migrate({"planning": old})
    async with engine.begin() as connection:
        stated = {names[row.event_id] for row in await connection.execute(text("SELECT event_id FROM events WHERE by_command"))}
        with pytest.raises(Exception, match="what was written here stands"):
            await connection.execute(text("UPDATE events SET by_command = true"))
    await engine.dispose()
    assert stated == OLD.keys() - {"a block that a ward named as we do", "what the ward says of the stay"}
