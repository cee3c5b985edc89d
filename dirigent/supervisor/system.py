"""One whole Dirigent: servers, databases, migrations, our own processes; started in order, stopped in the reverse order."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dirigent.databases import Access, embedded_access, provision
from dirigent.embedded.account import own_account, server_account
from dirigent.embedded.postgres import SUPERUSER, Cluster, made_by
from dirigent.embedded.program import Program
from dirigent.embedded.programs import Source, find_postgres, find_redis
from dirigent.embedded.redis import Queue
from dirigent.failure import CannotStart
from dirigent.secrets_store import Secrets, load_or_make, person_environment
from dirigent.supervisor.addresses import (
    REDIS_VARIABLE,
    external_databases,
    external_redis,
    named_databases,
    tell_addresses,
    told_addresses,
)
from dirigent.supervisor.child import Child
from dirigent.supervisor.folder import DataFolder, chosen_folder, why_elsewhere
from dirigent.supervisor.layout import SPLIT, TOGETHER, Composition, Listeners, inherited_environment, python
from dirigent.supervisor.sockets import LOOPBACK, free_port, url_of
from dirigent.supervisor.step import one_failure, run_step


def _to_stderr(line: str) -> None:
    print(f"dirigent: {line}", file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an operator can choose; None means: from the environment, else the default."""

    data: Path | None = None
    host: str = LOOPBACK
    port: int = 8080
    split: bool = False
    embedded: Source | None = None
    environment: str = "production"
    steps: Sequence[str] = ()
    """Modules to run to their end after the migrations and before the first of our processes, such as `dirigent.seed`."""
    say: Callable[[str], None] = _to_stderr


@dataclass(repr=False)
class System:
    """A running Dirigent. Holds addresses with passwords, so it does not show itself."""

    folder: DataFolder
    public_url: str
    internal_urls: Mapping[str, str]
    redis_url: str
    databases: Mapping[str, Access]
    environment: Mapping[str, str]
    _children: list[Child] = field(default_factory=list)

    @property
    def children(self) -> dict[str, int]:
        """The process id of every child that runs now, by name; a restarted one has another id under the same name."""
        return {child.name: child.pid for child in self._children if child.pid is not None}

    @property
    def starts(self) -> dict[str, int]:
        """How many times each child has been started."""
        return {child.name: child.starts for child in self._children}


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[System]:
    """Start everything, hand over the running system, and stop everything again, whatever happens in between.

    Raises:
        CannotStart: Something outside stands in the way; everything that was started has been stopped again.
    """
    folder = chosen_folder(options.data)
    own_servers = not (named_databases(os.environ) and os.environ.get(REDIS_VARIABLE))
    folder.prepare(account=server_account() if own_servers else own_account())
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(folder.lock())
        processes = SPLIT if options.split else TOGETHER
        listeners = Listeners(processes, options.host, options.port)
        stack.callback(listeners.close)
        print(f"pid {os.getpid()}, {url_of(listeners.public)}", file=lock, flush=True)
        # What a killed predecessor left would lead astray.
        folder.addresses.unlink(missing_ok=True)
        stack.callback(folder.addresses.unlink, missing_ok=True)
        boot = _Boot(folder, load_or_make(folder.secrets), embedded_source(options.embedded), options.say, stack)
        _tell_first_start(folder, options.say)
        with one_failure():
            async with asyncio.TaskGroup() as group:
                databases = group.create_task(boot.databases())
                redis_url = group.create_task(boot.redis())
                group.create_task(boot.signing_keys())
        composition = Composition(
            folder=folder,
            listeners=listeners,
            databases=databases.result(),
            redis_url=redis_url.result(),
            service_key=boot.secrets.service_key,
            person_keys=person_environment(boot.secrets),
            public_url=os.environ.get("DIRIGENT_PUBLIC_URL") or url_of(listeners.public),
            environment=options.environment,
            split=options.split,
        )
        tell_addresses(folder, composition.databases)
        await boot.step("dirigent.migrate", composition.migration_environment())
        for module in options.steps:
            await boot.step(module, composition.base_environment())
        # The apis stop first: they still hand work to the workers.
        await boot.start(*(composition.program(process) for process in processes if process.kind == "worker"))
        await boot.start(*(composition.program(process) for process in processes if process.kind == "api"))
        yield System(
            folder=folder,
            public_url=composition.public_url,
            internal_urls=listeners.internal_urls,
            redis_url=composition.redis_url,
            databases=composition.databases,
            environment=composition.base_environment(),
            _children=boot.children,
        )


