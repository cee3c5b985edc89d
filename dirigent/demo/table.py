"""The demo's table: what each municipality owes, and the two counts of days that it owes it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from dirigent.demo.compare import Sums
from dirigent.demo.prices import ORE_PER_KRONA
from dirigent.demo.wording import many


@dataclass(frozen=True, slots=True)
class Row:
    """One municipality's month as it ended."""

    municipality: str
    name: str
    stays: int
    average: str | None
    excess_days: int
    long_stays: int
    individual_days: int
    amount: int
    state: str
    invoice: str | None

    def as_dict(self) -> dict[str, Any]:
        """The row as plain values."""
        return {
            "municipality": self.municipality,
            "name": self.name,
            "stays": self.stays,
            "average": self.average,
            "excess_days": self.excess_days,
            "long_stays": self.long_stays,
            "individual_days": self.individual_days,
            "amount": f"{self.amount // ORE_PER_KRONA}.{self.amount % ORE_PER_KRONA:02d}",
            "state": self.state,
            "invoice": self.invoice,
        }


def rows_of(names: dict[str, str], standing: dict[str, dict[str, Any]], sums: dict[str, Sums]) -> list[Row]:
    """Every municipality by code."""
    return [
        Row(
            code,
            names[code],
            sums[code].stays,
            sums[code].average,
            sums[code].excess_days,
            sums[code].long_stays,
            sums[code].individual_days,
            sums[code].amount or 0,
            one["state"],
            one["invoice"],
        )
        for code, one in sorted(standing.items())
    ]


def table_of(rows: list[Row], month: str) -> Table:
    """The table as it is shown, with a line for the whole county."""
    title = f"{month}: what each municipality owes (demo)"
    # Bare, so that it fits a terminal of eighty columns.
    table = Table(title=title, title_justify="left", show_footer=True, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    total = sum(row.amount for row in rows)
    table.add_column("", footer="")
    table.add_column("municipality", footer="whole county", no_wrap=True)
    table.add_column("stays", justify="right", footer=str(sum(row.stays for row in rows)))
    table.add_column("average", justify="right")
    table.add_column("days\nabove", justify="right", footer=str(sum(row.excess_days for row in rows)))
    table.add_column("long\nstays", justify="right", footer=str(sum(row.long_stays for row in rows)))
    table.add_column("long\ndays", justify="right", footer=str(sum(row.individual_days for row in rows)))
    table.add_column("amount,\nSEK", justify="right", footer=kronor(total), no_wrap=True)
    table.add_column("invoice", footer=many(sum(1 for row in rows if row.invoice), "invoice"), no_wrap=True)
    for row in rows:
        average = "–" if row.average is None else f"{float(row.average):.2f}"
        table.add_row(
            row.municipality,
            row.name,
            str(row.stays),
            average,
            str(row.excess_days),
            str(row.long_stays),
            str(row.individual_days),
            kronor(row.amount),
            _ended(row),
        )
    return table


def how_to_read(rows: list[Row], month: str, played: int, prices: Mapping[int, int]) -> str:
    """Why somebody pays, under the table."""
    price = ", ".join(f"{kronor(prices[year])} SEK in {year}" for year in sorted(prices))
    counted = sum(row.stays for row in rows)
    return (
        f"amount = (days above average 3.0 + days of long stays from day four) × price\n  price a day: {price}\n"
        f"{many(played, 'stay')} played, {counted} of them count in {month};\n  "
        "the others ended outside it, never waited, or are excluded by law or review"
    )


def kronor(amount: int) -> str:
    """Öre as kronor, grouped the Swedish way."""
    return f"{amount // ORE_PER_KRONA:,}".replace(",", " ")


def _ended(row: Row) -> str:
    if row.invoice:
        return row.invoice
    return "–" if row.state == "settled" else row.state
