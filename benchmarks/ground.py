"""What a measurement stands on: a durable PostgreSQL and a Redis of its own, a migrated planning database, the demo county, tokens."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from dirigent.county.load import load_county
from dirigent.databases import Access, embedded_access, provision
from dirigent.embedded.account import server_account
from dirigent.embedded.postgres import SUPERUSER, Cluster
from dirigent.embedded.programs import find_postgres, find_redis
from dirigent.embedded.redis import Queue
from dirigent.migrate import migrate
from dirigent.secrets_store import fresh_person_keys
from dirigent.supervisor.child import Child
from dirigent.supervisor.layout import inherited_environment
from dirigent.supervisor.probe import is_ready
from dirigent.supervisor.sockets import LOOPBACK, free_port
from dirigent.supervisor.system import embedded_source
from services.planning.usecases import DirectoryEntries, MailboxAt, Organisation, Unit, load_directory
from shared.db import Database
from shared.identifiers import uuid7

PUBLIC_URL: Final = "http://dirigent.benchmark"
POOL: Final = 20
"""Connections of the api process: as many as help the baseline most; the gathered intake needs one."""
_PASSWORD: Final = "only-for-benchmarks"
_KID: Final = "benchmark"
_HOUR: Final = 3_600
_READY_WITHIN: Final = 30.0
_POLL: Final = 0.05


@dataclass(frozen=True)
class Ground:
    """The running servers, the planning database on them, and the key that signs tokens."""

    folder: Path
    programs: Path
    planning: Access
    environment: Mapping[str, str]
    key: ECKey
    access: Mapping[str, Access]

    def token(self, client: str, scopes: Iterable[str], *, organisation: str, units: Iterable[str], role: str, **claims: str) -> str:
        """A token as the gateway would sign it, good for the whole measurement."""
        at = int(time.time())
        whose = {"sub": client, "org": organisation, "units": list(units), "scope": " ".join(scopes), "role": role}
        body = whose | claims | {"iss": PUBLIC_URL, "aud": PUBLIC_URL, "iat": at, "exp": at + _HOUR, "jti": str(uuid7())}
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": _KID}, body, self.key, algorithms=["ES256"])

    def ward_token(self) -> str:
        """The token of a ward system that may speak for the whole region."""
        region = load_county().organisation
        return self.token("ward-benchmark", ["events:write"], organisation=region, units=[f"SE{region}-"], role="ward")


@asynccontextmanager
async def ground(*beside: str) -> AsyncIterator[Ground]:
    """Start both servers with the settings an operator gets (fsync on), migrate, enter the county; stop and remove everything after.

    Args:
        beside: Services whose databases are wanted as well as planning's; found in `access`.
    """
    folder = _new_folder()
    account, source = server_account(), embedded_source(None)
    postgres_programs = find_postgres(source, account, folder / "bin")
    cluster = Cluster(folder / "postgres", postgres_programs, account, _PASSWORD)
    queue = Queue(folder / "redis", find_redis(source, account, folder / "bin"), account, _PASSWORD)
    postgres_port, redis_port = free_port(), free_port()
    postgres = Child(cluster.program(postgres_port, folder / "postgres.log"))
    redis = Child(queue.program(redis_port, folder / "redis.log"))
    try:
        queue.make()
        await cluster.make()
        await asyncio.gather(postgres.start(), redis.start())
        admin = f"postgresql+asyncpg://{SUPERUSER}:{_PASSWORD}@127.0.0.1:{postgres_port}/postgres"
        access = embedded_access(admin, owner_password=_PASSWORD, app_passwords=_Same(_PASSWORD))
        wanted = {service: access[service] for service in ("planning", *beside)}
        await provision(admin, wanted)
        await migrate(wanted)
        await _enter_county(access["planning"].app)
        key = ECKey.generate_key("P-256", {"kid": _KID})
        keys_file = folder / "token-keys.json"
        keys_file.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
        environment = inherited_environment() | {
            "DIRIGENT_PLANNING_DATABASE_URL": access["planning"].app,
            "DIRIGENT_REDIS_URL": f"redis://:{_PASSWORD}@127.0.0.1:{redis_port}/0",
            # Nobody listens there: planning works without its neighbours, and asks for them in vain every few seconds.
            "DIRIGENT_BILLING_URL": f"http://{LOOPBACK}:9/billing",
            "DIRIGENT_PLANNING_POOL_SIZE": str(POOL),
            "DIRIGENT_PLANNING_POOL_OVERFLOW": "0",
            **_person_keys(),
            "DIRIGENT_SERVICE_KEY": secrets.token_hex(32),
            "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
            "DIRIGENT_TOKEN_KEYS_FILE": str(keys_file),
            "DIRIGENT_ENVIRONMENT": "demo",
            "DIRIGENT_LOG_LEVEL": "WARNING",
        }
        yield Ground(folder, postgres_programs.folder, access["planning"], environment, key, wanted)
    finally:
        await asyncio.gather(postgres.stop(), redis.stop())
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dirigent-benchmark-"))
    folder.chmod(0o711)  # the servers may run as another user
    return folder


class _Same(dict[str, str]):
    """One password for every service."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self._password = password

    def __missing__(self, _service: str) -> str:
        return self._password


async def _enter_county(url: str) -> None:
    county = load_county()
    entries = DirectoryEntries(
        organisations=[
            Organisation(county.organisation, county.name),
            *(Organisation(one.organisation, one.name, one.code) for one in county.municipalities),
        ],
        units=[
            *(Unit(ward.unit, county.organisation, ward.name, "ward") for hospital in county.hospitals for ward in hospital.wards),
            *(Unit(centre.unit, county.organisation, centre.name, "care_centre") for centre in county.care_centres),
            *(Unit(one.unit, one.organisation, one.name, "municipal") for one in county.municipalities),
        ],
        mailboxes=[
            *(MailboxAt(one.unit, one.organisation, f"municipality:{one.code}", "municipality") for one in county.municipalities),
            *(MailboxAt(centre.unit, county.organisation, f"unit:{centre.unit}", "care_unit") for centre in county.care_centres),
        ],
    )
    database = Database(url, pool_size=1, overflow=0)
    async with database.transaction() as work:
        await load_directory(work, entries)
    await database.close()


@contextmanager
def program(ground: Ground, *arguments: str, log: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run one of our Python modules as a process of its own for the length of the block."""
    with (ground.folder / log).open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *arguments], env=dict(ground.environment), stdout=output, stderr=output, cwd=ground.folder
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=15)


async def until_ready(port: int, path: str, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Wait until an api process answers.

    Raises:
        RuntimeError: It ended instead.
        TimeoutError: It does not answer.
    """
    async with asyncio.timeout(_READY_WITHIN):
        while True:
            with suppress(OSError):
                if await is_ready(LOOPBACK, port, path):
                    return
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"a process of the measurement ended with exit code {process.returncode}")
            await asyncio.sleep(_POLL)


def _person_keys() -> dict[str, str]:
    """Keys for persons, of this run; this process knows them too, because it writes admissions for pgbench."""
    made = {f"DIRIGENT_PLANNING_{name.upper()}": value for name, value in fresh_person_keys().items()}
    os.environ.update(made)
    return made