@contextlib.asynccontextmanager
async def databases_of(options: Options) -> AsyncIterator[Mapping[str, Access]]:
    """The databases alone: those of the system that runs in the folder, else started for as long as the block lasts.

    Raises:
        CannotStart: There are none yet, or they cannot be reached.
    """
    folder = chosen_folder(options.data)
    if not folder.secrets.exists():
        raise CannotStart(f"nothing has run in {folder.path} yet")
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(folder.lock())
        except CannotStart:
            yield told_addresses(folder)
        else:
            boot = _Boot(folder, load_or_make(folder.secrets), embedded_source(options.embedded), options.say, stack)
            yield await boot.databases()


def _tell_first_start(folder: DataFolder, say: Callable[[str], None]) -> None:
    """A first start takes seconds in which nothing else would be seen."""
    if named_databases(os.environ) or folder.postgres.exists():
        return
    elsewhere = why_elsewhere(folder)
    if elsewhere:
        say(elsewhere)
    say("first start: starting PostgreSQL and Redis and making the databases, a few seconds")


def embedded_source(given: Source | None) -> Source:
    """Where embedded programs may come from: as given, else DIRIGENT_EMBEDDED, else anywhere.

    Raises:
        CannotStart: The variable holds another word.
    """
    named = os.environ.get("DIRIGENT_EMBEDDED", Source.AUTO)
    try:
        return given or Source(named)
    except ValueError:
        raise CannotStart(f"DIRIGENT_EMBEDDED must be one of {', '.join(Source)}") from None


class _Boot:
    """The parts of a start that know about each other only through what they return."""

    def __init__(self, folder: DataFolder, secrets: Secrets, embedded: Source, say: Callable[[str], None], stack: AsyncExitStack) -> None:
        self.secrets = secrets
        self.children: list[Child] = []
        self._folder = folder
        self._embedded = embedded
        self._say = say
        self._stack = stack

    async def start(self, *programs: Program) -> None:
        """Start children side by side; they stop when the stack unwinds, even when interrupted half started."""
        started = [Child(program, self._say) for program in programs]
        self.children.extend(started)

        async def stop() -> None:
            await asyncio.gather(*(child.stop() for child in started))

        self._stack.push_async_callback(stop)
        with one_failure():
            async with asyncio.TaskGroup() as group:
                for child in started:
                    group.create_task(child.start())

    async def step(self, module: str, environment: Mapping[str, str], *arguments: str) -> None:
        """Run one of our modules to its end."""
        log = self._folder.log(module.rpartition(".")[2])
        await run_step(python(module, *arguments), environment, folder=self._folder.path, log=log)

    async def databases(self) -> Mapping[str, Access]:
        """The four databases, on the operator's server or on our own."""
        if named_databases(os.environ):
            return await external_databases(os.environ, self.secrets)
        account = server_account()
        version = made_by(self._folder.postgres)
        programs = find_postgres(self._embedded, account, self._folder.programs, made_by=version)
        cluster = Cluster(self._folder.postgres, programs, account, self.secrets.postgres)
        await cluster.make()
        port = free_port()
        await self.start(cluster.program(port, self._folder.log("postgres")))
        admin = f"postgresql+asyncpg://{SUPERUSER}:{self.secrets.postgres}@{LOOPBACK}:{port}/postgres"
        access = embedded_access(admin, owner_password=self.secrets.owner, app_passwords=self.secrets.apps)
        await provision(admin, access)
        return access

    async def redis(self) -> str:
        """The queue, the operator's or our own."""
        named = os.environ.get(REDIS_VARIABLE)
        if named:
            return await external_redis(named)
        account = server_account()
        program = find_redis(self._embedded, account, self._folder.programs)
        queue = Queue(self._folder.path / program.store, program, account, self.secrets.redis)
        port = free_port()
        server = queue.program(port, self._folder.log("redis"))
        queue.make()
        try:
            await self.start(server)
        except CannotStart as failure:
            # Nothing is lost with it: whatever is missing on the queue is fetched from PostgreSQL.
            self._say(f"{failure}; its data are put aside, starting with an empty queue")
            queue.put_aside()
            queue.make()
            await self.start(server)
        return f"redis://:{self.secrets.redis}@{LOOPBACK}:{port}/0"

    async def signing_keys(self) -> None:
        """The key files, made by a program of its own the first time."""
        files = (self._folder.signing_keys, self._folder.token_keys)
        if not all(file.exists() for file in files):
            await self.step("dirigent.signing_keys", inherited_environment(), *(str(file) for file in files))
