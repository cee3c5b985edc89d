"""deploy/setup.sh with a made-up Python: what an interrupted setup left behind is never trusted."""

import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[3] / "deploy" / "setup.sh"
# A Python that is always new enough, makes environments of copies of itself, and notes what it is asked to install.
PYTHON = """#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *"pip install"*) echo "$*" >>installed; [ ! -e broken ] ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing in it but the script and its lock files."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(SETUP, tmp_path / "deploy")
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt"):
        (tmp_path / name).touch()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def set_up(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": str(checkout / "python")}
    return subprocess.run(["sh", "deploy/setup.sh"], cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_what_is_whole_is_left_alone(checkout: Path) -> None:
    assert set_up(checkout).returncode == 0
    (checkout / ".venv" / "kept").touch()
    again = set_up(checkout)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (checkout / ".venv" / "kept").exists()
    assert not (checkout / ".venv" / ".unfinished").exists()


def test_an_interrupted_setup_is_made_again_from_scratch(checkout: Path) -> None:
    set_up(checkout)
    (checkout / ".venv" / "half-written").touch()
    (checkout / ".venv" / ".unfinished").touch()
    installed = (checkout / "installed").read_text()
    again = set_up(checkout)
    assert again.returncode == 0
    assert "the last setup did not finish, making .venv again from scratch" in again.stdout
    assert not list((checkout / ".venv").glob("half-written"))
    assert not list(checkout.glob(".venv.old"))
    assert (checkout / "installed").read_text() == 2 * installed


def test_a_failed_installation_is_not_called_done(checkout: Path) -> None:
    (checkout / "broken").touch()
    failed = set_up(checkout)
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert (checkout / ".venv" / ".unfinished").exists()
    (checkout / "broken").unlink()
    assert "from scratch" in set_up(checkout).stdout
    assert not (checkout / ".venv" / ".unfinished").exists()


def test_a_setup_at_work_is_not_disturbed(checkout: Path) -> None:
    set_up(checkout)
    with subprocess.Popen(["sh", "-c", "read _", "setup.sh"], stdin=subprocess.PIPE) as other:
        (checkout / ".venv" / ".unfinished").write_text(f"{other.pid}\n")
        refused = set_up(checkout)
        other.communicate(b"\n")
    assert refused.returncode == 1
    assert f"another setup is at work here (process {other.pid})" in refused.stderr
    assert (checkout / ".venv" / ".unfinished").exists()
