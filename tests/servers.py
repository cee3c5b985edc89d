"""One real PostgreSQL and one real Redis for the whole test session, and a fresh migrated database for every test that asks for one.

How to use, in any test (the fixtures come through `tests/conftest.py`, nothing to import):

    async def test_something(planning_database: str) -> None:         # SQLAlchemy address, app role, all migrations applied, empty
        database = Database(planning_database)
        ...
        await database.close()

- `planning_database`, `billing_database`, `notifications_database`, `gateway_database`: a new database for this test, a copy of the
  migrated template. The address is that of the app role, as in production.
- `databases`: all four at once, `databases["planning"].app` and `.owner` (the role of the migrations, to look behind the curtain).
- `redis_url`: the session's Redis, emptied before the test.
- `settings_environment`: the DIRIGENT_* variables that a service's settings read (addresses of `databases`, `redis_url`, service key),
  set with monkeypatch for this test and also returned.

Servers start when the first test asks (about 1.5 s) and follow DIRIGENT_EMBEDDED=auto|system|wheel. They die with the test process.
"""

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import asyncpg
import pytest
import redis

from dirigent import databases as names
from dirigent.databases import SERVICES, Access, address, dsn, embedded_access, provision
from dirigent.embedded.account import server_account
from dirigent.embedded.postgres import SUPERUSER, Cluster
from dirigent.embedded.programs import Source, find_postgres, find_redis
from dirigent.embedded.redis import Queue
from dirigent.migrate import migrate
from dirigent.supervisor.child import Child
from dirigent.supervisor.sockets import free_port

T = TypeVar("T")
PASSWORD: Final = "only-for-tests"
DROPPED_TOGETHER: Final = 50  # about 400 MB
MEMORY: Final = Path("/dev/shm")  # noqa: S108  # a folder of one's own is made in it
ROOM: Final = 4 * 1024**3
"""Bytes of memory that must be free for the databases of one process to live there; with that much they need no more than half."""


@dataclass(frozen=True)
class Servers:
    """The running servers of this test session."""

    admin_url: str
    redis_url: str
    folder: Path


class _Loop:
    """An event loop of our own for the servers, apart from the one pytest-asyncio runs the tests on."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="session")
def servers(embedded_source: Source) -> Iterator[Servers]:
    with started_servers(embedded_source) as started:
        yield started


@contextmanager
def started_servers(embedded_source: Source) -> Iterator[Servers]:
    """A PostgreSQL and a Redis of one's own, for as long as the block lasts; for tests that change what all would share."""
    folder = Path(tempfile.mkdtemp(prefix="dirigent-tests-"))
    folder.chmod(0o711)
    account = server_account()
    data = _room_for_databases() or folder
    cluster = Cluster(data / "postgres", find_postgres(embedded_source, account, folder / "bin"), account, PASSWORD)
    queue = Queue(folder / "redis", find_redis(embedded_source, account, folder / "bin"), account, PASSWORD)
    postgres_port, redis_port = free_port(), free_port()
    # Nothing in the data folder will be needed again: no checkpoint at the end.
    postgres = Child(replace(cluster.program(postgres_port, folder / "postgres.log"), stop_signal=signal.SIGQUIT))
    redis_child = Child(queue.program(redis_port, folder / "redis.log"))

    async def start() -> None:
        queue.make()
        await asyncio.gather(cluster.make(sync=False), redis_child.start())
        await postgres.start()

    async def stop() -> None:
        await asyncio.gather(postgres.stop(), redis_child.stop())

    loop = _Loop()
    try:
        loop.run(start())
        yield Servers(
            admin_url=f"postgresql+asyncpg://{SUPERUSER}:{PASSWORD}@127.0.0.1:{postgres_port}/postgres",
            redis_url=f"redis://:{PASSWORD}@127.0.0.1:{redis_port}/0",
            folder=folder,
        )
    finally:
        loop.run(stop())
        loop.close()
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _room_for_databases() -> Path | None:
    """A folder in memory, where there is enough of it: a database made there takes a tenth of the time, one removed a hundredth."""
    if not MEMORY.is_dir():
        return None
    for left in MEMORY.glob("dirigent-tests-*"):
        if not Path(f"/proc/{left.name.split('-')[2]}").exists():  # of a run that was killed
            shutil.rmtree(left, ignore_errors=True)
    if min(shutil.disk_usage(MEMORY).free, _available_memory()) < ROOM:
        return None
    folder = Path(tempfile.mkdtemp(prefix=f"dirigent-tests-{os.getpid()}-", dir=MEMORY))
    folder.chmod(0o711)
    return folder


