"""An OpenID provider just large enough for the demo: discovery, keys, authorization code with PKCE, an ID token."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from dirigent.county.load import load_county
from dirigent.county.model import County
from dirigent.demo_issuer.people import Person, staff_of
from services.gateway.staff.issuers import Claims, Issuer, Issuers
from services.gateway.staff.opening import DEMO_ISSUER_PATH, DemoIssuer
from services.gateway.staff.provider import is_loopback
from services.gateway.staff.roles import staff_roles
from services.gateway.staff.routes import CALLBACK, SIGN_IN
from services.gateway.web.pages import STYLE_PATH
from shared.dates import now
from shared.http.problems import language_of

CLIENT_ID: Final = "dirigent"
_ALGORITHM: Final = "ES256"
_CODE_LIFETIME: Final = timedelta(minutes=1)
_TOKEN_LIFETIME: Final = timedelta(minutes=5)
_ASKED_AT_ONCE: Final = 1_000
_FIELDS_LIMIT: Final = 20
_NAMED_HERE: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
_SAID_BY_PROXIES: Final = frozenset(
    {b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-server", b"x-real-ip"}
)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


Kept = TypeVar("Kept")


class NotHere(Exception):
    """Whoever asks lets everybody in as anybody; that is for a demo on one machine, and this is none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a client asked for when it sent the browser here."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


@dataclass(frozen=True, slots=True)
class _Code:
    asked: _Asked
    person: Person
    given_at: int


def demo_issuer(public_url: str, environment: str, county: County | None = None) -> DemoIssuer:
    """The provider for a demo that users reach under an address of this very machine.

    Raises:
        NotHere: It is no demo, or users reach it from elsewhere.
    """
    if environment != "demo" or not is_loopback(urlsplit(public_url).hostname):
        raise NotHere("the demo's issuer lets anybody in as anybody: it runs in a demo only, and on a loopback address only")
    county = county or load_county()
    secret = secrets.token_urlsafe(32)
    issuer = Issuer(
        key="demo",
        name="Demo: påhittad personal / made-up staff",
        issuer=f"{public_url}{DEMO_ISSUER_PATH}",
        client_id=CLIENT_ID,
        client_secret=SecretStr(secret),
        algorithms=(_ALGORITHM,),
        organisations=frozenset({county.organisation, *(one.organisation for one in county.municipalities)}),
        roles={key: key for key in staff_roles()},
        claims=Claims(commissions="commissions"),
    )
    municipalities = {one.organisation: one.code for one in county.municipalities}
    app = LoopbackOnly(_Provider(issuer.issuer, f"{public_url}{CALLBACK}", secret, staff_of(county)).app())
    return DemoIssuer(app, Issuers(region=county.organisation, municipalities=municipalities, issuer=(issuer,)))


