"""Which of our own processes there are, in few or in many, and what each is told through its environment."""

import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dirigent.databases import SERVICES, Access
from dirigent.embedded.account import own_account
from dirigent.embedded.program import Program
from dirigent.supervisor.folder import DataFolder
from dirigent.supervisor.probe import is_ready
from dirigent.supervisor.sockets import LOOPBACK, listen, reached_at, url_of

INNER_SERVICES: Final = ("planning", "billing", "notifications")
PAPER_VARIABLE: Final = "DIRIGENT_PLANNING_PAPER_FOLDER"
_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_HEALTH: Final = "/health/ready"
# What only migrations and the provisioning may know.
_NOT_FOR_CHILDREN: Final = ("DIRIGENT_DATABASE_URL", *(f"DIRIGENT_{service.upper()}_OWNER_URL" for service in SERVICES))


@dataclass(frozen=True, slots=True)
class Process:
    """One of our own processes: an api with its listeners, or a worker."""

    kind: str
    services: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the child: `api` and `worker`, or `api-planning` and so on."""
        return self.kind if len(self.services) > 1 else f"{self.kind}-{self.services[0]}"

    @property
    def inner(self) -> tuple[str, ...]:
        """The services behind the gateway in this process."""
        return tuple(service for service in self.services if service != "gateway")


TOGETHER: Final = (Process("api", ("gateway", *INNER_SERVICES)), Process("worker", INNER_SERVICES))
SPLIT: Final = (
    *(Process("api", (service,)) for service in ("gateway", *INNER_SERVICES)),
    *(Process("worker", (service,)) for service in INNER_SERVICES),
)


class Listeners:
    """The public socket and one internal socket per api process that has services behind the gateway."""

    def __init__(self, processes: tuple[Process, ...], host: str, port: int) -> None:
        self.public = listen(host, port)
        self.internal: dict[str, socket.socket] = {
            process.name: listen(LOOPBACK, 0) for process in processes if process.kind == "api" and process.inner
        }
        self.internal_urls = {
            service: f"{url_of(self.internal[process.name])}/{service}"
            for process in processes
            if process.kind == "api"
            for service in process.inner
        }

    def close(self) -> None:
        """Close every socket."""
        for opened in (self.public, *self.internal.values()):
            opened.close()


@dataclass(frozen=True, kw_only=True)
class Composition:
    """Everything that is settled before the first of our own processes starts."""

    folder: DataFolder
    listeners: Listeners
    databases: Mapping[str, Access]
    redis_url: str
    service_key: str
    person_keys: Mapping[str, str]
    public_url: str
    environment: str
    split: bool

    def base_environment(self) -> dict[str, str]:
        """What every process of ours is told; the rest of the caller's environment stays as it is."""
        return inherited_environment() | {
            "DIRIGENT_REDIS_URL": self.redis_url,
            "DIRIGENT_SERVICE_KEY": self.service_key,
            "DIRIGENT_TOKEN_KEYS_FILE": str(self.folder.token_keys),
            "DIRIGENT_PUBLIC_URL": self.public_url,
            "DIRIGENT_ENVIRONMENT": self.environment,
            **self.person_keys,
            PAPER_VARIABLE: os.environ.get(PAPER_VARIABLE) or str(self.folder.paper),
            **{f"DIRIGENT_{service.upper()}_DATABASE_URL": access.app for service, access in self.databases.items()},
            **{f"DIRIGENT_{service.upper()}_URL": url for service, url in self.listeners.internal_urls.items()},
        }

    def migration_environment(self) -> dict[str, str]:
        """The same with the owners' addresses, for migrations alone."""
        owners = {f"DIRIGENT_{service.upper()}_OWNER_URL": access.owner for service, access in self.databases.items()}
        return self.base_environment() | owners

    def program(self, process: Process) -> Program:
        """One of our own processes as a child to supervise."""
        environment = self.base_environment()
        # A process knows the databases of its own services and of no other.
        for service in SERVICES:
            if service not in process.services:
                del environment[f"DIRIGENT_{service.upper()}_DATABASE_URL"]
        if "planning" not in process.services:  # nor does anybody else know who the patients are
            for name in self.person_keys:
                del environment[name]
        if "gateway" in process.services:
            environment["DIRIGENT_SIGNING_KEY_FILE"] = str(self.folder.signing_keys)
            environment["DIRIGENT_GATEWAY_UPSTREAMS"] = "http" if self.split else "inprocess"
        sockets: dict[str, socket.socket] = {}
        if process.kind == "api" and "gateway" in process.services:
            sockets["--public"] = self.listeners.public
        if process.name in self.listeners.internal:
            sockets["--internal"] = self.listeners.internal[process.name]
        arguments = [part for option, opened in sockets.items() for part in (option, f"fd:{opened.fileno()}")]
        program = Program(
            name=process.name,
            argv=python("dirigent.process", process.kind, *process.services, *arguments),
            folder=self.folder.path,
            account=own_account(),
            environment=environment,
            log=self.folder.log(process.name),
            pass_fds=tuple(opened.fileno() for opened in sockets.values()),
        )
        probe = self._probe(process)
        return replace(program, is_ready=probe) if probe else program

    def _probe(self, process: Process) -> Callable[[int], Awaitable[bool]] | None:
        """How to see that an api process is ready; a worker has no listener, so that it runs must be enough."""
        if process.kind != "api":
            return None
        public = "gateway" in process.services
        host, port = reached_at(self.listeners.public if public else self.listeners.internal[process.name])
        path = _HEALTH if public else f"/{process.inner[0]}{_HEALTH}"

        async def probe(_pid: int) -> bool:
            return await is_ready(host, port, path)

        return probe


def inherited_environment() -> dict[str, str]:
    """The caller's environment, less what children may not know, and with our modules on the import path."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN}
    return inherited | {"PYTHONPATH": str(_REPOSITORY), "PYTHONUNBUFFERED": "1"}


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line that runs a module of ours; -P keeps the working folder off the import path."""
    return (sys.executable, "-P", "-m", module, *arguments)
