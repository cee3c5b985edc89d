"""Whatever is killed comes back, and what was not killed never notices."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from dirigent.supervisor.system import Options, System, running
from tests.patience import until


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def system(open_folder: Path) -> AsyncIterator[System]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DIRIGENT_") and name != "DIRIGENT_EMBEDDED"]:
            patch.delenv(name)
        async with running(Options(data=open_folder, port=0, say=lambda _line: None)) as started:
            yield started


@pytest.mark.parametrize("victim", ["postgres", "redis", "worker", "api"])
async def test_a_killed_child_comes_back_and_the_system_is_ready_again(system: System, victim: str) -> None:
    before, starts = system.children[victim], system.starts[victim]
    os.kill(before, signal.SIGKILL)
    async with httpx.AsyncClient(base_url=system.public_url, trust_env=False, timeout=30) as client:

        async def is_back() -> bool:
            # The listening socket is the supervisor's: no connection is ever refused, not even while the api is away.
            ready = (await client.get("/health/ready")).is_success
            return ready and system.starts[victim] > starts and victim in system.children

        await until(is_back)
    assert system.children[victim] != before


async def test_the_other_children_run_on_when_one_is_killed(system: System) -> None:
    before = system.children
    os.kill(before["worker"], signal.SIGKILL)
    async with httpx.AsyncClient(base_url=system.public_url, trust_env=False, timeout=30) as client:
        while system.children.get("worker") in {None, before["worker"]}:
            assert (await client.get("/health/live")).status_code == httpx.codes.OK
    assert {name: pid for name, pid in system.children.items() if name != "worker"} == {
        name: pid for name, pid in before.items() if name != "worker"
    }
