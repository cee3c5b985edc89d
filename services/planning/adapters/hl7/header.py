"""The header of a message (MSH): whether it is for us, what it tells of, and what its events are called."""

import re
from dataclasses import dataclass
from typing import Final

from services.planning.adapters.hl7.message import Answered, Condition, Message, NotTaken, Remark, wrong

VERSIONS: Final = frozenset({"2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2", "2.9"})
TRIGGERS: Final = ("A01", "A02", "A03", "A08", "A11", "A12", "A13", "A16", "A21", "A22", "A25", "A40")
OUR_NAME: Final = "DIRIGENT"
PRODUCTION: Final = "P"
PROCESSING: Final = frozenset({PRODUCTION, "D", "T"})
_NAME: Final = re.compile(r"[!-~]{1,40}", re.ASCII)
_PART: Final = re.compile(r"(\.(person|needs|planned|ready|withdrawn|[0-9a-f]{16}))?", re.ASCII)
_CONTROL_ID: Final = re.compile(r"[!-~]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """What happened, by MSH-9, and the name that this message's events get: the same message again makes the same events."""

    trigger: str
    event_id: str

    def named(self, event_id: str) -> bool:
        """Whether an event is one of this message; another message's name may begin like this one's."""
        return event_id.startswith(self.event_id) and _PART.fullmatch(event_id[len(self.event_id) :]) is not None


def read_header(message: Message, *, demo: bool) -> Header:
    """Read and check the header.

    Args:
        message: The message.
        demo: Whether messages for tests and training are taken as well.

    Raises:
        NotTaken: Not for us (AR), or its control id or sender cannot be used (AE).
    """
    if message.value("MSH", 9, 1) != "ADT":
        raise _rejected("MSH-9", Condition.UNSUPPORTED_TYPE, "hl7.type_unknown")
    trigger = message.value("MSH", 9, 2)
    if trigger not in TRIGGERS:
        raise _rejected("MSH-9", Condition.UNSUPPORTED_EVENT, "hl7.trigger_unknown")
    processing = message.value("MSH", 11)
    if processing not in PROCESSING or (processing != PRODUCTION and not demo):
        raise _rejected("MSH-11", Condition.UNSUPPORTED_PROCESSING, "hl7.processing_id")
    if message.value("MSH", 12) not in VERSIONS:
        raise _rejected("MSH-12", Condition.UNSUPPORTED_VERSION, "hl7.version_unknown")
    if message.value("MSH", 5).upper() not in {"", OUR_NAME}:
        raise _rejected("MSH-5", Condition.UNKNOWN_VALUE, "hl7.receiver_wrong")
    application, control_id = message.required("MSH", 3), message.required("MSH", 10)
    if not _NAME.fullmatch(application):
        raise wrong("MSH-3", "format")
    if not _CONTROL_ID.fullmatch(control_id):
        raise wrong("MSH-10", "format")
    return Header(trigger, f"{application}:{control_id}")


def _rejected(place: str, condition: Condition, code: str) -> NotTaken:
    return NotTaken(Answered.REJECTED, Remark(place, condition, code))
