"""The demo's table: municipality, stays, average, long stays, amount, invoice number."""

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from dirigent.demo.compare import Sums
from dirigent.demo.prices import ORE_PER_KRONA


@dataclass(frozen=True, slots=True)
class Row:
    """One municipality's month as it ended."""

    municipality: str
    name: str
    stays: int
    average: str | None
    long_stays: int
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
            "long_stays": self.long_stays,
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
            sums[code].long_stays,
            sums[code].amount or 0,
            one["state"],
            one["invoice"],
        )
        for code, one in sorted(standing.items())
    ]


def table_of(rows: list[Row], month: str) -> Table:
    """The table as it is shown, with a line for the whole county."""
    table = Table(title=f"{month}: what each municipality owes (demo)", title_justify="left", show_footer=True)
    total = sum(row.amount for row in rows)
    table.add_column("", footer="")
    table.add_column("municipality", footer="the whole county", no_wrap=True)
    table.add_column("stays", justify="right", footer=str(sum(row.stays for row in rows)))
    table.add_column("average", justify="right")
    table.add_column("long", justify="right", footer=str(sum(row.long_stays for row in rows)))
    table.add_column("amount, SEK", justify="right", footer=kronor(total))
    table.add_column("invoice", footer=f"{sum(1 for row in rows if row.invoice)} invoices", no_wrap=True)
    for row in rows:
        average = "–" if row.average is None else f"{float(row.average):.2f}"
        table.add_row(row.municipality, row.name, str(row.stays), average, str(row.long_stays), kronor(row.amount), _ended(row))
    return table


def kronor(amount: int) -> str:
    """Öre as kronor, grouped the Swedish way."""
    return f"{amount // ORE_PER_KRONA:,}".replace(",", " ")


def _ended(row: Row) -> str:
    if row.invoice:
        return row.invoice
    return "–" if row.state == "settled" else row.state
