"""Rule 4 of the house: routers, actors and workers are shells. They parse, call one function and render; they neither decide nor query."""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.source import Module, broken, calls, dotted, functions, module, modules

METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
SHELLS: Final = frozenset({"api", "consumers", "worker", "app", "tokens", "routes", "web"})
NO_QUERIES: Final = SHELLS | {"usecases", "domain"}
_SQL: Final = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s", re.IGNORECASE)


def is_handler(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it answers a route: `@router.get(...)` and its like stand above it."""
    return any(
        isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.func.attr in METHODS
        for decorator in function.decorator_list
    )


def is_guard(branch: ast.If) -> bool:
    """Whether a branch only ends the handler early, or only writes a header of the answer: neither is a business decision."""
    if branch.orelse:
        return False
    last = branch.body[-1]
    if isinstance(last, ast.Raise | ast.Return):
        return True
    return isinstance(last, ast.Assign) and all(
        isinstance(target, ast.Subscript) and dotted(target.value) == "response.headers" for target in last.targets
    )


def deciding(one: Module) -> Iterator[str]:
    """Branches of handlers that are no guards, and loops that could hide one."""
    for handler in filter(is_handler, functions(one.tree)):
        for node in ast.walk(handler):
            if (isinstance(node, ast.If) and not is_guard(node)) or isinstance(node, ast.While | ast.Match):
                yield f"{node.lineno} {handler.name}() decides something"


def querying(one: Module) -> Iterator[str]:
    """SQL, or a statement sent to the database."""
    for call, name in calls(one.tree):
        if name in {"execute", "scalar", "scalars", "exec_driver_sql"} and isinstance(call.func, ast.Attribute):
            yield f"{call.lineno} sends a statement"
    for node in ast.walk(one.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value):
            yield f"{node.lineno} holds SQL"


def test_handlers_parse_call_and_render() -> None:
    handlers = [function.name for one in modules("services") for function in functions(one.tree) if is_handler(function)]
    assert len(handlers) > 30
    assert broken(deciding, modules("services", "shared")) == []


@pytest.mark.parametrize(
    "body",
    [
        "if call.late:\n        days += 1\n    return days",
        "if call.late:\n        return 1\n    else:\n        return 2",
        "while call.more:\n        call.next()",
        "match call.kind:\n        case 1:\n            return 2",
    ],
)
def test_a_handler_that_decides_is_seen(body: str) -> None:
    assert list(deciding(module("services/billing/api/months.py", f"@router.post('/v1')\nasync def act(call):\n    {body}")))


def test_a_guard_is_no_decision() -> None:
    guard = "@router.get('/v1')\nasync def act(call, response):\n    if not call:\n        raise NotFound\n    if call.more:\n"
    assert not list(
        deciding(module("services/billing/api/months.py", f"{guard}        response.headers['Link'] = call.more\n    return call"))
    )


def test_only_repositories_query() -> None:
    queried = [one for one in modules("services") if one.layer in NO_QUERIES]
    assert len({one.layer for one in queried}) > 5
    assert broken(querying, queried) == []


@pytest.mark.parametrize("line", ["await work.connection.execute(wanted)", "WANTED = text('SELECT id FROM cases')"])
def test_a_query_elsewhere_is_seen(line: str) -> None:
    assert list(querying(module("services/planning/usecases/cases.py", f"async def read(work):\n    {line}")))
