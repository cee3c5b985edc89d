"""The acknowledgement (ACK): what became of a message, with a segment ERR for each thing there is to say; never a value of the message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.planning.adapters.hl7.message import DELETED, Answered, Condition, Message, Remark
from shared.dates import stockholm
from shared.errors import BusinessError

_MOST_REMARKS: Final = 20
_NAMELESS: Final = Remark("MSH-10", Condition.REQUIRED_MISSING, "missing")
_PLACES: Final = (
    ("/data/person/id", "PID-3"),
    ("/data/person/name", "PID-5"),
    ("/data/person/registered", "PID-11"),
    ("/data/person", "PID"),
    ("/data/needs", "ZNE-1"),
    ("/data/outpatient_unit", "ZNE-2"),
    ("/data/compulsory", "ZRD-3"),
    ("/data/reason", "ZRD-5"),
    ("/data/given_on_paper_at", "ZRD-6"),
    ("/data/to_subject", "PV1-50"),
    ("/subject", "PV1-19"),
    ("/time", "EVN-6"),
    ("/id", "MSH-10"),
)
"""Where in a message an event's field stands."""
_CONDITIONS: Final = {
    "event.id_reused": ("MSH-10", Condition.DUPLICATE_KEY),
    "event.source_foreign": ("PV1-3", Condition.UNKNOWN_KEY),
}


def remarks_of(error: BusinessError) -> list[Remark]:
    """A refusal of an event, in the places of the message."""
    if error.errors:
        return [Remark(_place(one.pointer), Condition.DATA_TYPE, one.code) for one in error.errors]
    place, condition = _CONDITIONS.get(error.code, ("MSH-10", Condition.INTERNAL))
    return [Remark(place, condition, error.code)]


def _place(pointer: str) -> str:
    return next((place for begin, place in _PLACES if pointer.startswith(begin)), "MSH")


def acknowledge(message: Message, answered: Answered, remarks: Sequence[Remark], at: datetime) -> bytes:
    """Write the acknowledgement, in the characters of the message.

    MSA-2 is MSH-10 as it came. HL7 asks for both; where there is none, none is made up, which another message may have, but told.

    Args:
        message: What it answers to.
        answered: What became of it.
        remarks: What there is to say; of a message that was taken, information only.
        at: When it is answered.
    """
    header = message.parsed[0]
    ack = message.parsed.create_ack(answered.value)
    ack[0].assign_field(f"{stockholm(at):%Y%m%d%H%M%S%z}", 7)
    if str(header[18]):
        ack[0].assign_field(str(header[18]), 18)
    severity = "I" if answered is Answered.ACCEPTED else "E"
    told = [*remarks[:_MOST_REMARKS]]
    if str(header[10]).strip() in {"", DELETED} and _NAMELESS not in told:
        told.append(_NAMELESS)
    lines = [str(segment) for segment in ack]
    lines += [_error(message, remark, severity) for remark in told]
    return ("\r".join(lines) + "\r").encode(message.charset, "replace")


def _error(message: Message, remark: Remark, severity: str) -> str:
    """One segment ERR: where (2), which of HL7's conditions (3), how grave (4), our code (5), and words (8)."""
    fields, parts = str(message.parsed.separators)[1], str(message.parsed.separators)[3]
    segment, _, number = remark.place.partition("-")
    where = parts.join([segment, "1", number] if number else [segment, "1"])
    condition = parts.join([remark.condition.value, remark.condition.text, "HL70357"])
    words = str(message.parsed.escape(remark.text)) if remark.text else ""
    return fields.join(["ERR", "", where, condition, severity, remark.code, "", "", words]).rstrip(fields)
