"""`python -m benchmarks`: every measurement, one table; exit code 0 only when every target was reached. Takes under four minutes."""

import sys
from collections.abc import Awaitable, Callable
from typing import Final

import uvloop
from rich.console import Console

from benchmarks import billing, intake, mailbox_latency, simulation, start_and_memory
from benchmarks.report import Finding, show

MEASUREMENTS: Final[dict[str, Callable[[], Awaitable[list[Finding]]]]] = {
    "start and memory": start_and_memory.run,
    "commit to mailbox": mailbox_latency.run,
    "intake": intake.run,
    "billing": billing.run,
    "simulation": simulation.run,
}


async def run() -> bool:
    """All of them, one after the other, so that none disturbs another."""
    console, findings = Console(stderr=True), []
    for name, measure in MEASUREMENTS.items():
        console.print(f"measuring {name} …")
        findings += await measure()
    return show(findings)


if __name__ == "__main__":
    sys.exit(not uvloop.run(run()))
