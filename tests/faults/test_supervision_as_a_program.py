"""What an operator sees: whatever is stopped or killed leaves nothing behind, and the next start works."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from dirigent.embedded.account import server_account
from tests.faults.upping import Up, processes_in
from tests.patience import eventually

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks at processes through /proc")


@pytest.fixture(scope="module")
def own(open_folder: Path) -> Path:
    """One warm data folder for all tests here."""
    with Up(open_folder):
        pass
    return open_folder


def test_ctrl_c_pressed_three_times_stops_everything_in_order(own: Path) -> None:
    with Up(own) as up:
        assert len(processes_in(own)) > 3
        code, said = up.stop(signal.SIGINT, signal.SIGINT, signal.SIGINT)
    assert (code, said) == (0, "")
    assert processes_in(own) == {}
    assert "database system is shut down" in _postgres_log(own)


def test_a_lost_terminal_stops_everything_in_order(own: Path) -> None:
    with Up(own) as up:
        assert up.stop(signal.SIGHUP) == (0, "")
    assert processes_in(own) == {}


def test_started_with_nohup_it_outlives_its_terminal(own: Path) -> None:
    with Up(own, nohup=True) as up:
        up.process.send_signal(signal.SIGHUP)
        assert httpx.get(f"{up.url}/health/ready", trust_env=False).status_code == 200
        ignored = re.search(r"^SigIgn:\s*([0-9a-f]+)$", Path(f"/proc/{up.process.pid}/status").read_text(), re.MULTILINE)
        assert ignored
        assert int(ignored[1], 16) & (1 << (signal.SIGHUP - 1))
        assert up.stop(signal.SIGTERM) == (0, "")


def test_nothing_outlives_a_killed_supervisor_and_the_database_needs_no_recovery(own: Path) -> None:
    with Up(own) as up:
        assert len(processes_in(own)) > 3
        up.kill()
        eventually(lambda: not processes_in(own))
    _forget_log(own)
    with Up(own) as up:
        assert "not properly shut down" not in _postgres_log(own)
        assert up.stop(signal.SIGTERM) == (0, "")
    assert processes_in(own) == {}


@pytest.mark.parametrize("moment", [0.2, 0.6, 1.2])
def test_a_supervisor_killed_while_it_starts_does_not_spoil_the_next_start(own: Path, moment: float) -> None:
    fresh = own.with_name(f"killed after {moment}")
    killed = Up(fresh)
    killed.begin()
    with pytest.raises(subprocess.TimeoutExpired):
        killed.process.wait(moment)
    killed.kill()
    with Up(fresh) as up:
        assert up.url
    assert not list(fresh.glob("postgres.part-*"))
    shutil.rmtree(fresh)


def test_a_pid_file_that_names_a_stranger_is_put_aside(own: Path) -> None:
    # PostgreSQL alone would refuse: the pid is alive and belongs to its own user.
    with subprocess.Popen(server_account().command("/bin/sleep", "60")) as stranger:
        eventually(lambda: Path(f"/proc/{stranger.pid}/comm").read_text() == "sleep\n")
        (own / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{own / 'postgres'}\n0\n5432\n\n\n\nready\n")
        with Up(own) as up:
            assert up.url
        assert stranger.poll() is None
        stranger.kill()


def test_a_queue_that_cannot_be_read_is_put_aside_and_begun_anew(own: Path) -> None:
    damaged = [file for file in own.glob("*/appendonlydir/*.aof") if file.name.endswith(".incr.aof")]
    assert damaged
    for file in damaged:
        file.write_bytes(b"*1\r\n$5\r\nWRONG\r\nthis is no command\r\n" * 3)
    with Up(own) as up:
        _code, said = up.stop(signal.SIGINT)
    assert "its data are put aside, starting with an empty queue" in said
    assert len(said.splitlines()) == 1
    assert list(own.glob("*.unreadable/appendonlydir"))


def test_all_services_also_run_as_processes_of_their_own(own: Path) -> None:
    with Up(own, "--split") as up:
        programs = [line for line in processes_in(own).values() if "dirigent.process" in line]
        ready = httpx.get(f"{up.url}/health/ready", trust_env=False, timeout=30)
        assert up.stop(signal.SIGINT) == (0, "")
    assert len(programs) == 7
    assert ready.status_code == httpx.codes.OK
    assert processes_in(own) == {}


def _postgres_log(folder: Path) -> str:
    return (folder / "logs" / "postgres.log").read_text()


def _forget_log(folder: Path) -> None:
    (folder / "logs" / "postgres.log").unlink()
