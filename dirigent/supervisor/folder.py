"""The data folder: which one, whether it can be used, and that only one Dirigent uses it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from dirigent.embedded.account import Account, can_enter, own_account, server_account
from dirigent.failure import CannotStart

_REPOSITORY: Final = Path(__file__).resolve().parents[2]
_BESIDE: Final = _REPOSITORY / "data"
_ELSEWHERE: Final = Path("/var/lib/dirigent")
_MEGABYTE: Final = 1_000_000
_ROOM_FOR_NEW: Final = 400 * _MEGABYTE
_ROOM_FOR_OLD: Final = 100 * _MEGABYTE
_LOCK: Final = "dirigent.lock"
_ANOTHER: Final = "choose another with --data or DIRIGENT_DATA"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Everything one Dirigent keeps on disk, by name."""

    path: Path

    @property
    def secrets(self) -> Path:
        """Passwords and the service key."""
        return self.path / "secrets.json"

    @property
    def signing_keys(self) -> Path:
        """Private keys for access tokens."""
        return self.path / "keys" / "signing.json"

    @property
    def token_keys(self) -> Path:
        """Public keys for access tokens."""
        return self.path / "keys" / "public.json"

    @property
    def postgres(self) -> Path:
        """The embedded database."""
        return self.path / "postgres"

    @property
    def addresses(self) -> Path:
        """The databases of the running system, for programs beside it; with passwords, for its owner only."""
        return self.path / "addresses.json"

    @property
    def paper(self) -> Path:
        """Each ward's list for the hours when nothing can be reached; persons stand in it, so only its owner reads it."""
        return self.path / "paper"

    @property
    def programs(self) -> Path:
        """Copies of programs that the embedded servers' account cannot reach where they are."""
        return self.path / "bin"

    def log(self, name: str) -> Path:
        """The log of one child."""
        return self.path / "logs" / f"{name}.log"

    def prepare(self, *, account: Account) -> None:
        """Make the folder and check that everything needed can be done in it.

        Raises:
            CannotStart: It cannot be made, written, entered by the embedded servers, or has too little room.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Open to pass through when the servers below belong to somebody else, closed otherwise.
            self.path.chmod(0o700 if account == own_account() else 0o711)
            for name in ("logs", "keys", self.paper.name):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise CannotStart(f"the data folder {self.path} cannot be used: {error.strerror}; {_ANOTHER}") from None
        needed = _ROOM_FOR_OLD if self.postgres.exists() else _ROOM_FOR_NEW
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise CannotStart(f"only {free // _MEGABYTE} MB free in {self.path}, at least {needed // _MEGABYTE} MB are needed")
        if account != own_account() and not can_enter(account, self.path):
            raise CannotStart(f"the user that PostgreSQL runs as (uid {account.uid}) cannot enter the data folder {self.path}; {_ANOTHER}")

    def running_at(self) -> str | None:
        """The public address of the Dirigent that holds the folder, as it has written into the lock; none when nothing holds it."""
        try:
            holder = (self.path / _LOCK).read_text(encoding="utf-8").split()
        except OSError:
            return None
        return next((word for word in holder if "://" in word), None)

    @contextlib.contextmanager
    def lock(self) -> Iterator[IO[str]]:
        """Hold the folder for this process; yields the file to write who holds it into.

        The lock dies with the process, however it ends.

        Raises:
            CannotStart: Another Dirigent holds it.
        """
        with (self.path / _LOCK).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                holder = file.read().strip() or "starting"
                raise CannotStart(f"already running in {self.path}: {holder}; stop it with Ctrl-C first") from None
            file.truncate(0)
            try:
                yield file
            finally:
                file.truncate(0)


def default_folder() -> DataFolder:
    """`data` in the repository, or for root, when its servers could not enter that, a folder below /var/lib."""
    if os.geteuid() != 0 or can_enter(server_account(), _REPOSITORY):
        return DataFolder(_BESIDE)
    mark = hashlib.sha256(os.fsencode(_REPOSITORY)).hexdigest()[:8]
    return DataFolder(_ELSEWHERE / f"{_REPOSITORY.name}-{mark}")


def why_elsewhere(folder: DataFolder) -> str | None:
    """One line for the operator when the data are not in `data` though nobody chose another folder."""
    if folder.path.parent != _ELSEWHERE:
        return None
    return f"data go to {folder.path}: PostgreSQL does not run as root, and its user cannot enter {_REPOSITORY}"


def chosen_folder(given: Path | None) -> DataFolder:
    """The folder named on the command line or by DIRIGENT_DATA, else the default one."""
    named = given or (Path(os.environ["DIRIGENT_DATA"]) if os.environ.get("DIRIGENT_DATA") else None)
    return DataFolder(named.expanduser().resolve()) if named else default_folder()


def remove(folder: DataFolder) -> None:
    """Delete a data folder that nobody uses.

    Raises:
        CannotStart: A running Dirigent holds it.
    """
    if folder.path.exists():
        with folder.lock():
            shutil.rmtree(folder.path)
    if folder.path.parent == _ELSEWHERE:
        # Ours as well, unless the data of another checkout are in it.
        with contextlib.suppress(OSError):
            _ELSEWHERE.rmdir()


if __name__ == "__main__":
    # For `make clean`, which must find the same folder that `make run` used.
    try:
        remove(chosen_folder(None))
    except CannotStart as failure:
        sys.exit(f"dirigent: {failure}")