def _available_memory() -> int:
    """In bytes, as Linux counts it."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


class Copies:
    """Makes databases for tests as copies of the migrated ones, and drops them behind the tests' backs, many at a time.

    Each drop asks for a checkpoint, which on a disk is dear the first time and nearly free right after another one.
    """

    def __init__(self, admin_url: str, templates: dict[str, Access]) -> None:
        self._templates = templates
        self._maker = _Connection(admin_url)
        self._dropper = _Connection(admin_url)
        self._leftover: list[str] = []

    def make(self, service: str) -> Access:
        name = f"test_{service}_{secrets.token_hex(4)}"
        template = self._templates[service]
        self._maker.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{names.database_name(service)}" OWNER "{names.OWNER}" STRATEGY wal_log'
        ).result()
        return Access(app=address(template.app, database=name), owner=address(template.owner, database=name))

    def drop(self, access: Access) -> None:
        self._leftover.append(urlsplit(access.app).path.removeprefix("/"))
        if len(self._leftover) >= DROPPED_TOGETHER:
            for name in self._leftover:
                self._dropper.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            self._leftover.clear()

    def close(self) -> None:
        self._maker.close()
        self._dropper.close()


class _Connection:
    """A connection in a thread of its own, usable beside a running event loop and without waiting."""

    def __init__(self, url: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="databases")
        self._loop = _Loop()
        self._waiting: deque[Future[None]] = deque(maxlen=2 * DROPPED_TOGETHER)
        self._connection = self._thread.submit(self._loop.run, self._connect(url)).result()

    async def _connect(self, url: str) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(dsn(url))

    def execute(self, statement: str) -> Future[None]:
        waiting = self._thread.submit(self._execute, statement)
        self._waiting.append(waiting)
        return waiting

    def _execute(self, statement: str) -> None:
        self._loop.run(self._connection.execute(statement))

    def close(self) -> None:
        """Forget what is still waiting: the whole data folder goes away next."""
        for statement in self._waiting:
            statement.cancel()
        self._thread.submit(self._loop.run, self._connection.close()).result()
        self._thread.submit(self._loop.close).result()
        self._thread.shutdown()


@pytest.fixture(scope="session")
def copies(servers: Servers) -> Iterator[Copies]:
    templates = embedded_access(servers.admin_url, owner_password=PASSWORD, app_passwords=dict.fromkeys(SERVICES, PASSWORD))

    async def prepare() -> None:
        await provision(servers.admin_url, templates)
        await migrate(templates)
        # A machine that stands still for a moment, as shared ones do, is not what any test is about.
        connection = await asyncpg.connect(dsn(servers.admin_url))
        for access in templates.values():
            await connection.execute(f"ALTER ROLE \"{access.app_role}\" SET idle_in_transaction_session_timeout = '1min'")
        await connection.close()

    loop = _Loop()
    loop.run(prepare())
    loop.close()
    made = Copies(servers.admin_url, templates)
    yield made
    made.close()


@pytest.fixture
def new_database(copies: Copies) -> Iterator[Callable[[str], Access]]:
    made: dict[str, Access] = {}

    def get(service: str) -> Access:
        if service not in made:
            made[service] = copies.make(service)
        return made[service]

    yield get
    for access in made.values():
        copies.drop(access)


@pytest.fixture
def planning_database(new_database: Callable[[str], Access]) -> str:
    return new_database("planning").app


@pytest.fixture
def billing_database(new_database: Callable[[str], Access]) -> str:
    return new_database("billing").app


@pytest.fixture
def notifications_database(new_database: Callable[[str], Access]) -> str:
    return new_database("notifications").app


@pytest.fixture
def gateway_database(new_database: Callable[[str], Access]) -> str:
    return new_database("gateway").app


@pytest.fixture
def databases(new_database: Callable[[str], Access]) -> dict[str, Access]:
    return {service: new_database(service) for service in SERVICES}


@pytest.fixture
def redis_url(servers: Servers) -> str:
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    return servers.redis_url


@pytest.fixture
def settings_environment(databases: dict[str, Access], redis_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    variables = {f"DIRIGENT_{service.upper()}_DATABASE_URL": access.app for service, access in databases.items()}
    variables |= {"DIRIGENT_REDIS_URL": redis_url, "DIRIGENT_SERVICE_KEY": "0123456789abcdef" * 4, "DIRIGENT_ENVIRONMENT": "demo"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
