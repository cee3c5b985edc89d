"""What senders call their stays and events: it stands in clear in lists, histories and notices, so it must hold no person's number."""

import re
from datetime import date
from typing import Final

from shared.identifiers import PersonIdType, parse_person_id

_LONG: Final = re.compile(r"(?<![0-9])([0-9]{8})[^0-9A-Z]?([0-9KMX][0-9]{3})(?![0-9])")
# Ten bare digits are no sign of a person: one running number in 150 would pass for one, and its event would be refused for nothing.
_SHORT: Final = re.compile(r"(?<![0-9A-Z])([0-9]{6})(?:([-+])([0-9KMX])|([KMX]))([0-9]{3})(?![0-9A-Z])")
_KINDS: Final[tuple[PersonIdType, ...]] = ("personnummer", "samordningsnummer", "reservnummer")
_YOUNGEST: Final = 3
"""Years. The name of a stay or event often begins with its day, and a running number after that passes for a check digit one time in ten:
what was born in the last years before the event is taken for such a name."""


def holds_person_number(name: str, on: date) -> bool:
    """Whether a name holds the number of a person, written as such numbers are: 18900101-9802, 189001019802, 900101+9802, 900101K065.

    Args:
        name: A sender's own name of a stay or event.
        on: The day of the event.
    """
    text = name.upper()
    if any(_is_number(born + rest, on) for born, rest in _LONG.findall(text)):
        return True
    return any(
        _is_number(_century(born, mark, on) + born + (letter or bare) + rest, on) for born, mark, letter, bare, rest in _SHORT.findall(text)
    )


def _century(born: str, mark: str, on: date) -> str:
    """The one that makes her younger than a hundred then; after a plus sign the one before."""
    latest = on.year // 100 - (f"{on.year // 100}{born}" > f"{on:%Y%m%d}")
    return str(latest - (mark == "+"))


def _is_number(text: str, on: date) -> bool:
    if int(text[:4]) > on.year - _YOUNGEST:
        return False
    return any(_reads(kind, text, on) for kind in _KINDS)


def _reads(kind: PersonIdType, text: str, on: date) -> bool:
    try:
        parse_person_id(kind, text, today=on)
    except ValueError:
        return False
    return True
