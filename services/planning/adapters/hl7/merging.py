"""Two numbers of one person (A40): that the one is merged into the other, for every stay of the merged number, whenever it is told of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from services.planning.adapters.hl7.adt import event_of, time_of
from services.planning.adapters.hl7.header import Header
from services.planning.adapters.hl7.known import StayKnown
from services.planning.adapters.hl7.message import MERGING, Message, wrong
from services.planning.adapters.hl7.persons import completed, number, said_of

MERGE: Final = "A40"
_DIGITS, _CENTURY = 12, 2
"""Of a number as it is written whole, and those of them that are left out where it is written short."""
_SOMEBODY: Final = {"name": {"given": "A", "family": "B"}}


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge: the header of its message, when it happened, and what it says of the person."""

    header: Header
    time: str
    said: Mapping[str, Any]

    def of_stay(self, known: StayKnown) -> dict[str, Any]:
        """What it means for a stay: its person is the one of the message from now on.

        Raises:
            NotTaken: The person has no name, neither here nor in what is known.
        """
        return self._event(str((known.admission or {}).get("source", "")), known.subject, known.person)

    def of_no_stay(self, provider: str) -> dict[str, Any]:
        """The same of a stay that does not exist, to see whether its form is good before there is one."""
        return self._event(f"urn:hsa:SE{provider}-A", "stay", _SOMEBODY)

    def _event(self, source: str, subject: str, known: Mapping[str, Any] | None) -> dict[str, Any]:
        # One message, one event for each stay; the stays of a ward have ids of their own.
        event_id = f"{self.header.event_id}.{sha256(subject.encode()).hexdigest()[:16]}"
        data = {"person": completed(self.said, known)}
        return event_of("stay.person_changed", data, event_id=event_id, source=source, subject=subject, time=self.time)


def read_merge(message: Message, header: Header) -> Merge:
    """Read a merge.

    Raises:
        NotTaken: No number of a kind that is known, no time, or something that is not understood.
    """
    return Merge(header, time_of(message), said_of(message))


def merged_number(message: Message, header: Header) -> tuple[str, str]:
    """The number that is merged into another (MRG-1), and its kind.

    Raises:
        NotTaken: None of a kind that is known, it stands in the name of the message, which is kept in clear, or more than one merge: each
            comes in a message of its own.
    """
    if message.count(MERGING) > 1:
        raise wrong(MERGING, "repeated")
    kind, text = number(message, MERGING, 1)
    if len(text) == _DIGITS and text[_CENTURY:] in re.sub("[^0-9A-Z]", "", header.event_id.upper()):
        raise wrong("MSH-10", "event_id.is_person")
    return kind, text
