"""Keys, tokens and secrets: what the gateway signs, and how it knows a client. Everything JOSE goes through joserfc."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from shared.identifiers import uuid7

ALGORITHM: Final = "ES256"
TOKEN_LIFETIME: Final = timedelta(seconds=300)
ASSERTION_LIFETIME: Final = timedelta(minutes=5)
CLOCK_LEEWAY: Final = timedelta(seconds=30)
_ASSERTION_TYPES: Final = (None, "JWT", "client-authentication+jwt")
_ASSERTION_HEADERS: Final = frozenset({"alg", "kid", "typ"})
_JTI_LIMIT: Final = 256
_SALT_BYTES: Final = 16
# Secrets are ours and random (256 bits), so stretching is a second wall, and every token request pays for it: 2**12 costs about 8 ms.
_SCRYPT: Final = {"ln": 12, "r": 8, "p": 1}


class NotAuthenticated(Exception):
    """The client did not prove who it is; why is never told."""


class KeyDoesNotFit(NotAuthenticated):
    """None of the keys that it was read with signed it; told by nobody but those who may know of others."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom a token speaks for and what it allows; these become its claims."""

    client_id: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    scopes: tuple[str, ...]
    municipality: str | None = None
    demo: bool = False
    certificate: str | None = None
    """SHA-256 thumbprint of the client certificate that the token is bound to."""
    person: str | None = None
    """Who signed in, when it is a member of staff."""
    auth_time: int | None = None
    """When she did, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A client's signed statement of who it is, good once."""

    jti: str
    keep_until: datetime


class SigningKeys:
    """The installation's private key set: the first key signs, all of them are published so that a key can be rotated."""

    def __init__(self, private_jwks: Mapping[str, Any], issuer: str) -> None:
        self._keys = [_signing_key(jwk) for jwk in private_jwks["keys"]]
        if not self._keys:
            raise ValueError("the signing key file holds no key")
        self._issuer = issuer

    @classmethod
    def load(cls, path: Path, issuer: str) -> "SigningKeys":
        """Read a private JWK set from a file.

        Raises:
            ValueError: The file is not a JWK set of private P-256 keys that have a `kid` each.
        """
        try:
            return cls(json.loads(path.read_text("utf-8")), issuer)
        except (KeyError, TypeError, JoseError) as error:
            raise ValueError("the signing key file is not a private JWK set") from error

    def published(self) -> dict[str, Any]:
        """The public halves, as `/.well-known/jwks.json` shows them."""
        return {"keys": [_public(key) for key in self._keys]}

    def key_set(self) -> KeySet:
        """The public halves, ready to verify with."""
        return KeySet([ECKey.import_key(jwk) for jwk in self.published()["keys"]])

    def issue(self, grant: Grant, at: datetime, *, until: datetime | None = None) -> str:
        """Sign an access token (RFC 9068) for our own services: of five minutes, or until an instant before that."""
        issued = int(at.timestamp())
        expires = issued + int(TOKEN_LIFETIME.total_seconds())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": grant.client_id,
            "client_id": grant.client_id,
            "iat": issued,
            "exp": expires if until is None else min(expires, int(until.timestamp())),
            "jti": str(uuid7()),
            "org": grant.organisation,
            "units": list(grant.unit_prefixes),
            "scope": " ".join(grant.scopes),
            "role": grant.role,
        }
        if grant.municipality is not None:
            claims["municipality"] = grant.municipality
        if grant.demo:
            claims["demo"] = True
        if grant.certificate is not None:
            claims["cnf"] = {"x5t#S256": grant.certificate}
        if grant.person is not None:
            claims["name"] = grant.person
        if grant.auth_time is not None:
            claims["auth_time"] = grant.auth_time
        key = self._keys[0]
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def read_assertion(assertion: str, client_id: str, keys: KeySet, audience: str, at: datetime) -> Assertion:
    """Check a `private_key_jwt` assertion (RFC 7523): signature, header, and every claim as essential.

    Args:
        assertion: What was sent.
        client_id: Who it must be by and about.
        keys: The client's public keys; of several the assertion must name one by `kid`.
        audience: Our token endpoint.
        at: Now.

    Raises:
        KeyDoesNotFit: The signature is of none of these keys, or cannot be read.
        NotAuthenticated: Anything else about it is wrong.
    """
    try:
        token = jwt.decode(assertion, keys, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeyDoesNotFit from error
    try:
        jwt.JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=int(CLOCK_LEEWAY.total_seconds()),
            iss={"essential": True, "value": client_id},
            sub={"essential": True, "value": client_id},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
        ).validate(token.claims)
        expires = datetime.fromtimestamp(token.claims["exp"], UTC)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError, OSError) as error:
        raise NotAuthenticated from error
    jti = token.claims["jti"]
    if (
        not _ASSERTION_HEADERS.issuperset(token.header)
        or token.header.get("typ") not in _ASSERTION_TYPES
        or expires > at + ASSERTION_LIFETIME + CLOCK_LEEWAY
        or not 0 < len(jti) <= _JTI_LIMIT
        or not can_be_kept(jti)
    ):
        raise NotAuthenticated
    return Assertion(jti, expires + CLOCK_LEEWAY)


def claimed_client(assertion: str) -> str:
    """Read, unverified, whom an assertion speaks of: only to find the keys to verify it with.

    Raises:
        NotAuthenticated: Not a compact JWT that names a subject.
    """
    subject = unverified(assertion, 1).get("sub")
    if not isinstance(subject, str) or not can_be_kept(subject):
        raise NotAuthenticated
    return subject


def can_be_kept(text: str) -> bool:
    """Whether text can be asked of the database at all: JSON can say NUL and halves of characters, which it cannot hold."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def unverified(token: str, part: int) -> dict[str, Any]:
    """Header (0) or claims (1) of a compact JWT that nobody has verified: good for finding the keys to verify it with, for nothing else.

    Raises:
        NotAuthenticated: Not a compact JWT.
    """
    try:
        encoded = token.split(".")[part]
        found = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, IndexError, RecursionError) as error:
        raise NotAuthenticated from error
    if not isinstance(found, dict):
        raise NotAuthenticated
    return found


def new_secret() -> str:
    """A client secret nobody can guess (256 bits)."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is stored of a secret: scrypt with its own salt, parameters beside it."""
    salt = os.urandom(_SALT_BYTES)
    parameters = ",".join(f"{name}={value}" for name, value in _SCRYPT.items())
    return f"scrypt${parameters}${salt.hex()}${_stretch(secret, salt, _SCRYPT).hex()}"


def secret_matches(secret: str, stored: str | None) -> bool:
    """Compare a secret with what is stored, taking the same time whether or not there is such a client."""
    _, parameters, salt, digest = (stored or _NO_SECRET).split("$")
    cost = {name: int(value) for name, _, value in (part.partition("=") for part in parameters.split(","))}
    found = _stretch(secret, bytes.fromhex(salt), cost)
    return hmac.compare_digest(found, bytes.fromhex(digest)) and stored is not None


def _stretch(secret: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=1 << cost["ln"], r=cost["r"], p=cost["p"])


def _signing_key(jwk: Mapping[str, Any]) -> ECKey:
    key = ECKey.import_key(dict(jwk))
    if not key.is_private or key.curve_name != "P-256" or not key.kid:
        raise ValueError("the signing key file must hold private P-256 keys with a kid each")
    return key


def _public(key: ECKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM, "kid": key.kid}


_NO_SECRET: Final = hash_secret("")
