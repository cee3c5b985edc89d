"""What a running demo tells its user: addresses, clients, and one line to try for each user group."""

from pathlib import Path

from rich.console import Console

from dirigent.calling import program_here
from dirigent.demo.record import Played


def welcome(console: Console, url: str, data: Path, played: Played, token_options: str) -> None:
    """Print where everything is, and one curl line for each user group."""
    say = _Plain(console)
    say(f"\nDirigent is ready: {url}", style="bold")
    say(f"  documentation  {url}/docs")
    say(f"  data and logs  {data}")
    say(f"  played         {played.month}, {played.stays} stays, seed {played.seed}")
    program = program_here()
    say(f"\nTokens live five minutes; this makes one of any demo client (`{program} client list` shows all):", style="bold")
    say(f'  token() {{ {program} token "$1"{token_options}; }}')
    say("\nTry:", style="bold")
    for who, client, path in (
        ("a ward sees its cases", "ward-su", "/v1/cases?limit=3"),
        ("a municipality polls its mailbox", "kommun-1480", "/v1/notices?limit=2"),
        ("a care centre polls its mailbox", "care-goteborg", "/v1/notices?limit=2"),
        ("the controller follows the month", "controller", f"/v1/averages?month={played.month}"),
        ("finance pulls its invoices", "finance", "/v1/invoices?limit=3"),
    ):
        say(f"  # {who}")
        say(f'  curl -s -H "Authorization: Bearer $(token {client})" "{url}{path}"')
    say("\nCtrl-C stops everything.")


class _Plain:
    """Prints lines that can be copied: no wrapping, no markup, no colours but the given style."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, line: str, style: str | None = None) -> None:
        self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
