"""The command `dirigent person-keys`: which keys seal persons, how much each sealed, and which may leave the ring."""

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dirigent.databases import Access
from dirigent.secrets_store import load_or_make, person_environment
from dirigent.supervisor.folder import chosen_folder
from dirigent.supervisor.system import Options, databases_of
from services.planning.usecases import KeyUse, Outlived, count_outlived, kept_since, key_use
from shared.db import Database, Role


def command(
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    retention_years: Annotated[
        int | None, typer.Option(min=1, help="Also count the cases and plans that would be erased when kept for so many years.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show how many rows each key sealed. An old key may go when nothing needs it; the exit code is 1 while a row needs a missing one.

    To replace a key: put a new one last in DIRIGENT_PLANNING_PERSON_KEYS and start every process of planning anew, then put it first and
    start them anew again; the worker seals everything with it, and this command says when the old one may go.
    """
    know_person_keys(data)
    uses, outlived = asyncio.run(_look(Options(data=data), retention_years))
    if as_json:
        keys = [asdict(use) | {"may_go": use.may_go} for use in uses]
        print(json.dumps({"keys": keys, "outlived": None if outlived is None else asdict(outlived)}))
    else:
        for use in uses:
            print(_line(use))
        if outlived is not None:
            counted = f"{outlived.cases} cases and {outlived.plans} plans without a stay"
            print(f"{counted} are over and were not touched for {retention_years} years")
    raise typer.Exit(1 if any(_missing(use) for use in uses) else 0)


def know_person_keys(data: Path | None) -> None:
    """Let this process open persons: with the operator's keys, else with those of the data folder."""
    file = chosen_folder(data).secrets
    if file.exists():
        os.environ.update(person_environment(load_or_make(file)))


async def _look(options: Options, years: int | None) -> tuple[list[KeyUse], Outlived | None]:
    async with databases_of(options) as databases:
        return await look(databases["planning"], years)


async def look(access: Access, years: int | None) -> tuple[list[KeyUse], Outlived | None]:
    """How much each key sealed in a planning database, and how much would be erased if it were kept for so many years."""
    database = Database(access.app, role=Role.AUDITOR, pool_size=1, overflow=0, application="person-keys")
    try:
        async with database.transaction() as work:
            outlived = None if years is None else await count_outlived(work, kept_since(work.at, years))
            return await key_use(work), outlived
    finally:
        await database.close()


def _missing(use: KeyUse) -> bool:
    return not use.on_ring and use.key not in {"plain", "withheld"}


def _line(use: KeyUse) -> str:
    counted = ", ".join(f"{count} {place}" for place, count in use.rows.items()) or "nothing"
    state = (
        "seals"
        if use.seals
        else "may go"
        if use.may_go
        else "MISSING"
        if _missing(use)
        else {"plain": "not yet sealed", "withheld": "erased"}.get(use.key, "still needed")
    )
    return f"{use.key:16} {state:14} {counted}"
