"""How long a notice takes from the commit of its event until it is seen in the mailbox, at 200 events a second.

Open loop: an event is posted when its time has come, whether or not the answers keep up. Every municipality of the county waits in a
long poll of its own, as its system would. The clock of a notice runs from the 2xx answer to its event (which leaves after the commit)
until a poll has brought it. One api process and one worker process, as `dirigent up` starts them.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from typing import Final

import aiohttp
import msgspec
import uvloop

from benchmarks.ground import Ground, ground, program, until_ready
from benchmarks.open_loop import PER_SECOND, Clocks, post_all
from benchmarks.report import Finding, below, show
from dirigent.county.load import load_county
from dirigent.supervisor.sockets import LOOPBACK, free_port

SECONDS: Final = 20.0
WARM_UP_SECONDS: Final = 3.0
TARGET_MS: Final = 100.0
_POLL_SECONDS: Final = 25


async def measure(ground: Ground) -> list[Finding]:
    """Start the two processes, send and poll."""
    port = free_port()
    base = f"http://{LOOPBACK}:{port}/planning"
    with (
        program(ground, "dirigent.process", "api", "planning", "--internal", f"{LOOPBACK}:{port}", log="api.log") as api,
        program(ground, "dirigent.process", "worker", "planning", log="worker.log"),
    ):
        await until_ready(port, "/planning/health/ready", api)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            clocks = Clocks()
            polls = [asyncio.create_task(_poll(http, base, token, clocks)) for token in _municipalities(ground)]
            begun = time.perf_counter()
            await post_all(http, base, ground.ward_token(), clocks, "latency", seconds=SECONDS + WARM_UP_SECONDS)
            await clocks.all_seen()
            for poll in polls:
                poll.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
    return _findings(clocks, begun)


def _findings(clocks: Clocks, begun: float) -> list[Finding]:
    missing, took = clocks.waiting(), clocks.latencies(begun + WARM_UP_SECONDS)
    sent = int(PER_SECOND * (SECONDS + WARM_UP_SECONDS))
    if missing or clocks.refused or len(clocks.answered) < sent:
        found = f"{len(clocks.answered)} of {sent} accepted, {missing} notices never seen, {clocks.refused} refused"
        return [Finding("commit to mailbox", found, "all of them", held=False)]
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    return [below("commit to mailbox at 200 events/s, p99", p99, TARGET_MS, "ms", f"p50 {p50:.1f} ms, longest {took[-1]:.0f} ms")]


def _municipalities(ground: Ground) -> Iterable[str]:
    for one in load_county().municipalities:
        yield ground.token(
            f"kommun-{one.code}",
            ["notices:read"],
            organisation=one.organisation,
            units=[one.unit],
            role="municipality",
            municipality=one.code,
        )


async def _poll(http: aiohttp.ClientSession, base: str, token: str, clocks: Clocks) -> None:
    after = 0
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        async with http.get(f"{base}/v1/notices", params={"after": after, "wait": _POLL_SECONDS}, headers=headers) as answer:
            page = msgspec.json.decode(await answer.read())
        at = time.perf_counter()
        for entry in page["entries"]:
            clocks.see(entry["case_id"], at)
        after = page["next"]


async def run() -> list[Finding]:
    """The whole measurement."""
    async with ground() as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
