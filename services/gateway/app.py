"""The gateway as an ASGI application: the door in front, our own few addresses behind it."""

import hashlib
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.types import ASGIApp

from services.gateway.admission import Admission
from services.gateway.auth import SigningKeys
from services.gateway.contract import DESCRIPTION, merge
from services.gateway.door import Door, Traffic
from services.gateway.health import health_routes, readiness
from services.gateway.issuers import ExternalTokens, read_issuers
from services.gateway.key_sources import KeySources
from services.gateway.limits import RateLimit
from services.gateway.proxies import TrustedProxies
from services.gateway.revocations import KnownRevocations, Watch, watching
from services.gateway.routes import RouteMap
from services.gateway.settings import Settings
from services.gateway.staff.opening import DEMO_ISSUER_PATH, DemoIssuer, open_staff
from services.gateway.tokens import token_routes
from services.gateway.upstreams import InProcess, OverHttp, Upstream, UpstreamUnavailable, fetch_json, open_session
from services.gateway.web.pages import pages
from shared.dates import now
from shared.db import Database, Role, keeping_time
from shared.http.access import ROUTES
from shared.http.app import install_problems
from shared.http.auth import TokenVerifier
from shared.http.conditional import caller_has
from shared.http.problems import HttpProblem

_DOCUMENT_SECONDS: Final = 5.0
_PROJECT: Final = Path(__file__).resolve().parents[2] / "pyproject.toml"


def create_app(
    settings: Settings | None = None, services: Mapping[str, ASGIApp] | None = None, demo_issuer: DemoIssuer | None = None
) -> FastAPI:
    """Build the gateway.

    Args:
        settings: What it must be told; None reads the environment.
        services: The services' applications by name, to forward to inside this process; their lifespans then run inside ours.
            None forwards over HTTP to the addresses in the settings.
        demo_issuer: What the staff of a demo sign in through, served below `/demo-issuer`.

    Raises:
        ValueError: The settings want the services in this process and none are given, or the signing keys are unusable.
    """
    settings = settings or Settings()
    if services is None and settings.upstreams == "inprocess":
        raise ValueError("DIRIGENT_GATEWAY_UPSTREAMS=inprocess needs the services in this process")
    keys = SigningKeys.load(settings.signing_key_file, settings.public_url)
    verifier = TokenVerifier(keys.key_set(), issuer=settings.public_url)
    sources, proxies = KeySources(settings.allowed_key_origins), TrustedProxies(settings.trusted_proxies)
    known = KnownRevocations()
    registry = CollectorRegistry()
    upstreams: dict[str, Upstream] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = Database(settings.database_url.get_secret_value(), role=Role.APP, pool_size=2, overflow=4, application="gateway")
            stack.push_async_callback(database.close)
            await database.refuse_unsafe()
            app.state.database = database
            await stack.enter_async_context(keeping_time(database))
            stack.push_async_callback(staff.session.aclose)
            await stack.enter_async_context(watching(Watch(database, settings.direct_url, known, forget, staff.presence.look_again)))
            upstreams.update(await _open_upstreams(stack, settings, services))
            yield

    app = FastAPI(
        title="Dirigent",
        description=DESCRIPTION,
        version=_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        redirect_slashes=False,  # the address it redirects to would be of the caller's choosing
    )
    contract = Contract(app, upstreams, settings.public_url)
    visitors = ExternalTokens(
        read_issuers(settings.issuers_file),
        sources=sources,
        signing=keys,
        verifier=verifier,
        database=lambda: app.state.database,
        clock=now,
        demo=settings.environment == "demo",
    )

    def forget(client_id: str) -> None:
        verifier.drop(client_id)
        visitors.drop(client_id)

    async def state() -> dict[str, str]:
        return await readiness(app.state.database, upstreams)

    app.include_router(token_routes(settings, keys, sources, proxies))
    app.include_router(health_routes(upstreams, registry))
    app.include_router(pages(contract.read, state, public_url=settings.public_url, demo=settings.environment == "demo"))
    app.add_api_route("/openapi.json", contract.answer, include_in_schema=False)
    failures = RateLimit(settings.failures_per_second, settings.failures_burst)
    staff = open_staff(settings, lambda: app.state.database, keys, verifier, failures, proxies=proxies, demo=demo_issuer)
    app.include_router(staff.routes)
    if demo_issuer is not None:
        app.mount(DEMO_ISSUER_PATH, demo_issuer.app)
    app.add_middleware(
        Door,
        routes=RouteMap(ROUTES),
        upstreams=upstreams,
        admission=Admission(
            verifier,
            known,
            failures=failures,
            proxies=proxies,
            visitors=visitors,
            identify=staff.presence.identify,
        ),
        rate=RateLimit(settings.rate_per_second, settings.rate_burst),
        traffic=Traffic(registry),
    )
    install_problems(app, settings.public_url)
    return app


async def _open_upstreams(stack: AsyncExitStack, settings: Settings, services: Mapping[str, ASGIApp] | None) -> dict[str, Upstream]:
    if services is None:
        session = await stack.enter_async_context(open_session())
        return {name: OverHttp(url, session, settings.upstream_timeout) for name, url in settings.upstream_urls().items()}
    for service in services.values():
        if isinstance(service, Starlette):  # mounted or called applications do not get their lifespan run by anybody else
            await stack.enter_async_context(service.router.lifespan_context(service))
    return {name: InProcess(service) for name, service in services.items()}


def build_document(gateway: FastAPI, services: Mapping[str, FastAPI], public_url: str) -> dict[str, Any]:
    """The one OpenAPI document, built without starting anything."""
    documents = {"gateway": gateway.openapi(), **{name: service.openapi() for name, service in services.items()}}
    return merge(documents, ROUTES, public_url, _version())


class Contract:
    """The one OpenAPI document of a running gateway: asked of every service once, then kept."""

    def __init__(self, gateway: FastAPI, upstreams: Mapping[str, Upstream], public_url: str) -> None:
        self._gateway = gateway
        self._upstreams = upstreams
        self._public_url = public_url
        self._document: dict[str, Any] = {}

    async def read(self) -> dict[str, Any]:
        """The document.

        Raises:
            HttpProblem: 503 while a service that was never asked cannot be.
        """
        if not self._document:
            documents = {"gateway": self._gateway.openapi()}
            try:
                for name, upstream in self._upstreams.items():
                    documents[name] = await fetch_json(upstream, "/openapi.json", _DOCUMENT_SECONDS)
            except UpstreamUnavailable as error:
                raise HttpProblem("service.unavailable", headers={"Retry-After": "1"}) from error
            self._document = merge(documents, ROUTES, self._public_url, _version())
        return self._document

    async def answer(self, request: Request) -> Response:
        """The document as JSON, with an ETag."""
        body = msgspec.json.encode(await self.read())
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if caller_has(request, tag):
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, media_type="application/json", headers={"ETag": tag, "Cache-Control": "no-cache"})


def _version() -> str:
    try:
        return version("dirigent")
    except PackageNotFoundError:  # started from its folder, never installed
        return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
