"""Who is let in: a token that holds, of a client that was not revoked, over the connection it is bound to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Scope

from services.gateway.limits import Allowance, RateLimit
from services.gateway.proxies import TrustedProxies
from shared.http.auth import Caller, TokenVerifier, invalid_token
from shared.http.problems import HttpProblem


@dataclass(slots=True, eq=False, weakref_slot=True)
class Standing:
    """Whether what somebody came in by goes on, as far as this process knows; for a client that is its token alone."""

    ended: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who calls, and the `Authorization` header that the services behind us see in place of what was sent; None: the same.

    `standing` is that of a session, which may end before the token does that stands in for it.
    """

    caller: Caller
    authorization: str | None = None
    standing: Standing = field(default_factory=Standing)


class Revocations(Protocol):
    """What is known of clients whose tokens no longer hold."""

    @property
    def current(self) -> bool:
        """Whether that knowledge is recent enough to let anybody in."""

    def refuses(self, client_id: str, issued_at: int) -> bool:
        """Whether a token of this client, issued then, was taken back."""


Identify = Callable[[Scope], Awaitable[Admitted | None]]
"""Who calls without an Authorization header, such as a browser with a session; None when nobody can be told from the request."""


class Visitors(Protocol):
    """Those who come with a token of an issuer that is not us."""

    def remembered(self, authorization: str, certificate: str | None) -> Admitted | None:
        """Who was let in with this very token a moment ago."""

    async def exchange(self, authorization: str, certificate: str | None) -> Admitted | None:
        """Whom the token speaks for, and a token of ours in its place; None when it is of no issuer we know.

        Raises:
            HttpProblem: 401, it is of an issuer we know and does not hold.
        """


class Admission:
    """The check every request passes; what was found out is remembered, what can change is looked at each time."""

    def __init__(
        self,
        verifier: TokenVerifier,
        revocations: Revocations,
        *,
        failures: RateLimit,
        proxies: TrustedProxies | None = None,
        visitors: Visitors | None = None,
        identify: Identify | None = None,
    ) -> None:
        """Gather what a check needs.

        Args:
            verifier: Of our own tokens.
            revocations: Which of them were taken back.
            failures: How many bad tokens an address may send.
            proxies: Whose word about a connection counts.
            visitors: For tokens of other issuers.
            identify: For requests without a token.
        """
        self._verifier = verifier
        self._revocations = revocations
        self._failures = failures
        self._visitors = visitors
        self._identify = identify
        self.proxies = proxies or TrustedProxies()

    async def admit(self, scope: Scope) -> Admitted:
        """Find out who calls.

        Raises:
            HttpProblem: 401 `token.invalid` without saying why, 429 for an address that keeps sending bad tokens, 503 when we have not
                heard for too long who was revoked.
        """
        if not self._revocations.current:
            raise HttpProblem("service.unavailable", headers={"Retry-After": "1"})
        authorization = _authorization(scope)
        known = self._verifier.remembered(authorization)
        admitted = Admitted(known) if known is not None else await self._find_out(scope, authorization)
        caller = admitted.caller
        if self.taken_back(admitted):
            raise invalid_token()
        if caller.certificate is not None and caller.certificate != self.proxies.thumbprint(scope):
            raise invalid_token()
        return admitted

    def taken_back(self, admitted: Admitted) -> bool:
        """Whether the token of somebody who was let in no longer holds, her session has ended, or nobody could tell any more."""
        refused = self._revocations.refuses(admitted.caller.client_id, admitted.caller.issued_at)
        return refused or admitted.standing.ended or not self._revocations.current

    async def _find_out(self, scope: Scope, authorization: str | None) -> Admitted:
        """Look at a token we have not seen. An address that keeps sending bad ones waits: each costs a verification."""
        if self._identify is not None and not _has_authorization(scope):
            found = await self._identify(scope)
            if found is not None:
                return found
        certificate = self.proxies.thumbprint(scope)
        if self._visitors is not None and authorization is not None:
            found = self._visitors.remembered(authorization, certificate)
            if found is not None:
                return found
        address = address_key(self.proxies, scope)
        refuse_beyond(self._failures.look(address))
        try:
            if self._visitors is not None and authorization is not None:
                found = await self._visitors.exchange(authorization, certificate)
                if found is not None:
                    return found
            return Admitted(self._verifier.verify(authorization))
        except HttpProblem as problem:
            if authorization is not None and problem.code == "token.invalid":
                self._failures.take(address)
            raise


def refuse_beyond(allowance: Allowance) -> Allowance:
    """Pass an allowance on that has not run out.

    Raises:
        HttpProblem: 429 `rate.exceeded`, with when to come again.
    """
    if not allowance.allowed:
        headers = {name.decode(): value.decode() for name, value in allowance.headers()}
        raise HttpProblem("rate.exceeded", headers=headers | {"Retry-After": str(allowance.reset_seconds)})
    return allowance


def address_key(proxies: TrustedProxies, scope: Scope) -> str:
    """Those who have no token yet are told apart by address."""
    return f"address {proxies.address(scope)}"


def _authorization(scope: Scope) -> str | None:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _has_authorization(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])
