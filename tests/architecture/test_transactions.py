"""Rule 3 of the house: one use case is one transaction, it ends in one file, and no 2xx leaves before it has."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Final

import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant

from tests.architecture.source import Module, broken, calls, module, modules
from tests.architecture.web import applications, routes_of

ENDING: Final = frozenset({"begin", "commit", "rollback"})
MAY_END: Final = {
    "shared/db/database.py": "the one place",
    "dirigent/migrate.py": "the operator's own connection, before there is any service",
}


def ends_transactions(one: Module) -> Iterator[str]:
    """Calls that begin or end a transaction; a savepoint (`begin_nested`) ends none."""
    for node, name in calls(one.tree):
        if name in ENDING:
            yield f"{node.lineno} calls {name}()"


def opened_too_long(dependant: Dependant) -> list[str]:
    """Dependencies with an ending of their own that FastAPI would run only after the answer has left."""
    found = [opened_too_long(inner) for inner in dependant.dependencies]
    generator = inspect.isasyncgenfunction(dependant.call) or inspect.isgeneratorfunction(dependant.call)
    here = [getattr(dependant.call, "__qualname__", "?")] if generator and dependant.scope != "function" else []
    return here + [name for names in found for name in names]


def answers_too_early(app: FastAPI) -> list[str]:
    return [f"{route.path}: {name}" for route in routes_of(app.routes) for name in opened_too_long(route.dependant)]


def test_transactions_begin_and_end_in_one_file() -> None:
    ending = {place.partition(":")[0] for place in broken(ends_transactions, modules())}
    assert ending == set(MAY_END)


def test_a_commit_elsewhere_is_seen() -> None:
    text = "async def close(work):\n    await work.connection.commit()"
    assert list(ends_transactions(module("services/billing/usecases/closing.py", text)))


@pytest.mark.parametrize("service", ["planning", "billing", "notifications"])
def test_every_transaction_has_ended_before_its_answer_leaves(service: str) -> None:
    app = applications()[service]
    assert len(list(routes_of(app.routes))) > 5
    assert answers_too_early(app) == []


def test_a_transaction_of_the_wrong_scope_is_seen() -> None:
    async def opened() -> AsyncIterator[int]:
        yield 1

    app = FastAPI()

    @app.get("/late")
    async def late(work: Annotated[int, Depends(opened)]) -> int:
        return work

    @app.get("/right")
    async def right(work: Annotated[int, Depends(opened, scope="function")]) -> int:
        return work

    assert [place.partition(":")[0] for place in answers_too_early(app)] == ["/late"]
