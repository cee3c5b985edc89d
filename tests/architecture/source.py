"""The repository as the architecture tests read it: files as text, Python as syntax trees.

A rule is a function from one module to the places that break it. Every rule is tried twice: on the whole product, where it must find
nothing, and on a few made-up lines that break it, so that no rule can pass because it never looks.
"""

import ast
import os
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SERVICES: Final = ("planning", "billing", "notifications", "gateway")
PRODUCT: Final = ("shared", "services", "dirigent")
_NOT_OURS: Final = frozenset({".git", ".venv", ".dirigent", "data", "__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path below the root, written with slashes, and its tree."""

    path: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its import name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def layer(self) -> str:
        """`api` of services/billing/api/months.py, `worker` of services/billing/worker.py; empty outside the services."""
        parts = self.path.removesuffix(".py").split("/")
        return parts[2] if parts[0] == "services" and len(parts) > 2 else ""


Rule = Callable[[Module], Iterable[str]]


def module(path: str, text: str) -> Module:
    """A made-up module at a path, for trying a rule."""
    return Module(path, ast.parse(textwrap.dedent(text)))


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository, whether or not it is committed yet; no environments, data or caches."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in _NOT_OURS and not name.endswith(("_cache", ".egg-info", ".hypothesis"))]
        found.extend(Path(folder, name) for name in names)
    return tuple(sorted(found))


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python module below some top folders, by default those of the product."""
    wanted = folders or PRODUCT
    return tuple(
        Module(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in wanted
    )


def broken(rule: Rule, among: Iterable[Module]) -> list[str]:
    """Every place among some modules where a rule is broken."""
    return [f"{one.path}:{place}" for one in among for place in rule(one)]


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Everything a tree imports: line, module, and the name taken from it (empty for a plain import)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module or "", alias.name) for alias in node.names)


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the name it calls by: `f` of f(), `commit` of connection.commit()."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, called_name(node.func)


def called_name(function: ast.expr) -> str:
    """The last part of the name a call uses."""
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def dotted(expression: ast.expr) -> str:
    """`datetime.now` of an attribute chain; empty when it does not begin with a plain name."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    return ".".join([expression.id, *reversed(parts)]) if isinstance(expression, ast.Name) else ""


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, wherever it stands."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