class LoopbackOnly:
    """Answers this very machine; to everybody else there is nothing here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, if it comes from here and not through a proxy."""
        client, headers = scope.get("client"), scope.get("headers", ())
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        # The name too: a page elsewhere may have a name of its own lead here, and a proxy here passes on the one that users call.
        named_here = len(hosts) == 1 and _NAMED_HERE.fullmatch(hosts[0]) is not None
        if client is None or not is_loopback(str(client[0])) or not named_here or any(name in _SAID_BY_PROXIES for name, _ in headers):
            await Response(status_code=404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _Provider:
    """The provider itself. What it knows is in this process and gone with it."""

    def __init__(self, issuer: str, redirect_uri: str, secret: str, people: tuple[Person, ...]) -> None:
        self._issuer = issuer
        self._redirect_uri = redirect_uri
        self._secret = secret
        self._people = {person.key: person for person in people}
        self._key = ECKey.generate_key("P-256", {"use": "sig", "alg": _ALGORITHM}, private=True)
        self._key.ensure_kid()
        self._asked: dict[str, _Asked] = {}
        self._codes: dict[str, _Code] = {}

    def app(self) -> FastAPI:
        """Its addresses."""
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
        app.add_api_route("/.well-known/openid-configuration", self._configuration, methods=["GET"])
        app.add_api_route("/jwks.json", self._keys, methods=["GET"])
        app.add_api_route("/authorize", self._authorize, methods=["GET"])
        app.add_api_route("/as/{request_id}/{person}", self._choose, methods=["GET"])
        app.add_api_route("/token", self._token, methods=["POST"])
        return app

    async def _configuration(self) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._issuer}/authorize",
                "token_endpoint": f"{self._issuer}/token",
                "jwks_uri": f"{self._issuer}/jwks.json",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [_ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _keys(self) -> JSONResponse:
        return JSONResponse(KeySet([self._key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        told = dict(request.query_params)
        wanted = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self._redirect_uri,
            "code_challenge_method": "S256",
        }
        given = all(told.get(name) for name in ("state", "nonce", "code_challenge"))
        if any(told.get(name) != value for name, value in wanted.items()) or not given or "openid" not in told.get("scope", "").split():
            return Response("invalid_request", 400)
        request_id = secrets.token_urlsafe(16)
        _bounded(self._asked)[request_id] = _Asked(self._redirect_uri, told["state"], told["nonce"], told["code_challenge"])
        address = f"{self._issuer}/as/{request_id}"
        language = _language(told.get("ui_locales", ""), request)
        return _page("people.html", language, 200, people=self._people.values(), roles=staff_roles(), address=address)

    async def _choose(self, request: Request, request_id: str, person: str) -> Response:
        # Who clicks twice asks twice; what comes of the first is good once where it is redeemed.
        asked, chosen = self._asked.get(request_id), self._people.get(person)
        if asked is None or chosen is None:
            return _page("unknown.html", _language("", request), 400, sign_in=self._redirect_uri.removesuffix(CALLBACK) + SIGN_IN)
        code = secrets.token_urlsafe(32)
        _bounded(self._codes)[code] = _Code(asked, chosen, int(now().timestamp()))
        back = urlencode({"code": code, "state": asked.state, "iss": self._issuer})
        return RedirectResponse(f"{asked.redirect_uri}?{back}", 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    async def _token(self, request: Request) -> Response:
        if not self._is_our_client(request.headers.get("authorization", "")):
            return JSONResponse({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        form = dict(parse_qsl((await request.body()).decode("ascii", "replace"), max_num_fields=_FIELDS_LIMIT))
        # A code is good once, and gone also when the rest is wrong.
        code, at = self._codes.pop(form.get("code", ""), None), int(now().timestamp())
        if code is None or not _redeems(code, form, at):
            return JSONResponse({"error": "invalid_grant"}, 400)
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": self._id_token(code, at)}
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _id_token(self, code: _Code, at: int) -> str:
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": CLIENT_ID,
            "sub": code.person.key,
            "iat": at,
            "exp": at + int(_TOKEN_LIFETIME.total_seconds()),
            "auth_time": code.given_at,
            "nonce": code.asked.nonce,
            "name": code.person.name,
            "commissions": [commission.as_claim() for commission in code.person.commissions],
        }
        return jwt.encode({"alg": _ALGORITHM, "typ": "JWT", "kid": self._key.kid}, claims, self._key, algorithms=[_ALGORITHM])

    def _is_our_client(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
        except (binascii.Error, ValueError):
            return False
        right = hmac.compare_digest(unquote_plus(secret).encode(), self._secret.encode())
        return scheme.lower() == "basic" and unquote_plus(client_id) == CLIENT_ID and right


def _page(template: str, language: str, status: int, **values: Any) -> Response:
    return HTMLResponse(_templates.get_template(template).render(language=language, style=STYLE_PATH, **values), status, _HEADERS)


def _language(asked: str, request: Request) -> str:
    """The first of the languages asked for (`ui_locales`, OpenID Connect Core 3.1.2.1) that we speak, else what the browser prefers."""
    tags = [tag.partition("-")[0].lower() for tag in asked.split()]
    return next((tag for tag in tags if tag in {"sv", "en"}), language_of(request.headers.get("accept-language")))


def _redeems(code: _Code, form: Mapping[str, str], at: int) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode("utf-8", "replace")).digest()
    challenge = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
    return (
        form.get("grant_type") == "authorization_code"
        and form.get("redirect_uri") == code.asked.redirect_uri
        and hmac.compare_digest(challenge.encode(), code.asked.challenge.encode())
        and at - code.given_at <= _CODE_LIFETIME.total_seconds()
    )


def _bounded(kept: dict[str, Kept]) -> dict[str, Kept]:
    """Room for one more: the oldest goes."""
    if len(kept) >= _ASKED_AT_ONCE:
        del kept[next(iter(kept))]
    return kept
