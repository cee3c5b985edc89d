"""Signing in, choosing a role, staying and leaving: one function, one transaction."""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.gateway.auth import Grant
from services.gateway.repository import tell_change
from services.gateway.staff import repository
from services.gateway.staff.provider import Challenge
from services.gateway.staff.roles import Commission, staff_roles
from shared.db import Work

SIGN_IN_LIFETIME: Final = timedelta(minutes=10)
_SEEN_EVERY: Final = timedelta(minutes=1)
_SESSION: Final = "a session"
"""What processes are told that has changed: not whose, whoever listens looks at all it knows."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: unused, and at most."""

    idle: timedelta
    whole: timedelta


@dataclass(frozen=True, slots=True)
class Session:
    """A person who signed in, what she may choose from and what she chose."""

    user: str
    name: str
    issuer: str
    commissions: tuple[Commission, ...]
    chosen: Commission | None
    signed_in_at: datetime
    expires_at: datetime

    def grant(self) -> Grant | None:
        """What tokens of this session say; none before a role is chosen."""
        if self.chosen is None:
            return None
        return Grant(
            client_id=self.user,
            organisation=self.chosen.organisation,
            unit_prefixes=self.chosen.units,
            role=self.chosen.acts_as,
            scopes=staff_roles()[self.chosen.role].scopes,
            municipality=self.chosen.municipality,
            person=self.name,
            auth_time=int(self.signed_in_at.timestamp()),
        )


async def begin_sign_in(work: Work, issuer: str, challenge: Challenge, idle: timedelta) -> str:
    """Remember what a sign-in began with; what comes back is for a cookie, so that only this browser can end it."""
    browser = secrets.token_urlsafe(32)
    await repository.forget_old(work, idle)
    await repository.add_sign_in(
        work,
        {
            "state_hash": digest(challenge.state),
            "browser_hash": digest(browser),
            "issuer": issuer,
            "nonce": challenge.nonce,
            "verifier": challenge.verifier,
            "expires_at": work.at + SIGN_IN_LIFETIME,
        },
    )
    return browser


async def take_sign_in(work: Work, state: str, browser: str) -> tuple[str, Challenge] | None:
    """The provider's key and the challenge of the sign-in that this browser began; good once."""
    row = await repository.take_sign_in(work, digest(state), digest(browser))
    return None if row is None else (row["issuer"], Challenge(state, row["nonce"], row["verifier"]))


async def open_session(
    work: Work, *, issuer: str, user: str, name: str, commissions: Sequence[Commission], authenticated: datetime, lifetimes: Lifetimes
) -> str:
    """Begin a session under an id that was never seen before; its role is chosen already where there is but one."""
    session_id = secrets.token_urlsafe(32)
    await repository.add_session(
        work,
        {
            "session_hash": digest(session_id),
            "user_id": user,
            "name": name,
            "issuer": issuer,
            "commissions": [one.as_row() for one in commissions],
            "chosen": 0 if len(commissions) == 1 else None,
            "signed_in_at": authenticated,
            "seen_at": work.at,
            "expires_at": work.at + lifetimes.whole,
        },
    )
    return session_id


async def find_session(work: Work, session_id: str, lifetimes: Lifetimes) -> Session | None:
    """The session of a cookie, which counts as used now; none when it has ended."""
    hashed = digest(session_id)
    row = await repository.find_session(work, hashed, lifetimes.idle)
    if row is None:
        return None
    if row["seen_at"] < work.at - _SEEN_EVERY:
        await repository.see_session(work, hashed)
    return _session(row)


async def choose_role(work: Work, session_id: str, number: int, lifetimes: Lifetimes) -> str | None:
    """Take on one of the person's commissions, under a new session id; none when there is no such session or commission."""
    renewed = secrets.token_urlsafe(32)
    done = await repository.renew_session(work, digest(session_id), digest(renewed), number, lifetimes.idle)
    if done:
        await tell_change(work, _SESSION)
    return renewed if done else None


async def end_session(work: Work, session_id: str) -> None:
    """Sign out; every gateway process is told."""
    if await repository.end_session(work, digest(session_id)):
        await tell_change(work, _SESSION)


async def going_on(work: Work, hashes: Collection[bytes], lifetimes: Lifetimes) -> set[bytes]:
    """Which of these sessions, by what is kept of their ids, have not ended; looking does not count as using them."""
    return await repository.going_on(work, hashes, lifetimes.idle)


async def end_sessions_of(work: Work, user: str) -> int:
    """Sign a person out everywhere, and let no token hold that she was given; how many sessions she had."""
    ended = await repository.end_sessions_of(work, user)
    await repository.cut_tokens(work, user)
    await tell_change(work, user)
    return ended


async def list_sessions(work: Work, idle: timedelta) -> list[Session]:
    """Who is signed in, the last used first."""
    return [_session(row) for row in await repository.list_sessions(work, idle)]


def digest(value: str) -> bytes:
    """What is kept of a value that only a browser may know; it is random, so that plain SHA-256 will do."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def _session(row: sa.RowMapping) -> Session:
    kept: list[Mapping[str, Any]] = row["commissions"]
    commissions = tuple(Commission.of_row(one) for one in kept)
    chosen = None if row["chosen"] is None else commissions[row["chosen"]]
    return Session(row["user_id"], row["name"], row["issuer"], commissions, chosen, row["signed_in_at"], row["expires_at"])
