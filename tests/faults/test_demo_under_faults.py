"""The demo's table is the same whatever is killed or wiped while it plays (P1, P5); each test proves that its fault struck."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from sqlalchemy import text

from dirigent.supervisor.system import System
from shared.db import Database
from shared.streams.relay import queue_of
from tests.faults.playing import play

QUEUES = [queue_of("billing", "planning"), queue_of("notifications", "planning"), queue_of("planning", "billing")]
Table = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _no_dispute_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")


@pytest.fixture(scope="module")
async def undisturbed(open_folder: Path) -> Table:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")
        table, _system = await play(open_folder / "undisturbed")
    assert [row for row in table if row["invoice"]], "positive control: the demo bills somebody"
    return table


class Killer:
    """Kills every child once, one after the other while the demo plays, each as soon as the one before has been replaced."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.killed: list[str] = []

    async def __call__(self, system: System) -> None:
        for name in sorted(system.children):
            await asyncio.sleep(self.every)
            pid = system.children[name]
            os.kill(pid, signal.SIGKILL)
            self.killed.append(name)
            while system.children.get(name) in {None, pid}:  # noqa: ASYNC110  # the supervisor tells nobody
                await asyncio.sleep(0.02)


class Flusher:
    """Empties Redis again and again, each time at a moment when something waits in a queue."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.hits = 0
        self.wiped_messages = 0

    async def __call__(self, system: System) -> None:
        async with redis.asyncio.Redis.from_url(system.redis_url) as client:
            while True:
                waiting = 0
                while not waiting:
                    waiting = sum([await client.llen(f"dirigent:{queue}") for queue in QUEUES])
                    await asyncio.sleep(0)
                await client.flushall()
                self.hits += 1
                self.wiped_messages += waiting
                await asyncio.sleep(self.every)


async def _repaired(system: System) -> int:
    repaired = 0
    for service in ("billing", "notifications", "planning"):
        database = Database(system.databases[service].app)
        async with database.transaction() as work:
            repaired += (await work.connection.execute(text("SELECT coalesce(sum(repaired), 0) FROM stream_cursors"))).scalar_one()
        await database.close()
    return repaired


async def test_killing_every_child_changes_nothing_in_the_table(open_folder: Path, undisturbed: Table) -> None:
    killer = Killer(every=0.7)
    table, system = await play(open_folder / "killed", killer)
    assert set(killer.killed) == {name for name, starts in system.starts.items() if starts > 1} == set(system.starts)
    assert table == undisturbed


async def test_emptying_redis_changes_nothing_in_the_table(open_folder: Path, undisturbed: Table) -> None:
    flusher = Flusher(every=0.3)
    repaired = 0

    async def flush_and_count(system: System) -> None:
        nonlocal repaired
        flushing = asyncio.create_task(flusher(system))
        try:
            while True:
                await asyncio.sleep(0.5)
                repaired = max(repaired, await _repaired(system))
        finally:
            flushing.cancel()

    table, _system = await play(open_folder / "flushed", flush_and_count)
    assert flusher.hits > 3
    assert flusher.wiped_messages > 3
    assert repaired > 0
    assert table == undisturbed


async def test_every_service_in_its_own_process_gives_the_same_table(open_folder: Path, undisturbed: Table) -> None:
    table, system = await play(open_folder / "split", split=True)
    assert {"api-gateway", "worker-billing"} <= {name.replace(" ", "-") for name in system.starts}, system.starts
    assert table == undisturbed
