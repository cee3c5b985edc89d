"""After a whole demo no person number stands anywhere but in planning's own tables (P14): not in logs, queues, other databases, feeds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from dirigent.supervisor.system import System
from shared.db import Database
from tests.faults.playing import play

MAY_HOLD_PERSONS = {("planning", "events"), ("planning", "cases"), ("planning", "notices")}


def _persons(folder: Path) -> set[str]:
    """Every person number that the demo ever sent."""
    (file,) = folder.glob("demo-*.ndjson")
    events = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {event["data"]["person"]["id"] for event in events if event.get("type") == "stay.admitted"}


def _files(folder: Path) -> Iterator[Path]:
    """What the processes wrote beside the databases: logs, and everything that ever went through Redis."""
    yield from (folder / "logs").iterdir()
    for store in folder.glob("redis-*"):
        yield from (file for file in store.rglob("*") if file.is_file())
    for store in folder.glob("valkey-*"):
        yield from (file for file in store.rglob("*") if file.is_file())


async def _tables_with(system: System, persons: set[str]) -> set[tuple[str, str]]:
    found = set()
    for service, access in system.databases.items():
        database = Database(access.owner, role=None)
        async with database.transaction() as work:
            names = (await work.connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars().all()
            for name in names:
                rows = (await work.connection.execute(text(f'SELECT t::text FROM "{name}" AS t'))).scalars()  # noqa: S608  # our own table
                if any(person in row for row in rows for person in persons):
                    found.add((service, name))
        await database.close()
    return found


@pytest.fixture(autouse=True)
def _talkative_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")
    monkeypatch.setenv("DIRIGENT_LOG_LEVEL", "DEBUG")


async def test_no_person_number_leaves_planning(open_folder: Path) -> None:
    folder = open_folder / "persons"
    tables: set[tuple[str, str]] = set()

    async def look(system: System) -> None:
        nonlocal tables
        tables = await _tables_with(system, _persons(folder))

    await play(folder, afterwards=look)
    persons = _persons(folder)
    assert len(persons) > 50
    assert tables == MAY_HOLD_PERSONS, "positive control: planning's own tables hold them"
    searched = 0
    for file in _files(folder):
        content = file.read_bytes()
        searched += len(content)
        assert not [person for person in persons if person.encode() in content], file.name
    assert searched > 100_000, "positive control: there was something to search"
