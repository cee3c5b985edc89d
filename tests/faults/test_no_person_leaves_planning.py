"""After a whole demo no person stands in clear anywhere (P14): not in logs, queues, databases, feeds or files; sealed in planning."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dirigent.secrets_store import load_or_make, person_environment
from dirigent.supervisor.system import System
from services.planning.vault import person_vault
from tests.canaries import Canaries, in_database, in_files, in_metrics, in_redis, sealed_persons
from tests.faults.playing import play

HELD_ON_PURPOSE = ("paper",)
"""What the wards read when nothing else works: their own lists, for their own eyes."""


def _sent(folder: Path) -> Path:
    (file,) = folder.glob("demo-*.ndjson")
    return file


def _persons(folder: Path) -> list[dict[str, Any]]:
    """Every person that the demo ever sent."""
    events = [json.loads(line) for line in _sent(folder).read_text(encoding="utf-8").splitlines()]
    return [event["data"]["person"] for event in events if event.get("type") == "stay.admitted"]


@pytest.fixture(autouse=True)
def _talkative_and_quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")
    monkeypatch.setenv("DIRIGENT_LOG_LEVEL", "DEBUG")
    # The demo makes keys of its own, as it does for everybody.
    monkeypatch.delenv("DIRIGENT_PLANNING_PERSON_KEYS")
    monkeypatch.delenv("DIRIGENT_PLANNING_PERSON_LOOKUP_KEY")
    yield
    person_vault.cache_clear()


async def test_no_person_stands_in_clear_after_a_whole_demo(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_folder / "persons"
    searched, found, sealed = [0], dict[str, set[str]](), list[dict[str, Any]]()

    def look_at(canaries: Canaries, place: str, content: bytes) -> None:
        searched[0] += len(content)
        if named := canaries.within(content):
            found.setdefault(place, set()).update(named)

    async def look(system: System) -> None:
        canaries = Canaries.of(_persons(folder))
        for service, access in system.databases.items():
            async for place, content in in_database(service, access.owner):
                look_at(canaries, place, content)
        async for place, content in in_redis(system.redis_url):
            look_at(canaries, place, content)
        async for place, content in in_metrics(system.public_url):
            look_at(canaries, place, content)
        for name, value in person_environment(load_or_make(folder / "secrets.json")).items():
            monkeypatch.setenv(name, value)
        person_vault.cache_clear()
        sealed.extend(await sealed_persons(system.databases["planning"].owner))

    await play(folder, afterwards=look)
    canaries = Canaries.of(_persons(folder))
    assert len(canaries.numbers) > 50
    for place, content in in_files(folder, but=(*HELD_ON_PURPOSE, _sent(folder).name)):
        look_at(canaries, place, content)
    assert found == {}
    assert searched[0] > 1_000_000, "positive control: there was something to search"
    assert canaries.numbers <= {person["id"] for person in sealed}, "positive control: they are there, sealed"
    assert canaries.numbers <= canaries.within(_sent(folder).read_bytes()), "positive control: in clear they would be found"
