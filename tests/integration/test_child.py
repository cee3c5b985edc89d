"""A supervised child: ready before it counts, restarted when it ends, put down when it does not leave."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from dirigent.embedded.account import own_account
from dirigent.embedded.program import Program
from dirigent.failure import CannotStart
from dirigent.supervisor.child import Child
from tests.patience import until


def a_program(folder: Path, script: str, **changes: Any) -> Program:
    settled: dict[str, Any] = {
        "name": "child",
        "argv": ("/bin/sh", "-c", script),
        "folder": folder,
        "account": own_account(),
        "environment": {"PATH": "/usr/bin:/bin"},
        "log": folder / "child.log",
    }
    return Program(**settled | changes)


async def test_a_child_counts_as_started_only_when_it_is_ready(tmp_path: Path) -> None:
    async def is_ready(_pid: int) -> bool:
        return (tmp_path / "ready").exists()

    child = Child(a_program(tmp_path, "sleep 0.2; touch ready; exec sleep 60", is_ready=is_ready))
    await child.start()
    assert (tmp_path / "ready").exists()
    await child.stop()
    assert child.pid is None


async def test_a_child_that_never_gets_ready_is_put_down_and_told_about(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        return False

    child = Child(a_program(tmp_path, "exec sleep 60", is_ready=never, ready_within=0.2))
    with pytest.raises(CannotStart, match=r"child was not ready within 0 s; see .*child\.log"):
        await child.start()
    assert child.pid is None


async def test_a_child_that_ends_at_once_is_told_about_in_its_own_words(tmp_path: Path) -> None:
    async def never(_pid: int) -> bool:
        await asyncio.sleep(60)
        return False

    child = Child(a_program(tmp_path, "echo 'FATAL: no luck'; echo 'shut down'; exit 3", is_ready=never))
    with pytest.raises(CannotStart, match="child does not start: FATAL: no luck; see"):
        await child.start()
    assert child.starts == 3


async def test_words_of_an_earlier_start_are_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "child.log").write_text("FATAL: last year\n")

    async def never(_pid: int) -> bool:
        return False

    child = Child(a_program(tmp_path, "exit 3", is_ready=never))
    with pytest.raises(CannotStart, match="it said nothing"):
        await child.start()


async def test_a_child_that_ends_comes_back_and_its_end_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(a_program(tmp_path, "exec sleep 60"), said.append)
    await child.start()
    first = child.pid
    assert first
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.starts == 2 and child.pid)
    assert child.pid != first
    assert said == ["child was ended by SIGKILL, starting it again"]
    await child.stop()


async def test_what_must_happen_before_a_start_happens_before_every_start(tmp_path: Path) -> None:
    happened: list[int] = []

    async def before() -> None:
        happened.append(1)

    child = Child(a_program(tmp_path, "exec sleep 60", before=before))
    await child.start()
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: len(happened) == 2 and child.pid)
    await child.stop()


async def test_a_child_that_does_not_leave_is_killed(tmp_path: Path) -> None:
    async def is_ready(_pid: int) -> bool:
        return (tmp_path / "deaf").exists()

    child = Child(a_program(tmp_path, "trap '' TERM; touch deaf; while :; do sleep 0.05; done", is_ready=is_ready, stop_within=0.2))
    await child.start()
    await child.stop()
    assert child.pid is None


async def test_a_frozen_child_can_still_be_stopped_gently(tmp_path: Path) -> None:
    child = Child(a_program(tmp_path, "exec sleep 60"))
    await child.start()
    assert child.pid
    os.kill(child.pid, signal.SIGSTOP)
    async with asyncio.timeout(5):
        await child.stop()


async def test_a_large_log_is_put_aside_at_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with log.open("wb") as file:
        file.truncate(10_000_001)
    child = Child(a_program(tmp_path, "exec sleep 60"))
    await child.start()
    await child.stop()
    assert log.stat().st_size == 0
    assert log.with_name("child.log.1").stat().st_size == 10_000_001


async def test_a_child_s_log_is_for_its_owner_only(tmp_path: Path) -> None:
    child = Child(a_program(tmp_path, "exec sleep 60"))
    await child.start()
    await child.stop()
    assert (tmp_path / "child.log").stat().st_mode & 0o077 == 0
