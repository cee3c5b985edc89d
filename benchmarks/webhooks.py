"""How long a webhook takes from the commit of its event until it is received, at 200 events a second with one of ten receivers dead.

Open loop, as the measurement of the mailboxes. Every municipality has a subscription; ten receivers share them. The clock of a message runs
from the 2xx answer to its event (which leaves after planning's commit) until its request has been read whole by the receiver: planning's
sequencer, the queue, notifications' consumer and the delivery lie between. First all ten are well: the baseline. Then one of them takes
connections and never answers. Last, 10 000 messages are made at once: none may be missing, none may come under a second id.
One api process, and one worker process for planning and notifications, as `dirigent up` starts them.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

import aiohttp
import msgspec
import uvloop
from sqlalchemy import text

from benchmarks.ground import Ground, ground, program, until_ready
from benchmarks.open_loop import PER_SECOND, Clocks, post_all
from benchmarks.report import Finding, below, show
from dirigent.county.load import load_county
from dirigent.supervisor.sockets import LOOPBACK, free_port
from services.notifications import usecases
from services.notifications.sealing import Seal
from shared.dates import now
from shared.db import Database
from shared.events.facts import NoticeSent
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered

RECEIVERS: Final = 10
SECONDS: Final = 15.0
WARM_UP_SECONDS: Final = 4.0
TARGET_MS: Final = 500.0
AT_ONCE: Final = 10_000
_LATE_SECONDS: Final = 8.0
_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class Received:
    """What all receivers got: when each case was first told of, and how often each id came."""

    clocks: Clocks = field(default_factory=Clocks)
    ids: Counter[str] = field(default_factory=Counter)
    dead: set[int] = field(default_factory=set)

    def take(self, head: str, body: bytes) -> None:
        """Note a request."""
        name = next(line for line in head.split("\r\n") if line.lower().startswith("webhook-id:"))
        self.ids[name.partition(":")[2].strip()] += 1
        self.clocks.see(msgspec.json.decode(body)["data"]["case_id"], time.perf_counter())


class _Receiver(asyncio.Protocol):
    def __init__(self, number: int, received: Received) -> None:
        self._number, self._received, self._read = number, received, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not found or len(body) < int(length) or self._number in self._received.dead:
            return
        self._received.take(head.decode("latin-1"), body)
        self._transport.write(_OK)  # type: ignore[attr-defined]
        self._transport.close()


@asynccontextmanager
async def _receivers(received: Received) -> AsyncIterator[list[str]]:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(lambda number=number: _Receiver(number, received), LOOPBACK, 0) for number in range(RECEIVERS)]  # type: ignore[misc]
    try:
        yield [f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/in" for server in servers]
    finally:
        for server in servers:
            server.close()


async def _subscribe(database: Database, seal: Seal, urls: list[str]) -> dict[str, tuple[UUID, int]]:
    """A subscription for every municipality; by its organisation, which and at which receiver."""
    made = {}
    async with database.transaction() as work:
        for number, one in enumerate(load_county().municipalities):
            caller = Caller(
                f"kommun-{one.code}", one.organisation, (f"SE{one.organisation}-",), frozenset({usecases.READS_NOTICES}), "municipality"
            )
            wanted = usecases.Wanted(f"{urls[number % RECEIVERS]}/{one.code}")
            row = await usecases.subscribe(work, caller, seal, wanted, usecases.TargetPolicy((f"http://{LOOPBACK}:*",)))
            made[one.organisation] = row["id"], number % RECEIVERS
    return made


@contextmanager
def _processes(started: Ground, port: int) -> Iterator[None]:
    base = f"http://{LOOPBACK}:{port}"
    told = replace(
        started,
        environment=dict(started.environment)
        | {
            "DIRIGENT_NOTIFICATIONS_DATABASE_URL": started.access["notifications"].app,
            "DIRIGENT_NOTIFICATIONS_ALLOWED_TARGETS": f"http://{LOOPBACK}:*",
            "DIRIGENT_PLANNING_URL": f"{base}/planning",
            "DIRIGENT_NOTIFICATIONS_URL": f"{base}/notifications",
        },
    )
    with (
        program(told, "dirigent.process", "api", "planning", "notifications", "--internal", f"{LOOPBACK}:{port}", log="api.log"),
        program(told, "dirigent.process", "worker", "planning", "notifications", log="worker.log"),
    ):
        yield


async def measure(started: Ground) -> list[Finding]:
    """Baseline, one receiver dead, ten thousand at once."""
    port, received = free_port(), Received()
    database = Database(started.access["notifications"].app, pool_size=2)
    seal = Seal(started.environment["DIRIGENT_SERVICE_KEY"])
    async with _receivers(received) as urls:
        lanes = await _subscribe(database, seal, urls)
        with _processes(started, port):
            await until_ready(port, "/planning/health/ready")
            findings = [_finding(*await _at_rate(started, port, received, database, "well"), "all ten receivers well", target=False)]
            received.dead = {0}
            findings.append(_finding(*await _at_rate(started, port, received, database, "dead"), "one of ten dead", target=True))
            findings += await _all_at_once(database, received, lanes)
    await database.close()
    return findings


async def _at_rate(started: Ground, port: int, received: Received, database: Database, run: str) -> tuple[list[float], int, int]:
    """Latencies after warming up, how many messages for living receivers are missing, how many wait for the dead one."""
    clocks = received.clocks = Clocks()
    begun = time.perf_counter()
    token = started.ward_token()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await post_all(http, f"http://{LOOPBACK}:{port}/planning", token, clocks, run, seconds=SECONDS + WARM_UP_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LATE_SECONDS):
                while clocks.answered.keys() - clocks.seen.keys() - await _waiting(database):  # noqa: ASYNC110  # asks a database
                    await asyncio.sleep(0.2)
    waiting = await _waiting(database)
    missing = clocks.answered.keys() - clocks.seen.keys() - waiting
    return clocks.latencies(begun + WARM_UP_SECONDS), len(missing) + clocks.refused, len(waiting & clocks.answered.keys())


async def _waiting(database: Database) -> set[str]:
    """The cases that messages which have not been accepted tell of."""
    async with database.transaction() as work:
        found = await work.connection.execute(text("SELECT body FROM deliveries WHERE state = 'pending'"))
        return {json.loads(body)["data"]["case_id"] for body in found.scalars()}


def _finding(took: list[float], missing: int, waiting: int, what: str, *, target: bool) -> Finding:
    name = f"commit to webhook at {PER_SECOND} events/s, {what}, p99"
    if missing or not took:
        return Finding(name, f"{missing} messages missing, {len(took)} received", "none missing", held=False)
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    detail = f"p50 {p50:.1f} ms, longest {took[-1]:.0f} ms, {waiting} still waiting"
    if target:
        return below(name, p99, TARGET_MS, "ms", detail)
    return Finding(name, f"{p99:.1f} ms  ({detail})")


async def _all_at_once(database: Database, received: Received, lanes: dict[str, tuple[UUID, int]]) -> list[Finding]:
    received.clocks, received.ids = Clocks(), Counter()
    organisations = list(lanes)
    facts = [_notice(organisations[number % len(organisations)]) for number in range(AT_ONCE)]
    alive = {str(fact.case_id) for fact in facts if lanes[fact.organisation][1] not in received.dead}
    begun = time.perf_counter()
    for first in range(0, AT_ONCE, 500):
        async with database.transaction() as work:
            some = [Delivered(number, uuid7(), None, fact) for number, fact in enumerate(facts[first : first + 500])]
            await usecases.tell_of_notices(work, some)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(180):
            while alive - received.clocks.seen.keys():  # noqa: ASYNC110  # a coarse clock is enough
                await asyncio.sleep(0.05)
    took = time.perf_counter() - begun
    await asyncio.sleep(1)
    missing, twice = len(alive - received.clocks.seen.keys()), sum(received.ids.values()) - len(received.clocks.seen)
    return [
        Finding(f"{AT_ONCE} messages at once, one of ten receivers dead: missing", str(missing), "0", missing == 0),
        Finding(f"{AT_ONCE} messages at once: second ids or second deliveries", str(twice), "0", twice == 0),
        Finding("deliveries a second", f"{len(alive) / took:.0f}  ({len(alive)} in {took:.1f} s)"),
    ]


def _notice(organisation: str) -> NoticeSent:
    return NoticeSent(
        notice_id=uuid7(), notice_type="notice.admission", mailbox="m", organisation=organisation, case_id=uuid7(), sent_at=now()
    )


async def run() -> list[Finding]:
    """The whole measurement."""
    async with ground("notifications") as started:
        return await measure(started)


if __name__ == "__main__":
    sys.exit(not show(uvloop.run(run())))
