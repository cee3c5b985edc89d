"""Fetching an explanation through the public interface, in the form that it was sealed in."""

import json
from pathlib import Path
from typing import Final

from dirigent.county.secrets import NoDemoClientsError, read_secrets
from dirigent.failure import CannotStart
from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.command import DEFAULT_URL, secret_of
from dirigent.supervisor.folder import chosen_folder

PATIENCE_SECONDS: Final = 10.0


async def fetch(path: str, known_at: str | None, client: str, url: str | None, data: Path | None) -> str:
    """The explanation at an address of the interface.

    Raises:
        CannotStart: There is none for this client, or Dirigent does not answer.
    """
    params = {} if known_at is None else {"known_at": known_at}
    try:
        folder = chosen_folder(data)
        secrets = read_secrets(folder.path)
        where = url or folder.running_at() or DEFAULT_URL
        async with PublicApi(where, lambda name: secret_of(secrets, name), patience=PATIENCE_SECONDS) as api:
            answer = await api.call(client, "GET", path, params=params)
    except (NoDemoClientsError, NotReachedError, TokenRefusedError) as error:
        raise CannotStart(str(error)) from None
    if not answer.ok:
        raise CannotStart(f"{client} got {answer.status} {answer.code}")
    return json.dumps(answer.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
