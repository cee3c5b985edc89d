"""Which user the embedded servers run as, and what that user can reach."""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dirigent.failure import CannotStart

LAUNCH: Final = Path(__file__).with_name("launch.py")
_NO_SIGNAL: Final = 0


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group that a child process runs as."""

    uid: int
    gid: int

    def give(self, path: Path) -> None:
        """Make this account the owner of a file or folder; only root has to."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def command(self, *program: str, death_signal: int = _NO_SIGNAL) -> list[str]:
        """The command line that runs a program as this account and ends it with its parent, which is this process."""
        user = f"{self.uid}:{self.gid}"
        return [sys.executable, "-I", "-S", str(LAUNCH), user, str(death_signal), str(os.getpid()), *program]


def own_account() -> Account:
    """The account this process runs as."""
    return Account(os.getuid(), os.getgid())


@cache
def server_account() -> Account:
    """The account of the embedded servers: the caller's, or for root an unprivileged one, because PostgreSQL refuses root.

    Raises:
        CannotStart: Root on a machine without the user `nobody`; initdb needs a user with a line in the user database.
    """
    if os.geteuid() != 0:
        return own_account()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart("PostgreSQL does not run as root and there is no user `nobody`; start Dirigent as an ordinary user") from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def output_of(account: Account, *program: str) -> str | None:
    """Run a short program as an account and return what it printed; None when it could not be run.

    Trying is the only honest probe of reachability: mode bits miss access lists, mounts and closed parent folders.
    """
    answer = subprocess.run(
        account.command(*program), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    return answer.stdout if answer.returncode == 0 else None


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account can make this folder its working folder."""
    return output_of(account, "/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)) is not None
