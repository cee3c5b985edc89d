"""`dirigent simulate-agreements`: who would have paid what under other rule sets, straight from the databases of a data folder."""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dirigent.failure import CannotStart
from dirigent.supervisor.system import Options, databases_of
from services.billing.domain.identity import decimal_text
from services.billing.domain.simulating import IN_FORCE, Outcome, Total, difference, totals_of
from services.billing.usecases.simulations import Wish, checked, parts_of, try_out
from shared.dates import Month
from shared.db import Database
from shared.errors import Malformed, NotFound
from shared.money import Money

_WIDTH: Final = 150
_NEW_OBJECTS: Final = 10_000


def command(
    profiles: Annotated[str, typer.Option(help="Rule sets, apart by commas; the rules in force are always calculated beside them.")],
    first: Annotated[str, typer.Option("--from", help="First month, YYYY-MM.")],
    last: Annotated[str, typer.Option("--to", help="Last month; it must be over.")],
    municipality: Annotated[list[str] | None, typer.Option(help="SCB code; may be repeated.", show_default="all")] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every month of every municipality as JSON.")] = False,
) -> None:
    """Calculate the same real months under several rule sets and show what each would have cost. Nothing is stored or billed."""
    names = tuple(name.strip() for name in profiles.split(",") if name.strip())
    wish = Wish(names, _month("--from", first), _month("--to", last), tuple(municipality) if municipality else None)
    try:
        outcomes = asyncio.run(_run(Options(data=data), wish, quiet=as_json))
    except Malformed as refused:
        raise CannotStart(_in_words(refused)) from None
    except NotFound:
        raise CannotStart("--municipality: no municipality that owes anything for these months") from None
    _tell(outcomes, as_json=as_json)


def _month(option: str, text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise CannotStart(f"{option}: not a month such as 2026-03") from None


def _in_words(refused: Malformed) -> str:
    if refused.code == "simulation.profile_unknown":
        return f"--profiles: {refused.detail}"
    return "--from and --to: a month and the same or a later one, at most 36, all of them over"


async def _run(options: Options, wish: Wish, *, quiet: bool) -> list[Outcome]:
    leave_what_is_loaded()
    async with databases_of(options) as databases:
        with _bar(quiet=quiet) as tell:
            return await simulate_all(databases["billing"].app, wish, tell)


def leave_what_is_loaded() -> None:
    """Keep the garbage collector from walking through all our modules again and again, as the processes of the system do."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


async def simulate_all(url: str, wish: Wish, tell: Callable[[int, int], None]) -> list[Outcome]:
    """Work out everything, a few municipalities of one month per transaction, as the worker does.

    Args:
        url: Billing's database.
        wish: What to try.
        tell: Is told how many months of municipalities are done, of how many.

    Raises:
        Malformed: A profile is unknown, or the months cannot be used.
        NotFound: A municipality is unknown.
    """
    database = Database(url, pool_size=1, overflow=0, application="simulate-agreements")
    outcomes: list[Outcome] = []
    try:
        async with database.transaction() as work:
            plan = await checked(work, wish, None)
        done = 0
        while done < plan.total:
            async with database.transaction() as work:
                month, group = await parts_of(work, plan, done)
                outcomes += await try_out(work, group, month, plan.profiles)
            done += len(group)
            tell(done, plan.total)
    finally:
        await database.close()
    return sorted(outcomes, key=lambda one: (one.municipality, one.month, one.profile != IN_FORCE))


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        bar = progress.add_task("months", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _tell(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    totals = totals_of(outcomes)
    if as_json:
        told = {"totals": [_total(one, _own(totals)) for one in totals], "months": [_outcome(one) for one in outcomes]}
        print(json.dumps(told, ensure_ascii=False))
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    console.print(_by_municipality(outcomes))
    console.print(_table("All of them", totals))


def _by_municipality(outcomes: Sequence[Outcome]) -> Table:
    profiles = list(dict.fromkeys(one.profile for one in outcomes))
    table = Table("kommun", *profiles, title="Kronor by municipality", box=SIMPLE_HEAD, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for code in dict.fromkeys(one.municipality for one in outcomes):
        totals = {one.profile: one for one in totals_of(one for one in outcomes if one.municipality == code)}
        table.add_row(code, *(_kronor(totals[profile].amount) if profile in totals else "–" for profile in profiles))
    return table


def _table(title: str, totals: Sequence[Total]) -> Table:
    columns = ("rule set", "stays", "excess days", "days by themselves", "kronor", "to the rules in force", "months without a price")
    table = Table(*columns, title=title, box=SIMPLE_HEAD, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    own = _own(totals)
    for one in totals:
        more = difference(one.amount, None if own is None else own.amount)
        excess = decimal_text(one.excess_days).rstrip("0").rstrip(".")
        days = (str(one.stays), excess, str(one.individual_days))
        table.add_row(one.profile, *days, _kronor(one.amount), _kronor(more, sign="+"), str(one.unpriced or ""))
    return table


def _own(totals: Iterable[Total]) -> Total | None:
    return next((total for total in totals if total.profile == IN_FORCE), None)


def _kronor(amount: Money | None, *, sign: str = "") -> str:
    return "price missing" if amount is None else f"{amount.ore / 100:{sign},.2f}".replace(",", " ")


def _total(one: Total, own: Total | None) -> dict[str, Any]:
    more = difference(one.amount, None if own is None else own.amount)
    return {
        "profile": one.profile,
        "stays": one.stays,
        "excess_days": decimal_text(one.excess_days),
        "individual_days": one.individual_days,
        "amount": None if one.amount is None else str(one.amount),
        "difference": None if more is None else str(more),
        "unpriced": one.unpriced,
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "municipality": one.municipality,
        "month": str(one.month),
        "profile": one.profile,
        "stays": one.stays,
        "in_average": one.in_average,
        "average": None if one.average is None else decimal_text(one.average),
        "excess_days": decimal_text(one.excess_days),
        "individual_days": one.individual_days,
        "amount": None if one.amount is None else str(one.amount),
    }
