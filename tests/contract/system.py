"""The gateway with the real services behind it, in this process, on real databases: the whole public surface without a socket."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from services.billing.api import create_app as create_billing
from services.gateway.app import create_app as create_gateway
from services.notifications.api import create_app as create_notifications
from services.planning.api import create_app as create_planning
from shared.dates import now
from shared.db import Database
from shared.http.access import SCOPES, Route
from shared.identifiers import uuid7
from shared.streams.sequencer import number_staged
from tests.signing import a_key_set, public_half

PUBLIC_URL = "http://dirigent.test"
REGION = "2321000131"
PATIENCE: Final = 10.0
"""Seconds for one answer: no limit of speed, but whatever takes so long with nothing to do hangs."""
EXAMPLES = {"{month}": "2026-10", "{municipality}": "1480", "{number}": "2026-000017"}


class Hung(Exception):
    """A request that was not answered while anybody would wait."""


class Patient(httpx.ASGITransport):
    """Calls an application, and waits for each answer so long and no longer."""

    patience = PATIENCE

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and fail when nothing came of it, or only after a time in which nothing else could be answered either."""
        began = monotonic()
        try:
            async with asyncio.timeout(self.patience):
                answer = await super().handle_async_request(request)
        except TimeoutError as error:
            raise Hung(f"{request.method} {request.url.path}") from error
        if monotonic() - began > self.patience:
            raise Hung(f"{request.method} {request.url.path}: answered after {monotonic() - began:.1f} s")
        return answer


class System:
    """The applications, and the key that their gateway signs with."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        private = a_key_set()
        self.key = ECKey.import_key(private["keys"][0])
        files = {"SIGNING_KEY_FILE": private, "TOKEN_KEYS_FILE": public_half(private)}
        for name, content in files.items():
            (folder / name).write_text(json.dumps(content))
            monkeypatch.setenv(f"DIRIGENT_{name}", str(folder / name))
        monkeypatch.setenv("DIRIGENT_PUBLIC_URL", PUBLIC_URL)
        monkeypatch.setenv("DIRIGENT_GATEWAY_UPSTREAMS", "inprocess")
        self.services = {"planning": create_planning(), "billing": create_billing(), "notifications": create_notifications()}
        self.gateway: FastAPI = create_gateway(services=self.services)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the running gateway; what the applications raise becomes an answer."""
        async with self.gateway.router.lifespan_context(self.gateway), self.client() as client:
            yield client

    def client(self, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client of the gateway, calling from an address."""
        transport = Patient(self.gateway, raise_app_exceptions=False, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, trust_env=False, timeout=30)

    def database_url(self, service: str) -> str:
        """The address of a service's database, for what its workers do."""
        return os.environ[f"DIRIGENT_{service.upper()}_DATABASE_URL"]

    async def number(self, service: str) -> None:
        """Do a sequencer's work until nothing is staged: as a worker, not as the role of the API."""
        database = Database(self.database_url(service))
        while (moved := await number_staged(database)) is not None and moved.entries:
            pass
        await database.close()

    def token(self, scopes: Iterable[str] = SCOPES, header: dict[str, Any] | None = None, without: str | None = None, **claims: Any) -> str:
        """A token as the gateway signs it, or nearly so."""
        at = int(now().timestamp())
        stated = {
            "iss": PUBLIC_URL,
            "aud": PUBLIC_URL,
            "sub": "contract",
            "iat": at,
            "exp": at + 300,
            "jti": str(uuid7()),
            "org": REGION,
            "units": [f"SE{REGION}-"],
            "scope": " ".join(sorted(scopes)),
            "role": "controller",
        } | claims
        stated.pop(without or "", None)
        full = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid} | (header or {})
        return jwt.encode(full, stated, self.key, algorithms=["ES256"])


ENDLESS = frozenset({"/v1/stream"})
"""What goes on until somebody leaves, unless it is asked to end by itself."""


def path_of(route: Route, unknown: str = "01890a5d-ac96-774b-bcce-b302099a8057") -> str:
    """A well-formed path of a route, leading to nothing that exists."""
    path = route.path
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return "/".join(unknown if part.startswith("{") else part for part in path.split("/"))


def headers_of(route: Route, token: str) -> dict[str, str]:
    """What a careful client sends."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid7())}
    return headers | ({"Content-Type": route.content_types[0]} if route.method in {"POST", "PUT"} else {})
