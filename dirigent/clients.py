"""`dirigent client`: enter systems that may call, change their keys, and shut them out; straight in the gateway's own database."""

import asyncio
import getpass
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from dirigent import tokens
from dirigent.client_keys import make_key, read_public, thumbprint_in
from dirigent.county.clients import SCOPES, demo_clients
from dirigent.county.load import load_county
from dirigent.failure import CannotStart
from dirigent.supervisor.system import Options, databases_of
from services.gateway import clients
from services.gateway.auth import new_secret
from services.gateway.clients import Client, Credentials, UnknownClient
from services.gateway.staff.sessions import end_sessions_of
from services.notifications.usecases import Silenced, silence_client
from shared.db import Database, Work
from shared.errors import Malformed

GATEWAY_VARIABLE: Final = "DIRIGENT_GATEWAY_DATABASE_URL"
_LONGEST_OVERLAP: Final = 8_760.0  # hours; a year
NOTIFICATIONS_VARIABLE: Final = "DIRIGENT_NOTIFICATIONS_DATABASE_URL"
T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Systems that may call: who they are and what they prove it with.")
app.command("token")(tokens.command)

Id = Annotated[str, typer.Argument(metavar="ID", help="The client's id.")]
Data = Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]
Key = Annotated[Path | None, typer.Option(help="File with its public key: JWK, JWK set or PEM (P-256).")]
KeysAt = Annotated[str | None, typer.Option("--jwks-url", help="Address where it publishes its public keys (https).")]
NewKey = Annotated[Path | None, typer.Option("--generate-key", help="Make a key pair; the private half goes into this new file.")]
Secret = Annotated[bool, typer.Option("--secret", help="A secret, shown once; only a demo takes it.")]


@app.callback()
def _clients() -> None:
    """Systems that may call."""


