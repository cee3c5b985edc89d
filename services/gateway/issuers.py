"""Tokens of issuers that the operator trusts for their own clients: verified here, and exchanged for ours, which the services believe."""

import json
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from joserfc import jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.gateway.admission import Admitted
from services.gateway.auth import CLOCK_LEEWAY, NotAuthenticated, SigningKeys, can_be_kept, unverified
from services.gateway.granting import Asked, grant_by_issuer
from services.gateway.key_sources import KeyNotSeenYet, KeySources, public_keys
from shared.db import Database
from shared.http.auth import TokenVerifier, invalid_token
from shared.http.problems import HttpProblem

_HEADERS: Final = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_TOKEN_LIMIT: Final = 8_192
_SUBJECT_LIMIT: Final = 256
_REMEMBERED: Final = 4_096
# Ours is taken out of use a little before it ends, so that it is still good when it reaches the service.
_MARGIN: Final = timedelta(seconds=5)


class Issuer(BaseModel):
    """One issuer: what its tokens look like, where its keys are, and the claim that names the client."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(min_length=1, max_length=1_000)]
    audience: Annotated[str, Field(min_length=1, max_length=1_000)]
    jwks_url: str | None = None
    keys: tuple[dict[str, Any], ...] = ()
    algorithms: Annotated[tuple[Literal["ES256", "RS256", "PS256"], ...], Field(min_length=1)] = ("ES256",)
    client_claim: Annotated[str, Field(min_length=1)] = "sub"
    types: tuple[str, ...] = ("at+jwt", "application/at+jwt", "JWT")

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if bool(self.keys) == (self.jwks_url is not None):
            raise ValueError("an issuer has keys or jwks_url, and not both")
        if self.keys:
            public_keys({"keys": list(self.keys)})
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    issuer: tuple[Issuer, ...]


def read_issuers(file: Path | None) -> tuple[Issuer, ...]:
    """The issuers of a TOML or JSON file, `[[issuer]]` each; none without a file.

    Raises:
        ValueError: It cannot be read as that, or names an issuer twice.
    """
    if file is None:
        return ()
    text = file.read_text(encoding="utf-8")
    found = _File.model_validate(json.loads(text) if file.suffix == ".json" else tomllib.loads(text)).issuer
    if len({one.issuer for one in found}) != len(found):
        raise ValueError("an issuer stands twice in the file of issuers")
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    until: datetime
    certificate: str | None
    admitted: Admitted


class ExternalTokens:
    """Lets in who comes with a token of a trusted issuer, as the client that the registry knows under that name."""

    def __init__(
        self,
        issuers: tuple[Issuer, ...],
        *,
        sources: KeySources,
        signing: SigningKeys,
        verifier: TokenVerifier,
        database: Callable[[], Database],
        clock: Callable[[], datetime],
        demo: bool,
    ) -> None:
        """Trust these issuers.

        Args:
            issuers: Whom the operator named.
            sources: Fetches the keys of those that publish them.
            signing: Signs what the services behind will see.
            verifier: Reads that again, as the services do.
            database: The gateway's, once it is open.
            clock: What time it is.
            demo: Whether clients of the demo are somebody here.
        """
        self._issuers: Mapping[str, Issuer] = {one.issuer: one for one in issuers}
        self._sources = sources
        self._signing = signing
        self._verifier = verifier
        self._database = database
        self._clock = clock
        self._demo = demo
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def remembered(self, authorization: str, certificate: str | None) -> Admitted | None:
        """Who was let in with this very token, over a connection with the same certificate."""
        seen = self._seen.get(authorization)
        if seen is None or seen.certificate != certificate:
            return None
        if seen.until > self._clock():
            return seen.admitted
        del self._seen[authorization]
        return None

    def drop(self, client_id: str) -> None:
        """Forget every token of a client."""
        for token in [token for token, seen in self._seen.items() if seen.admitted.caller.client_id == client_id]:
            del self._seen[token]

    async def exchange(self, authorization: str, certificate: str | None) -> Admitted | None:
        """Whom a token speaks for, with a token of ours in its place; None when it names no issuer we trust.

        Raises:
            HttpProblem: 401, it names one and does not hold, or its client is nobody here; 503, it names a key that may have been published
                since we looked last.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _TOKEN_LIMIT:
            return None
        try:
            issuer = self._named(token)
            if issuer is None:
                return None
            at = self._clock()
            subject, issued_at, until = await self._verified(issuer, token, certificate, at)
            grant = await grant_by_issuer(self._database(), issuer.issuer, subject, issued_at, Asked(None, at, certificate))
        except KeyNotSeenYet as error:
            raise HttpProblem("service.unavailable", headers=error.headers) from error
        except NotAuthenticated as error:
            raise invalid_token() from error
        if grant.demo and not self._demo:
            raise invalid_token()
        ours = f"Bearer {self._signing.issue(grant, at, until=until)}"
        caller = self._verifier.verify(ours)
        admitted = Admitted(caller, ours)
        self._seen[authorization] = _Seen(min(until, at + timedelta(minutes=5)) - _MARGIN, certificate, admitted)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return admitted

    def _named(self, token: str) -> Issuer | None:
        name = unverified(token, 1).get("iss")
        return self._issuers.get(name) if isinstance(name, str) else None

    async def _verified(self, issuer: Issuer, token: str, certificate: str | None, at: datetime) -> tuple[str, float, datetime]:
        """The client's name at its issuer, since when and until when that holds; checked whole, every claim essential."""
        header = unverified(token, 0)
        kid = header.get("kid")
        if not _HEADERS.issuperset(header) or header.get("typ") not in issuer.types or not isinstance(kid, str | None):
            raise NotAuthenticated
        try:
            read = await self._decoded(issuer, token, kid)
            jwt.JWTClaimsRegistry(
                now=int(at.timestamp()),
                leeway=int(CLOCK_LEEWAY.total_seconds()),
                iss={"essential": True, "value": issuer.issuer},
                aud={"essential": True, "value": issuer.audience},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(read.claims)
            until = datetime.fromtimestamp(read.claims["exp"], UTC)
        except (JoseError, ValueError, TypeError, KeyError, OverflowError, OSError) as error:
            raise NotAuthenticated from error
        subject, bound = read.claims.get(issuer.client_claim), read.claims.get("cnf")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LIMIT or not can_be_kept(subject):
            raise NotAuthenticated
        if bound is not None and (certificate is None or bound != {"x5t#S256": certificate}):
            raise NotAuthenticated
        if until <= at:
            raise NotAuthenticated
        return subject, float(read.claims["iat"]), until

    async def _decoded(self, issuer: Issuer, token: str, kid: str | None) -> jwt.Token:
        algorithms = list(issuer.algorithms)
        if issuer.jwks_url is None:
            return jwt.decode(token, public_keys({"keys": list(issuer.keys)}), algorithms=algorithms)
        keys = await self._sources.find(issuer.jwks_url, kid)
        try:
            return jwt.decode(token, keys, algorithms=algorithms)
        except (JoseError, ValueError):
            if kid is not None:
                raise
            return jwt.decode(token, await self._sources.find_other(issuer.jwks_url, keys), algorithms=algorithms)
