"""The way of a person through signing in, as the addresses call it: what to show or where to send her next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.gateway.auth import SigningKeys
from services.gateway.staff import sessions
from services.gateway.staff.issuers import ClaimsUnusable, Issuer, Issuers, person_of
from services.gateway.staff.presence import Presence
from services.gateway.staff.provider import Challenge, NotIdentified, Provider, ProviderUnavailable
from services.gateway.staff.sessions import Lifetimes, Session
from shared.db import Database

_NOT_NOW: Final = frozenset({"server_error", "temporarily_unavailable"})
"""What a provider says to the browser in place of a status (RFC 6749 4.1.2.1)."""
_NUMBER_DIGITS: Final = 3
"""Of a commission among those of one person: fifty are read, and each may hold several roles."""


class NotBegun(NotIdentified):
    """This browser began no such sign-in: it did long ago, or has come back with its own button to an address that was good once."""


class NoCommission(Exception):
    """The person is who she is, and there is nothing she may do here."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it must bring back."""

    address: str
    browser: str


class SigningIn:
    """Everything that happens between a person and her session."""

    def __init__(self, issuers: Issuers | None, providers: Mapping[str, Provider], lifetimes: Lifetimes, presence: Presence) -> None:
        self._issuers = issuers
        self._providers = providers
        self.lifetimes = lifetimes
        self._presence = presence

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Whom one may choose from."""
        return self._issuers.issuer if self._issuers is not None else ()

    async def set_out(self, database: Database, key: str, language: str) -> Begun | None:
        """Begin to sign in with a provider, in a language; none when there is no such provider.

        Raises:
            ProviderUnavailable: It does not answer.
        """
        provider = self._providers.get(key)
        if provider is None:
            return None
        challenge = Challenge.fresh()
        address = await provider.address(challenge, language)
        async with database.transaction() as work:
            return Begun(address, await sessions.begin_sign_in(work, key, challenge, self.lifetimes.idle))

    async def end(self, database: Database, told: Mapping[str, str], browser: str | None) -> str:
        """Take what the provider sent the browser back with; what comes back is the id of the new session.

        Raises:
            NotBegun: It was not this browser that began, it was too long ago, or it has ended already.
            NotIdentified: The provider does not vouch for the person.
            NoCommission: There is no role for her here.
            ProviderUnavailable: The provider does not answer.
        """
        async with database.transaction() as work:
            begun = await sessions.take_sign_in(work, told.get("state", ""), browser or "")
        if begun is None or self._issuers is None:
            raise NotBegun("this browser began no such sign-in in the last ten minutes")
        key, challenge = begun
        provider = self._providers.get(key)
        # `iss` says who answers (RFC 9207), so that one provider cannot pass its answer off as another's.
        if provider is None or not await provider.answers_as(told.get("iss")):
            raise NotIdentified("somebody answers as another provider")
        if told.get("error") in _NOT_NOW:
            raise ProviderUnavailable("it says that it cannot just now")
        if "error" in told:
            raise NotIdentified("the provider answers with an error")
        claims = await provider.identify(told.get("code", ""), challenge, work.at)
        try:
            user, name = person_of(provider.issuer, claims)
        except ClaimsUnusable as error:
            raise NotIdentified("the claims do not name the person as we may keep it") from error
        commissions = self._issuers.commissions(provider.issuer, claims)
        if not commissions:
            raise NoCommission(f"none for {user}")
        async with database.transaction() as work:
            return await sessions.open_session(
                work,
                issuer=key,
                user=user,
                name=name,
                commissions=commissions,
                authenticated=_authenticated(claims, work.at),
                lifetimes=self.lifetimes,
            )

    async def session(self, database: Database, session_id: str | None) -> Session | None:
        """The session of a browser."""
        if session_id is None:
            return None
        async with database.transaction() as work:
            return await sessions.find_session(work, session_id, self.lifetimes)

    async def choose(self, database: Database, session_id: str | None, number: str) -> str | None:
        """Take on a role; the session goes on under the id that comes back. None when there is no such session or role."""
        if session_id is None or not (number.isascii() and number.isdigit()) or len(number) > _NUMBER_DIGITS:
            return None
        async with database.transaction() as work:
            renewed = await sessions.choose_role(work, session_id, int(number), self.lifetimes)
        self._presence.forget(session_id)
        return renewed

    async def leave(self, database: Database, session_id: str | None) -> None:
        """Sign out."""
        if session_id is not None:
            async with database.transaction() as work:
                await sessions.end_session(work, session_id)
            self._presence.forget(session_id)

    async def token(self, database: Database, session_id: str | None, keys: SigningKeys) -> tuple[str, tuple[str, ...]] | None:
        """A token of five minutes that says what the session does, and its scopes; none without a session that has a role."""
        if session_id is None:
            return None
        async with database.transaction() as work:
            session = await sessions.find_session(work, session_id, self.lifetimes)
        grant = session.grant() if session is not None else None
        return None if grant is None else (keys.issue(grant, work.at), grant.scopes)


def _authenticated(claims: Mapping[str, object], at: datetime) -> datetime:
    """When the person proved who she is; a provider that does not say did it just now."""
    stated = claims.get("auth_time")
    if isinstance(stated, int) and not isinstance(stated, bool) and 0 < stated <= at.timestamp():
        return at - timedelta(seconds=at.timestamp() - stated)
    return at
