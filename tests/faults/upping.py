"""Starts `dirigent up` the way an operator does, as a program of its own, and looks at what it leaves in the process list."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from tests.patience import PATIENCE

REPOSITORY: Final = Path(__file__).resolve().parents[2]
READY: Final = "Dirigent is ready: "


def clean_environment(**variables: str) -> dict[str, str]:
    """What a fresh login has, and the choice of embedded programs that this test session runs with."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DIRIGENT_EMBEDDED") if name in os.environ}
    return kept | {"PYTHONPATH": str(REPOSITORY)} | variables


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "dirigent", *arguments]


def refused(*arguments: str, **variables: str) -> str:
    """Run something that must not start, and give the one line it says."""
    ended = subprocess.run(
        command(*arguments), env=clean_environment(**variables), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    lines = ended.stderr.strip().splitlines()
    assert ended.returncode == 1, ended.stderr
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("dirigent: ")
    assert ended.stdout == ""
    return lines[0].removeprefix("dirigent: ")


def processes_in(folder: Path) -> dict[int, str]:
    """Every process that works in a data folder, as every child of ours does, with its command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink().is_relative_to(folder) and _alive(entry):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    return found


def _alive(entry: Path) -> bool:
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"


class Up:
    """A running `dirigent up`; leaving the block ends it in order if it still runs."""

    def __init__(self, folder: Path, *arguments: str, variables: Mapping[str, str] | None = None, nohup: bool = False) -> None:
        self.folder = folder
        self._hangup = signal.SIG_IGN if nohup else signal.SIG_DFL
        self._arguments = ("up", "--data", str(folder), "--port", "0", *arguments)
        self._variables = dict(variables or {})
        self.url = ""

    def __enter__(self) -> Self:
        self.begin()
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(READY):
                self.url = line.removeprefix(READY).split()[0]
                return self
        raise AssertionError(self.process.communicate()[1])

    def begin(self) -> None:
        """Start it without waiting; what a hang-up does is inherited, and the tests themselves may have been started with nohup."""
        hangup = signal.signal(signal.SIGHUP, self._hangup)
        try:
            self.process = subprocess.Popen(
                command(*self._arguments),
                env=clean_environment(**self._variables),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGHUP, hangup)

    def stop(self, *signals: signal.Signals) -> tuple[int, str]:
        """Ask it to end and wait; the exit code and what it said on stderr."""
        for number in signals:
            self.process.send_signal(number)
        said = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, said

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGINT)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
