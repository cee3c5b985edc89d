"""OpenID Connect as we need it: authorization code with PKCE, and an ID token that is checked whole. JOSE goes through joserfc."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from services.gateway.staff.issuers import Issuer
from shared.identifiers import uuid7

_DISCOVERY: Final = "/.well-known/openid-configuration"
_ANSWER_LIMIT: Final = 256 * 1024
_PATIENCE: Final = httpx.Timeout(10.0, connect=5.0)
_PATIENCE_SECONDS: Final = 10.0
_SILENT_SECONDS: Final = 3.0
_DISCOVERY_SECONDS: Final = 3_600.0
_KEYS_SECONDS: Final = 300.0
_KEYS_AGAIN_SECONDS: Final = 30.0
_LEEWAY_SECONDS: Final = 60
_OLDEST_TOKEN: Final = timedelta(minutes=10)
_TOKEN_LIMIT: Final = 64 * 1024
_CODE_LIMIT: Final = 2_048
_HEADERS: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_ASSERTION_SECONDS: Final = 120
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OK: Final = 200
_NOT_NOW: Final = frozenset({429, *range(500, 600)})


class NotIdentified(Exception):
    """The provider does not vouch for this person, or what came back is not what we asked for; why stands in our log alone."""


class ProviderUnavailable(Exception):
    """The provider cannot be reached, or does not answer as OpenID Connect says."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What ties a sign-in together: state to the browser, nonce to the ID token, verifier to the code."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def fresh(cls) -> "Challenge":
        """Three values nobody can guess (256 bits each)."""
        return cls(*(secrets.token_urlsafe(32) for _ in range(3)))

    @property
    def hashed_verifier(self) -> str:
        """The `code_challenge` of method S256 (RFC 7636)."""
        return _unpadded(hashlib.sha256(self.verifier.encode("ascii")).digest())


@dataclass(frozen=True, slots=True)
class _Addresses:
    authorization: str
    token: str
    keys: str
    names_itself: bool
    """Whether it says who answers whenever it sends a browser back (RFC 9207)."""


