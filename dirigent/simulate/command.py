"""`dirigent simulate`: write a month of made-up county traffic to a replay file."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from dirigent.simulate.county_month import simulate
from shared.dates import Month, local_date, now

DEFAULT_SEED: Final = 4
DEFAULT_STAYS: Final = 600


def last_full_month() -> Month:
    """The month before the present one, on a Swedish calendar."""
    return Month.of(local_date(now())).previous


def read_month(text: str | None) -> Month:
    """A month as given on the command line; the last full month when none was given.

    Raises:
        typer.BadParameter: Not `YYYY-MM`.
    """
    if text is None:
        return last_full_month()
    try:
        return Month.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: {error}") from error


def command(
    seed: Annotated[int, typer.Option(help="Another seed, another county.")] = DEFAULT_SEED,
    month: Annotated[str | None, typer.Option(help="YYYY-MM; the last full month by default.")] = None,
    stays: Annotated[int, typer.Option(min=1, max=100_000, help="How many stays.")] = DEFAULT_STAYS,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; standard output by default.")] = None,
) -> None:
    """Write a month of made-up county traffic as CloudEvents NDJSON; the same arguments give the same bytes."""
    lines = simulate(seed, read_month(month), stays)
    if output is None:
        for line in lines:
            sys.stdout.write(line + "\n")
    else:
        with output.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in lines)
