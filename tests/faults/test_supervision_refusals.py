"""What stands in the way of a start is told in one line; a traceback is a defect."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dirigent.embedded.programs import Source
from tests.faults.upping import Up, processes_in, refused
from tests.servers import PASSWORD, Servers, started_servers


@pytest.fixture(scope="module")
def up(open_folder: Path) -> Iterator[Up]:
    with Up(open_folder) as started:
        yield started


def test_a_second_start_in_the_same_folder_names_the_first(up: Up) -> None:
    said = refused("up", "--data", str(up.folder), "--port", "0")
    assert said == f"already running in {up.folder}: pid {up.process.pid}, {up.url}; stop it with Ctrl-C first"


def test_a_port_in_use_is_named_before_anything_is_started(up: Up, fresh: Path) -> None:
    port = str(urlsplit(up.url).port)
    said = refused("up", "--data", str(fresh), "--port", port)
    assert said == f"port {port} on 127.0.0.1: Address already in use; choose another with --port or DIRIGENT_PORT"
    assert not (fresh / "postgres").exists()


def test_a_folder_that_cannot_be_made_or_written_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        # Mode bits do not stop root; the kernel's own file systems do.
        closed = Path("/sys")
    else:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
    said = refused("up", "--data", str(closed / "data"), "--port", "0")
    assert said.startswith(f"the data folder {closed / 'data'} cannot be used: ")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    assert "cannot be used" in refused("up", "--data", str(tmp_path / "data"), "--port", "0")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run as somebody else")
def test_a_folder_that_the_servers_cannot_enter_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert "cannot enter the data folder" in refused("up", "--data", str(tmp_path / "data"), "--port", "0")


def test_a_database_folder_of_something_else_is_named_and_left_alone(fresh: Path) -> None:
    (fresh / "postgres").mkdir(parents=True)
    (fresh / "postgres" / "precious").touch()
    said = refused("up", "--data", str(fresh), "--port", "0")
    assert said.startswith(f"{fresh / 'postgres'} is not a PostgreSQL data folder")
    assert (fresh / "postgres" / "precious").exists()


def test_a_broken_database_is_told_in_the_database_s_own_words(fresh: Path) -> None:
    with Up(fresh):
        pass
    (fresh / "postgres" / "global" / "pg_control").write_bytes(b"")
    said = refused("up", "--data", str(fresh), "--port", "0")
    assert said.startswith("postgres does not start: ")
    assert "pg_control" in said
    assert processes_in(fresh) == {}


def test_secrets_that_cannot_be_read_are_never_replaced(fresh: Path) -> None:
    fresh.mkdir()
    (fresh / "secrets.json").write_text("{")
    assert "restore it from a backup" in refused("up", "--data", str(fresh), "--port", "0")
    assert (fresh / "secrets.json").read_text() == "{"


def test_an_unknown_choice_of_programs_is_told(fresh: Path) -> None:
    assert refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_EMBEDDED="docker").startswith("DIRIGENT_EMBEDDED must be one of")


@pytest.fixture(scope="module")
def operators(embedded_source: Source) -> Iterator[Servers]:
    """Servers apart from those of the other tests: a start changes their roles and databases."""
    with started_servers(embedded_source) as started:
        yield started


class TestServersOfTheOperator:
    """DIRIGENT_DATABASE_URL and DIRIGENT_REDIS_URL."""

    def test_a_wrong_password_is_told_without_showing_it(self, operators: Servers, fresh: Path) -> None:
        url = operators.admin_url.replace(PASSWORD, "not-the-password")
        said = refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_DATABASE_URL=url)
        assert said.startswith("PostgreSQL refuses the role or password for dirigent_admin@127.0.0.1:")
        assert "not-the-password" not in said

    def test_a_server_that_is_not_there_is_told(self, fresh: Path) -> None:
        with socket.socket() as taken:
            # Bound and not listening: nobody else can answer on it.
            taken.bind(("127.0.0.1", 0))
            url = f"postgresql://somebody:secret@127.0.0.1:{taken.getsockname()[1]}/postgres"
            said = refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_DATABASE_URL=url)
        assert "cannot be reached" in said
        assert "secret" not in said

    def test_an_address_that_is_none_is_told(self, fresh: Path) -> None:
        assert "must look like" in refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_DATABASE_URL="mysql://x@y/z")

    def test_databases_for_some_services_only_are_told(self, fresh: Path) -> None:
        said = refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_PLANNING_DATABASE_URL="postgresql://a:b@127.0.0.1/c")
        assert "DIRIGENT_BILLING_DATABASE_URL" in said

    def test_a_wrong_redis_password_is_told_without_showing_it(self, operators: Servers, fresh: Path) -> None:
        url = operators.redis_url.replace(PASSWORD, "not-the-password")
        said = refused("up", "--data", str(fresh), "--port", "0", DIRIGENT_DATABASE_URL=operators.admin_url, DIRIGENT_REDIS_URL=url)
        assert said.startswith("Redis at 127.0.0.1:")
        assert "not-the-password" not in said

    def test_with_both_given_nothing_is_embedded(self, operators: Servers, fresh: Path) -> None:
        variables = {"DIRIGENT_DATABASE_URL": operators.admin_url, "DIRIGENT_REDIS_URL": operators.redis_url}
        with Up(fresh, variables=variables):
            running = processes_in(fresh)
        assert len(running) == 2
        assert all("dirigent.process" in line for line in running.values())
        assert not (fresh / "postgres").exists()
