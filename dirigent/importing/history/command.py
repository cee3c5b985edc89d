"""`dirigent import history`: take over the stays of an older service from a CSV file, while the system runs."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from dirigent.failure import CannotStart
from dirigent.importing.history.file import Encoding, Form, form_of
from dirigent.importing.history.journal import Journal, Tally
from dirigent.importing.history.journal import Progress as Noted
from dirigent.importing.history.known_units import known_units
from dirigent.importing.history.rejects import Rejects
from dirigent.importing.history.run import Import
from dirigent.importing.history.sending import Sender
from dirigent.replay.api import NotReachedError, PublicApi, TokenRefusedError
from dirigent.replay.command import DEFAULT_URL, secret_of, secrets_at_hand
from dirigent.replay.player import NotAllowedError
from dirigent.supervisor.folder import chosen_folder
from shared.dates import now

_AGAIN: Final = "beginning again, which only repeats what is known"


def command(  # noqa: PLR0913  # one option each
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, one stay a line; the columns are in docs/history.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge everything, send nothing.")] = False,
    client: Annotated[str, typer.Option(help="The client that imports.")] = "history",
    url: Annotated[
        str | None, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.", show_default="what runs in the data folder")
    ] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    secret: Annotated[str | None, typer.Option(envvar="DIRIGENT_CLIENT_SECRET", hidden=True)] = None,
    encoding: Annotated[Encoding, typer.Option(help="How the file is written.")] = "utf-8",
    rejected: Annotated[
        Path | None, typer.Option(help="Where rejected rows are told, with their reasons.", show_default="FILE.rejected.csv")
    ] = None,
    with_rows: Annotated[bool, typer.Option("--with-rows", help="Rejected rows whole, persons included, to be put right.")] = False,
    journal: Annotated[Path | None, typer.Option(help="Where progress is kept.", show_default="FILE.progress.json")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Import stays of an older service. Interrupted, it goes on where it was; repeated, it changes nothing."""
    order = _Order(
        file=file,
        url=url or chosen_folder(data).running_at() or DEFAULT_URL,
        client=client,
        secrets=secrets_at_hand(data, client, secret),
        rejected=rejected or file.with_name(f"{file.stem}.rejected.csv"),
        whole_rows=with_rows,
        journal=None if dry_run else Journal(journal or file.with_name(f"{file.stem}.progress.json")),
        quiet=as_json,
    )
    if order.rejected.absolute() == file.absolute():
        raise CannotStart(f"{file}: cannot be read and hold its own rejected rows; --rejected names another file")
    try:
        tally = asyncio.run(_run(order, form_of(file, encoding)))
    except KeyboardInterrupt:
        raise CannotStart("interrupted; the same command goes on from here") from None
    except NotReachedError as error:
        raise CannotStart(f"{error}; the same command goes on from here") from None
    except (TokenRefusedError, NotAllowedError) as error:
        raise CannotStart(str(error)) from None
    _tell(order, tally, as_json=as_json)
    raise typer.Exit(1 if tally.rejected else 0)


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What the operator asked for; without a journal it is a rehearsal. Holds secrets, so it does not show itself."""

    file: Path
    url: str
    client: str
    secrets: dict[str, str]
    rejected: Path
    whole_rows: bool
    journal: Journal | None
    quiet: bool

    def __repr__(self) -> str:
        return f"_Order({self.file})"


async def _run(order: _Order, form: Form) -> Tally:
    console = Console(stderr=True)

    def say(line: str) -> None:
        console.print(f"dirigent: {line}", highlight=False, soft_wrap=True, markup=False)

    progress = Noted(form.sha256, order.url, order.client, form.encoding, order.whole_rows, 1, 0, Tally())
    progress = _noted(order, progress, say)
    async with PublicApi(order.url, lambda name: secret_of(order.secrets, name), say=_once(say)) as api:
        known = await known_units(api, order.client)
        if known is None:
            say(f"client {order.client} may not read the directory; units are not checked against it")
        with Rejects(order.rejected, form, whole=order.whole_rows, keep=progress.rejected_bytes) as rejects, _bar(order, form) as advance:
            work = Import(
                file=order.file,
                form=form,
                at=now(),
                progress=progress,
                rejects=rejects,
                journal=order.journal,
                sender=None if order.journal is None else Sender(api, order.client),
                known=known,
                advance=advance,
            )
            tally = await work.run()
            if not tally.rejected:
                rejects.forget()
    if order.journal is not None:
        order.journal.forget()
    return tally


def _noted(order: _Order, fresh: Noted, say: Any) -> Noted:
    """Where an interrupted run of the same import was; the beginning when there was none, or the file is another one now."""
    before = None if order.journal is None else order.journal.read()
    if before is None:
        return fresh
    if not before.same_import(fresh):
        say(f"not the same import as the interrupted one; {_AGAIN}")
        return fresh
    if not order.rejected.exists() or order.rejected.stat().st_size < before.rejected_bytes:
        say(f"{order.rejected} is not there any more; {_AGAIN}")
        return fresh
    say(f"going on after line {before.line}")
    return replace(before)


def _once(say: Any) -> Any:
    told: set[str] = set()

    def say_once(line: str) -> None:
        if line not in told:
            told.add(line)
            say(line)

    return say_once


@contextmanager
def _bar(order: _Order, form: Form) -> Iterator[Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=order.quiet or not console.is_terminal) as progress:
        bar = progress.add_task("trying" if order.journal is None else "importing", total=form.lines)
        yield lambda line: progress.update(bar, completed=line)


def _tell(order: _Order, tally: Tally, *, as_json: bool) -> None:
    left_out = str(order.rejected) if tally.rejected else None
    if as_json:
        report = {
            "dry_run": order.journal is None,
            "rows": {"read": tally.rows, "imported": tally.imported, "repeated": tally.repeated, "rejected": tally.rejected},
            "events": {"accepted": tally.events_accepted, "repeated": tally.events_repeated},
            "commands": tally.commands,
            "findings": dict(sorted(tally.findings.items())),
            "finding_lines": dict(sorted(tally.lines.items())),
            "rejected_file": left_out,
        }
        print(json.dumps(report, ensure_ascii=False))
        return
    if order.journal is None:
        print(f"tried, nothing was sent: {tally.rows} rows, {tally.rows - tally.rejected} of them good, {tally.rejected} rejected")
    else:
        print(f"rows {tally.rows}: imported {tally.imported}, repeated {tally.repeated}, rejected {tally.rejected}")
        print(f"events: accepted {tally.events_accepted}, repeated {tally.events_repeated}; commands {tally.commands}")
    for code, count in sorted(tally.findings.items()):
        print(f"  finding {code}: {count} (lines {', '.join(map(str, tally.lines[code]))}{' …' if count > len(tally.lines[code]) else ''})")
    if left_out:
        print(f"rejected rows with their reasons: {left_out}")