@app.command("add")
def add(  # noqa: PLR0913  # an operator may state all of this
    client: Id,
    organisation: Annotated[str, typer.Option(help="Organisation number, ten digits.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(SCOPES)}.")],
    unit: Annotated[list[str], typer.Option(help="Beginning of the HSA-ids it speaks for; may be repeated.")],
    municipality: Annotated[str | None, typer.Option(help="SCB code, of a municipality's client.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="May be repeated.", show_default="all of its role")] = None,
    key: Key = None,
    jwks_url: KeysAt = None,
    generate_key: NewKey = None,
    secret: Secret = False,
    certificate: Annotated[list[Path] | None, typer.Option(help="PEM; it gets tokens only with one of these.")] = None,
    issuer: Annotated[str | None, typer.Option(help="An external issuer that vouches for it.")] = None,
    subject: Annotated[str | None, typer.Option(help="Its name at that issuer.")] = None,
    by: Annotated[str | None, typer.Option(help="Who enters it.", show_default="who runs this")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Enter a client. A revoked one of the same organisation comes in again; one in use is refused."""
    if role not in SCOPES:
        raise CannotStart(f"--role: one of {', '.join(SCOPES)}")
    proofs, shown = _proofs(key, jwks_url, generate_key, secret=secret, needed=issuer is None)
    wanted = Client(
        client,
        organisation,
        tuple(unit),
        role,
        tuple(dict.fromkeys(scope or SCOPES[role])),
        municipality,
        demo=secret,
        public_keys=proofs.public_keys,
        jwks_url=proofs.jwks_url,
        certificate_thumbprints=tuple(map(thumbprint_in, certificate or ())),
        issuer=issuer,
        subject=subject,
        registered_by=by or getpass.getuser(),
    )

    async def enter(work: Work) -> None:
        known = {one.client_id: one for one in await clients.list_all_clients(work)}.get(client)
        if known is not None and known.active:
            raise CannotStart(f"there is a client {client} already; rotate its key or revoke it")
        if known is not None and known.organisation != organisation:
            raise CannotStart(f"{client} was a client of another organisation; what it did stands under that name, so take another one")
        await clients.register_client(work, wanted, proofs.secret)

    with _removed_unless_done(generate_key):
        _do(data, enter)
    _tell({"client": client, "role": role, "organisation": organisation, "scopes": list(wanted.scopes)} | shown, as_json=as_json)


@app.command("list")
def list_clients(
    everybody: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Those that a demo makes, without asking any database.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Show every client with role, organisation and scopes; secrets and keys are never shown."""
    found = _of_the_demo() if demo else _do(data, clients.list_all_clients)
    shown = [one for one in found if one.active or everybody]
    if as_json:
        print(json.dumps([_told(one) for one in shown], ensure_ascii=False))
        return
    for one in shown:
        revoked = "" if one.active else "  revoked"
        print(f"{one.client_id:<18} {one.role:<13} {one.organisation}  {_proved_by(one):<8}  {' '.join(one.scopes)}{revoked}")


@app.command("rotate")
def rotate(  # noqa: PLR0913  # one of four proofs
    client: Id,
    key: Key = None,
    jwks_url: KeysAt = None,
    generate_key: NewKey = None,
    secret: Secret = False,
    overlap: Annotated[
        float, typer.Option(min=0, max=_LONGEST_OVERLAP, help="Hours the old one is good for; 0 ends it and every token at once.")
    ] = 24,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Give a client a new key or secret; the old one stays good for an overlap."""
    proofs, shown = _proofs(key, jwks_url, generate_key, secret=secret, needed=True)

    async def change(work: Work) -> None:
        await clients.rotate_credentials(work, client, proofs, timedelta(hours=overlap))

    with _removed_unless_done(generate_key):
        _do(data, change)
    _tell({"client": client, "overlap_hours": overlap} | shown, as_json=as_json)


@app.command("revoke")
def revoke(
    client: Id,
    tokens_only: Annotated[bool, typer.Option("--tokens-only", help="Take back the tokens it has; it may ask for new ones.")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Shut a client out: no tokens any more, those it has are refused within a minute, its webhooks and digests end.

    For a member of staff, who stands in no registry, the id is the user: she is signed out everywhere, and hers end too.
    Where these could not be ended it says so and fails; once more does the rest.
    """
    if tokens_only:
        _do(data, lambda work: clients.end_tokens(work, client))
        _tell({"client": client, "revoked": "tokens"}, as_json=as_json)
        return
    sessions, silenced = _run(_revoked(data, client))
    who: dict[str, Any] = {"revoked": "client"} if sessions is None else {"revoked": "staff", "sessions_ended": sessions}
    ended = {"subscriptions_disabled": silenced.subscriptions, "digests_ended": silenced.digests}
    _tell({"client": client} | who | ended, as_json=as_json)


async def _revoked(data: Path | None, client: str) -> tuple[int | None, Silenced]:
    """First at the door, so that nothing new is asked for; then what it was to be told. One transaction in each database.

    Returns:
        The sessions that ended, of whom the registry does not know; and what fell silent.
    """

    async def end(work: Work) -> int | None:
        known = await clients.revoke_client(work, client)
        if known or any(one.client_id == client for one in await clients.list_all_clients(work)):
            return None
        return await end_sessions_of(work, client)

    async with _addresses(data) as addresses:
        sessions = await _used(addresses["gateway"], end)
        told = f"{client} gets no tokens any more, but its webhooks and digests go on"
        if "notifications" not in addresses:
            raise CannotStart(f"{told}: set {NOTIFICATIONS_VARIABLE} and revoke it once more")
        try:
            silenced = await _used(addresses["notifications"], lambda work: silence_client(work, client))
        except (SQLAlchemyError, OSError) as error:
            raise CannotStart(f"{told}: the database of notifications does not answer; revoke it once more") from error
    if sessions == silenced.subscriptions == silenced.digests == 0:
        raise UnknownClient(client)
    return sessions, silenced


def _proofs(
    key: Path | None, jwks_url: str | None, generate_key: Path | None, *, secret: bool, needed: bool
) -> tuple[Credentials, dict[str, Any]]:
    """What a client proves itself with, and what of it must be shown now because it never can be again."""
    given = [key is not None, jwks_url is not None, generate_key is not None, secret]
    if sum(given) > 1 or (needed and not any(given)):
        raise CannotStart("give one of --key, --jwks-url, --generate-key and, in a demo, --secret")
    if key is not None:
        return Credentials(public_keys=read_public(key)), {}
    if jwks_url is not None:
        return Credentials(jwks_url=jwks_url), {"jwks_url": jwks_url}
    if generate_key is not None:
        return Credentials(public_keys=make_key(generate_key)), {"private_key_file": str(generate_key)}
    made = new_secret() if secret else None
    return Credentials(secret=made), {"secret": made} if made else {}


@contextmanager
def _removed_unless_done(key_file: Path | None) -> Iterator[None]:
    """Leave no key behind that opens nothing."""
    try:
        yield
    except CannotStart:
        if key_file is not None:
            key_file.unlink(missing_ok=True)
        raise


def _do(data: Path | None, use: Callable[[Work], Awaitable[T]]) -> T:
    """Run one use case on the gateway's database, in one transaction."""
    return _run(_on_the_gateways(data, use))


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except UnknownClient as error:
        raise CannotStart(f"no such client: {error}") from None
    except (OSError, SQLAlchemyError) as error:
        raise CannotStart(f"the gateway's database does not answer ({type(error).__name__})") from None
    except Malformed as error:
        raise CannotStart(error.detail or "the id holds 1 to 100 printable characters and no colon") from None


async def _on_the_gateways(data: Path | None, use: Callable[[Work], Awaitable[T]]) -> T:
    async with _addresses(data) as addresses:
        return await _used(addresses["gateway"], use)


@asynccontextmanager
async def _addresses(data: Path | None) -> AsyncIterator[Mapping[str, str]]:
    """Where the databases are: as the operator named them, else those of the data folder."""
    named = {"gateway": os.environ.get(GATEWAY_VARIABLE), "notifications": os.environ.get(NOTIFICATIONS_VARIABLE)}
    if named["gateway"]:
        yield {service: url for service, url in named.items() if url}
        return
    async with databases_of(Options(data=data)) as access:
        yield {service: one.app for service, one in access.items()}


async def _used(url: str, use: Callable[[Work], Awaitable[T]]) -> T:
    database = Database(url, application="client")
    try:
        async with database.transaction() as work:
            return await use(work)
    finally:
        await database.close()


def _of_the_demo() -> list[Client]:
    found = demo_clients(load_county())
    return [
        Client(one.id, one.organisation, one.unit_prefixes, one.role, one.scopes, one.municipality, demo=True, registered_by="demo")
        for one in found
    ]


def _proved_by(client: Client) -> str:
    if client.jwks_url is not None:
        return "jwks-url"
    if client.public_keys is not None:
        return "key"
    return "issuer" if client.issuer is not None else "secret"


def _told(client: Client) -> dict[str, Any]:
    return {
        "client": client.client_id,
        "role": client.role,
        "organisation": client.organisation,
        "unit_prefixes": client.unit_prefixes,
        "municipality": client.municipality,
        "scopes": client.scopes,
        "proved_by": _proved_by(client),
        "jwks_url": client.jwks_url,
        "certificates": client.certificate_thumbprints,
        "issuer": client.issuer,
        "subject": client.subject,
        "registered_by": client.registered_by,
        "active": client.active,
    }


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        print(f"{name}: {' '.join(value) if isinstance(value, list) else value}")
