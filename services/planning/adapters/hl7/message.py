"""Reading one HL7 v2 message in ER7: the header strictly, of the rest only what is asked for; everything else is tolerated.

Only the segments that are used are parsed: a message may be a megabyte of results, and its sender must not pay for that with our time.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import hl7
from hl7.exceptions import HL7Exception

from shared.http.problems import HttpProblem

USED: Final = ("MSH", "EVN", "PID", "PD1", "PV1", "PV2", "MRG", "ZRD", "ZNE")
MERGING: Final = "MRG"
LONGEST_SEGMENT: Final = 8_192
MOST_READ: Final = 16_384
"""Characters of all segments that are read: the library takes its time with many divided fields."""
DELETED: Final = '""'
"""What HL7 writes for a value that is taken away; a value that is absent is left as it was."""
_NUL: Final = "\0"
"""The one character that PostgreSQL keeps in no text, not even for comparing."""
_HEADER_FIELDS: Final = 18
_TYPE: Final = 8
_CONTROL_ID: Final = 10
"""How many dividers stand before the end of MSH-10."""
_ENCODING: Final = re.compile(r"MSH([!-/:-@[-`{-~])([!-/:-@[-`{-~]{4,5})(?=\1|$)", re.ASCII)
_CHARSETS: Final = {"": "utf-8", "ASCII": "ascii", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "8859/1": "iso-8859-1"}
_ESCAPED: Final = re.compile(r"[FSTREHN]|X(?:[2-6][0-9A-F]|7[0-9A-E])+|\.(?:br|fi|nf|ce|sp|in|ti|sk)[0-9]{0,2}", re.ASCII)


class Answered(StrEnum):
    """What an acknowledgement says: taken, cannot be taken as it stands, not for us."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


class Condition(StrEnum):
    """HL7 table 0357, message error conditions."""

    ACCEPTED = "0"
    REQUIRED_MISSING = "101"
    DATA_TYPE = "102"
    UNKNOWN_VALUE = "103"
    UNSUPPORTED_TYPE = "200"
    UNSUPPORTED_EVENT = "201"
    UNSUPPORTED_PROCESSING = "202"
    UNSUPPORTED_VERSION = "203"
    UNKNOWN_KEY = "204"
    DUPLICATE_KEY = "205"
    IN_USE = "206"
    INTERNAL = "207"

    @property
    def text(self) -> str:
        """The table's own words."""
        return _CONDITIONS[self]


