"""Programs beside a running Dirigent find it by its data folder, and say what to type with the folder that was chosen."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import typer

from dirigent import tokens
from dirigent.county.secrets import ensure_secrets
from dirigent.demo.command import _farewell
from dirigent.demo.play import Demo
from dirigent.demo.record import Played
from dirigent.replay import command as replay
from dirigent.replay.report import Report
from dirigent.supervisor.folder import DataFolder, chosen_folder, default_folder
from services.planning import usecases, worker

HERE = "http://127.0.0.1:18080"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as a running Dirigent holds it."""
    ensure_secrets(tmp_path, ["finance"])
    (tmp_path / "dirigent.lock").write_text(f"process 7 {HERE}\n")
    return tmp_path


@pytest.mark.parametrize(("named", "asked"), [(None, HERE), ("http://elsewhere", "http://elsewhere")])
def test_a_token_is_asked_for_where_the_folder_s_dirigent_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], named: str | None, asked: str
) -> None:
    async def token(url: str, _client: str, _secrets: dict[str, str]) -> str:
        return f"token from {url}"

    monkeypatch.setattr(tokens, "_token", token)
    tokens.command("finance", url=named, data=folder, as_json=False)
    assert capsys.readouterr().out == f"token from {asked}\n"


def test_a_file_is_played_to_where_the_folder_s_dirigent_answers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def play(_file: Path, _client: str, url: str, _secrets: dict[str, str]) -> Report:
        asked.append(url)
        return Report()

    monkeypatch.setattr(replay, "_play", play)
    with pytest.raises(typer.Exit):
        replay.command(folder / "x", "history", None, folder, None, folder / "refused.ndjson", as_json=True)
    assert asked == [HERE]


def test_the_folder_is_named_without_detours_and_the_farewell_names_it(tmp_path: Path) -> None:
    chosen = chosen_folder(tmp_path / "a" / ".." / "b")
    assert chosen.path == (tmp_path / "b").resolve()
    assert f'demo --keep --data "{chosen.path}"' in _farewell(chosen)
    assert "make run goes on" in _farewell(DataFolder(default_folder().path))


def test_the_demo_s_file_of_persons_is_its_owner_s_only(tmp_path: Path) -> None:
    (tmp_path / "demo-2026-10.ndjson").touch(mode=0o644)
    demo: Any = object.__new__(Demo)
    demo.folder, demo.played = tmp_path, Played("2026-10", 1, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dirigent.demo.play.simulate", lambda *_: ["{}"])
        file = Demo._write_file(demo)
    assert (file.stat().st_mode & 0o777, file.read_text()) == (0o600, "{}\n")


async def test_paper_lists_are_written_every_few_minutes_at_first_and_then_hourly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    clock = asyncio.get_running_loop().time
    passed = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal passed
        waits.append(seconds)
        passed += seconds
        if len(waits) > 13:
            raise asyncio.CancelledError

    async def no_pages(_work: Any) -> list[Any]:
        return []

    class NoDatabase:
        def transaction(self) -> Any:
            return NoWork()

    class NoWork:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(usecases, "paper_pages", no_pages)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock() + passed)
    database: Any = NoDatabase()
    with pytest.raises(asyncio.CancelledError):
        await worker._lay_paper(tmp_path, database)
    assert waits[:12] == [300.0] * 12
    assert waits[12:] == [3_600.0] * 2
