"""The embedded Redis or Valkey: loopback only, with a password, append-only file, never evicting."""

import asyncio
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dirigent.embedded.account import Account
from dirigent.embedded.program import Program
from dirigent.embedded.programs import RedisProgram

_CONFIGURATION: Final = """\
bind 127.0.0.1
protected-mode yes
dir .
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """One Redis data folder and the program, account and password that go with it."""

    folder: Path
    program_file: RedisProgram
    account: Account
    password: str

    def make(self) -> None:
        """Make the data folder."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.account.give(self.folder)

    def put_aside(self) -> None:
        """Keep data that the server cannot read under another name, in place of what was put aside before."""
        aside = self.folder.with_name(f"{self.folder.name}.unreadable")
        shutil.rmtree(aside, ignore_errors=True)
        self.folder.rename(aside)

    def program(self, port: int, log: Path) -> Program:
        """The server program as a child to supervise, on a loopback port."""

        async def write_configuration() -> None:
            # In a file that only its account reads: a password among the arguments would show in every process list.
            file = self.folder / "redis.conf"
            file.unlink(missing_ok=True)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as opened:
                opened.write(f"{_CONFIGURATION}port {port}\nrequirepass {self.password}\n")
            self.account.give(file)

        async def is_ready(_pid: int) -> bool:
            return await answers(port, self.password)

        return Program(
            name="redis",
            # Relative to its own folder: the configuration language cannot quote every path.
            argv=(str(self.program_file.path), "redis.conf"),
            folder=self.folder,
            account=self.account,
            environment={"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            log=log,
            before=write_configuration,
            is_ready=is_ready,
            death_signal=signal.SIGTERM,
        )


async def answers(port: int, password: str) -> bool:
    """Whether a Redis on a loopback port takes the password and has loaded its data."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"AUTH {password}\r\nPING\r\n".encode())
        async with asyncio.timeout(1):
            return await reader.readline() == b"+OK\r\n" and await reader.readline() == b"+PONG\r\n"
    except TimeoutError:
        return False
    finally:
        writer.close()
