"""`dirigent mllp`: listen for HL7 v2 over MLLP and hand every message on as one client."""

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from dirigent.county.secrets import NoDemoClientsError, read_secrets
from dirigent.failure import CannotStart
from dirigent.mllp.credentials import Credentials, DemoSecret, OwnKey
from dirigent.mllp.forwarding import Forwarder
from dirigent.mllp.listener import Limits, Listener
from dirigent.replay.command import DEFAULT_URL, secret_of
from dirigent.supervisor.folder import chosen_folder
from dirigent.supervisor.signals import run

DEFAULT_PORT: Final = 2575


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of mutual TLS: our certificate and key, and the authority whose certificates peers must have."""

    certificate: Path
    key: Path
    client_ca: Path

    def context(self) -> ssl.SSLContext:
        """A server's context that asks every peer for a certificate.

        Raises:
            CannotStart: A file cannot be read, or the key is not that of the certificate.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            for file in (self.certificate, self.key, self.client_ca):
                file.open("rb").close()
            context.load_cert_chain(self.certificate, self.key)
            context.load_verify_locations(self.client_ca)
        except ssl.SSLError as error:
            raise CannotStart(f"the certificates cannot be used: {error.reason or 'not PEM'}") from None
        except OSError as error:
            raise CannotStart(f"{error.filename}: {error.strerror}") from None
        return context


def command(  # noqa: PLR0913  # the options of the command line, one to one
    client: Annotated[str, typer.Option(help="The client all messages are from, e.g. ward-su.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one and prints it.")] = DEFAULT_PORT,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    url: Annotated[
        str | None, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.", show_default="what runs in the data folder")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Our certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    client_ca: Annotated[Path | None, typer.Option(help="The authority that peers' certificates are of, PEM.")] = None,
    peer: Annotated[list[str] | None, typer.Option(help="A name that a peer's certificate must have; several: one of them.")] = None,
    plaintext: Annotated[bool, typer.Option(help="Without TLS; on this machine only.")] = False,
    client_key: Annotated[Path | None, typer.Option(help="The client's private key, JWK or PEM.", show_default="demo: its secret")] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder of a demo.", show_default="./data")] = None,
) -> None:
    """Listen for HL7 v2 messages over MLLP and hand each one on; an acknowledgement goes back when it was answered."""
    tls = _tls(host, certificate, key, client_ca, plaintext=plaintext)
    folder = chosen_folder(data)
    credentials = OwnKey.from_file(client, client_key) if client_key is not None else _demo_secret(client, folder.path)
    gateway = url or folder.running_at() or DEFAULT_URL
    limits = Limits(peers=frozenset(peer or ()))
    raise typer.Exit(run(listen(gateway, credentials, limits, host, port, tls), say=print))


async def listen(url: str, credentials: Credentials, limits: Limits, host: str, port: int, tls: ssl.SSLContext | None) -> None:
    """Listen until cancelled.

    Raises:
        CannotStart: The port cannot be had, or the gateway would take nothing from this client.
    """
    async with Forwarder(url, credentials) as forwarder:
        await forwarder.refuse_in_vain()
        listener = Listener(forwarder, limits)
        try:
            got = await listener.start(host, port, tls)
        except OSError as error:
            raise CannotStart(f"cannot listen on {host} port {port}: {error.strerror}") from None
        print(f"MLLP on {host} port {got} for {credentials.client} to {url}", flush=True)
        try:
            await asyncio.Event().wait()
        finally:
            await listener.close()


def _tls(host: str, certificate: Path | None, key: Path | None, client_ca: Path | None, *, plaintext: bool) -> ssl.SSLContext | None:
    if plaintext:
        if not _is_loopback(host):
            raise CannotStart("--plaintext is for this machine only: elsewhere both sides show a certificate")
        return None
    if certificate is None or key is None or client_ca is None:
        raise CannotStart("--certificate, --key and --client-ca are needed; --plaintext listens on this machine only")
    return Tls(certificate, key, client_ca).context()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _demo_secret(client: str, folder: Path) -> DemoSecret:
    try:
        secrets = read_secrets(folder)
    except NoDemoClientsError as error:
        raise CannotStart(f"{error}; or name the client's own key with --client-key") from None
    if client not in secrets:
        raise CannotStart(f"{client} is no client of the demo; name its own key with --client-key")
    return DemoSecret(client, secret_of(secrets, client))
