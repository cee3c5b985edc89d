"""Who calls: one function that checks an access token whole, and what it says about the caller. Nothing else is believed."""

import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.dates import now
from shared.db import Reader
from shared.http.problems import HttpProblem

TOKEN_TYPE: Final = "at+jwt"  # noqa: S105  # the name of a token type, not a token
ALGORITHMS: Final = ["ES256"]
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})
_REMEMBERED: Final = 4_096
_LONGEST_TOKEN: Final = 4_096


@dataclass(frozen=True, slots=True)
class Caller:
    """A client and what it may do. `organisation` and `unit_prefixes` come from the token only, never from a header or body.

    `person` is the name of the member of staff who signed in; none for a system. `issued_at` is when the token was (seconds since 1970),
    `certificate` the SHA-256 thumbprint of the client certificate it is bound to: both are the gateway's matter, which stands before us.
    `region` is no claim: the organisation number of the region that the service serves, by its settings.
    """

    client_id: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    scopes: frozenset[str]
    role: str
    municipality: str | None = None
    demo: bool = False
    person: str | None = None
    issued_at: int = 0
    certificate: str | None = None
    region: str = ""

    @property
    def of_region(self) -> bool:
        """Whether it is one of the region itself: not a municipality, and not a company that cares for the region's patients."""
        return bool(self.region) and self.organisation == self.region and self.municipality is None

    @property
    def reader(self) -> Reader:
        """The caller as row-level security must know it."""
        return Reader(self.client_id, self.organisation, self.unit_prefixes, self.role, self.municipality, self.region)

    def may(self, scope: str) -> bool:
        """Whether the token carries a scope."""
        return scope in self.scopes

    def acts_for(self, unit: str) -> bool:
        """Whether a unit (HSA-id) lies inside the caller's units."""
        return any(unit.startswith(prefix) for prefix in self.unit_prefixes)


class TokenVerifier:
    """Verifies ES256 access tokens of one issuer; a verified token is remembered until it expires."""

    def __init__(self, keys: KeySet, *, issuer: str, region: str = "") -> None:
        self._keys = keys
        self._region = region
        self._registry = jwt.JWTClaimsRegistry(
            now=lambda: int(now().timestamp()),
            leeway=0,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            sub={"essential": True},
        )
        self._remembered: OrderedDict[str, tuple[int, Caller]] = OrderedDict()

    @classmethod
    def from_file(cls, path: Path, *, issuer: str, region: str = "") -> "TokenVerifier":
        """Read the public keys (a JWK set) that the gateway signs with."""
        return cls(KeySet.import_key_set(json.loads(path.read_text(encoding="utf-8"))), issuer=issuer, region=region)

    def verify(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header.

        Raises:
            HttpProblem: 401 `token.invalid`, never saying which check failed.
        """
        known = self.remembered(authorization)
        if known is not None:
            return known
        token = _bearer(authorization)
        if token is None:
            raise invalid_token()
        expires, caller = self._verify(token)
        self._remembered[token] = (expires, caller)
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return caller

    def expires(self, authorization: str | None) -> int:
        """When the token behind an Authorization header ends, in seconds since 1970; for answers that last longer than a moment.

        Raises:
            HttpProblem: 401 `token.invalid`.
        """
        self.verify(authorization)
        return self._remembered[_bearer(authorization) or ""][0]

    def remembered(self, authorization: str | None) -> Caller | None:
        """The caller behind a header whose token was verified before and has not expired; costs no cryptography."""
        token = _bearer(authorization)
        known = None if token is None else self._remembered.get(token)
        if token is None or known is None:
            return None
        if known[0] > now().timestamp():
            return known[1]
        del self._remembered[token]
        return None

    def drop(self, client_id: str) -> None:
        """Forget every token of a client, so that the next use of one is looked at whole again."""
        for token in [token for token, (_, caller) in self._remembered.items() if caller.client_id == client_id]:
            del self._remembered[token]

    def _verify(self, token: str) -> tuple[int, Caller]:
        try:
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            self._registry.validate(decoded.claims)
            if decoded.header.get("typ") != TOKEN_TYPE or not set(decoded.header) <= _HEADER_MEMBERS:
                raise invalid_token()
            claims = decoded.claims
            caller = Caller(
                client_id=str(claims["sub"]),
                organisation=str(claims["org"]),
                unit_prefixes=tuple(str(prefix) for prefix in claims["units"]),
                scopes=frozenset(str(claims["scope"]).split()),
                role=str(claims["role"]),
                municipality=claims.get("municipality"),
                demo=bool(claims.get("demo", False)),
                person=claims.get("name"),
                issued_at=int(claims["iat"]),
                certificate=_bound_to(claims.get("cnf")),
                region=self._region,
            )
            return int(claims["exp"]), caller
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise invalid_token() from error


def _bound_to(confirmation: object) -> str | None:
    """The certificate a token is bound to (RFC 8705 3.1). A binding of another kind cannot be checked: such a token does not hold."""
    if confirmation is None:
        return None
    if not isinstance(confirmation, dict) or set(confirmation) != {"x5t#S256"}:
        raise ValueError("an unknown confirmation")
    return str(confirmation["x5t#S256"])


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token if scheme.lower() == "bearer" and 0 < len(token) <= _LONGEST_TOKEN else None


def invalid_token() -> HttpProblem:
    """The answer to every token that is not good, whatever is wrong with it."""
    return HttpProblem("token.invalid", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