_CONDITIONS: Final = {
    Condition.ACCEPTED: "Message accepted",
    Condition.REQUIRED_MISSING: "Required field missing",
    Condition.DATA_TYPE: "Data type error",
    Condition.UNKNOWN_VALUE: "Table value not found",
    Condition.UNSUPPORTED_TYPE: "Unsupported message type",
    Condition.UNSUPPORTED_EVENT: "Unsupported event code",
    Condition.UNSUPPORTED_PROCESSING: "Unsupported processing id",
    Condition.UNSUPPORTED_VERSION: "Unsupported version id",
    Condition.UNKNOWN_KEY: "Unknown key identifier",
    Condition.DUPLICATE_KEY: "Duplicate key identifier",
    Condition.IN_USE: "Application record locked",
    Condition.INTERNAL: "Application internal error",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say about a message: where (`PID-3`), what by HL7's table and by our code; never a value of the message."""

    place: str
    condition: Condition
    code: str
    text: str = ""


class NotTaken(Exception):
    """The message cannot be taken; the acknowledgement says why."""

    def __init__(self, answered: Answered, *remarks: Remark) -> None:
        super().__init__(answered.value)
        self.answered = answered
        self.remarks = remarks


def wrong(place: str, code: str, condition: Condition = Condition.DATA_TYPE, text: str = "") -> NotTaken:
    """What a field that cannot be used is answered with."""
    return NotTaken(Answered.ERROR, Remark(place, condition, code, text))


class Message:
    """One message: its values by segment, field, component and subcomponent, all counted from one as HL7 does."""

    def __init__(self, parsed: hl7.Message, charset: str) -> None:
        self.parsed = parsed
        self.charset = charset

    def has(self, segment: str) -> bool:
        """Whether a segment is there."""
        return self._segment(segment) is not None

    def count(self, segment: str) -> int:
        """How often a segment is there; of most only the first is kept."""
        return sum(str(one[0]) == segment for one in self.parsed)

    def value(self, segment: str, field: int, component: int = 1, sub: int = 1) -> str:
        """One value of the first repetition, unescaped and without blanks around it; empty when it is not there.

        Raises:
            NotTaken: It holds an escape sequence that has no meaning here, or NUL.
        """
        found = self.repetitions(segment, field)
        return found[0].value(component, sub) if found else ""

    def repetitions(self, segment: str, field: int) -> list["Repetition"]:
        """All repetitions of a field that say anything."""
        there = self._segment(segment)
        if there is None or len(there) <= field:
            return []
        place = f"{segment}-{field}"
        return [Repetition(self.parsed, one, place) for one in there[field] if str(one)]

    def required(self, segment: str, field: int, component: int = 1) -> str:
        """The same, of a value that must be there.

        Raises:
            NotTaken: It is missing.
        """
        found = self.value(segment, field, component)
        if found in {"", DELETED}:
            raise wrong(f"{segment}-{field}", "missing", Condition.REQUIRED_MISSING)
        return found

    def _segment(self, name: str) -> Any | None:  # a segment of the library
        return next((one for one in self.parsed if str(one[0]) == name), None)


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field, and the place that errors in it are told at."""

    message: hl7.Message
    content: Any
    place: str

    def value(self, component: int = 1, sub: int = 1) -> str:
        """One value of it; empty when it is not there.

        Raises:
            NotTaken: It holds an escape sequence that has no meaning here, or NUL.
        """
        part = _nth(self.content, component)
        return self._plain(str(_nth(part, sub))).strip()

    def _plain(self, text: str) -> str:
        if _NUL in text:
            raise wrong(self.place, "text.not_printable")
        esc = str(self.message.esc)
        if esc in text:
            # The library counts in what it unescapes, and logs what it cannot: it gets nothing but what it knows.
            pieces = text.split(esc)
            if len(pieces) % 2 == 0 or not all(_ESCAPED.fullmatch(piece) for piece in pieces[1::2]):
                raise wrong(self.place, "hl7.escape_unknown")
            text = str(self.message.unescape(text))
        return unicodedata.normalize("NFC", text)


def _nth(content: Any, number: int) -> Any:
    """The part of that number; content that is not divided is its own first part."""
    if isinstance(content, str):
        return content if number == 1 else ""
    return content[number - 1] if len(content) >= number else ""


def read(body: bytes) -> Message:
    """Read one message.

    Raises:
        HttpProblem: 400 `hl7.unreadable`: no message with a header that can be answered to.
        Unread: It can be answered to, but no more of it be read.
    """
    # The header decides in what characters the rest is written; its own first part is the same in all of them.
    head = body.lstrip(b"\r\n").partition(b"\r")[0].partition(b"\n")[0].decode("latin-1")
    divided = _ENCODING.match(head)
    if divided is None or len(set(divided[1] + divided[2])) != len(divided[1] + divided[2]):
        raise HttpProblem("hl7.unreadable")
    header = _as_far_as_read(head, divided[1])
    named = [*header.split(divided[1]), *[""] * _HEADER_FIELDS][17].split(divided[2][1])[0].strip().upper()
    charset = _CHARSETS.get(named)
    text = None if charset is None else _decoded(body, charset)
    if charset is None or text is None:
        plain = header.encode("ascii", "replace").decode()
        raise _unread(plain, "utf-8", wrong("MSH-18", "hl7.charset", Condition.UNKNOWN_VALUE))
    try:
        return Message(_parsed(_kept([line for line in re.split(r"\r\n|\r|\n", text) if line])), charset)
    except NotTaken as refusal:
        raise _unread(header.encode("latin-1").decode(charset), charset, refusal) from None


def _decoded(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


def _as_far_as_read(head: str, divider: str) -> str:
    """A header that is too long to be read, by its first fields: enough to say so to whoever sent it, if its control id is among them.

    Raises:
        HttpProblem: 400 `hl7.unreadable`: it is not.
    """
    if len(head) <= LONGEST_SEGMENT:
        return head
    begin = head[:LONGEST_SEGMENT].rpartition(divider)[0]
    if begin.count(divider) < _CONTROL_ID:
        raise HttpProblem("hl7.unreadable")
    return begin


class Unread(Exception):
    """A message of which no more than the header could be read; it can be answered to all the same."""

    def __init__(self, message: Message, refusal: NotTaken) -> None:
        super().__init__(refusal.answered.value)
        self.message = message
        self.refusal = refusal


def _unread(header: str, charset: str, refusal: NotTaken) -> Unread:
    """What a message is when its header is all that can be read; without even that there is nobody to answer to.

    Raises:
        HttpProblem: 400 `hl7.unreadable`.
    """
    try:
        return Unread(Message(_parsed([header]), charset), refusal)
    except NotTaken:
        raise HttpProblem("hl7.unreadable") from None


def _parsed(lines: Sequence[str]) -> hl7.Message:
    """Some segments, the header first.

    Raises:
        NotTaken: The library makes nothing of them.
    """
    header, *others = lines
    try:
        return hl7.parse("\r".join([_whole(header), *others]))
    except (HL7Exception, ValueError, LookupError, TypeError):
        raise wrong("MSH", "hl7.unreadable") from None


def _whole(line: str) -> str:
    """The header with all its fields, and an (empty) trigger where its type has none: the library acknowledges no other."""
    fields = line.split(line[3])
    fields += [""] * (_HEADER_FIELDS - len(fields))
    first, *others = fields[_TYPE].split(line[5])
    fields[_TYPE] = line[5].join([first if line[4] in first else first + line[4], *others])
    return line[3].join(fields)


def _kept(lines: Sequence[str]) -> list[str]:
    """The first of each segment that is used, the header first; a message holds exactly one header. All merges: none is passed over.

    Raises:
        NotTaken: There is more in it than is read, or another message.
    """
    kept: dict[str, str] = {}
    for line in lines:
        name = line[:3]
        if name == "MSH" and name in kept:
            raise wrong("MSH", "hl7.second_header")
        if name in USED and name not in kept:
            if len(line) > LONGEST_SEGMENT:
                raise wrong(name, "hl7.segment_too_long")
            kept[name] = line
        elif name == MERGING:
            kept[f"{name} {len(kept)}"] = line
    if sum(map(len, kept.values())) > MOST_READ:
        raise wrong("MSH", "hl7.too_much")
    return list(kept.values())
