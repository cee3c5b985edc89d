"""The command line: help comes without loading anything, a command is loaded when it is called."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from dirigent.cli import COMMANDS, build
from dirigent.county.secrets import ensure_secrets

REPOSITORY = Path(__file__).resolve().parents[2]
DIRIGENT = [sys.executable, "-m", "dirigent"]


def test_help_names_every_command_with_its_purpose() -> None:
    shown = CliRunner().invoke(build(None), ["--help"]).output
    assert [name for name in COMMANDS if name not in shown] == []


def test_a_called_command_answers_for_itself() -> None:
    shown = CliRunner().invoke(build("up"), ["up", "--help"])
    assert shown.exit_code == 0
    assert "--split" in shown.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(build("fly"), ["fly"]).exit_code == 2


def test_help_loads_no_database_or_web_library() -> None:
    names = "'sqlalchemy', 'fastapi', 'asyncpg'"
    program = f"import sys; from dirigent.cli import build; build(None); print([name for name in ({names}) if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_reader_that_has_seen_enough_is_no_failure_to_tell_of() -> None:
    with subprocess.Popen([*DIRIGENT, "client", "list", "--demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
        assert listing.stdout
        assert listing.stderr
        listing.stdout.close()
        assert listing.stderr.read() == b""


def test_a_python_without_the_packages_is_told_which_one_has_them() -> None:
    # -S leaves out installed packages, as another Python would.
    bare = [sys.executable, "-S", "-m", "dirigent", "up"]
    ended = subprocess.run(bare, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": ""}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "use .venv/bin/python, made by make setup" in ended.stderr


def test_a_client_without_a_secret_in_the_demo_is_told_of_its_key_and_of_the_list(tmp_path: Path) -> None:
    ensure_secrets(tmp_path, ["finance"])
    ended = subprocess.run([*DIRIGENT, "token", "nix", "--data", str(tmp_path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("dirigent: nix is no client of the demo; give the key of another with --key, or see `")
    assert ended.stderr.endswith(" -m dirigent client list`\n")
