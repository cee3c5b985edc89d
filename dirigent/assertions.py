"""A token for a client that proves itself with its own key, as any client of ours fetches one."""

from pathlib import Path
from typing import Final

import httpx

from dirigent.client_keys import read_private, sign_assertion
from dirigent.replay.api import NotReachedError, TokenRefusedError
from shared.dates import now

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PATIENCE: Final = httpx.Timeout(10.0, connect=5.0)


def assertion_form(key_file: Path, client: str, url: str) -> dict[str, str]:
    """The form to post to the token endpoint of a Dirigent at `url`; every call makes a new one, since each is good once.

    Raises:
        CannotStart: The file holds no private key.
    """
    assertion = sign_assertion(read_private(key_file), client, f"{url}/oauth2/token", now())
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def token_by_key(url: str, client: str, key_file: Path) -> str:
    """Fetch a token.

    Raises:
        NotReachedError: Nobody answers.
        TokenRefusedError: The client or its key is not known.
        CannotStart: The file holds no private key.
    """
    form = assertion_form(key_file, client, url)
    try:
        answer = httpx.post(f"{url}/oauth2/token", data=form, timeout=_PATIENCE, trust_env=False)
    except httpx.TransportError as error:
        raise NotReachedError(f"{url} does not answer ({type(error).__name__})") from error
    if answer.status_code != httpx.codes.OK:
        raise TokenRefusedError(f"client {client}: the token endpoint answered {answer.status_code}")
    return str(answer.json()["access_token"])
