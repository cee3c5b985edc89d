"""Reading a replay file: CloudEvents and commands, one JSON object on each line (the form is told in examples/README.md)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CASE: Final = "$case"


class UnreadableLineError(Exception):
    """A line of the file that is neither an event nor a command."""


@dataclass(frozen=True, slots=True)
class EventItem:
    """One event, exactly as it stands in the file."""

    line: int
    event: dict[str, Any]

    @property
    def case(self) -> tuple[str, str]:
        """The key of its case: care provider of the source, and subject."""
        return case_key(str(self.event.get("source", "")), str(self.event.get("subject", "")))

    @property
    def label(self) -> str:
        """How a report names it."""
        return f"event {self.event.get('id')}"


@dataclass(frozen=True, slots=True)
class CommandItem:
    """One command: method and path (with `{name.member}` for a member of an earlier answer), its client, key and body."""

    line: int
    method: str
    path: str
    client: str
    name: str
    key: str
    body: dict[str, Any]

    @property
    def label(self) -> str:
        """How a report names it."""
        return f"command {self.name}"


Item = EventItem | CommandItem


def case_key(source: str, subject: str) -> tuple[str, str]:
    """What names a case: the care provider (the HSA-id up to its hyphen) and the sender's own stay id."""
    return source.partition("-")[0], subject


def count_lines(path: Path) -> int:
    """How many lines there are to play."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def read_items(path: Path) -> Iterator[Item]:
    """Read a replay file line by line; blank lines are passed over.

    Raises:
        UnreadableLineError: A line is not JSON, or a command lacks a member.
    """
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            if text.strip():
                yield read_item(number, text)


def read_item(number: int, text: str) -> Item:
    """Read one line.

    Raises:
        UnreadableLineError: Not a JSON object, or a command that lacks a member.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UnreadableLineError(f"line {number}: not JSON") from error
    if not isinstance(value, dict):
        raise UnreadableLineError(f"line {number}: not a JSON object")
    if "command" not in value:
        return EventItem(number, value)
    try:
        method, path = str(value["command"]).split(" ", 1)
        name = str(value["name"])
        key = str(value.get("idempotency_key", name))
        return CommandItem(number, method, path, str(value["client"]), name, key, dict(value["body"]))
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableLineError(f"line {number}: a command needs command, client, name and body") from error
