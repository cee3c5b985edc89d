"""Rule 10 of the house: small modules with telling names, annotations that can be read at run time, fakes written by hand."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source import ROOT, SERVICES, Module, broken, files, imports, module, modules

EVERYWHERE: Final = ("shared", "services", "dirigent", "tests", "benchmarks")
MOST_LINES: Final = 400
SAYS_NOTHING: Final = re.compile(r"(?:^|_)(?:utils?|helpers?|common|managers?|misc|base)(?:_|$)")
CLASS_SAYS_NOTHING: Final = re.compile(r"(?:Utils?|Helper|Manager)$")

SAME: Final = frozenset({"__init__", "domain", "usecases", "repository", "tables", "api", "consumers", "worker", "settings", "migrations"})
OWN: Final = {
    "planning": {
        "adapters": "HL7 v2 and FHIR R4 to and from the public events and views",
        "heartbeat": "that the service is up",
        "holidays": "for duty calendars",
        "indicator_terms": "the dated terms of the follow-up",
        "intake": "the gathered hot path",
        "statute": "the dated limits",
        "translation": "public words to those of the domain",
        "vault": "the keys that persons are sealed and found with",
    },
    "billing": {
        "agreements": "the dated numbers",
        "documents": "the forms of an issued document",
        "finance": "the dated accounts and interest rates",
        "translation": "facts of planning to the stay of the law",
    },
    "notifications": {
        "channels": "how a message leaves",
        "delivering": "one due attempt",
        "mail_channels": "how an e-mail leaves",
        "mailing": "one due e-mail",
        "sealing": "secrets at rest",
    },
    "gateway": {},
}
GATEWAY: Final = frozenset(
    {"__init__", "app", "auth", "routes", "upstreams", "limits", "web", "tables", "repository", "settings", "migrations"}
    | {"admission", "clients", "contract", "door", "endless", "granting", "health", "issuers", "key_sources", "proxies"}
    | {"revocations", "staff", "tokens", "wording"}
)


def too_long(one: Module) -> Iterator[str]:
    last = one.tree.body[-1].end_lineno if one.tree.body else 0
    if (last or 0) > MOST_LINES:
        yield f"{last} lines"


def named_nothing(one: Module) -> Iterator[str]:
    yield from (f" {part}" for part in one.path.removesuffix(".py").split("/") if SAYS_NOTHING.search(part))
    for node in ast.walk(one.tree):
        if isinstance(node, ast.ClassDef) and CLASS_SAYS_NOTHING.search(node.name):
            yield f"{node.lineno} {node.name}"


def annotations_hidden(one: Module) -> Iterator[str]:
    """SQLAlchemy, FastAPI and pydantic read annotations at run time."""
    yield from (f"{line} {name}" for line, name, _ in imports(one.tree) if name == "__future__")
    yield from (f"{line} {taken}" for line, _, taken in imports(one.tree) if taken == "TYPE_CHECKING")
    for node in ast.walk(one.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{node.lineno} imports relatively"


def patched(one: Module) -> Iterator[str]:
    """A fake is a small class written by hand for the protocol it stands in for."""
    for line, name, taken in imports(one.tree):
        if name in {"unittest.mock", "mock", "pytest_mock"} or (name, taken) == ("unittest", "mock"):
            yield f"{line} imports {name}"
    yield from (f"{node.lineno} mocker" for node in ast.walk(one.tree) if isinstance(node, ast.arg) and node.arg == "mocker")


def test_no_module_is_longer_than_400_lines() -> None:
    assert broken(too_long, modules(*EVERYWHERE)) == []
    assert list(too_long(module("services/billing/domain/charge.py", "x = 1\n" * (MOST_LINES + 1))))


def test_no_name_says_nothing() -> None:
    assert broken(named_nothing, modules(*EVERYWHERE)) == []


@pytest.mark.parametrize("path", ["shared/utils.py", "services/billing/helpers/days.py", "shared/date_utils.py", "shared/base.py"])
def test_a_name_that_says_nothing_is_seen(path: str) -> None:
    assert list(named_nothing(module(path, "")))
    assert list(named_nothing(module("shared/dates.py", "class DateManager: ...")))


def test_annotations_can_be_read_at_run_time() -> None:
    assert broken(annotations_hidden, modules(*EVERYWHERE)) == []


@pytest.mark.parametrize("line", ["from __future__ import annotations", "from typing import TYPE_CHECKING", "from . import tables"])
def test_an_annotation_that_cannot_is_seen(line: str) -> None:
    assert list(annotations_hidden(module("services/billing/api/months.py", line)))


def test_nothing_is_patched() -> None:
    assert broken(patched, modules("tests", "benchmarks")) == []


@pytest.mark.parametrize("line", ["from unittest.mock import patch", "from unittest import mock", "def test_x(mocker): ..."])
def test_a_patch_is_seen(line: str) -> None:
    assert list(patched(module("tests/unit/test_x.py", line)))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_file_names(service: str) -> None:
    present = {path.relative_to(ROOT / "services" / service).parts[0].removesuffix(".py") for path in _code_of(service)}
    expected = GATEWAY if service == "gateway" else SAME | set(OWN[service])
    assert present == expected


def _code_of(service: str) -> list[Path]:
    folder = ROOT / "services" / service
    return [path for path in files() if folder in path.parents and path.suffix in {".py", ".html", ".css"}]
