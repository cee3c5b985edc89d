"""A session at the door: our own pages call the interface with a cookie, and the services see an ordinary bearer token."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final
from weakref import WeakValueDictionary

from starlette.types import Scope

from services.gateway.admission import Admitted, Standing, address_key, refuse_beyond
from services.gateway.auth import SigningKeys
from services.gateway.limits import RateLimit
from services.gateway.proxies import TrustedProxies
from services.gateway.staff.cookies import Origin, cookie_of
from services.gateway.staff.sessions import Lifetimes, digest, find_session, going_on
from shared.db import Database, Work
from shared.http.auth import TokenVerifier
from shared.http.problems import HttpProblem

LOOKED_AT_EVERY: Final = 30.0
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Seen:
    until: float
    admitted: Admitted


class Presence:
    """Who is signed in, as the door asks it: a session is looked at twice a minute, and whenever one was ended anywhere.

    Whoever listens holds on to the standing of her session for as long as she does, and so it is known which ones to look at.
    """

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
        self._standing: WeakValueDictionary[bytes, Standing] = WeakValueDictionary()

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
        """A session has ended, or goes on under another id: nobody calls or listens by this one any more."""
        self._end(digest(session_id))

    async def look_again(self, work: Work) -> None:
        """Look which of the sessions that somebody came in by have ended, wherever that was, and forget those."""
        known = tuple(self._standing)
        if known:
            for hashed in set(known) - await going_on(work, known, self._lifetimes):
                self._end(hashed)

    def _end(self, hashed: bytes) -> None:
        self._seen.pop(hashed, None)
        standing = self._standing.pop(hashed, None)
        if standing is not None:
            standing.ended = True

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
        # One for all who came in by this session, whenever that was.
        standing = self._standing.setdefault(hashed, Standing())
        admitted = Admitted(self._verifier.verify(authorization), authorization, standing)
        self._seen[hashed] = _Seen(monotonic() + LOOKED_AT_EVERY, admitted)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return admitted
