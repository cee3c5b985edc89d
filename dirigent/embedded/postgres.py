"""The embedded PostgreSQL: made with initdb, started as a direct child, known to be ready from its own pid file."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dirigent.embedded.account import Account
from dirigent.embedded.program import Program
from dirigent.embedded.programs import PostgresPrograms
from dirigent.failure import CannotStart

SUPERUSER: Final = "dirigent_admin"
_STATUS_LINE: Final = 7
_PREDECESSOR_ENDS_WITHIN: Final = 15.0
_ENVIRONMENT: Final = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    # A socket file has a path limit of 107 bytes that a deep data folder would break.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "max_logical_replication_workers": "0",
    "max_connections": "120",
    "shared_buffers": "16MB",
    "wal_buffers": "4MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # DETAIL and STATEMENT lines carry row values, and a person number must not reach a log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] %d ",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """One PostgreSQL data folder and the programs, account and superuser password that go with it."""

    folder: Path
    programs: PostgresPrograms
    account: Account
    password: str

    async def make(self, *, sync: bool = True) -> None:
        """Run initdb unless the data folder is there; a half-made one never gets the final name.

        Args:
            sync: False only for tests: without it the files may not be on disk for a while after this returns.

        Raises:
            CannotStart: initdb failed.
        """
        for leftover in self.folder.parent.glob(f"{self.folder.name}.part-*"):
            _remove(leftover)
        if self.folder.exists():
            return
        part = self.folder.with_name(f"{self.folder.name}.part-{secrets.token_hex(4)}")
        part.mkdir(mode=0o700)
        self.account.give(part)
        password_file = part.with_name(f"{part.name}.password")
        try:
            password_file.touch(mode=0o600)
            password_file.write_text(self.password)
            self.account.give(password_file)
            await self._initdb(part, password_file, sync=sync)
            part.rename(self.folder)
        finally:
            password_file.unlink(missing_ok=True)

    async def _initdb(self, part: Path, password_file: Path, *, sync: bool) -> None:
        process = await asyncio.create_subprocess_exec(
            *self.account.command(
                str(self.programs.folder / "initdb"),
                *("--pgdata", str(part), "--username", SUPERUSER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-instructions"),
                *(() if sync else ("--no-sync",)),
                death_signal=signal.SIGKILL,
            ),
            cwd=self.folder.parent,
            env=_ENVIRONMENT,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            shutil.rmtree(part, ignore_errors=True)
            raise
        if process.returncode != 0:
            shutil.rmtree(part, ignore_errors=True)
            raise CannotStart(f"PostgreSQL cannot make its data folder: {_reason(said.decode(errors='replace'))}")

    def program(self, port: int, log: Path) -> Program:
        """The server program as a child to supervise, on a loopback port."""
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(str(self.programs.folder / "postgres"), "-D", str(self.folder), "-p", str(port), *settings),
            folder=self.folder,
            account=self.account,
            environment=_ENVIRONMENT,
            log=log,
            before=self._clear_stale_pid_file,
            is_ready=self._is_ready,
            ready_within=60.0,
            # Fast shutdown: sessions are cut, everything is written, no recovery at the next start.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            stop_within=30.0,
        )

    @property
    def _pid_file(self) -> Path:
        return self.folder / "postmaster.pid"

    async def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file.read_text(errors="replace").splitlines()
        return len(lines) > _STATUS_LINE and lines[0].strip() == str(pid) and lines[_STATUS_LINE].strip() == "ready"

    async def _clear_stale_pid_file(self) -> None:
        """Remove the pid file of a server that is gone.

        PostgreSQL itself refuses to start when the pid in it now belongs to any process of the same user, which is usual in containers.
        A predecessor that is still on its way down (its supervisor was killed) is given time to end.
        """
        deadline = time.monotonic() + _PREDECESSOR_ENDS_WITHIN
        while (pid := self._running_predecessor()) is not None:
            if time.monotonic() > deadline:
                raise CannotStart(f"another PostgreSQL, pid {pid}, is running on {self.folder}")
            await asyncio.sleep(0.05)
        self._pid_file.unlink(missing_ok=True)

    def _running_predecessor(self) -> int | None:
        try:
            pid = int(self._pid_file.read_text(errors="replace").splitlines()[0])
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return None
        return pid if os.fsencode(self.folder) in arguments else None


def _remove(leftover: Path) -> None:
    """Remove what a killed start left: a folder, which its killed initdb may still be deleting too, or a file with a password."""
    if leftover.is_dir():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink(missing_ok=True)


def made_by(folder: Path) -> int | None:
    """The major version of PostgreSQL that made a data folder; None when there is no folder.

    Raises:
        CannotStart: The folder is there but is no PostgreSQL data folder.
    """
    if not folder.exists():
        return None
    try:
        return int((folder / "PG_VERSION").read_text())
    except (OSError, ValueError):
        raise CannotStart(f"{folder} is not a PostgreSQL data folder; move it away or choose another with --data") from None


def _reason(said: str) -> str:
    lines = [line for line in said.splitlines() if "error" in line.lower() or "fatal" in line.lower()]
    return (lines or said.strip().splitlines() or ["initdb said nothing"])[-1].strip()
