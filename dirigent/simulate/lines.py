"""The lines of a replay file: CloudEvents and commands, with the moment each was sent."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class Line(Protocol):
    """Anything that stands on one line of a replay file."""

    @property
    def sent_at(self) -> datetime:
        """When it was sent; the file is in this order, but for what came late."""

    def as_json(self) -> str:
        """The line without its line break."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """A ward's event as the public interface takes it from a history client."""

    id: str
    source: str
    subject: str
    type: str
    at: datetime
    sent_at: datetime
    data: dict[str, Any]

    def as_json(self) -> str:
        """The event in structured JSON."""
        return _compact(
            {
                "specversion": "1.0",
                "id": self.id,
                "source": self.source,
                "type": self.type,
                "subject": self.subject,
                "time": self.at.isoformat(),
                "sentat": self.sent_at.isoformat(),
                "data": self.data,
            }
        )


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A command beside the events; see examples/README.md for the form."""

    command: str
    client: str
    name: str
    sent_at: datetime
    body: dict[str, Any]

    def as_json(self) -> str:
        """The command; its name is its idempotency key too, so a second replay of the file does nothing twice."""
        return _compact(
            {"command": self.command, "client": self.client, "name": self.name, "idempotency_key": self.name, "body": self.body}
        )


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
