"""Rule 5 of the house, first half: the numbers of law and agreement are dated data with unit, mark and source; no code holds one."""

import ast
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.architecture.source import ROOT, Module, broken, called_name, module, modules

HARMLESS: Final = frozenset({-1, 0, 1, 2})
TECHNICAL: Final = {
    ("services/billing/domain/deadlines.py", 5): "Saturday, as Python counts the days of a week",
    ("services/billing/domain/identity.py", 6): "decimals of a fraction that is only shown",
    ("services/billing/domain/identity.py", 10): "base of those decimals",
    ("services/billing/domain/interest.py", 100): "from per cent to a share",
    ("services/billing/domain/lowest.py", 4): "how often the machine goes round the undecided disputes at most",
    ("services/billing/domain/pricing.py", 10): "base of the decimals that an agreement rounds to",
    ("services/billing/domain/retelling.py", 16): "how many rule books are remembered as text",
    ("services/billing/domain/wording.py", 10): "base of decimals that are only shown",
}
MARKS: Final = frozenset({"L", "A", "D"})
WITHOUT_MARK: Final = frozenset({"first", "last", "days"})  # days: each holiday, under the one mark of its table


def literals(one: Module) -> Iterator[tuple[int, int | float | str]]:
    """Every number in a module, also one written as a string for Fraction, Decimal or Money."""
    for node in ast.walk(one.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            yield node.lineno, node.value
        elif isinstance(node, ast.Call) and called_name(node.func) in {"Fraction", "Decimal", "of_kronor"}:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.lineno, argument.value


def numbers(one: Module) -> Iterator[str]:
    """Numbers that may be numbers of the law."""
    for line, value in literals(one):
        if value not in HARMLESS and (one.path, value) not in TECHNICAL:
            yield f"{line} holds {value!r}"


def unmarked(value: Any, place: str = "") -> Iterator[str]:
    """Values of a data file that stand alone: every number, choice or truth value needs its unit, mark and source beside it."""
    if isinstance(value, dict) and "value" in value:
        if value.get("mark") not in MARKS or not value.get("unit") or not value.get("source"):
            yield place
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in WITHOUT_MARK:
                yield from unmarked(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from unmarked(inner, place)
    elif isinstance(value, int | float):
        yield place


def domain_of_billing() -> list[Module]:
    return [one for one in modules("services") if one.path.startswith("services/billing/domain/")]


def test_billing_code_holds_no_number_of_the_law() -> None:
    assert len(domain_of_billing()) > 10
    assert broken(numbers, domain_of_billing()) == []


@pytest.mark.parametrize(
    "line",
    ["FREE = 3", "limit = timedelta(hours=24)", "noon = time(12, 0)", "threshold = Fraction('3.0')", "price = Decimal('8200')", "n > 7"],
)
def test_a_number_of_the_law_in_code_is_seen(line: str) -> None:
    assert list(numbers(module("services/billing/domain/charge.py", line)))


def test_no_exception_has_outlived_its_number() -> None:
    held = {(one.path, value) for one in domain_of_billing() for _, value in literals(one)}
    assert set(TECHNICAL) <= held


def test_every_number_shipped_says_unit_mark_and_source() -> None:
    paths = list((ROOT / "services").rglob("*.toml"))
    assert len(paths) > 3
    found = [f"{path.name}{place}" for path in paths for place in unmarked(tomllib.loads(path.read_text(encoding="utf-8")))]
    assert found == []


@pytest.mark.parametrize(
    "text",
    ["free_days = 3", "free_days = { value = 3, unit = 'days', mark = 'L' }", "x = { value = 1, unit = 'd', mark = 'Q', source = 's' }"],
)
def test_a_number_without_unit_mark_or_source_is_seen(text: str) -> None:
    assert list(unmarked(tomllib.loads(text)))
