"""One cell as a spreadsheet writes it: Swedish local times, days, yes and no, lists. A refusal is a code, never the value."""

import re
from datetime import date, datetime, time
from typing import Any, Final

from shared.dates import EARLIEST, LATEST, at_local_time, parse_day, parse_instant, stockholm
from shared.identifiers import parse_hsa_id

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ Tt](\d{1,2}):(\d\d)(?::(\d\d))?(?:\.0+)?\s?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_AS_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?[Ee]\+?\d+", re.ASCII)
_WITH_HYPHEN: Final = re.compile(r"(\d{8})[-+]?([0-9A-Z]\d{3})", re.ASCII)
_MUNICIPALITY: Final = re.compile(r"\d{3,4}", re.ASCII)
_YES: Final = frozenset({"yes", "true", "1", "ja", "sant"})
_NO: Final = frozenset({"no", "false", "0", "nej", "falskt"})
_LONGEST_STAY_ID: Final = 90


def moment(text: str) -> datetime:
    """A time: `2019-03-04 10:15` by the Swedish clock, or with an offset (`2019-10-27 02:30+01:00`).

    The hour that comes twice in autumn is its first coming, unless an offset says which.

    Raises:
        ValueError: `time.format`, or `time.skipped` inside the hour that spring leaves out.
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("time.format")
    day, hour, minute, second, offset = found.groups()
    try:
        clock = time(int(hour), int(minute), int(second or 0))
        if offset is not None:
            return parse_instant(f"{day}T{clock.isoformat()}{offset}")
        instant = at_local_time(date.fromisoformat(day), clock)
    except ValueError:
        raise ValueError("time.format") from None
    if not EARLIEST <= instant < LATEST:
        raise ValueError("time.format")
    if stockholm(instant).time() != clock:
        raise ValueError("time.skipped")
    return instant


def day(text: str) -> str:
    """A day `2019-03-04`.

    Raises:
        ValueError: `day.format`.
    """
    return parse_day(text).isoformat()


def truth(text: str) -> bool:
    """Yes or no, in English or as a Swedish spreadsheet writes it.

    Raises:
        ValueError: `not_yes_or_no`.
    """
    word = text.casefold()
    if word not in _YES | _NO:
        raise ValueError("not_yes_or_no")
    return word in _YES


def person_id(text: str) -> str:
    """A person's number with or without its hyphen; whether it is one is told by the event's own reader.

    Raises:
        ValueError: `spreadsheet_number`: a spreadsheet took it for a number and cut it.
    """
    _refuse_number(text)
    found = _WITH_HYPHEN.fullmatch(text)
    return f"{found[1]}{found[2]}" if found else text


def stay_id(text: str) -> str:
    """The older service's own id of the stay.

    Raises:
        ValueError: `spreadsheet_number`, `too_long`.
    """
    _refuse_number(text)
    if len(text) > _LONGEST_STAY_ID:
        raise ValueError("too_long")
    return text


def municipality(text: str) -> str:
    """A municipality's code; a spreadsheet takes the leading zero away, so three digits get it back.

    Raises:
        ValueError: `municipality_code.format`.
    """
    if not _MUNICIPALITY.fullmatch(text):
        raise ValueError("municipality_code.format")
    return text.zfill(4)


def words(text: str) -> list[str]:
    """Several words, apart by blanks or commas."""
    return text.replace(",", " ").split()


def units(text: str) -> list[str]:
    """Several HSA-ids, apart by blanks or commas.

    Raises:
        ValueError: One of them is none.
    """
    return [parse_hsa_id(one) for one in words(text)]


def one_of(*allowed: str) -> Any:  # a reader of cells
    """A reader of cells that hold one of some words.

    Raises:
        ValueError: `not_allowed`.
    """

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError("not_allowed")
        return text

    return read


def _refuse_number(text: str) -> None:
    if _AS_NUMBER.fullmatch(text):
        raise ValueError("spreadsheet_number")
