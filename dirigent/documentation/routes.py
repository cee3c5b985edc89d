"""Which tests call which route: read from the text of the tests, where a call names a method and an address.

An address may be put together (`f"{path}/answer"`, where `path` was set in the same function) or end in what only one route ends in.
What a class of the tests calls is nobody's: who names the class need not make the call.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

Place = tuple[str, str]
"""A module and a function or class in it."""

OPEN: Final = "{}"
"""Stands for whatever a test puts into an address."""
_METHODS: Final = {"get": "GET", "read": "GET", "page": "GET", "post": "POST", "put": "PUT", "delete": "DELETE"}


class Called(NamedTuple):
    """A call as a test writes it: the address with `{}` where something is put in."""

    method: str
    address: str


def served(tree: ast.Module) -> Iterator[tuple[str, Called]]:
    """The handlers of a module that serves routes, each with the method and address of its decorator."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(attr=method), args=[ast.Constant(value=address), *_]) if method in _METHODS:
                        yield node.name, Called(_METHODS[method], str(address))


def calls(tree: ast.Module) -> Iterator[tuple[str, Called]]:
    """Every call of an address in the functions of a module of tests, with the function that makes it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            known = _addresses(node)
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call):
                    yield from ((node.name, called) for called in _called(inner, known))


def routes_called(called: Called, routes: Mapping[Called, Place]) -> list[Place]:
    """The handlers that a call reaches: the one of its address, or the only one whose address ends like it."""
    parts = _parts(called.address)
    begins = parts[0] != OPEN
    tail = parts if begins else parts[1:]
    if not tail or tail[0] == OPEN:
        return []
    fitting: defaultdict[int, list[Place]] = defaultdict(list)
    for route, handler in routes.items():
        theirs = _parts(route.address)
        if route.method == called.method and _alike(theirs if begins else theirs[-len(tail) :], tail):
            fitting[sum(part.startswith("{") for part in theirs)].append(handler)
    closest = fitting[min(fitting)] if fitting else []
    return closest if begins or (len(fitting) == 1 and len(closest) == 1) else []


def _alike(route: list[str], called: list[str]) -> bool:
    return len(route) == len(called) and all(
        mine == theirs or (mine.startswith("{") and bool(theirs)) for mine, theirs in zip(route, called, strict=True)
    )


def _parts(address: str) -> list[str]:
    return address.partition("?")[0].strip("/").split("/")


def _addresses(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str]:
    """The addresses that the function keeps in a name."""
    known: dict[str, str] = {}
    for node in ast.walk(function):
        for target, value in _kept(node):
            written = _written(value, known)
            if isinstance(target, ast.Name) and written is not None and written.startswith(("/v1/", f"{OPEN}/")):
                known[target.id] = written
    return known


def _kept(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value


def _written(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """An expression as the text it makes, `{}` for what is not known; none when it makes no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(_piece(piece, known) for piece in node.values)
    return None


def _piece(node: ast.expr, known: Mapping[str, str]) -> str:
    if isinstance(node, ast.FormattedValue):
        return (known.get(node.value.id) if isinstance(node.value, ast.Name) else None) or OPEN
    return str(node.value) if isinstance(node, ast.Constant) else OPEN


def _called(call: ast.Call, known: Mapping[str, str]) -> Iterator[Called]:
    written = [text for argument in call.args if (text := _written(argument, known)) is not None]
    named = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    method = next((text for text in written if text in _METHODS.values()), _METHODS.get(named))
    if method is not None:
        yield from (Called(method, text) for text in written if text.startswith(("/v1/", f"{OPEN}/")))


def routes_of(services: Mapping[str, ast.Module]) -> dict[Called, Place]:
    """Every route of the services with its handler: module and function."""
    return {called: (module, handler) for module, tree in services.items() for handler, called in served(tree)}


def callers_over_http(tests: Mapping[str, ast.Module], routes: Mapping[Called, Place]) -> dict[Place, set[Place]]:
    """The functions of tests that call each handler over HTTP, module and function on both sides."""
    found: defaultdict[Place, set[Place]] = defaultdict(set)
    for module, tree in tests.items():
        for function, called in calls(tree):
            for handler in routes_called(called, routes):
                found[handler].add((module, function))
    return dict(found)
