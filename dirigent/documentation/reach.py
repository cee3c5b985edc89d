"""Which tests exercise a rule: those that call it, by themselves, through the nearest function that does, or over HTTP.

Read from the text alone: names in function bodies, followed through imports, and the addresses that tests call.
"""

import ast
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from dirigent.documentation.routes import Called, Place, callers_over_http, routes_of
from dirigent.documentation.sources import ROOT, python_files, tree_of

MODULE_LEVEL: Final = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """How tests reach a rule: the files they stand in, and the functions or routes they call when it is not the rule itself."""

    files: tuple[str, ...]
    through: tuple[str, ...]


def reached_by_tests(place: Place) -> Reached:
    """The tests nearest to a rule; no files when no test reaches it."""
    callers = _callers()
    waiting, seen = deque([(place, place, 0)]), {place}
    found: set[tuple[str, Place]] = set()
    nearest: int | None = None
    while waiting:
        here, called, hops = waiting.popleft()
        if nearest is not None and hops > nearest:
            break
        for caller in sorted(callers.get(here, frozenset()) - seen):
            seen.add(caller)
            if _is_test(caller):
                nearest = hops
                found.add((caller[0].replace(".", "/") + ".py", called))
            elif caller[0].startswith("tests."):
                waiting.appendleft((caller, called, hops))  # a builder of the tests is no step away from the rule
            else:
                waiting.append((caller, caller, hops + 1))
    served = {handler: called for called, handler in _routes().items()}
    through = {" ".join(served[called]) if called in served else called[1] for _, called in found if called != place}
    return Reached(tuple(sorted({file for file, _ in found})), tuple(sorted(through)))


def _is_test(place: Place) -> bool:
    return place[0].startswith("tests.") and place[1].startswith("test_")


@cache
def _callers() -> Mapping[Place, frozenset[Place]]:
    """Who names what, over the services and their tests, and which tests call which handler over HTTP."""
    files = {_module(path): path for path in (*python_files("services"), *python_files("tests"))}
    found: defaultdict[Place, set[Place]] = defaultdict(set)
    for module, path in files.items():
        tree = tree_of(path)
        names = _names(module, tree, files)
        for owner, used in _uses(tree):
            target = _resolve(used, module, names, files)
            if target is not None and target != (module, owner):
                found[target].add((module, owner))
    tests = {module: tree_of(path) for module, path in files.items() if module.startswith("tests.")}
    for handler, functions in callers_over_http(tests, _routes()).items():
        found[handler] |= functions
    return {place: frozenset(callers) for place, callers in found.items()}


@cache
def _routes() -> Mapping[Called, Place]:
    """Every route of the services with its handler."""
    services = {_module(path): tree_of(path) for path in python_files("services") if "/api" in path.as_posix()}
    return routes_of(services)


def _module(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _names(module: str, tree: ast.Module, files: Mapping[str, Path]) -> dict[str, Place]:
    """What the names of a module stand for: its own functions and classes, and what it imports."""
    names: dict[str, Place] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = (inner, MODULE_LEVEL) if inner in files else (node.module, alias.name)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names[node.name] = (module, node.name)
    return names


def _uses(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every name or attribute of a module that a function or class of another one names."""
    for node in tree.body:
        owner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else MODULE_LEVEL
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name):
                yield owner, inner.id
            elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                yield owner, f"{inner.value.id}.{inner.attr}"


def _resolve(used: str, module: str, names: Mapping[str, Place], files: Mapping[str, Path]) -> Place | None:
    first, _, attribute = used.partition(".")
    place = names.get(first)
    if place is not None and attribute:
        place = (place[0], attribute) if place[1] == MODULE_LEVEL else place
    while place is not None and place[0] in files and place[0] != module:  # a package may only hand a name on
        onward = _names(place[0], tree_of(files[place[0]]), files).get(place[1])
        if onward is None or onward == place:
            break
        place = onward
    return place
