"""The command line: help comes without loading anything, a command is loaded when it is called."""

import subprocess
import sys

from typer.testing import CliRunner

from dirigent.cli import COMMANDS, build


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
