"""How a measurement is shown: what is claimed, what was found, and whether it held."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured claim; without a target it is there to be known, not to be held."""

    what: str
    result: str
    target: str = ""
    held: bool | None = None


def at_least(what: str, ratio: float, target: float, detail: str = "") -> Finding:
    """A ratio that must not be smaller than its target."""
    return Finding(what, f"{ratio:.1f} ×{detail and f'  ({detail})'}", f"≥ {target:g} ×", ratio >= target)


def below(what: str, value: float, target: float, unit: str, detail: str = "") -> Finding:
    """A value that must stay below its target."""
    digits = 0 if value >= 100 else 1
    return Finding(what, f"{value:.{digits}f} {unit}{detail and f'  ({detail})'}", f"< {target:g} {unit}", value < target)


def show(findings: Iterable[Finding]) -> bool:
    """Print the table; whether every target was reached."""
    table = Table("measurement", "target", "result", "", title="Dirigent, measured")
    held = True
    for finding in findings:
        mark = {True: "held", False: "MISSED", None: ""}[finding.held]
        table.add_row(finding.what, finding.target, finding.result, mark)
        held = held and finding.held is not False
    Console(width=150).print(table)
    return held
