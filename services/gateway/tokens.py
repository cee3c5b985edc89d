"""The token endpoint (RFC 6749 client credentials) and the public keys that its tokens are verified with."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.gateway.auth import TOKEN_LIFETIME, Grant, NotAuthenticated, SigningKeys, claimed_client
from services.gateway.granting import Asked, ScopeNotAllowed, grant_by_assertion, grant_by_secret
from services.gateway.key_sources import KeyNotSeenYet, KeySources
from services.gateway.proxies import TrustedProxies
from services.gateway.settings import Settings
from shared.dates import now
from shared.db import Database

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS_LIMIT: Final = 20
_UNCACHED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="dirigent", charset="UTF-8"'}

_CONTRACT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"const": "client_credentials"},
                        "scope": {"type": "string", "description": "Space separated; left out, the token carries all that the client has."},
                        "client_assertion_type": {"const": ASSERTION_TYPE},
                        "client_assertion": {
                            "type": "string",
                            "description": "A JWT signed with the client's own key (ES256): iss = sub = client id, aud = this address, "
                            "iat, exp at most five minutes ahead, and a jti that is used once.",
                        },
                    },
                },
            }
        },
    },
    "responses": {
        "200": {
            "description": "A token of five minutes.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["access_token", "token_type", "expires_in", "scope"],
                        "properties": {
                            "access_token": {"type": "string"},
                            "token_type": {"const": "Bearer"},
                            "expires_in": {"type": "integer"},
                            "scope": {"type": "string"},
                        },
                    }
                }
            },
        },
        "400": {"description": "invalid_request, invalid_scope or unsupported_grant_type (RFC 6749 5.2)."},
        "401": {"description": "invalid_client: who calls was not proved; why is not told."},
        "415": {"description": "Not a form."},
        "503": {"description": "temporarily_unavailable: the key named is not among those we saw published; again after `Retry-After`."},
    },
}


class TokenRefused(Exception):
    """An OAuth error: one of the words of RFC 6749 5.2."""

    def __init__(self, error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


def token_routes(settings: Settings, keys: SigningKeys, sources: KeySources, proxies: TrustedProxies) -> APIRouter:
    """The two addresses every client starts from."""
    router = APIRouter()

    @router.post("/oauth2/token", openapi_extra=_CONTRACT, summary="Get an access token")
    async def token(request: Request) -> Response:
        """Client credentials with `private_key_jwt` (ES256); in a demo also with the client's secret by HTTP Basic.

        Over a connection whose client certificate a trusted proxy tells us of, the token is bound to that certificate (RFC 8705).
        """
        # The instant before anything is looked up: whatever is taken back meanwhile was taken back after the token was issued.
        at = now()
        try:
            grant = await _grant(request, settings, sources, proxies.thumbprint(request.scope), at)
        except TokenRefused as refused:
            answer = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(answer, refused.status, {**_UNCACHED, **refused.headers})
        issued = {
            "access_token": keys.issue(grant, at),
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFETIME.total_seconds()),
            "scope": " ".join(grant.scopes),
        }
        return JSONResponse(issued, headers=_UNCACHED)

    @router.get("/.well-known/jwks.json", summary="Public keys that access tokens are signed with")
    async def jwks() -> Response:
        """A JWK set; a key that is about to sign appears here before it is used."""
        return JSONResponse(keys.published(), headers={"Cache-Control": "public, max-age=300"})

    return router


async def _grant(request: Request, settings: Settings, sources: KeySources, certificate: str | None, at: datetime) -> Grant:
    form = await _read_form(request)
    if form.get("grant_type") is None:
        raise TokenRefused("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "only client_credentials is served")
    try:
        return await _authenticated(request, form, settings, sources, Asked(form.get("scope") or None, at, certificate))
    except NotAuthenticated as error:
        challenge = _CHALLENGE if "authorization" in request.headers else None
        raise TokenRefused("invalid_client", "the client did not prove who it is", 401, challenge) from error
    except KeyNotSeenYet as error:
        raise TokenRefused(
            "temporarily_unavailable", "the keys at this client's address were asked for too often", 503, error.headers
        ) from error
    except ScopeNotAllowed as error:
        raise TokenRefused("invalid_scope", "the client does not have every scope it asked for") from error


async def _authenticated(request: Request, form: Mapping[str, str], settings: Settings, sources: KeySources, asked: Asked) -> Grant:
    demo = settings.environment == "demo"
    database: Database = request.app.state.database
    match request.headers.get("authorization"), form.get("client_assertion"):
        case str(), str():
            raise TokenRefused("invalid_request", "one way to authenticate, not two")
        case str(basic), None if demo:
            client_id, secret = _read_basic(basic)
            return await grant_by_secret(database, client_id, secret, asked)
        case None, str(assertion) if form.get("client_assertion_type") == ASSERTION_TYPE:
            client_id = _stated_client(form, assertion)
            grant = await grant_by_assertion(database, sources, client_id, assertion, settings.token_url, asked)
            if demo or not grant.demo:
                return grant
    raise NotAuthenticated


async def _read_form(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise TokenRefused("invalid_request", f"send {_FORM}", 415)
    try:
        pairs = parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS_LIMIT, errors="strict")
    except ValueError as error:
        raise TokenRefused("invalid_request", "the form cannot be read") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRefused("invalid_request", "a parameter stands twice")
    if any("\x00" in text for pair in pairs for text in pair):
        raise TokenRefused("invalid_request", "the form cannot be read")
    return form


def _read_basic(header: str) -> tuple[str, str]:
    """The client id and secret of an Authorization header, each percent-decoded as RFC 6749 2.3.1 wants."""
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise NotAuthenticated from error
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in text or "%00" in text:
        raise NotAuthenticated
    return unquote_plus(client_id), unquote_plus(secret)


def _stated_client(form: Mapping[str, str], assertion: str) -> str:
    client_id = claimed_client(assertion)
    if form.get("client_id", client_id) != client_id:
        raise NotAuthenticated
    return client_id
