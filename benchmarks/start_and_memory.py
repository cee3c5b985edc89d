"""How long `make run` takes until its first answer, on a new data folder and on an old one, and how much memory it all holds.

The very command of `make run` is started, with a small month to play. Memory is taken after the demo has been played, as the sum over
every process of ours and of the servers: what each holds alone and its share of what it holds together with others (PSS).
"""

import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.report import Finding, below, show
from dirigent.demo.record import read_played
from dirigent.supervisor.layout import inherited_environment
from dirigent.supervisor.probe import is_ready
from dirigent.supervisor.sockets import LOOPBACK, free_port

COLD_SECONDS: Final = 15.0
WARM_SECONDS: Final = 5.0
MEMORY_MB: Final = 700.0
STAYS: Final = 150
_PLAYED_WITHIN: Final = 90.0
_READY_WITHIN: Final = 60.0
_LOOK_EVERY: Final = 0.02
_KIBIBYTE: Final = 1_024 / 1_000_000
_HEALTH: Final = "/health/ready"


@dataclass(frozen=True, slots=True)
class Memory:
    """What a tree of processes holds, in megabytes."""

    processes: int
    proportional: float
    resident: float


@contextlib.contextmanager
def _running(data: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = ("demo", "--keep", "--data", str(data), "--port", str(port), "--stays", str(STAYS))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "dirigent", *arguments],
        env=inherited_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


async def _first_answer(process: "subprocess.Popen[bytes]", port: int, begun: float) -> float:
    """Seconds until the first answered request."""
    async with asyncio.timeout(_READY_WITHIN):
        while True:
            with contextlib.suppress(OSError):
                if await is_ready(LOOPBACK, port, _HEALTH):
                    return time.perf_counter() - begun
            if process.poll() is not None:
                said = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
                raise RuntimeError(f"it did not start: {said.splitlines()[-1] if said else process.returncode}")
            await asyncio.sleep(_LOOK_EVERY)


async def _until_played(process: "subprocess.Popen[bytes]", data: Path) -> None:
    """Wait until the demo has played its month."""
    async with asyncio.timeout(_PLAYED_WITHIN):
        while (played := read_played(data)) is None or not played.complete:
            if process.poll() is not None:
                raise RuntimeError("the demo ended early")
            await asyncio.sleep(_LOOK_EVERY * 10)


def _tree(root: int) -> list[Path]:
    """A process and everything below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return [Path(f"/proc/{pid}") for pid in found]


def _memory(processes: Iterable[Path]) -> Memory:
    proportional, resident, count = 0, 0, 0
    for process in processes:
        with contextlib.suppress(OSError):
            lines = (process / "smaps_rollup").read_text().splitlines()[1:]
            held = {line.split()[0]: int(line.split()[1]) for line in lines}
            proportional, resident, count = proportional + held["Pss:"], resident + held["Rss:"], count + 1
    return Memory(count, proportional * _KIBIBYTE, resident * _KIBIBYTE)


def _open_folder(folder: str) -> Path:
    """A data folder to be, which the servers can reach when they run as another user."""
    Path(folder).chmod(0o711)
    return Path(folder) / "data"


async def run() -> list[Finding]:
    """The whole measurement."""
    with tempfile.TemporaryDirectory(prefix="dirigent-start-", ignore_cleanup_errors=True) as folder:
        data, port = _open_folder(folder), free_port()
        begun = time.perf_counter()
        with _running(data, port) as process:
            cold = await _first_answer(process, port, begun)
            await _until_played(process, data)
            memory = _memory(_tree(process.pid))
        begun = time.perf_counter()
        with _running(data, port) as process:
            warm = await _first_answer(process, port, begun)
    detail = f"{memory.processes} processes, {memory.resident:.0f} MB with everything shared counted in each"
    return [
        below("cold start to the first answer", cold, COLD_SECONDS, "s"),
        below("warm start to the first answer", warm, WARM_SECONDS, "s"),
        below("memory after the demo", memory.proportional, MEMORY_MB, "MB", detail),
    ]


if __name__ == "__main__":
    sys.exit(not show(asyncio.run(run())))
