"""A gateway on a real socket with the demo's provider or one that forges, and a browser in front of it."""

import asyncio
import base64
import hmac
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr

from dirigent.demo_issuer import demo_issuer
from services.gateway.app import create_app
from services.gateway.settings import Settings
from services.gateway.staff.issuers import Claims, Issuer, Issuers
from services.gateway.staff.opening import DemoIssuer
from shared.dates import now
from shared.http.auth import TokenVerifier
from tests.integration.gateway.parts import echoes, settings_for

REGION = "2321000131"
CITY = "2120001355"
COOKIE = "dirigent"
WARD = "SE2321000131-E000000000101"
ROLES = {"Sjuksköterska": "nurse", "Handläggare": "municipal_officer", "Attestant": "approver", "Loggranskare": "log_reviewer"}


@dataclass
class Stand:
    """A running gateway: its address, its settings, and what its services saw."""

    url: str
    settings: Settings
    services: dict[str, FastAPI]

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Every request that reached planning."""
        found: list[dict[str, Any]] = self.services["planning"].state.seen
        return found

    def browser(self) -> httpx.AsyncClient:
        """A browser with a cookie jar of its own; it follows nothing by itself."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, follow_redirects=False, timeout=10)


@asynccontextmanager
async def a_stand(
    database_url: str, folder: Path, provider: Callable[[str], DemoIssuer | None] | None = None, **changed: Any
) -> AsyncIterator[Stand]:
    """Serve on a free port of this machine; the provider is made for the address that it then has."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = settings_for(database_url, folder, **({"public_url": url} | changed))
    services = echoes()
    made = (provider or (lambda address: demo_issuer(address, "demo")))(url)
    app = create_app(settings, services, made)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="critical", timeout_graceful_shutdown=1, proxy_headers=False))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:
            assert not running.done(), "the server did not start"
            await asyncio.sleep(0.005)
        yield Stand(url, settings, services)
    finally:
        server.should_exit = True
        await running
        listening.close()


async def to_provider(browser: httpx.AsyncClient, key: str = "demo") -> str:
    """Begin to sign in; the address that the browser is sent to."""
    answer = await browser.get("/sign-in/start", params={"issuer": key})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def back_from_demo(browser: httpx.AsyncClient, person: str, address: str | None = None) -> str:
    """Choose a person at the demo's provider; the address that it sends the browser back to."""
    page = await browser.get(address or await to_provider(browser))
    found = re.search(rf'href="([^"]+/as/[^"/]+/{person})"', page.text)
    assert found is not None, page.text
    answer = await browser.get(found[1])
    assert answer.status_code == 303
    return answer.headers["location"]


async def sign_in(browser: httpx.AsyncClient, person: str) -> httpx.Response:
    """The whole way; the answer to the callback."""
    return await browser.get(await back_from_demo(browser, person))


def session_of(browser: httpx.AsyncClient) -> str:
    """The session id that a browser holds."""
    return next(cookie.value for cookie in browser.cookies.jar if cookie.name == COOKIE and cookie.value)


def ours(browser: httpx.AsyncClient) -> dict[str, str]:
    """What a browser sends with a form of our own page."""
    return {"Origin": str(browser.base_url).rstrip("/")}


@dataclass
class Forger:
    """A provider that says what the test wants. It redeems any code and notes what was sent."""

    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    issuer: str = ""
    nonce: str = ""
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    published: list[ECKey] = field(default_factory=list)
    discovery: dict[str, Any] = field(default_factory=dict)
    failing: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))

    def made_for(self, url: str) -> DemoIssuer:
        """This provider below an address."""
        self.issuer = f"{url}/demo-issuer"
        self.published = self.published or [self.key]
        app = FastAPI(dependencies=[Depends(self._fail)])
        app.add_api_route("/.well-known/openid-configuration", self._configuration)
        app.add_api_route("/jwks.json", self._keys)
        app.add_api_route("/token", self._token, methods=["POST"])
        issuer = Issuer(
            key="forger",
            name="Forger",
            issuer=self.issuer,
            client_id="dirigent",
            client_secret=SecretStr("not much of a secret"),
            organisations=frozenset({REGION, CITY}),
            roles=ROLES,
            claims=Claims(user="employeeHsaId", commissions="commissions"),
        )
        return DemoIssuer(app, Issuers(region=REGION, municipalities={CITY: "1480"}, issuer=(issuer,)))

    async def _fail(self, request: Request) -> None:
        """As a provider does that is overloaded: with an error, and as JSON."""
        if self.failing and request.url.path.endswith(self.failing):
            raise HTTPException(503)

    async def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks.json",
        } | self.discovery

    async def _keys(self) -> dict[str, Any]:
        return dict(KeySet([ECKey.import_key(key.as_dict(private=False)) for key in self.published]).as_dict(private=False))

    async def _token(self, request: Request) -> dict[str, Any]:
        self.forms.append(parse_qs((await request.body()).decode()))
        at = int(now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": "dirigent",
            "sub": "1",
            "iat": at,
            "exp": at + 300,
            "nonce": self.nonce,
            "name": "Anna Test",
            "employeeHsaId": "SE2321000131-P01",
            "commissions": [{"organisation": REGION, "units": [WARD], "role": ["Sjuksköterska"]}],
        } | {name: value(at) if callable(value) else value for name, value in self.claims.items()}
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": "one"} | self.header
        token = self.sign(header, claims) if self.sign else jwt.encode(header, claims, self.key, algorithms=["ES256"])
        return {"id_token": token}


async def forged(browser: httpx.AsyncClient, forger: Forger, **told: str) -> httpx.Response:
    """Sign in with the forger; the answer to the callback."""
    asked = parse_qs(urlsplit(await to_provider(browser, "forger")).query)
    forger.nonce = asked["nonce"][0]
    return await browser.get("/sign-in/callback", params={"code": "any", "state": asked["state"][0]} | told)


def unsigned(_header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token that nobody signed."""
    return f"{encoded({'alg': 'none'})}.{encoded(claims)}."


def signed_with_public_key(key: ECKey) -> Callable[[dict[str, Any], dict[str, Any]], str]:
    """HS256 with the public key as the shared secret; by hand, since the library refuses to."""

    def sign(_header: dict[str, Any], claims: dict[str, Any]) -> str:
        signed = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(claims)}"
        mac = hmac.digest(key.as_pem(private=False), signed.encode(), "sha256")
        return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    return sign


def encoded(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def caller_of(browser: httpx.AsyncClient, authorization: str) -> Any:
    keys = KeySet.import_key_set((await browser.get("/.well-known/jwks.json")).json())
    return TokenVerifier(keys, issuer=str(browser.base_url).rstrip("/")).verify(authorization)
