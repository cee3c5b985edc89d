"""`dirigent client list`: show the demo's clients."""

import json
from typing import Annotated, Any

import typer

from dirigent.county.clients import DemoClient, demo_clients
from dirigent.county.load import load_county

app = typer.Typer(no_args_is_help=True, help="The clients of the demo.")


@app.callback()
def _clients() -> None:
    """The clients of the demo."""


@app.command("list")
def list_clients(as_json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False) -> None:
    """Show every client of the demo with its role, organisation and scopes; secrets are never shown."""
    found = demo_clients(load_county())
    if as_json:
        print(json.dumps([_told(client) for client in found], ensure_ascii=False))
        return
    for client in found:
        print(f"{client.id:<18} {client.role:<13} {client.organisation}  {' '.join(client.scopes)}")


def _told(client: DemoClient) -> dict[str, Any]:
    return {
        "client": client.id,
        "name": client.name,
        "role": client.role,
        "organisation": client.organisation,
        "unit_prefixes": client.unit_prefixes,
        "municipality": client.municipality,
        "scopes": client.scopes,
    }
