"""The product's intake against the textbook handler, in one process, on one database, in turns: A, B, A, B …

Both do the same work for the same events (`tests/contract/test_intake_baseline.py`). A ratio is the median over the rounds of the two
runs that stood side by side, so that whatever else the machine does weighs on both.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Final, Literal

import uvloop

from benchmarks import pgbench
from benchmarks.ground import Ground, ground, program, until_ready
from benchmarks.load import Plan, Result, measure
from benchmarks.report import Finding, at_least, show
from dirigent.supervisor.sockets import LOOPBACK, free_port

Who = Literal["ours", "textbook", "noop"]
Kind = Literal["admissions", "stays", "batches"]
ROUNDS: Final = 4
SECONDS: Final = 2.5
MANY: Final = 64
FEW: Final = 16
TARGET_MANY: Final = 5.0
TARGET_FEW: Final = 4.0
TARGET_BATCH: Final = 8.0
BATCH: Final = 500
BATCH_CLIENTS: Final = 2
PGBENCH_SECONDS: Final = 4
# More than either can take in `SECONDS`; preparing them is not measured but takes time too.
_ENOUGH: Final[dict[Who, int]] = {"ours": 10_000, "textbook": 2_400, "noop": 30_000}
_ENOUGH_BATCHES: Final = 30


@dataclass
class Track:
    """One api process with both intakes, and the runs on it so far."""

    ground: Ground
    port: int
    _runs: Iterator[int] = field(default_factory=count)

    async def run(self, who: Who, clients: int, kind: Kind = "admissions", seconds: float = SECONDS) -> Result:
        """One run: other stays than any run before."""
        path = f"/{who}/v1/events{'/batch' if kind == 'batches' else ''}"
        requests = _ENOUGH_BATCHES if kind == "batches" else _ENOUGH[who]
        run = f"run{next(self._runs)}"
        plan = Plan(self.port, path, self.ground.ward_token(), clients, seconds, requests, run, kind, BATCH)
        return await asyncio.to_thread(measure, plan)


@dataclass
class Race:
    """The runs of two intakes side by side."""

    ours: list[Result] = field(default_factory=list)
    textbook: list[Result] = field(default_factory=list)

    async def round(self, track: Track, clients: int, kind: Kind = "admissions") -> None:
        """One run of each."""
        self.textbook.append(await track.run("textbook", clients, kind))
        self.ours.append(await track.run("ours", clients, kind))

    @property
    def ratio(self) -> float:
        """How many times as many events ours took in, the median of the rounds."""
        return median(self._ratios)

    @property
    def _ratios(self) -> list[float]:
        return [ours.per_second / textbook.per_second for ours, textbook in zip(self.ours, self.textbook, strict=True)]

    @property
    def detail(self) -> str:
        """Both speeds, and how long ours took to answer."""
        waited = median(result.p99_ms for result in self.ours)
        speeds = f"{speed(self.ours):.0f} to {speed(self.textbook):.0f} events/s"
        return f"{speeds}; rounds {min(self._ratios):.1f} to {max(self._ratios):.1f}; p99 {waited:.0f} ms"


def speed(results: Sequence[Result]) -> float:
    """The median speed of some runs, in events per second."""
    return median(result.per_second for result in results)


async def measure_all(track: Track) -> list[Finding]:
    """Warm both up, race them, then the batches, the ceiling of the generator, and pgbench."""
    for who in ("textbook", "ours"):
        await track.run(who, FEW, "stays", 1.0)
    many, few, mixed, batches = Race(), Race(), Race(), []
    for _ in range(ROUNDS):
        await many.round(track, MANY)
        await few.round(track, FEW)
        batches.append(await track.run("ours", BATCH_CLIENTS, "batches"))
    for _ in range(ROUNDS // 2):
        await mixed.round(track, MANY, "stays")
    ceiling = await track.run("noop", MANY, seconds=1.0)
    single = speed(many.textbook + few.textbook)
    return [
        at_least(f"single events, {MANY} clients, to the textbook handler", many.ratio, TARGET_MANY, many.detail),
        at_least(f"single events, {FEW} clients, to the textbook handler", few.ratio, TARGET_FEW, few.detail),
        Finding(f"whole stays (three events each), {MANY} clients", f"{mixed.ratio:.1f} ×  ({mixed.detail})"),
        at_least(
            f"batches of {BATCH}, to single events of the textbook", speed(batches) / single, TARGET_BATCH, f"{speed(batches):.0f} events/s"
        ),
        Finding(
            "load generator against a handler that does nothing", f"{ceiling.per_second:.0f} requests/s, {ceiling.busy:.0%} busy itself"
        ),
        *await _pgbench(track.ground, {MANY: speed(many.ours), FEW: speed(few.ours)}),
    ]


async def _pgbench(ground: Ground, ours: dict[int, float]) -> list[Finding]:
    """Our speed as a share of pgbench running the same statements, one admission a transaction."""
    found = await pgbench.run(ground.planning.app, ground.programs, ground.folder, clients=list(ours), seconds=PGBENCH_SECONDS)
    if not found:
        return [Finding("share of pgbench", "pgbench is not available")]
    return [
        Finding(f"share of pgbench with the same statements, {clients} clients", f"{ours[clients] / tps:.0%} of {tps:.0f} events/s")
        for clients, tps in found.items()
    ]


async def run() -> list[Finding]:
    """The whole measurement."""
    port = free_port()
    async with ground() as started:
        with program(started, "benchmarks.serve", f"{LOOPBACK}:{port}", log="serve.log") as api:
            await until_ready(port, "/ours/health/ready", api)
            return await measure_all(Track(started, port))


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
