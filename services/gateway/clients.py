"""The registry of clients: who may ask for tokens, with which proof. One function, one transaction."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.gateway import repository
from services.gateway.auth import hash_secret, secret_matches
from services.gateway.key_sources import public_keys
from services.gateway.tables import ROLES
from shared.db import Work
from shared.errors import Malformed
from shared.http.access import SCOPES
from shared.targets import TargetRefused, read_target

OVERLAP: Final = timedelta(hours=24)
# Asked for inside the services rather than by a route.
BESIDE_ROUTES: Final = frozenset({"persons:protected"})
_CLIENT_ID_LIMIT: Final = 100
_ORGANISATION: Final = re.compile(r"[0-9]{10}", re.ASCII)
_MUNICIPALITY: Final = re.compile(r"[0-9]{4}", re.ASCII)
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Client:
    """A system that calls us: it belongs to one organisation, speaks for unit prefixes inside it and has one role.

    Its keys are given by value (`public_keys`, a JWK set) or by address (`jwks_url`). With `certificate_thumbprints` it gets tokens only
    over a connection with one of those certificates. An external `issuer` may vouch for it under the name `subject`.
    """

    client_id: str
    organisation: str
    unit_prefixes: tuple[str, ...]
    role: str
    scopes: tuple[str, ...]
    municipality: str | None = None
    public_keys: Mapping[str, Any] | None = None
    demo: bool = False
    jwks_url: str | None = None
    certificate_thumbprints: tuple[str, ...] = ()
    issuer: str | None = None
    subject: str | None = None
    registered_by: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client proves itself with from now on; exactly one of the three, and what is not given is not good any more."""

    secret: str | None = None
    public_keys: Mapping[str, Any] | None = None
    jwks_url: str | None = None


class UnknownClient(Exception):
    """There is no client of that name, or it was revoked."""


async def register_client(work: Work, client: Client, secret: str | None = None) -> None:
    """Enter a client, or bring a known one up to date and let it in again; done twice it changes nothing.

    Args:
        work: The transaction to do it in.
        client: Who it is and what it may do. Without keys of either kind those that are stored stay, unless the client was revoked.
        secret: For `client_secret_basic`, which only a demo accepts; None leaves a stored secret as it is, unless the client was revoked.

    Raises:
        Malformed: `client.id_malformed` or `client.unusable`; `errors` name what of it cannot be.
    """
    refuse_unusable(client)
    stored = await repository.lock_client(work, client.client_id)
    if stored is not None and stored["disabled_at"] is not None:
        # What was shut out may be in other hands: nothing it proved itself with then opens anything now.
        stored = None
        await repository.forget_former(work, client.client_id, all_of_them=True)
    secret_hash = stored["secret_hash"] if stored is not None else None
    if secret is not None and not (secret_hash and secret_matches(secret, secret_hash)):
        secret_hash = hash_secret(secret)
    if stored is not None and client.public_keys is None and client.jwks_url is None:
        client = replace(client, public_keys=stored["public_keys"], jwks_url=stored["jwks_url"])
    values = {
        "client_id": client.client_id,
        "organisation": client.organisation,
        "unit_prefixes": list(client.unit_prefixes),
        "role": client.role,
        "scopes": list(client.scopes),
        "municipality": client.municipality,
        "secret_hash": secret_hash,
        "public_keys": client.public_keys,
        "jwks_url": client.jwks_url,
        "certificate_thumbprints": list(client.certificate_thumbprints),
        "issuer": client.issuer,
        "subject": client.subject,
        "demo": client.demo,
        "registered_at": work.at,
        "registered_by": client.registered_by,
    }
    await repository.put_client(work, values)
    await repository.tell_change(work, client.client_id)


def refuse_unusable(client: Client) -> None:
    """Refuse what an operator can get wrong about a client.

    Raises:
        Malformed: `client.id_malformed` or `client.unusable`; its `detail` says what, in English for the operator.
    """
    if not 0 < len(client.client_id) <= _CLIENT_ID_LIMIT or ":" in client.client_id or not client.client_id.isprintable():
        raise Malformed("client.id_malformed")
    wrong = next((reason for reason, is_wrong in _faults(client) if is_wrong), None)
    if wrong is not None:
        raise Malformed("client.unusable", wrong)


