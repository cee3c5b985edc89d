"""Who may ask for tokens: registering clients, and turning a client's proof into a grant. One function, one transaction."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from services.gateway import repository
from services.gateway.auth import Grant, NotAuthenticated, hash_secret, read_assertion, secret_matches
from shared.db import Database, Work
from shared.errors import Malformed

_CLIENT_ID_LIMIT: Final = 100
# Stretching takes milliseconds of processor: a flood of guesses may fill one core, never all.
_STRETCHER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="secrets")


class ScopeNotAllowed(Exception):
    """The client asked for a scope that it does not have."""


@dataclass(frozen=True, slots=True)
class Client:
    """A system that calls us: it belongs to one organisation, speaks for unit prefixes inside it and has one role."""

    client_id: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    scopes: tuple[str, ...]
    municipality: str | None = None
    public_keys: Mapping[str, Any] | None = None
    demo: bool = False


async def register_client(work: Work, client: Client, secret: str | None = None) -> None:
    """Enter a client, or bring a known one up to date; done twice it changes nothing.

    Args:
        work: The transaction to do it in.
        client: Who it is and what it may do; `public_keys` is a JWK set for `private_key_jwt`.
        secret: For `client_secret_basic`, which only a demo accepts; None leaves a stored secret as it is.

    Raises:
        Malformed: The client id is empty, too long or holds a colon or control character.
    """
    if not 0 < len(client.client_id) <= _CLIENT_ID_LIMIT or ":" in client.client_id or not client.client_id.isprintable():
        raise Malformed("client.id_malformed")
    stored = await repository.lock_secret_hash(work, client.client_id)
    if secret is not None and not (stored and secret_matches(secret, stored)):
        stored = hash_secret(secret)
    values = {
        "client_id": client.client_id,
        "organisation": client.organisation,
        "unit_prefixes": list(client.unit_prefixes),
        "role": client.role,
        "scopes": list(client.scopes),
        "municipality": client.municipality,
        "secret_hash": stored,
        "public_keys": client.public_keys,
        "demo": client.demo,
        "registered_at": work.at,
    }
    await repository.put_client(work, values)


async def list_clients(work: Work) -> list[Client]:
    """Every client that may ask for tokens, by name."""
    return [_client(row) for row in await repository.list_clients(work) if row["disabled_at"] is None]


async def revoke_client(work: Work, client_id: str) -> bool:
    """Take away a client's right to tokens; those it holds end within five minutes. False when there is no such client."""
    return await repository.disable_client(work, client_id)


async def grant_by_secret(database: Database, client_id: str, secret: str, scope: str | None) -> Grant:
    """Answer a client that shows its secret (demo only; the caller has checked that).

    Raises:
        NotAuthenticated: Unknown client, disabled, or wrong secret: not told apart, not even by time.
        ScopeNotAllowed: It asked for more than it has.
    """
    async with database.transaction() as work:
        row = await repository.find_client(work, client_id)
    stored = row["secret_hash"] if row is not None else None
    matches = await asyncio.get_running_loop().run_in_executor(_STRETCHER, secret_matches, secret, stored)
    if row is None or not matches:
        raise NotAuthenticated
    return _grant(_client(row), scope)


async def grant_by_assertion(database: Database, client_id: str, assertion: str, audience: str, scope: str | None) -> Grant:
    """Answer a client that signed an assertion with its own key; each assertion is good once.

    Raises:
        NotAuthenticated: Unknown client, wrong key, wrong claim, or used before: not told apart.
        ScopeNotAllowed: It asked for more than it has.
    """
    async with database.transaction() as work:
        row = await repository.find_client(work, client_id)
        if row is None or row["public_keys"] is None:
            raise NotAuthenticated
        proof = read_assertion(assertion, client_id, row["public_keys"], audience, work.at)
        grant = _grant(_client(row), scope)
        if not await repository.use_assertion(work, client_id, proof.jti, proof.keep_until):
            raise NotAuthenticated
    return grant


def _grant(client: Client, scope: str | None) -> Grant:
    wanted = client.scopes if scope is None else tuple(dict.fromkeys(scope.split(" ")))
    if not set(wanted) <= set(client.scopes):
        raise ScopeNotAllowed
    return Grant(client.client_id, client.organisation, client.unit_prefixes, client.role, wanted, client.municipality, client.demo)


def _client(row: sa.RowMapping) -> Client:
    return Client(
        client_id=row["client_id"],
        organisation=row["organisation"],
        unit_prefixes=tuple(row["unit_prefixes"]),
        role=row["role"],
        scopes=tuple(row["scopes"]),
        municipality=row["municipality"],
        public_keys=row["public_keys"],
        demo=row["demo"],
    )
