"""Billing follows planning's stream: repeated, late and missing ranges of the queue end in the same ledger, each fact applied once."""

from collections.abc import Sequence
from random import Random

from sqlalchemy import text

from services.billing.consumers import HANDLERS
from services.billing.settings import Settings
from services.billing.worker import create_worker
from shared.db import Database
from shared.events.facts import Fact
from shared.identifiers import uuid7
from shared.streams.consumer import Consumer, Fetched, StreamEntry
from tests.integration.billing.parts import Billing, a_notice, a_poll, a_stay_fact, an_invitation


class Stream:
    """A producer that remembers everything, and counts how often it had to help out."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self.rows = [[number, str(uuid7()), fact.kind, None, fact.model_dump_json()] for number, fact in enumerate(facts, start=1)]
        self.asked = 0

    async def fetch(self, *, epoch: int, after: int, limit: int) -> Fetched:
        self.asked += 1
        return Fetched(1, len(self.rows), [StreamEntry.of(row) for row in self.rows[after : after + limit]])


def some_facts() -> list[Fact]:
    facts: list[Fact] = []
    for number in range(60):
        stay = a_stay_fact(number % 14, municipality=("1480", "1481")[number % 2], sip_required=number % 3 == 0)
        facts += [
            stay.model_copy(update={"discharged_at": None}),
            an_invitation(stay.case_id, "2026-03-08T09:00", (f"municipality:{stay.municipality}",)),
        ]
        facts += [stay.model_copy(update={"case_version": 2}), a_poll(stay.admitted_at or stay.ready[0].ready_at)]
    return [*facts, a_notice("2026-03", "0" * 64, facts[0].admitted_at)]  # type: ignore[attr-defined]


async def ledger_of(database: Database) -> list[tuple[object, ...]]:
    async with database.transaction() as work:
        rows = await work.connection.execute(
            text("SELECT municipality, month, stays, sum_days, individual_days FROM averages WHERE stays > 0 ORDER BY 1, 2")
        )
        return [tuple(row) for row in rows]


async def test_a_queue_that_repeats_reorders_and_loses_ends_in_the_same_ledger(billing: Billing) -> None:
    facts = some_facts()
    stream = Stream(facts)
    consumer = Consumer(billing.database, stream="planning", handlers=HANDLERS, producer=stream)
    random = Random(3)
    ranges = [(start, min(start + random.randint(1, 30), len(facts))) for start in range(0, len(facts), 10)]
    random.shuffle(ranges)
    for start, end in [ranges[0], *ranges[: len(ranges) // 2], ranges[0]]:
        await consumer.receive(1, stream.rows[start:end])
    await consumer.catch_up()
    assert stream.asked > 1
    async with billing.database.transaction() as work:
        cursor = (await work.connection.execute(text("SELECT position, delivered + repaired AS applied FROM stream_cursors"))).one()
        kept = (await work.connection.execute(text("SELECT count(*) FROM stay_versions"))).scalar_one()
    assert (cursor.position, cursor.applied, kept) == (len(facts), len(facts), 120)
    found = await ledger_of(billing.database)
    assert [(row[0], row[2]) for row in found] == [("1480", 30), ("1481", 30)]


def test_the_worker_takes_planning_s_stream_and_hands_its_own_to_planning(settings_environment: dict[str, str]) -> None:
    worker = create_worker(Settings.model_validate({"DIRIGENT_PUBLIC_URL": "http://x", "DIRIGENT_TOKEN_KEYS_FILE": "/nowhere"}))
    assert worker.name == "billing"
