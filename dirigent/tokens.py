"""`dirigent token CLIENT`: print a bearer token, of a demo client by the secret in the data folder, of another by its private key."""

import asyncio
import importlib
import json
from pathlib import Path
from typing import Annotated, Final

import typer

from dirigent.calling import program_here
from dirigent.county.secrets import NoDemoClientsError, read_secrets
from dirigent.failure import CannotStart
from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.command import DEFAULT_URL, secret_of
from dirigent.supervisor.folder import chosen_folder

PATIENCE_SECONDS: Final = 10.0

Data = Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder with the demo's clients.", show_default="./data")]


def command(
    client: Annotated[str, typer.Argument(help="For example kommun-1480, ward-su or finance.")],
    url: Annotated[
        str | None, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.", show_default="what runs in the data folder")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="File with its private key: JWK, JWK set or PEM (P-256).")] = None,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Client and token as JSON.")] = False,
) -> None:
    """Print a bearer token of a client, good for five minutes."""
    try:
        folder = chosen_folder(data)
        where = (url or folder.running_at() or DEFAULT_URL).rstrip("/")
        if key is not None:
            # A library of cryptography, which a demo's secret does without.
            token = importlib.import_module("dirigent.assertions").token_by_key(where, client, key)
        else:
            secrets = read_secrets(folder.path)
            if client not in secrets:
                raise CannotStart(
                    f"{client} is no client of the demo; give the key of another with --key, or see `{program_here()} client list`"
                )
            token = asyncio.run(_token(where, client, secrets))
    except (NoDemoClientsError, NotReachedError, TokenRefusedError) as error:
        raise CannotStart(str(error)) from None
    print(json.dumps({"client": client, "access_token": token, "token_type": "Bearer"}) if as_json else token)


async def _token(url: str, client: str, secrets: dict[str, str]) -> str:
    async with PublicApi(url, lambda name: secret_of(secrets, name), patience=PATIENCE_SECONDS) as api:
        return await api.token(client)
