"""After a whole demo no person stands in clear anywhere (P14): not in logs, queues, databases, feeds or files; sealed in planning."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dirigent.secrets_store import load_or_make, person_environment
from dirigent.supervisor.system import System
from services.planning.repository.sealing import opened_event
from services.planning.vault import person_vault
from shared.db import Database
from tests.faults.playing import play

_NUMBER = re.compile(rb"(?<![0-9])[0-9]{12}(?![0-9])")
HELD_ON_PURPOSE = ("paper",)
"""What the wards read when nothing else works: their own lists, for their own eyes."""


def _sent(folder: Path) -> Path:
    (file,) = folder.glob("demo-*.ndjson")
    return file


def _persons(folder: Path) -> list[dict[str, Any]]:
    """Every person that the demo ever sent."""
    events = [json.loads(line) for line in _sent(folder).read_text(encoding="utf-8").splitlines()]
    return [event["data"]["person"] for event in events if event.get("type") == "stay.admitted"]


def _numbers_in(file: Path) -> set[str]:
    return {found.decode() for found in _NUMBER.findall(file.read_bytes())}


def _files(folder: Path) -> Iterator[Path]:
    """Everything in the data folder but what the demo read its patients from: logs, queues, mails, and the databases' own files."""
    for file in folder.rglob("*"):
        if file.is_file() and file != _sent(folder) and not set(file.relative_to(folder).parts) & set(HELD_ON_PURPOSE):
            yield file


async def _rows(database: Database) -> dict[str, list[str]]:
    async with database.transaction() as work:
        names = (await work.connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars().all()
        return {
            name: list((await work.connection.execute(text(f'SELECT t::text FROM "{name}" AS t'))).scalars())  # noqa: S608  # our own table
            for name in names
        }


@pytest.fixture(autouse=True)
def _talkative_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")
    monkeypatch.setenv("DIRIGENT_LOG_LEVEL", "DEBUG")
    # The demo makes keys of its own, as it does for everybody.
    monkeypatch.delenv("DIRIGENT_PLANNING_PERSON_KEYS")
    monkeypatch.delenv("DIRIGENT_PLANNING_PERSON_LOOKUP_KEY")


async def test_no_person_stands_in_clear_after_a_whole_demo(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_folder / "persons"
    kept: dict[tuple[str, str], list[str]] = {}

    async def look(system: System) -> None:
        for service, access in system.databases.items():
            database = Database(access.owner, role=None)
            kept.update({(service, table): rows for table, rows in (await _rows(database)).items()})
            await database.close()

    await play(folder, afterwards=look)
    persons = _persons(folder)
    numbers = {person["id"] for person in persons}
    streets = {street for person in persons if (street := (person.get("registered_address") or {}).get("street"))}
    assert len(numbers) > 50
    found = {table for table, rows in kept.items() for row in rows if any(part in row for part in numbers | streets)}
    assert found == set()
    assert len(kept["planning", "events"]) > 50, "positive control: there was something to search"
    for name, value in person_environment(load_or_make(folder / "secrets.json")).items():
        monkeypatch.setenv(name, value)
    person_vault.cache_clear()
    try:
        assert numbers <= {person["id"] for person in _opened(kept["planning", "events"])}, "positive control: they are there, sealed"
    finally:
        person_vault.cache_clear()
    assert numbers <= _numbers_in(_sent(folder)), "positive control: in clear they would be found"
    searched = 0
    for file in _files(folder):
        searched += file.stat().st_size
        assert not _numbers_in(file) & numbers, file.relative_to(folder)
    assert searched > 1_000_000, "positive control: there was something to search"


def _opened(rows: list[str]) -> Iterator[dict[str, Any]]:
    """The persons in rows of events, whose last column is the body."""
    for row in rows:
        body = row[row.index('"{') + 1 : row.rindex('}"') + 1].replace('""', '"').replace("\\\\", "\\")
        person = opened_event(body)["data"].get("person")
        if person is not None:
            yield person
