"""`dirigent demo`: start everything, play a month of a whole county, check every sum; with `--keep` stay until Ctrl-C."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dirigent.calling import program_here
from dirigent.county.secrets import read_secrets
from dirigent.demo.asking import DemoError
from dirigent.demo.mailboxes import MailboxError
from dirigent.demo.play import Demo
from dirigent.demo.record import Played, read_played, refuse_another, write_played
from dirigent.demo.table import how_to_read, table_of
from dirigent.demo.welcome import welcome
from dirigent.failure import CannotStart
from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.command import secret_of
from dirigent.replay.player import NotAllowedError
from dirigent.simulate.command import DEFAULT_SEED, DEFAULT_STAYS, read_month
from dirigent.supervisor.folder import DataFolder, chosen_folder, default_folder
from dirigent.supervisor.signals import SIGNAL_BASE, run
from dirigent.supervisor.system import Options, System, running

_ORDERLY: Final = {SIGNAL_BASE + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
_DEFAULT_PORT: Final = 8080
# Silence is a yes at once: nobody wants to wait thirty days in a demo.
_NO_WINDOW: Final = ("DIRIGENT_BILLING_DISPUTE_WINDOW_DAYS", "0")


def command(  # noqa: PLR0913  # one parameter for each option
    keep: Annotated[bool, typer.Option("--keep", help="Keep running until Ctrl-C; a second start with the same data is warm.")] = False,
    seed: Annotated[int | None, typer.Option(help="Another seed, another county.", show_default=str(DEFAULT_SEED))] = None,
    month: Annotated[str | None, typer.Option(help="YYYY-MM.", show_default="the last full month")] = None,
    stays: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many stays.", show_default=str(DEFAULT_STAYS))] = None,
    data: Annotated[
        Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="temporary; ./data with --keep")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(envvar="DIRIGENT_PORT", min=0, max=65535, help="0 takes any free one.", show_default="free; 8080 with --keep"),
    ] = None,
    split: Annotated[bool, typer.Option("--split", help="Every service's api and worker as a process of its own.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The table as JSON on standard output, everything else beside it.")] = False,
) -> None:
    """Play the demo: exit code 0 only when every check in it held."""
    wanted = _Wanted(month, seed, stays, keep=keep, as_json=as_json)
    os.environ.setdefault(*_NO_WINDOW)
    with ExitStack() as stack:
        if data is None and not keep:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dirigent-demo-", ignore_cleanup_errors=True)))
        folder = chosen_folder(data)
        chosen = port if port is not None else (_DEFAULT_PORT if keep else 0)
        options = Options(data=folder.path, port=chosen, split=split, environment="demo", steps=("dirigent.seed",))
        wanted.check(folder.path)
        console = Console(stderr=as_json)
        farewell = _farewell(folder) if keep else ""
        code = run(_demo(options, wanted, console), say=_plainly(console), farewell=farewell)
    asked_to_end = keep and wanted.held and code in _ORDERLY
    raise typer.Exit(0 if asked_to_end else code)


def _farewell(folder: DataFolder) -> str:
    again = "make run" if folder == default_folder() else f'{program_here()} demo --keep --data "{folder.path}"'
    return f"the data stay in {folder.path}; {again} goes on from them"


def _plainly(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Wanted:
    """What was asked for on the command line; what was not is taken from the folder, else by default. `held`: no check failed so far."""

    def __init__(self, month: str | None, seed: int | None, stays: int | None, *, keep: bool, as_json: bool) -> None:
        self.keep = keep
        self.as_json = as_json
        self.held = True
        self._given = (month, seed, stays)
        self._month = str(read_month(month))

    def check(self, data: Path) -> Played:
        """What this folder holds or shall hold.

        Raises:
            CannotStart: It holds another demo than the one asked for.
        """
        month, seed, stays = self._given
        known = read_played(data)
        if known is not None:
            refuse_another(data, known, month, seed, stays)
            return known
        return Played(self._month, DEFAULT_SEED if seed is None else seed, stays or DEFAULT_STAYS)


async def _demo(options: Options, wanted: _Wanted, console: Console) -> int:
    async with running(options) as system:
        folder = system.folder.path
        played = wanted.check(folder)
        if not (wanted.keep and played.complete):
            try:
                wanted.held = await _play(system, played, wanted, console)
            except (DemoError, MailboxError, NotReachedError, TokenRefusedError, NotAllowedError) as error:
                raise CannotStart(f"the demo could not be played to its end: {error}; logs in {folder / 'logs'}") from None
        if wanted.keep:
            welcome(console, system.public_url, folder, played, f' --url {system.public_url} --data "{folder}"')
            await asyncio.Event().wait()
    return 0 if wanted.held else 1


async def _play(system: System, played: Played, wanted: _Wanted, console: Console) -> bool:
    folder = system.folder.path
    write_played(folder, played)
    secrets = read_secrets(folder)
    async with PublicApi(system.public_url, lambda client: secret_of(secrets, client)) as api:
        demo = Demo(api, played, folder, console, lambda title, total: _bar(console, title, total))
        holds = await demo.play()
    console.print(table_of(demo.rows, played.month))
    _plainly(console)(how_to_read(demo.rows, played.month, played.stays, demo.prices))
    if wanted.as_json:
        print(json.dumps([row.as_dict() for row in demo.rows], ensure_ascii=False))
    if holds:
        write_played(folder, Played(played.month, played.seed, played.stays, complete=True))
        console.print(f"[bold green]All {demo.checks.made} checks hold.[/bold green]", highlight=False)
    else:
        console.print(f"[bold red]{len(demo.checks.failed)} of {demo.checks.made} checks do not hold.[/bold red]", highlight=False)
    return holds


@contextmanager
def _bar(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.advance(task, done)
