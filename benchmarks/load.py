"""A lean load generator: plain keep-alive HTTP/1.1 connections on one epoll loop, every request prepared before the clock starts.

`python -m benchmarks.load` reads one JSON object from stdin (the fields of `Plan`) and prints one (the fields of `Result`).
"""

import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from benchmarks.stories import Stories, encoded

_HEAD: Final = (
    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)
_LENGTH: Final = b"content-length: "
_RECEIVED: Final = 65_536
_STALLED_AFTER: Final = 20.0


class Plan(msgspec.Struct):
    """What to send: `requests` at most, `seconds` at most, each over one of `clients` connections.

    `admissions` = every request a new stay; `stays` = admission, readiness and discharge of a stay, one after the other on one
    connection; `batches` = each request a batch of `size` admissions.
    """

    port: int
    path: str
    token: str
    clients: int
    seconds: float
    requests: int
    run: str
    kind: Literal["admissions", "stays", "batches"] = "admissions"
    size: int = 500


class Result(msgspec.Struct):
    """What came of it."""

    requests: int
    events: int
    seconds: float
    refused: int
    p50_ms: float
    p99_ms: float
    busy: float
    """The generator's own processor time as a share of the clock: near 1 it would be the generator that is measured."""

    @property
    def per_second(self) -> float:
        """Events taken in per second."""
        return self.events / self.seconds


class _Client:
    __slots__ = ("begun", "queue", "received", "socket")

    def __init__(self, port: int, queue: Iterator[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.queue = queue
        self.received = b""
        self.begun = 0.0

    def send(self) -> bool:
        request = next(self.queue, None)
        if request is None:
            return False
        self.received = b""
        self.begun = time.perf_counter()
        self.socket.sendall(request)
        return True

    def answered(self) -> bool:
        """Take what has come; True when the answer is whole."""
        chunk = self.socket.recv(_RECEIVED)
        if not chunk:
            raise ConnectionError("the server closed a connection")
        self.received += chunk
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return False
        at = self.received.index(_LENGTH) + len(_LENGTH)
        length = int(self.received[at : self.received.index(b"\r\n", at)])
        return len(self.received) >= head + 4 + length


def _requests(plan: Plan) -> list[list[bytes]]:
    """The requests in the order they are to be sent; those of one inner list belong to one connection."""
    stories = Stories(plan.run)

    def request(value: object) -> bytes:
        body = encoded(value)
        return _HEAD.format(path=plan.path, token=plan.token, length=len(body)).encode() + body

    if plan.kind == "batches":
        return [[request([stories.admission() for _ in range(plan.size)])] for _ in range(plan.requests)]
    if plan.kind == "stays":
        return [[request(event) for event in stories.stay()] for _ in range(plan.requests // 3)]
    return [[request(stories.admission())] for _ in range(plan.requests)]


class _Deadline:
    """When no new group of requests may begin."""

    def __init__(self) -> None:
        self.at = float("inf")

    def queue(self, groups: Iterator[list[bytes]]) -> Iterator[bytes]:
        """The requests of one client: whole groups, as long as there is time."""
        for group in groups:
            if time.perf_counter() > self.at:
                return
            yield from group


def run(plan: Plan) -> Result:
    """Send, wait, measure."""
    groups, deadline = iter(_requests(plan)), _Deadline()
    clients = {client.socket.fileno(): client for client in (_Client(plan.port, deadline.queue(groups)) for _ in range(plan.clients))}
    busy, begun = time.process_time(), time.perf_counter()
    deadline.at = begun + plan.seconds
    took, refused = _exchange(clients)
    seconds, busy = time.perf_counter() - begun, time.process_time() - busy
    for client in clients.values():
        client.socket.close()
    took.sort()
    return Result(
        requests=len(took),
        events=len(took) * (plan.size if plan.kind == "batches" else 1),
        seconds=seconds,
        refused=refused,
        p50_ms=1_000 * took[len(took) // 2],
        p99_ms=1_000 * took[int(len(took) * 0.99)],
        busy=busy / seconds,
    )


def _exchange(clients: dict[int, _Client]) -> tuple[list[float], int]:
    """Keep every client busy until its queue is empty; how long each answer took, and how many refused."""
    poll = select.epoll()
    for number in clients:
        poll.register(number, select.EPOLLIN)
    took: list[float] = []
    refused = 0
    open_clients = sum(client.send() for client in clients.values())
    while open_clients:
        ready = poll.poll(_STALLED_AFTER)
        if not ready:
            raise TimeoutError("the server does not answer")
        for number, _event in ready:
            client = clients[number]
            if client.answered():
                took.append(time.perf_counter() - client.begun)
                refused += client.received[9:12] not in (b"201", b"200")
                open_clients -= not client.send()
    return took, refused


def measure(plan: Plan) -> Result:
    """Run a plan in a process of its own.

    Raises:
        RuntimeError: Some request was not accepted: what was measured is then not what was meant.
    """
    ended = subprocess.run([sys.executable, "-m", "benchmarks.load"], input=msgspec.json.encode(plan), capture_output=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"the load generator failed: {ended.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    result = msgspec.json.decode(ended.stdout, type=Result)
    if result.refused:
        raise RuntimeError(f"{result.refused} of {result.requests} requests to {plan.path} were refused")
    return result


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan))))
