"""Turning a client's proof into a grant. What was proved is held to what stands in the registry at the end, not only at the beginning."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from services.gateway import repository
from services.gateway.auth import Assertion, Grant, KeyDoesNotFit, NotAuthenticated, read_assertion, secret_matches, unverified
from services.gateway.clients import Client, client_of
from services.gateway.key_sources import KeyNotSeenYet, KeySources, public_keys
from shared.db import Database, Work

# Stretching takes milliseconds of processor: a flood of guesses may fill one core, never all.
_STRETCHER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="secrets")
_CREDENTIALS: Final = ("secret_hash", "public_keys", "jwks_url")


class ScopeNotAllowed(Exception):
    """The client asked for a scope that it does not have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for: scopes (None: all it has), when, and the thumbprint of the certificate its connection has."""

    scope: str | None
    at: datetime
    certificate: str | None = None


async def grant_by_secret(database: Database, client_id: str, secret: str, asked: Asked) -> Grant:
    """Answer a client that shows its secret (demo only; the caller has checked that).

    Raises:
        NotAuthenticated: Unknown client, disabled, or wrong secret: not told apart, not even by time where one secret is good.
        ScopeNotAllowed: It asked for more than it has.
    """
    rows = await _credentials(database, client_id, asked.at)
    for row in rows:
        if await _matches(secret, row["secret_hash"]):
            async with database.transaction(asked.at) as work:
                return _grant(await _still(work, client_id, row), asked)
    if not rows:
        await _matches(secret, None)
    raise NotAuthenticated


async def _matches(secret: str, stored: str | None) -> bool:
    return await asyncio.get_running_loop().run_in_executor(_STRETCHER, secret_matches, secret, stored)


async def grant_by_assertion(database: Database, sources: KeySources, client_id: str, assertion: str, audience: str, asked: Asked) -> Grant:
    """Answer a client that signed an assertion with its own key; each assertion is good once.

    Raises:
        NotAuthenticated: Unknown client, wrong key, wrong claim, or used before: not told apart.
        KeyNotSeenYet: It names a key that may have been published since we looked last.
        ScopeNotAllowed: It asked for more than it has.
    """
    later: KeyNotSeenYet | None = None
    for row in await _credentials(database, client_id, asked.at):
        try:
            proof = await _proof(sources, row, client_id, assertion, audience, asked.at)
        except KeyNotSeenYet as error:
            later = error
            continue
        if proof is None:
            continue
        async with database.transaction(asked.at) as work:
            grant = _grant(await _still(work, client_id, row), asked)
            if not await repository.use_assertion(work, client_id, proof.jti, proof.keep_until):
                raise NotAuthenticated
        return grant
    raise later or NotAuthenticated()


async def grant_by_issuer(database: Database, issuer: str, subject: str, issued_at: float, asked: Asked) -> Grant:
    """Answer a client that another issuer, whom the operator trusts for it, vouches for.

    Args:
        database: The gateway's.
        issuer: Who vouches.
        subject: The client's name there.
        issued_at: When the issuer said so, in seconds since 1970: what a client held when its tokens were taken back opens nothing.
        asked: What is asked for.

    Raises:
        NotAuthenticated: No client is known by that name, it was revoked, or its tokens of then were taken back.
    """
    async with database.transaction(asked.at) as work:
        row = await repository.find_by_subject(work, issuer, subject)
        if row is None:
            raise NotAuthenticated
        cut = row["tokens_not_before"]
        if cut is not None and issued_at <= cut.timestamp():
            raise NotAuthenticated
        return _grant(client_of(row), asked)


async def _credentials(database: Database, client_id: str, at: datetime) -> Sequence[sa.RowMapping]:
    """What a client may prove itself with now: what it has, and what it had while that is still good."""
    async with database.transaction(at) as work:
        row = await repository.find_client(work, client_id)
        return [row, *await repository.former(work, client_id)] if row is not None else []


async def _proof(sources: KeySources, row: sa.RowMapping, client_id: str, assertion: str, audience: str, at: datetime) -> Assertion | None:
    """What one set of credentials makes of an assertion. No transaction is held while keys are fetched."""
    url: str | None = row["jwks_url"]
    try:
        if url is None:
            return read_assertion(assertion, client_id, public_keys(row["public_keys"] or {}), audience, at)
        kid: Any = unverified(assertion, 0).get("kid")
        keys = await sources.find(url, kid if isinstance(kid, str) else None)
        try:
            return read_assertion(assertion, client_id, keys, audience, at)
        except KeyDoesNotFit:
            if kid is not None:
                raise
            return read_assertion(assertion, client_id, await sources.find_other(url, keys), audience, at)
    except (NotAuthenticated, ValueError):
        return None


async def _still(work: Work, client_id: str, proved: sa.RowMapping) -> Client:
    """The client, held until the transaction ends, if what it proved itself with is still good: it may have been taken away meanwhile."""
    now = await repository.hold_client(work, client_id)
    if now is None:
        raise NotAuthenticated
    good = [now, *await repository.former(work, client_id)]
    if not any(all(one[name] == proved[name] for name in _CREDENTIALS) for one in good):
        raise NotAuthenticated
    return client_of(now)


def _grant(client: Client, asked: Asked) -> Grant:
    if client.certificate_thumbprints and asked.certificate not in client.certificate_thumbprints:
        raise NotAuthenticated
    wanted = client.scopes if asked.scope is None else tuple(dict.fromkeys(asked.scope.split(" ")))
    if not set(wanted) <= set(client.scopes):
        raise ScopeNotAllowed
    grant = Grant(client.client_id, client.organisation, client.unit_prefixes, client.role, wanted, client.municipality, client.demo)
    return replace(grant, certificate=asked.certificate)
