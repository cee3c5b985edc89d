"""`dirigent staff`: who is signed in, and signing a person out; straight in the gateway's own database."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from dirigent.failure import CannotStart
from dirigent.supervisor.system import Options, databases_of
from services.gateway.staff.sessions import Session, end_sessions_of, list_sessions
from shared.dates import format_instant
from shared.db import Database, Work

GATEWAY_VARIABLE: Final = "DIRIGENT_GATEWAY_DATABASE_URL"
IDLE_VARIABLE: Final = "DIRIGENT_GATEWAY_SESSION_IDLE_MINUTES"
_IDLE_MINUTES: Final = 30.0
T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Members of staff who are signed in.")

Data = Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON.")]


@app.callback()
def _staff() -> None:
    """Members of staff who are signed in."""


@app.command("list")
def list_staff(data: Data = None, as_json: AsJson = False) -> None:
    """Show who is signed in, and in which role."""
    idle = timedelta(minutes=float(os.environ.get(IDLE_VARIABLE, _IDLE_MINUTES)))

    async def read(work: Work) -> list[Session]:
        return await list_sessions(work, idle)

    found = [_told(session) for session in _do(data, read)]
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        print(f"{one['user']:<30} {one['name']:<25} {one['role'] or 'no role yet':<26} {one['signed_in_at']}")


@app.command("sign-out")
def sign_out(
    user: Annotated[str, typer.Argument(metavar="USER", help="As `list` shows it.")], data: Data = None, as_json: AsJson = False
) -> None:
    """Sign a person out everywhere: her sessions end within half a minute, her tokens within a minute. She may sign in again."""

    async def end(work: Work) -> int:
        return await end_sessions_of(work, user)

    ended = _do(data, end)
    print(json.dumps({"user": user, "sessions": ended}) if as_json else f"{ended} sessions of {user} ended")


def _told(session: Session) -> dict[str, Any]:
    chosen = session.chosen
    return {
        "user": session.user,
        "name": session.name,
        "role": chosen.role if chosen else None,
        "organisation": chosen.organisation if chosen else None,
        "units": chosen.units if chosen else (),
        "signed_in_at": format_instant(session.signed_in_at),
        "ends_at": format_instant(session.expires_at),
    }


def _do(data: Path | None, use: Callable[[Work], Awaitable[T]]) -> T:
    """Run one use case on the gateway's database, in one transaction."""
    try:
        return asyncio.run(_on_the_database(data, use))
    except (OSError, SQLAlchemyError) as error:
        raise CannotStart(f"the gateway's database does not answer ({type(error).__name__})") from None


async def _on_the_database(data: Path | None, use: Callable[[Work], Awaitable[T]]) -> T:
    named = os.environ.get(GATEWAY_VARIABLE)
    if named:
        return await _used(named, use)
    async with databases_of(Options(data=data)) as access:
        return await _used(access["gateway"].app, use)


async def _used(url: str, use: Callable[[Work], Awaitable[T]]) -> T:
    database = Database(url, application="staff")
    try:
        async with database.transaction() as work:
            return await use(work)
    finally:
        await database.close()
