"""`dirigent import`: take over a directory, or the stays of an older service, from a file."""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dirigent.failure import CannotStart
from dirigent.importing.directory_file import Row, read_rows
from dirigent.importing.directory_words import in_words
from dirigent.importing.history.command import command as import_history
from dirigent.importing.history.file import Encoding
from dirigent.supervisor.system import Options, databases_of
from services.planning.usecases.register import Entry, Outcome, import_directory
from shared.db import Database

app = typer.Typer(no_args_is_help=True, help="Take over what another service or a spreadsheet knows.")
app.command("history")(import_history)
_TOLD: Final = ("line", "record", "id", "reason")


class _Rehearsed(Exception):
    """Everything was tried, and is taken back."""


@app.callback()
def _imports() -> None:
    """Take over what another service or a spreadsheet knows."""


@app.command("directory")
def import_directory_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV; the columns are in docs/directory.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try everything, enter nothing.")] = False,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    encoding: Annotated[Encoding, typer.Option(help="How the file is written.")] = "utf-8",
    rejected: Annotated[
        Path | None,
        typer.Option(help="Where rows that were left out are written, with their reasons.", show_default="FILE.rejected.csv"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Enter organisations, units, mailboxes, members, addressing rules and duty calendars from a file.

    It may be repeated at any time: what stands already is only counted. A row that cannot be entered is left out and told.
    """
    rejected = rejected or file.with_name(f"{file.stem}.rejected.csv")
    if rejected.absolute() == file.absolute():
        raise CannotStart(f"{file}: cannot be read and hold its own rejected rows; --rejected names another file")
    rows = read_rows(file, encoding)
    outcomes = asyncio.run(_enter(Options(data=data), [row.entry for row in rows if row.entry is not None], dry_run=dry_run))
    left_out = refusals(rows, outcomes)
    if left_out:
        _write(rejected, left_out)
    _tell(report(rows, outcomes), left_out, rejected, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(1 if left_out else 0)


async def _enter(options: Options, entries: Sequence[Entry], *, dry_run: bool) -> list[Outcome]:
    async with databases_of(options) as databases:
        return await enter_all(databases["planning"].app, entries, dry_run=dry_run)


async def enter_all(url: str, entries: Sequence[Entry], *, dry_run: bool) -> list[Outcome]:
    """Enter everything in one transaction; a rehearsal does the same and takes it back."""
    database = Database(url, pool_size=1, overflow=0, application="import")
    outcomes: list[Outcome] = []
    try:
        with suppress(_Rehearsed):
            async with database.transaction() as work:
                outcomes = await import_directory(work, entries)
                if dry_run:
                    raise _Rehearsed
    finally:
        await database.close()
    return outcomes


def refusals(rows: Sequence[Row], outcomes: Sequence[Outcome]) -> list[tuple[int, str, str, str]]:
    """Every row that was left out: line, record, id and reason."""
    tried = iter(outcomes)
    reasons = [(row, row.reason if row.entry is None else next(tried).reason) for row in rows]
    return [(row.line, row.record, row.id, reason) for row, reason in reasons if reason]


def report(rows: Sequence[Row], outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """How many rows of each kind were added, changed, unchanged and rejected."""
    tried = iter(outcomes)
    counted: dict[str, Counter[str]] = {}
    for row in rows:
        change = None if row.entry is None else next(tried).change
        counted.setdefault(row.record or "?", Counter())[change or "rejected"] += 1
    return {record: dict(counts) for record, counts in counted.items()}


def _write(path: Path, left_out: Sequence[tuple[int, str, str, str]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow((*_TOLD, "words"))
            writer.writerows((*one, in_words(one[-1])) for one in left_out)
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from None


def _tell(
    counts: dict[str, dict[str, int]], left_out: Sequence[tuple[int, str, str, str]], rejected: Path, *, dry_run: bool, as_json: bool
) -> None:
    if as_json:
        named: list[dict[str, Any]] = [dict(zip(_TOLD, one, strict=True)) | {"words": in_words(one[-1])} for one in left_out]
        print(json.dumps({"dry_run": dry_run, "records": counts, "rejected": named}, ensure_ascii=False))
        return
    print("Tried, nothing was entered:" if dry_run else "Entered:")
    for record, by_change in counts.items():
        print(
            f"  {record:<14} "
            + "  ".join(f"{by_change.get(change, 0):>6} {change}" for change in ("added", "changed", "unchanged", "rejected"))
        )
    for line, record, _, reason in left_out[:20]:
        print(f"  line {line}: {record}: {in_words(reason)}")
    if left_out:
        print(f"  {len(left_out)} rows were left out; see {rejected}")
