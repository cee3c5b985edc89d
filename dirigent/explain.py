"""`dirigent explain`: fetch the explanation of a month, or make one again offline and see whether it holds.

Verifying needs the law alone: nothing of the server, the database or the interface is loaded for it.
"""

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dirigent.failure import CannotStart
from services.billing.domain.verifying import Difference, sentences, verify, words_compared, words_version

SHOWN: Final = 200
# What stands in a difference beside values of the file, as the reader of an explanation is told it.
SWEDISH: Final = {
    "not JSON": "inte läsbar JSON",
    "missing": "ingenting",
    "there": "något",
    "unreadable": "något som inte går att läsa",
    "nothing can be calculated from them": "något som inte går att räkna på",
}
# Of these the file itself shows no more, and what was wanted in their place is a word for programs (`--json` has it).
SWEDISH_ALONE: Final = frozenset({"not JSON", "unreadable", "nothing can be calculated from them"})
MONTH_AND_MUNICIPALITY: Final = ("month", "municipality")

Verify = Annotated[
    Path | None, typer.Option("--verify", exists=True, dir_okay=False, help="Recompute this explanation from its own inputs.")
]


def command(
    what: Annotated[list[str] | None, typer.Argument(metavar="[MONTH MUNICIPALITY]", help="For example 2026-10 1480.")] = None,
    file: Verify = None,
    known_at: Annotated[str | None, typer.Option(help="An earlier instant (RFC 3339): as it was known then.")] = None,
    client: Annotated[str, typer.Option(help="The client that reads.")] = "finance",
    url: Annotated[
        str | None, typer.Option(envvar="DIRIGENT_PUBLIC_URL", help="Where Dirigent answers.", show_default="what runs in the data folder")
    ] = None,
    data: Annotated[Path | None, typer.Option(envvar="DIRIGENT_DATA", help="Data folder with the demo's clients.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The explanation whole; with --verify whether it holds.")] = False,
) -> None:
    """Explain a month's amount: `explain 2026-10 1480` reads it from Dirigent, `explain --verify FILE` makes it again offline."""
    text = _fetched(what or [], known_at, client, url, data) if file is None else file.read_bytes().decode("utf-8", errors="replace")
    difference = verify(text)
    if difference is not None:
        _tell_difference(difference, as_json=as_json)
        sys.exit(1)
    if as_json:
        print(text if file is None else json.dumps(_held(json.loads(text)), ensure_ascii=False))
    else:
        _tell(json.loads(text))


def _fetched(what: list[str], known_at: str | None, client: str, url: str | None, data: Path | None) -> str:
    if len(what) != len(MONTH_AND_MUNICIPALITY):
        raise CannotStart("say which month and municipality, for example 2026-10 1480, or --verify FILE")
    month, municipality = what
    fetching = importlib.import_module("dirigent.explanations")
    text: str = asyncio.run(fetching.fetch(f"/v1/months/{month}/{municipality}/explanation", known_at, client, url, data))
    return text


def _held(told: dict[str, Any]) -> dict[str, Any]:
    """What an explanation that holds says, in short."""
    named = {name: told[name] for name in ("municipality", "month", "known_at", "calculation", "documents")}
    return {"holds": True, "words_compared": words_compared(told), **named, "amount": told["result"]["amount"]}


def _tell(told: dict[str, Any]) -> None:
    # Made anew from the inputs: words of another version were not compared, and nothing is printed that was not.
    for sentence in sentences(told):
        print(sentence)
    version = told["calculation"]["version"]
    named = "ej förberedd" if version is None else f"version {version}"
    print(f"\nHåller: {told['month']}, kommun {told['municipality']}, {named}, SHA-256 {told['calculation']['sha256']}.")
    if not words_compared(told):
        print(f"Filens ord är av version {words_version(told)} och har inte jämförts; alla tal håller.")
        print("Meningarna ovan har gjorts om ur underlaget.")


def _tell_difference(difference: Difference, *, as_json: bool) -> None:
    """The first place where an explanation does not hold."""
    told = {"where": difference.where, "told": difference.told[:SHOWN], "found": difference.found[:SHOWN]}
    swedish = {name: SWEDISH.get(told[name], f"”{told[name]}”") for name in ("told", "found")}
    if as_json:
        print(json.dumps({"holds": False, "difference": told}, ensure_ascii=False))
        return
    place = told["where"] or "Filen"
    if difference.told in SWEDISH_ALONE:
        print(f"Håller inte. {place}: där står {swedish['told']}.")
    else:
        print(f"Håller inte. {place}: där står {swedish['told']}, men underlaget ger {swedish['found']}.")
