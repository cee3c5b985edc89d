"""`dirigent openapi`: the interface description of all services, as the running gateway tells it."""

import sys
from typing import Annotated

import httpx
import typer

from dirigent.failure import CannotStart
from dirigent.replay.command import DEFAULT_URL


def command(url: Annotated[str, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.")] = DEFAULT_URL) -> None:
    """Print the OpenAPI document of all services."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/openapi.json", timeout=30, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise CannotStart(f"{url} does not answer: {error}") from None
    sys.stdout.write(answer.text + "\n")
