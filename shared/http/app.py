"""How a service becomes an ASGI application: request ids, problems for every error, database and watcher for its lifetime."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.db import Database, Role, is_unavailable, keeping_time
from shared.errors import BusinessError, FieldError, Malformed
from shared.http.access import BATCH_BODY, BY_TEMPLATE
from shared.http.auth import TokenVerifier
from shared.http.call import request_id_of
from shared.http.field_codes import our_word
from shared.http.problems import HttpProblem, problem_response
from shared.http.settings import ServiceSettings
from shared.identifiers import uuid7
from shared.logging import mask
from shared.streams.internal import internal_router
from shared.streams.listener import FeedWatcher, Listener
from shared.streams.repair import NotAService
from shared.streams.runtime import keep

RawHeaders = list[tuple[bytes, bytes]]

_log = structlog.get_logger(__name__)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_BY_STATUS: Final = {
    400: "json.unreadable",
    401: "token.invalid",
    403: "access.denied",
    404: "not_found",
    405: "request.method",
    413: "request.too_large",
    415: "request.content_type",
}
_ERRORS_TOLD: Final = 20
_EXTRA: Final = "extra_forbidden"
DATABASE_AWAITED_SECONDS: Final = 30.0
RETRY_AFTER: Final = {"Retry-After": "1"}
ANSWER_HEADERS: Final = "dirigent.answer_headers"
"""Where in a request's scope stands what its answer says in its head, whoever gives it: the application, or who refuses on the way."""


def as_business_error(error: Exception) -> BusinessError:
    """The business word for any exception; what is not known becomes 503 when trying again may help, else 500."""
    match error:
        case BusinessError():
            return error
        case RequestValidationError():
            return _invalid_request(error)
        case HTTPException():
            headers = dict(error.headers or {})
            return HttpProblem(_BY_STATUS.get(error.status_code, "service.failed"), headers=headers)
        case NotAService():
            return HttpProblem("token.invalid", headers={"WWW-Authenticate": "Bearer"})
    return HttpProblem("service.unavailable", headers=RETRY_AFTER) if is_unavailable(error) else HttpProblem("service.failed")


def _invalid_request(error: RequestValidationError) -> BusinessError:
    """Where and what, never the value: FastAPI's own answer would echo a person number."""
    found = [_place_and_kind(item) for item in error.errors()[:_ERRORS_TOLD]]
    fields = tuple(FieldError(_pointer(where[1:]), what) for where, what in found)
    if all(where[0] == "body" for where, _ in found):
        return Malformed("request.malformed", errors=fields)
    problem = HttpProblem("request.parameter_invalid")
    problem.errors = fields
    return problem


def _place_and_kind(item: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """Where and what; the name of an unknown field is the caller's own text and may hold anything, so only its place is told."""
    place, kind = tuple(str(part) for part in item["loc"]), str(item["type"])
    code = our_word(kind, str(item.get("ctx", {}).get("error", "")))
    return (place[:-1] if kind == _EXTRA else place), code


def _pointer(where: Sequence[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in where)


class RequestIds:
    """Gives every request an id, in and out, and turns what nobody caught into a problem instead of a broken connection.

    Whoever serves a request may add to its `ANSWER_HEADERS`; a header that the answer has already stands.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) and mask(given) == given else str(uuid7())
        scope["dirigent.request_id"] = request_id
        more: RawHeaders = []
        scope[ANSWER_HEADERS] = more
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(raw=message["headers"])["x-request-id"] = request_id
                if more:
                    message = {**message, "headers": _with_more(message["headers"], more)}
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            if begun:
                raise
            business = as_business_error(error)
            if business.code == "service.failed":
                _log.exception("request.failed", request_id=request_id, error=type(error).__name__)
            elif business.code == "service.unavailable":
                _log.warning("request.unavailable", request_id=request_id, error=type(error).__name__)
            response = problem_response(
                business, public_url=self._public_url, request_id=request_id, accept_language=headers.get("accept-language")
            )
            await response(scope, receive, answer)


def _with_more(headers: RawHeaders, more: RawHeaders) -> RawHeaders:
    said = {name for name, _ in headers}
    return [*headers, *((name, value) for name, value in more if name not in said)]


def install_problems(app: FastAPI, public_url: str) -> None:
    """Answer every error of an application as a problem, and give every request an id."""

    async def handle(request: Request, error: Exception) -> Response:
        return problem_response(
            as_business_error(error),
            public_url=public_url,
            request_id=request_id_of(request),
            accept_language=request.headers.get("accept-language"),
        )

    for kind in (BusinessError, RequestValidationError, HTTPException, NotAService):
        app.add_exception_handler(kind, handle)
    app.add_middleware(RequestIds, public_url=public_url)


def create_service_app(name: str, title: str, settings: ServiceSettings, routers: Sequence[APIRouter]) -> FastAPI:
    """The application of one service: its public routes, its internal stream, its health.

    Raises:
        LookupError: A public route is missing in the route table, or belongs to another service there.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.database = Database(
            settings.database_url.get_secret_value(),
            role=Role.APP,
            pool_size=settings.pool_size,
            overflow=settings.pool_overflow,
            application=name,
            by_key=settings.by_key,
        )
        app.state.watcher = FeedWatcher()
        await _until_safe(app.state.database)
        listening = asyncio.create_task(keep(f"{name}.listener", Listener(settings.direct_url, {"feeds": app.state.watcher.told}).run))
        try:
            async with keeping_time(app.state.database):
                yield
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await app.state.database.close()

    app = FastAPI(title=title, docs_url=None, redoc_url=None, lifespan=lifespan, max_body_size=BATCH_BODY, redirect_slashes=False)
    app.state.settings = settings
    app.state.verifier = TokenVerifier.from_file(settings.token_keys_file, issuer=settings.public_url, region=settings.region)
    install_problems(app, settings.public_url)
    for router in routers:
        _check_table(name, router)
        # An included router is matched twice for every request; these have neither prefix nor dependencies to add.
        app.router.routes.extend(router.routes)
    app.include_router(internal_router(name, settings.service_key.get_secret_value()))
    app.include_router(_health())
    return app


async def _until_safe(database: Database) -> None:
    """Check the database before the first request; one that is just restarting is waited for."""
    deadline = asyncio.get_running_loop().time() + DATABASE_AWAITED_SECONDS
    while True:
        try:
            await database.refuse_unsafe()
        except Exception as error:
            if not is_unavailable(error) or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


def _check_table(name: str, router: APIRouter) -> None:
    for route in router.routes:
        for method in getattr(route, "methods", ()):
            row = BY_TEMPLATE.get((method, getattr(route, "path", "")))
            if row is None or row.service != name:
                raise LookupError(f"{method} {getattr(route, 'path', '')} of {name} is not in the route table")


def _health() -> APIRouter:
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @router.get("/ready")
    async def ready(request: Request) -> dict[str, str]:
        """The process can do its work: its database answers."""
        async with request.app.state.database.transaction():
            return {"status": "ready"}

    return router
