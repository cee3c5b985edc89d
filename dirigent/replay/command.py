"""`dirigent replay`: play a file of events and commands through the public HTTP interface."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dirigent.county.secrets import NoDemoClientsError, read_secrets
from dirigent.failure import CannotStart
from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.file import UnreadableLineError, count_lines, read_items
from dirigent.replay.player import NotAllowedError, Player
from dirigent.replay.report import LEGEND, Report
from dirigent.supervisor.folder import chosen_folder

DEFAULT_URL: Final = "http://127.0.0.1:8080"


def command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CloudEvents and commands, one JSON object a line.")],
    client: Annotated[str, typer.Option(help="The client that imports the events.")] = "history",
    url: Annotated[
        str | None, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.", show_default="what runs in the data folder")
    ] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder with the demo's clients.")] = None,
    secret: Annotated[str | None, typer.Option(envvar="DIRIGENT_CLIENT_SECRET", hidden=True)] = None,
    refused: Annotated[Path, typer.Option(help="Where refused lines are written, with their reasons.")] = Path("refused.ndjson"),
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Play a replay file. It may be played again, or after an interruption, at any time: what is known already is only counted."""
    secrets = secrets_at_hand(data, client, secret)
    try:
        report = asyncio.run(_play(file, client, url or chosen_folder(data).running_at() or DEFAULT_URL, secrets))
    except (NotReachedError, TokenRefusedError, NotAllowedError, UnreadableLineError) as error:
        raise CannotStart(str(error)) from None
    if report.refused:
        report.write_refused(refused)
    _tell(report, refused, as_json=as_json)
    raise typer.Exit(1 if report.refused else 0)


def secrets_at_hand(data: Path | None, client: str, secret: str | None) -> dict[str, str]:
    """The secrets at hand: those of the demo, and the one given for this client.

    Raises:
        CannotStart: There are none.
    """
    given = {client: secret} if secret else {}
    try:
        return read_secrets(chosen_folder(data).path) | given
    except NoDemoClientsError as error:
        if given:
            return given
        raise CannotStart(str(error)) from None


async def _play(file: Path, client: str, url: str, secrets: dict[str, str]) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("replay", total=count_lines(file))
        told: set[str] = set()

        def say_once(line: str) -> None:
            if line not in told:
                told.add(line)
                progress.console.print(f"dirigent: {line}", highlight=False, soft_wrap=True)

        async with PublicApi(url, lambda name: secret_of(secrets, name), say=say_once) as api:
            player = Player(api, client, progress=lambda done: progress.advance(bar, done))
            return await player.play(read_items(file))


def secret_of(secrets: dict[str, str], client: str) -> str:
    """The secret of a client.

    Raises:
        TokenRefusedError: Nobody told us its secret.
    """
    if client not in secrets:
        raise TokenRefusedError(f"client {client}: no secret at hand")
    return secrets[client]


def _tell(report: Report, refused: Path, *, as_json: bool) -> None:
    summary = report.summary()
    if as_json:
        print(json.dumps(summary))
        return
    print(f"accepted {summary['accepted']}, repeated {summary['repeated']}, commands {summary['commands']}, refused {summary['refused']}")
    print(LEGEND)
    for code, count in summary["findings"].items():
        print(f"  finding {code}: {count}")
    if report.refused:
        print(f"refused lines with their reasons: {refused}")
