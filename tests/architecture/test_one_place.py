"""One way to do each thing: the clock, the environment and Swedish days each have one place."""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.source import Module, broken, calls, dotted, imports, module, modules

CLOCKS: Final = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "datetime.datetime.now", "datetime.date.today"}
)
CLOCK: Final = frozenset({"shared/dates.py"})
# Beside the settings modules: the migrations learn the name of the app role from the program that runs them.
ENVIRONMENT: Final = frozenset({"shared/streams/migration.py"})
# The demo counts every month a second time, leaning on nothing of the product.
ZONES: Final = frozenset({"shared/dates.py", "dirigent/demo/story.py"})


def clocks(one: Module) -> Iterator[str]:
    """Who looks at the clock by itself; durations (`time.monotonic`, `perf_counter`) are no clock."""
    if one.path not in CLOCK:
        yield from (f"{node.lineno} {dotted(node.func)}()" for node, _ in calls(one.tree) if dotted(node.func) in CLOCKS)
        yield from (f"{line} from time import time" for line, name, taken in imports(one.tree) if (name, taken) == ("time", "time"))


def environment(one: Module) -> Iterator[str]:
    """Who reads the environment beside settings, the operator's programs and the migrations."""
    if one.path in ENVIRONMENT or one.path.startswith("dirigent/") or one.path.endswith("/settings.py"):
        return
    for node in ast.walk(one.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv", "os.environb"}:
            yield f"{node.lineno} reads the environment"
    yield from (f"{line} imports os.{taken}" for line, name, taken in imports(one.tree) if name == "os" and taken in {"environ", "getenv"})


def zones(one: Module) -> Iterator[str]:
    """Who converts between instants and Swedish days by itself."""
    if one.path not in ZONES:
        yield from (f"{line} imports zoneinfo" for line, name, _ in imports(one.tree) if name == "zoneinfo")


def test_there_is_one_clock() -> None:
    assert broken(clocks, modules()) == []


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "datetime.datetime.now()", "date.today()", "time.time()", "from time import time"])
def test_a_second_clock_is_seen(line: str) -> None:
    assert list(clocks(module("services/planning/usecases/cases.py", line)))


def test_only_settings_and_the_operator_read_the_environment() -> None:
    assert broken(environment, modules()) == []


@pytest.mark.parametrize("line", ["os.environ['DIRIGENT_DATA']", "os.getenv('HOME')", "from os import environ"])
def test_reading_the_environment_elsewhere_is_seen(line: str) -> None:
    assert list(environment(module("services/billing/usecases/rules.py", line)))


def test_one_module_converts_between_instants_and_swedish_days() -> None:
    assert broken(zones, modules()) == []
    assert list(zones(module("services/billing/domain/waiting.py", "from zoneinfo import ZoneInfo")))
