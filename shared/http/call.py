"""What every handler starts from: the checked caller, the transaction, and a request whose JSON is read strictly."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from shared.db import Database, Work
from shared.http import strict_json
from shared.http.access import BY_TEMPLATE, Route
from shared.http.auth import Caller, TokenVerifier
from shared.http.policies import OF_THE_REGION, REGION_OFFICES
from shared.http.problems import HttpProblem
from shared.http.query import QueryForms, declared_query, refuse_odd_query

_KEY: Final = re.compile(r"[!-~]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request: who calls, its row of the route table, its id and its idempotency key."""

    caller: Caller
    route: Route
    request_id: str
    idempotency_key: str | None
    language: str | None


class StrictRequest(Request):
    """A request whose JSON body is read by our strict reader."""

    async def json(self) -> Any:  # as the class it extends
        """The body, decoded once."""
        if not hasattr(self, "_json"):
            self._json = await strict_json.read(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """The route class of every public router; a problem found while reading the body stays that problem."""

    query_forms: QueryForms

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Hand the request on as a strict one, its body already decoded where one is expected."""
        handler = super().get_route_handler()
        self.query_forms = declared_query(self.dependant)
        takes_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            checked = StrictRequest(request.scope, request.receive)
            if takes_body:
                await checked.json()
            return await handler(checked)

        return strict


class PlainRoute(APIRoute):
    """A route whose handler takes the request, gives the answer and needs nothing else of FastAPI than its documentation.

    For the hot path: solving dependencies that are not there costs a tenth of what a small request does.
    """

    query_forms: QueryForms

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler itself."""
        self.query_forms = declared_query(self.dependant)
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def check(request: Request) -> Call:
    """Check the token, and the caller's scope and role against the route table.

    Raises:
        HttpProblem: 401 without a valid token, 403 without scope or role, 400 for a query that is not as declared, and without a required
            or with an unusable key.
    """
    verifier: TokenVerifier = request.app.state.verifier
    caller = verifier.verify(request.headers.get("authorization"))
    served: StrictRoute | PlainRoute = request.scope["route"]
    route = BY_TEMPLATE[request.method, served.path]
    if not caller.scopes.intersection(route.scopes) or (route.roles and caller.role not in route.roles):
        raise HttpProblem("access.denied")
    if _claims_the_region(caller, route) and not caller.of_region:
        raise HttpProblem("access.denied")
    if request.scope["query_string"]:
        refuse_odd_query(request.scope["query_string"], served.query_forms)
    key = request.headers.get("idempotency-key")
    if key is None and route.idempotency_key:
        raise HttpProblem("idempotency.key_missing")
    if key is not None and not _KEY.fullmatch(key):
        raise HttpProblem("idempotency.key_missing")
    return Call(caller, route, request_id_of(request), key, request.headers.get("accept-language"))


def _claims_the_region(caller: Caller, route: Route) -> bool:
    """Whether the caller would see what the creditor sees: then it must be one of this region, whatever somebody registered."""
    return caller.role in REGION_OFFICES and route.policy in OF_THE_REGION


def request_id_of(request: Request) -> str:
    """The id of this request, as it stands in its answer and in the logs."""
    return str(request.scope.get("dirigent.request_id", ""))


async def _checked(request: Request) -> Call:
    return check(request)


Checked = Annotated[Call, Depends(_checked)]


async def _open_work(request: Request, call: Checked) -> AsyncIterator[Work]:
    database: Database = request.app.state.database
    async with database.transaction(reader=call.caller.reader) as work:
        yield work


Working = Annotated[Work, Depends(_open_work, scope="function")]
"""A transaction for the caller that has committed before the answer leaves (dependencies of scope `request` would commit after it)."""