class Provider:
    """One OpenID provider; its addresses are remembered for an hour, its keys for five minutes."""

    def __init__(
        self,
        issuer: Issuer,
        redirect_uri: str,
        session: httpx.AsyncClient,
        *,
        loopback: bool = False,
        keys_again_seconds: float = _KEYS_AGAIN_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """Know a provider; nothing is asked of it yet.

        Args:
            issuer: What the operator says of it.
            redirect_uri: Where it sends the browser back to.
            session: For our own questions to it; see `open_session`.
            loopback: Whether plain http to this very machine will do, as in a demo; everything else is https.
            keys_again_seconds: How soon its keys may be asked for again when one is not among them.
            patience_seconds: How long one answer of it may take as a whole.
        """
        self.issuer = issuer
        self._redirect_uri = redirect_uri
        self._session = session
        self._loopback = loopback
        self._keys_again_seconds = keys_again_seconds
        self._patience_seconds = patience_seconds
        self._silent_until = 0.0
        self._asking = asyncio.Lock()
        self._addresses: tuple[float, _Addresses] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, challenge: Challenge, language: str) -> str:
        """Where to send the browser, whose person reads this language.

        Raises:
            ProviderUnavailable: The provider does not say.
        """
        asked = {
            "response_type": "code",
            "client_id": self.issuer.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self.issuer.scope,
            "state": challenge.state,
            "nonce": challenge.nonce,
            "code_challenge": challenge.hashed_verifier,
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        where = (await self._discovered()).authorization
        return f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}"

    async def answers_as(self, named: str | None) -> bool:
        """Whether the `iss` that came back with the browser is this provider's; left out only by one that never says it (RFC 9207 2.4).

        Raises:
            ProviderUnavailable: The provider does not say what it does.
        """
        return named == self.issuer.issuer or (named is None and not (await self._discovered()).names_itself)

    async def identify(self, code: str, challenge: Challenge, at: datetime) -> Mapping[str, Any]:
        """Turn the code that the browser brought back into the claims of a checked ID token.

        Raises:
            NotIdentified: The provider does not take the code, or its ID token is not for us, not for this sign-in, or not valid now.
            ProviderUnavailable: There is no answer.
        """
        if not 0 < len(code) <= _CODE_LIMIT:
            raise NotIdentified("no code")
        token = await self._redeem(code, challenge.verifier, at)
        try:
            claims = await self._verified(token, at)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotIdentified(f"the ID token: {type(error).__name__}") from error
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode("utf-8", "replace"), challenge.nonce.encode()):
            raise NotIdentified("the ID token is not for this sign-in")
        return claims

    async def _redeem(self, code: str, verifier: str, at: datetime) -> str:
        where = (await self._discovered()).token
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        try:
            secret = self.issuer.secret()
            headers = {} if secret is None else {"Authorization": _basic(self.issuer.client_id, secret)}
            form |= self._assertion(where, at) if secret is None else {}
        except (OSError, ValueError, KeyError, JoseError) as error:
            raise ProviderUnavailable("our own key or secret cannot be read") from error
        status, answer = await self._ask("POST", where, data=form, headers=headers)
        if status in _NOT_NOW:
            raise ProviderUnavailable(f"no ID token for the code: HTTP {status}")
        token = answer.get("id_token")
        if status != _OK or not isinstance(token, str) or len(token) > _TOKEN_LIMIT:
            raise NotIdentified(f"no ID token for the code: HTTP {status}")
        return token

    def _assertion(self, audience: str, at: datetime) -> dict[str, str]:
        """`private_key_jwt` (RFC 7523), good for two minutes and once."""
        file = self.issuer.private_key_file
        if file is None:
            raise ValueError("no key")
        key = ECKey.import_key(json.loads(file.read_text(encoding="utf-8")))
        issued = int(at.timestamp())
        claims = {
            "iss": self.issuer.client_id,
            "sub": self.issuer.client_id,
            "aud": audience,
            "iat": issued,
            "exp": issued + _ASSERTION_SECONDS,
            "jti": str(uuid7()),
        }
        header = {"alg": "ES256", "typ": "JWT"} | ({"kid": key.kid} if key.kid else {})
        signed = jwt.encode(header, claims, key, algorithms=["ES256"])
        return {"client_id": self.issuer.client_id, "client_assertion_type": _ASSERTION_TYPE, "client_assertion": signed}

    async def _verified(self, token: str, at: datetime) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 3.1.3.7)."""
        keys = await self._known_keys(fresh=False)
        try:
            decoded = jwt.decode(token, keys, algorithms=list(self.issuer.algorithms))
        except (JoseError, ValueError):
            # The provider may just have begun to sign with a new key.
            keys = await self._known_keys(fresh=True)
            decoded = jwt.decode(token, keys, algorithms=list(self.issuer.algorithms))
        claims = decoded.claims
        jwt.JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer.issuer},
            aud={"essential": True, "value": self.issuer.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        ).validate(claims)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        party = claims.get("azp")
        if (
            not _HEADERS.issuperset(decoded.header)
            or decoded.header.get("typ") not in {None, "JWT"}
            or (len(audiences) > 1 and party is None)
            or (party is not None and party != self.issuer.client_id)
            or claims["iat"] < (at - _OLDEST_TOKEN).timestamp()
        ):
            raise NotIdentified("the ID token is old or not for us")
        return claims

    async def _discovered(self) -> _Addresses:
        async with self._asking:
            if self._addresses is None or self._addresses[0] < monotonic():
                status, found = await self._asked_of_late(f"{self.issuer.issuer.rstrip('/')}{_DISCOVERY}")
                if status != _OK or found.get("issuer") != self.issuer.issuer:
                    raise ProviderUnavailable("not the provider that it should be")
                named = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
                names_itself = found.get("authorization_response_iss_parameter_supported") is True
                authorization, token, keys = (self._allowed(address) for address in named)
                addresses = _Addresses(authorization, token, keys, names_itself)
                self._addresses = monotonic() + _DISCOVERY_SECONDS, addresses
            return self._addresses[1]

    async def _asked_of_late(self, url: str) -> tuple[int, dict[str, Any]]:
        """Its answer; those who waited meanwhile do not wait again, one after the other, for one that gives none."""
        if self._silent_until > monotonic():
            raise ProviderUnavailable("it did not answer just now")
        try:
            return await self._ask("GET", url)
        except ProviderUnavailable:
            self._silent_until = monotonic() + _SILENT_SECONDS
            raise

    async def _known_keys(self, *, fresh: bool) -> KeySet:
        """The provider's keys; asked for again when one is not among them, though not all the time."""
        where = (await self._discovered()).keys
        async with self._asking:
            age_left = self._keys[0] - monotonic() if self._keys is not None else -1.0
            if self._keys is None or age_left < 0 or (fresh and age_left < _KEYS_SECONDS - self._keys_again_seconds):
                status, found = await self._ask("GET", where)
                try:
                    keys = KeySet.import_key_set({"keys": [key for key in found["keys"] if key.get("use", "sig") == "sig"]})
                except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
                    raise ProviderUnavailable("no keys") from error
                if status != _OK:
                    raise ProviderUnavailable("no keys")
                self._keys = monotonic() + _KEYS_SECONDS, keys
            return self._keys[1]

    async def _ask(self, method: str, url: str, **sent: Any) -> tuple[int, dict[str, Any]]:
        """A JSON object from the provider, of a size that it may have."""
        try:
            async with asyncio.timeout(self._patience_seconds), self._session.stream(method, self._allowed(url), **sent) as answer:
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > _ANSWER_LIMIT:
                        raise ProviderUnavailable("too much")
                found = json.loads(bytes(body))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError, TimeoutError) as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if not isinstance(found, dict):
            raise ProviderUnavailable("unreadable")
        return answer.status_code, found

    def _allowed(self, address: object) -> str:
        """An address of the provider that we may use: https, and in a demo this very machine."""
        try:
            parts = urlsplit(address) if isinstance(address, str) else None
        except ValueError as error:
            raise ProviderUnavailable("no address") from error
        if parts is None or not parts.hostname or parts.username is not None:
            raise ProviderUnavailable("no address")
        if parts.scheme != "https" and not (self._loopback and parts.scheme == "http" and is_loopback(parts.hostname)):
            raise ProviderUnavailable("not https")
        return str(address)


def is_loopback(host: str | None) -> bool:
    """Whether a host name can only mean this very machine."""
    return host in {"127.0.0.1", "::1", "localhost"}


def open_session() -> httpx.AsyncClient:
    """For our questions to providers: no redirects, no proxy of the environment, ten seconds."""
    return httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False, trust_env=False)


def _basic(client_id: str, secret: str) -> str:
    """HTTP Basic as RFC 6749 2.3.1 wants it: each part form-encoded first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
