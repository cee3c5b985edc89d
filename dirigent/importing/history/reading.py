"""Reading the cells of one row: every problem is collected under its column, so that a row tells all of them at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from dirigent.importing.history import cells

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is left out: the column and a code; `title` where the service said it in its own words."""

    column: str
    code: str
    title: str = ""


@dataclass(slots=True)
class RowReader:
    """The cells of a row by column, and what is wrong with them; `at` is when it is read, which no time may lie behind."""

    told: Mapping[str, str]
    at: datetime
    problems: list[Problem] = field(default_factory=list)

    def problem(self, column: str, code: str) -> None:
        """Note a problem, once."""
        if (found := Problem(column, code)) not in self.problems:
            self.problems.append(found)

    def text(self, column: str) -> str:
        """A cell as it stands; empty when there is none."""
        return self.told.get(column, "")

    def required(self, column: str) -> None:
        """Note a cell that must not be empty."""
        if not self.text(column):
            self.problem(column, "missing")

    def read(self, column: str, read: Callable[[str], T]) -> T | None:
        """A cell as a value; none when it is empty or cannot be read, which is noted."""
        text = self.text(column)
        if not text:
            return None
        try:
            return read(text)
        except ValueError as error:
            self.problem(column, str(error))
            return None

    def moment(self, column: str, *, may_lie_ahead: bool = False) -> datetime | None:
        """A time; one that lies ahead is noted."""
        found = self.read(column, cells.moment)
        if found is not None and found > self.at and not may_lie_ahead:
            self.problem(column, "in_future")
        return found

    def times(self, at: str, sent: str, *, sent_required: bool) -> tuple[datetime, datetime] | None:
        """When something happened and when it was sent; without a sent time it counts as sent when it happened."""
        self.required(at)
        if sent_required:
            self.required(sent)
        happened, told = self.moment(at), self.moment(sent)
        if happened is None or (told is None and self.text(sent)):
            return None
        if told is not None and told < happened:
            self.problem(sent, "before_it_happened")
        return happened, told or happened


def problems_of(error: Any, column_of: Callable[[str], str], column: str) -> list[Problem]:
    """What a service's problem document says is wrong, by column."""
    told = error if isinstance(error, dict) else {}
    code, title = str(told.get("code", "not_taken_in")), str(told.get("title", ""))
    named = [one for one in told.get("errors") or () if isinstance(one, dict)]
    if not named:
        return [Problem(column, code, title)]
    return [Problem(column_of(str(one.get("pointer", ""))), f"{code} {one.get('code', '')}".strip(), title) for one in named]