def _faults(client: Client) -> list[tuple[str, bool]]:
    inside = f"SE{client.organisation}-"
    return [
        ("the organisation number has ten digits", not _ORGANISATION.fullmatch(client.organisation)),
        (f"the role is one of {', '.join(ROLES)}", client.role not in ROLES),
        ("a client has at least one scope, each of them one that a route asks for", not _are_scopes(client.scopes)),
        (f"every unit prefix begins with {inside}", not all(prefix.startswith(inside) for prefix in client.unit_prefixes)),
        ("a client has at least one unit prefix", not client.unit_prefixes),
        ("a municipality's client names its municipality", client.role == "municipality" and client.municipality is None),
        ("a municipality has four digits", client.municipality is not None and not _MUNICIPALITY.fullmatch(client.municipality)),
        ("keys are given by value or by address, not both", client.public_keys is not None and client.jwks_url is not None),
        ("the key set holds no usable public key (P-256)", client.public_keys is not None and not _are_keys(client.public_keys)),
        ("the address of keys is no https address", client.jwks_url is not None and not _is_url(client.jwks_url)),
        ("a thumbprint is SHA-256 in base64url", not all(map(_THUMBPRINT.fullmatch, client.certificate_thumbprints))),
        ("issuer and subject are given together", (client.issuer is None) != (client.subject is None)),
    ]


def _are_scopes(scopes: tuple[str, ...]) -> bool:
    return bool(scopes) and set(scopes) <= SCOPES | BESIDE_ROUTES


def _are_keys(document: Mapping[str, Any]) -> bool:
    try:
        public_keys(document)
    except ValueError:
        return False
    return True


def _is_url(url: str) -> bool:
    """Whether it can be read in one way only. Whether it may be called is decided by the process that calls it, at every call."""
    try:
        read_target(url)
    except TargetRefused as refused:
        return refused.code not in {"url_malformed", "url_with_credentials", "url_with_fragment"}
    return True


async def list_clients(work: Work) -> list[Client]:
    """Every client that may ask for tokens, by name."""
    return [client for client in await list_all_clients(work) if client.active]


async def list_all_clients(work: Work) -> list[Client]:
    """Every client, also those that were revoked, by name."""
    return [client_of(row) for row in await repository.list_clients(work)]


async def revoke_client(work: Work, client_id: str) -> bool:
    """Take away a client's right to tokens and those it holds, in every process within a minute. False when there is no such client."""
    found = await repository.disable_client(work, client_id)
    await repository.tell_change(work, client_id)
    return found


async def end_tokens(work: Work, client_id: str) -> None:
    """Take back every token a client holds now; it may ask for new ones.

    Raises:
        UnknownClient: There is none that may.
    """
    await _held(work, client_id)
    await repository.end_tokens(work, client_id)
    await repository.tell_change(work, client_id)


async def rotate_credentials(work: Work, client_id: str, credentials: Credentials, overlap: timedelta = OVERLAP) -> None:
    """Give a client another key, address of keys or secret; what it had is good for an overlap, so that no good request is refused.

    Without an overlap everything it had ends at once, and every token it was given: for a key that others may have.

    Raises:
        UnknownClient: There is none of that name that may come in.
        Malformed: `client.unusable`, the new credentials cannot be used.
    """
    row = await _held(work, client_id)
    refuse_unusable(replace(client_of(row), public_keys=credentials.public_keys, jwks_url=credentials.jwks_url))
    await repository.forget_former(work, client_id, all_of_them=not overlap)
    if overlap:
        await repository.keep_former(work, row, work.at + overlap)
    values = {
        "secret_hash": hash_secret(credentials.secret) if credentials.secret is not None else None,
        "public_keys": credentials.public_keys,
        "jwks_url": credentials.jwks_url,
    }
    await repository.replace_credentials(work, client_id, values)
    if not overlap:
        await repository.end_tokens(work, client_id)
    await repository.tell_change(work, client_id)


async def _held(work: Work, client_id: str) -> sa.RowMapping:
    row = await repository.lock_client(work, client_id)
    if row is None or row["disabled_at"] is not None:
        raise UnknownClient(client_id)
    return row


def client_of(row: sa.RowMapping) -> Client:
    """A client as its row tells it."""
    return Client(
        client_id=row["client_id"],
        organisation=row["organisation"],
        unit_prefixes=tuple(row["unit_prefixes"]),
        role=row["role"],
        scopes=tuple(row["scopes"]),
        municipality=row["municipality"],
        public_keys=row["public_keys"],
        demo=row["demo"],
        jwks_url=row["jwks_url"],
        certificate_thumbprints=tuple(row["certificate_thumbprints"]),
        issuer=row["issuer"],
        subject=row["subject"],
        registered_by=row["registered_by"],
        active=row["disabled_at"] is None,
    )
