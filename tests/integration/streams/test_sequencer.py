"""Dense, hashed, ordered: what the sequencer promises of every feed, whoever writes and whatever is rolled back (P4)."""

import asyncio
import random
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db import Database
from shared.identifiers import uuid7
from shared.streams import feeds
from shared.streams.outbox import Staged, stage
from shared.streams.sequencer import number_staged
from tests.integration.streams.conftest import Stream

WRITERS: Final = 16
ROUNDS: Final = 40
MAILBOXES: Final = 5


class Undone(Exception):
    """A writer changed its mind."""


def _perhaps_undo(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise Undone


async def _write(database: Database, seed: int, written: list[tuple[str, UUID]]) -> None:
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        entries = [
            Staged(f"mailbox/{chance.randrange(MAILBOXES)}", uuid7(), "notice.test", None, f'{{"n":{chance.random()}}}')
            for _ in range(chance.randint(1, 4))
        ]
        try:
            async with database.transaction() as work:
                await stage(work, entries)
                _perhaps_undo(chance)
        except Undone:
            continue
        written += [(entry.feed, entry.entry_id) for entry in entries]


async def _sequence(database: Database, done: asyncio.Event) -> None:
    while not done.is_set():
        await number_staged(database)
        await asyncio.sleep(0)


async def test_sixteen_writers_with_rollbacks_and_two_sequencers_leave_dense_unbroken_feeds(stream: Stream) -> None:
    database = Database(stream.producer.engine.url.render_as_string(hide_password=False), pool_size=WRITERS + 2)
    written: list[tuple[str, UUID]] = []
    done = asyncio.Event()
    sequencers = [asyncio.create_task(_sequence(database, done)) for _ in range(2)]
    await asyncio.gather(*(_write(database, seed, written) for seed in range(WRITERS)))
    done.set()
    await asyncio.gather(*sequencers)
    while (moved := await number_staged(database)) is not None and moved.entries:
        pass
    found: list[tuple[str, UUID]] = []
    for mailbox in range(MAILBOXES):
        name = f"mailbox/{mailbox}"
        async with database.transaction() as work:
            page = await feeds.read(work, name, after=0, limit=100_000)
            assert await feeds.verify(work, name) is None
        assert [entry.position for entry in page.entries] == list(range(1, page.head + 1))
        found += [(name, entry.entry_id) for entry in page.entries]
    await database.close()
    assert len(written) > 500
    assert sorted(found) == sorted(written), "everything that was committed, once, and nothing that was rolled back"


async def test_what_one_writer_staged_in_order_stands_in_order(stream: Stream) -> None:
    for number in range(30):
        await stream.publish(number)
    entries = await stream.numbered()
    assert [entry.position for entry in entries] == list(range(1, 31))
    assert [f'"mailbox":"{number}"' in entry.body for number, entry in enumerate(entries)] == [True] * 30


async def test_a_numbered_entry_cannot_be_changed_or_removed(stream: Stream) -> None:
    await stream.publish(1)
    await stream.numbered()
    for statement in ("UPDATE feed_entries SET body = 'x'", "DELETE FROM feed_entries"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with stream.producer.transaction() as work:
                await work.connection.execute(text(statement))


async def test_a_second_sequencer_leaves_while_the_first_is_at_work(stream: Stream) -> None:
    await stream.publish(1)
    async with stream.producer.transaction() as work:
        await work.connection.execute(text("SELECT epoch FROM sequencer FOR UPDATE"))
        assert await number_staged(stream.producer) is None
    assert len(await stream.numbered()) == 1
