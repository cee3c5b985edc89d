"""`dirigent shadow`: hold a month of today's service against ours; exit code 0 only when nothing differs."""

import asyncio
import getpass
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from dirigent.databases import Access
from dirigent.failure import CannotStart
from dirigent.shadow.file import Fault, MonthFile, UnreadableRows, read_month
from dirigent.shadow.words import DIFFERENCES, ROWS
from dirigent.supervisor.system import Options, databases_of
from services.billing.domain.comparing import TheirStay, TheirTotal
from services.billing.usecases.comparisons import ComparisonView, TheirMonth, compare_month, debtors_of_month
from services.planning.usecases.stay_ids import cases_of_stays
from shared.dates import Month
from shared.db import Database
from shared.errors import Refused

_WIDTH: Final = 150
_CASE_WIDTH: Final = 36


def command(
    compare: Annotated[Path, typer.Option("--compare", exists=True, dir_okay=False, help="CSV; the columns are in docs/shadow.md.")],
    month: Annotated[str | None, typer.Option(help="The month, YYYY-MM.", show_default="the month of the file")] = None,
    by: Annotated[str | None, typer.Option("--as", help="Who compares.", show_default="your account")] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder.", show_default="./data")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as JSON.")] = False,
) -> None:
    """Compare a month of today's service with ours, stay by stay and municipality by municipality, and keep the comparison.

    Nothing is billed or changed. A file with a row that cannot be read is not compared at all.
    """
    try:
        view = asyncio.run(_compare(Options(data=data), read_month(compare, _month(month)), by or getpass.getuser()))
    except UnreadableRows as unreadable:
        _tell_faults(compare, unreadable.faults, as_json=as_json)
        raise typer.Exit(1) from None
    except Refused as refused:
        raise CannotStart("the month is not over" if refused.code == "month.not_over" else refused.code) from None
    _tell(view, as_json=as_json)
    raise typer.Exit(1 if view.differing else 0)


def _month(text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError:
        raise CannotStart("--month: not a month such as 2026-03") from None


async def _compare(options: Options, file: MonthFile, by: str) -> ComparisonView:
    async with databases_of(options) as databases:
        return await compare_file(databases, file, by)


async def compare_file(databases: Mapping[str, Access], file: MonthFile, by: str) -> ComparisonView:
    """Recognise the stays of a file in planning, hold them against billing's months, and keep the comparison.

    Raises:
        UnreadableRows: A row names a municipality we do not know, or a stay that fits several.
        Refused: The month is not over.
    """
    planning = Database(databases["planning"].app, pool_size=1, overflow=0, application="shadow")
    billing = Database(databases["billing"].app, pool_size=1, overflow=0, application="shadow")
    try:
        async with planning.transaction() as work:
            cases, ambiguous = await cases_of_stays(work, {(row.provider, row.stay) for row in file.stays})
        async with billing.transaction() as work:
            known = await debtors_of_month(work, file.month)
            faults = [Fault(row.line, "vardtillfalle", "ambiguous") for row in file.stays if (row.provider, row.stay) in ambiguous]
            faults += [Fault(row.line, "kommun", "municipality_unknown") for row in file.stays if row.municipality not in known]
            faults += [Fault(row.line, "kommun", "municipality_unknown") for row in file.totals if row.municipality not in known]
            if faults:
                raise UnreadableRows(faults)
            stays = [
                TheirStay(row.line, row.municipality, cases.get((row.provider, row.stay)), row.days, row.counted, row.amount)
                for row in file.stays
            ]
            totals = [TheirTotal(row.line, row.municipality, row.days, row.amount) for row in file.totals]
            return await compare_month(work, TheirMonth(file.month, file.sha256, file.rows, stays, totals), by)
    finally:
        await planning.close()
        await billing.close()


def _tell_faults(path: Path, faults: Iterable[Fault], *, as_json: bool) -> None:
    if as_json:
        told = [{"line": fault.line, "column": fault.column, "code": fault.code, "words": ROWS[fault.code]} for fault in faults]
        print(json.dumps({"rejected": told}, ensure_ascii=False))
        return
    for fault in faults:
        print(f"{path}, line {fault.line}{fault.column and f', {fault.column}'}: {ROWS[fault.code]}", file=sys.stderr)
    print("nothing was compared", file=sys.stderr)


def _tell(view: ComparisonView, *, as_json: bool) -> None:
    row = view.row
    if as_json:
        head = {"id": str(row.id), "file_sha256": row.file_sha256, "rows": row.rows, "differing": view.differing}
        print(json.dumps(head | dict(view.told), ensure_ascii=False))
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    if view.told["differing_months"]:
        console.print(_months(view.told["differing_months"]))
    if view.told["differing_stays"]:
        console.print(stays_table(view.told["differing_stays"]))
    print(f"{row.month}: {view.told['stays']} stays and {view.told['municipalities']} municipalities compared, {view.differing} differ")
    print(f"kept as comparison {row.id}; GET /v1/comparisons/{row.id} shows it, POST …/signature signs it")


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, box=SIMPLE_HEAD, title_justify="left")


def _months(differing: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(
        "kommun", "differs", "the file", "Dirigent", "calculated from", title="Municipalities", box=SIMPLE_HEAD, title_justify="left"
    )
    for one in differing:
        theirs, ours = one["theirs"], one["ours"]
        table.add_row(
            one["municipality"],
            _differs(one),
            "–" if theirs is None else f"{_days(theirs['days'])}, {_kronor(theirs['amount'])}",
            "–" if ours is None else f"{_days(ours['days'])}, {_kronor(ours['amount'])}",
            "" if ours is None else _origin(ours),
        )
    return table


def _origin(ours: Mapping[str, Any]) -> str:
    average = (
        "no average" if ours["average"] is None else f"{ours['sum_days']} days / {ours['in_average']} stays = {_plain(ours['average'])}"
    )
    return f"{ours['agreement']}: {average}; excess {_plain(ours['excess_days'])}, by itself {ours['individual_days']}"


def stays_table(differing: Iterable[Mapping[str, Any]]) -> Table:
    """Every stay that differs, with the rule of ours that explains it."""
    # Ids of the same moment differ at their end alone: one that is cut off names nothing.
    case = Column("case", min_width=_CASE_WIDTH, no_wrap=True)
    table = Table(
        "line", "kommun", case, "differs", "the file", "Dirigent", "our rule", title="Stays", box=SIMPLE_HEAD, title_justify="left"
    )
    for one in differing:
        theirs, ours = one["theirs"], one["ours"]
        table.add_row(
            "" if theirs is None else str(theirs["line"]),
            one["municipality"],
            one["case"] or "–",
            _differs(one),
            "–" if theirs is None else f"{_days(theirs['days'])}, {'counts' if theirs['counted'] else 'does not count'}{_own(theirs)}",
            "–" if ours is None else f"{_days(ours['days'])}, {ours['counted_as']}{_own(ours)}",
            "\n".join(f"{ground['code']}: {ground['source']}" for ground in one["because"]),
        )
    return table


def _differs(one: Mapping[str, Any]) -> str:
    return ", ".join(DIFFERENCES[kind] for kind in one["differs"])


def _own(side: Mapping[str, Any]) -> str:
    return "" if side["amount"] in {None, "0.00"} else f", {_kronor(side['amount'])}"


def _days(number: str | int) -> str:
    told = _plain(str(number))
    return f"{told} {'day' if told == '1' else 'days'}"


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _kronor(amount: str | None) -> str:
    return "no price" if amount is None else f"{amount} kr"
