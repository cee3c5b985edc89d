"""A producer and a consumer with real databases: planning's produces, billing's consumes, repairs go over HTTP (ASGI)."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from dirigent.databases import Access
from shared.db import Database, Work
from shared.events.facts import MailboxPolled
from shared.http.app import install_problems
from shared.streams.consumer import Consumer, Delivered
from shared.streams.internal import internal_router
from shared.streams.listener import FeedWatcher
from shared.streams.outbox import stage_facts
from shared.streams.repair import HttpProducer
from shared.streams.sequencer import Entry, number_staged
from tests.services import SERVICE_KEY

AT = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)
_EFFECT = text("INSERT INTO idempotency_keys (client, key, fingerprint, status, body) VALUES ('applied', :key, '', 0, :body)")
_EFFECTS = text("SELECT body FROM idempotency_keys WHERE client = 'applied' ORDER BY created_at, key")


def a_fact(number: int) -> MailboxPolled:
    return MailboxPolled(mailbox=str(number), organisation="2321000131", polled_at=AT)


@dataclass
class Stream:
    """A stream from one database to another; `applied` are the numbers of the facts in the order they took effect."""

    producer: Database
    consumer_database: Database
    consumer: Consumer
    app: FastAPI
    refused: list[str] = field(default_factory=list)

    async def publish(self, *numbers: int) -> None:
        async with self.producer.transaction() as work:
            await stage_facts(work, [(a_fact(number), None) for number in numbers])

    async def numbered(self) -> list[Entry]:
        entries: list[Entry] = []
        while (moved := await number_staged(self.producer)) is not None and moved.entries:
            entries += moved.entries
        return entries

    async def applied(self) -> list[int]:
        async with self.consumer_database.transaction() as work:
            return [int(body) for body in (await work.connection.execute(_EFFECTS)).scalars()]

    async def cursor(self) -> dict[str, int]:
        async with self.consumer_database.transaction() as work:
            row = (await work.connection.execute(text("SELECT epoch, position, delivered, repaired FROM stream_cursors"))).one()
        return dict(row._mapping)


def rows(entries: Sequence[Entry]) -> list[list[object]]:
    return [[entry.position, str(entry.entry_id), entry.kind, None, entry.body] for entry in entries]


async def take_effect(work: Work, delivered: Sequence[Delivered]) -> None:
    for one in delivered:
        assert isinstance(one.fact, MailboxPolled)
        await work.connection.execute(_EFFECT, {"key": f"{one.position:06d}", "body": one.fact.mailbox})


def producing_app(database: Database) -> FastAPI:
    app = FastAPI()
    app.state.database = database
    app.state.watcher = FeedWatcher()
    install_problems(app, "http://dirigent.test")
    app.include_router(internal_router("planning", SERVICE_KEY))
    return app


@pytest.fixture
async def stream(new_database: Callable[[str], Access]) -> AsyncIterator[Stream]:
    producer, consuming = Database(new_database("planning").app), Database(new_database("billing").app)
    app = producing_app(producer)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        fetching = HttpProducer(client, stream="planning", base_url="http://planning.test", service_key=SERVICE_KEY, consumer="billing")
        consumer = Consumer(consuming, stream="planning", handlers={MailboxPolled.kind: take_effect}, producer=fetching)
        yield Stream(producer, consuming, consumer, app)
    await producer.close()
    await consuming.close()
