"""A session at the door: our own pages call the interface with a cookie, and the services see an ordinary bearer token."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from starlette.types import Scope

from services.gateway.admission import Admitted, address_key, refuse_beyond
from services.gateway.auth import SigningKeys
from services.gateway.limits import RateLimit
from services.gateway.proxies import TrustedProxies
from services.gateway.staff.cookies import Origin, cookie_of
from services.gateway.staff.sessions import Lifetimes, digest, find_session
from shared.db import Database
from shared.http.auth import TokenVerifier
from shared.http.problems import HttpProblem

LOOKED_AT_EVERY: Final = 30.0
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    until: float
    admitted: Admitted


class Presence:
    """Who is signed in, as the door asks it: a session is looked at twice a minute, so that one ended anywhere ends here."""

    def __init__(
        self,
        database: Callable[[], Database],
        keys: SigningKeys,
        verifier: TokenVerifier,
        *,
        origin: Origin,
        lifetimes: Lifetimes,
        failures: RateLimit,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self._database = database
        self._keys = keys
        self._verifier = verifier
        self._origin = origin
        self._lifetimes = lifetimes
        self._failures = failures
        self._proxies = proxies or TrustedProxies()
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    async def identify(self, scope: Scope) -> Admitted | None:
        """Who calls with a session of ours; none without one, or before a role is chosen.

        Raises:
            HttpProblem: 403 when another site's page sends the request, 429 for an address that keeps trying session ids.
        """
        session_id = cookie_of(scope["headers"], self._origin.session)
        if session_id is None:
            return None
        if not self._origin.is_ours(scope["method"], scope["headers"]):
            raise HttpProblem("origin.refused")
        hashed = digest(session_id)
        seen = self._seen.get(hashed)
        if seen is not None and seen.until > monotonic():
            return seen.admitted
        return await self._look(scope, session_id, hashed)

    def forget(self, session_id: str) -> None:
        """A session has ended, or goes on under another id."""
        self._seen.pop(digest(session_id), None)

    async def _look(self, scope: Scope, session_id: str, hashed: bytes) -> Admitted | None:
        self._seen.pop(hashed, None)
        address = address_key(self._proxies, scope)
        refuse_beyond(self._failures.look(address))
        async with self._database().transaction() as work:
            session = await find_session(work, session_id, self._lifetimes)
        if session is None:
            self._failures.take(address)
            return None
        grant = session.grant()
        if grant is None:
            return None
        authorization = f"Bearer {self._keys.issue(grant, work.at)}"
        admitted = Admitted(self._verifier.verify(authorization), authorization)
        self._seen[hashed] = _Seen(monotonic() + LOOKED_AT_EVERY, admitted)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return admitted
