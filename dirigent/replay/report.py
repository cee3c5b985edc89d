"""What became of every line of a replay file."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dirigent.replay.file import Item

LEGEND: Final = (
    "(accepted: new events; repeated: known already; commands: plans and invitations;\n"
    "  findings: oddities that are noted and stop nothing)"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not accepted, and why; never a value of it."""

    line: int
    what: str
    status: int
    code: str
    errors: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """The counts of a replay, and every line that was refused."""

    accepted: int = 0
    repeated: int = 0
    commands: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    retries: int = 0
    seconds: float = 0.0

    @property
    def lines(self) -> int:
        """How many lines have an outcome."""
        return self.accepted + self.repeated + self.commands + len(self.refused)

    def refuse(self, item: Item, status: int, body: object) -> None:
        """Note a line that was refused, with the codes of its problem."""
        problem = body if isinstance(body, dict) else {}
        errors = tuple(f"{error.get('pointer')}: {error.get('code')}" for error in problem.get("errors") or () if isinstance(error, dict))
        self.refused.append(Refusal(item.line, item.label, status, str(problem.get("code", f"http.{status}")), errors))

    def summary(self) -> dict[str, Any]:
        """The counts as plain values."""
        return {
            "accepted": self.accepted,
            "repeated": self.repeated,
            "commands": self.commands,
            "refused": len(self.refused),
            "findings": dict(sorted(self.findings.items())),
            "retries": self.retries,
            "seconds": round(self.seconds, 1),
        }

    def write_refused(self, path: Path) -> None:
        """Write every refused line with its reason, one JSON object a line."""
        with path.open("w", encoding="utf-8") as file:
            for refusal in sorted(self.refused, key=lambda refusal: refusal.line):
                told = {"line": refusal.line, "what": refusal.what, "status": refusal.status, "code": refusal.code}
                file.write(json.dumps(told | ({"errors": refusal.errors} if refusal.errors else {})) + "\n")
