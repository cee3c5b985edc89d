"""How far an import has come: a small file that is replaced whole, so that an import that ended in any way goes on where it was."""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dirigent.failure import CannotStart


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far."""

    rows: int = 0
    imported: int = 0
    """Rows of which something was new."""
    repeated: int = 0
    """Rows that had been taken in whole before."""
    rejected: int = 0
    events_accepted: int = 0
    events_repeated: int = 0
    commands: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    """The first lines of each finding."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything up to a line of one file has been sent to one place, and the answers have come."""

    sha256: str
    url: str
    client: str
    encoding: str
    whole_rows: bool
    line: int
    rejected_bytes: int
    tally: Tally

    def same_import(self, other: "Progress") -> bool:
        """Whether it is about the same file, sent to the same place in the same way."""
        return self == replace(other, line=self.line, rejected_bytes=self.rejected_bytes, tally=self.tally)


class Journal:
    """The file that holds the progress of one import."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Progress | None:
        """What an earlier run noted; none when there was none, or nothing can be made of it: importing again repeats, and harms nothing."""
        try:
            told: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            return Progress(**(told | {"tally": Tally(**told["tally"])}))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, progress: Progress) -> None:
        """Note how far it has come: on disk before anything follows.

        Raises:
            CannotStart: It cannot be written.
        """
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(asdict(progress), file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as error:
            raise CannotStart(f"{self.path}: {error.strerror}; --journal names another place") from None

    def forget(self) -> None:
        """The import has come to its end."""
        self.path.unlink(missing_ok=True)
