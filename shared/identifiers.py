"""Who and what things are called: units, organisations, municipalities, persons; and new ids.

The validators are strict on purpose: ASCII only, nothing around the value, every digit checked. A refusal is a `ValueError` whose only
argument is a code; the value itself never stands in it.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

from stdnum import luhn
from uuid_utils import compat

from shared.dates import local_date, now

PersonIdType = Literal["personnummer", "samordningsnummer", "reservnummer"]

HSA_ID_PATTERN: Final = r"SE[0-9]{10}-[A-Za-z0-9]{1,18}"
ORGANISATION_NUMBER_PATTERN: Final = r"[0-9]{10}"
MUNICIPALITY_CODE_PATTERN: Final = r"[0-9]{4}"

_HSA_ID: Final = re.compile(HSA_ID_PATTERN)
_ORGANISATION_NUMBER: Final = re.compile(ORGANISATION_NUMBER_PATTERN)
_MUNICIPALITY_CODE: Final = re.compile(MUNICIPALITY_CODE_PATTERN)
_NATIONAL_NUMBER: Final = re.compile(r"[0-9]{12}")
_RESERVE_NUMBER: Final = re.compile(r"[0-9]{8}[KMX][0-9]{3}")
_RESERVE_LETTERS: Final = {"K": "5", "M": "7", "X": "8"}
_RESERVE_SERIAL_FIRST: Final = 6
_RESERVE_SERIAL_UNKNOWN_SEX: Final = 80
_RESERVE_SERIAL_LAST: Final = 89
_COORDINATION_DAY: Final = 60
_EARLIEST_BIRTH_YEAR: Final = 1850


def uuid7() -> UUID:
    """A new id that sorts by the time it was made."""
    return compat.uuid7()


@lru_cache(maxsize=8192)
def parse_hsa_id(text: str) -> str:
    """Read the HSA-id of a unit: `SE`, its organisation number, a hyphen, letters A-Z a-z and digits; at most 31 characters.

    Raises:
        ValueError: Any other form, or an organisation number with a wrong check digit.
    """
    if not _HSA_ID.fullmatch(text):
        raise ValueError("hsa_id.format")
    if not luhn.is_valid(provider_of(text)):
        raise ValueError("hsa_id.check_digit")
    return text


def provider_of(hsa_id: str) -> str:
    """The organisation number of the care provider (vårdgivare) that a unit belongs to."""
    return hsa_id[2:12]


def parse_organisation_number(text: str) -> str:
    """Read an organisation number: ten digits, the last one its check digit, no hyphen.

    Raises:
        ValueError: Any other form, or a wrong check digit.
    """
    if not _ORGANISATION_NUMBER.fullmatch(text):
        raise ValueError("organisation_number.format")
    if not luhn.is_valid(text):
        raise ValueError("organisation_number.check_digit")
    return text


def parse_municipality_code(text: str) -> str:
    """Read a municipality's code: four digits, as Statistics Sweden (SCB) gives them.

    Raises:
        ValueError: Any other form.
    """
    if not _MUNICIPALITY_CODE.fullmatch(text):
        raise ValueError("municipality_code.format")
    return text


def parse_person_id(kind: PersonIdType, text: str, *, today: date | None = None) -> str:
    """Read a person's number, written with the century and without a hyphen.

    Args:
        kind: What the number claims to be; one kind is never taken for another.
        text: Twelve characters.
        today: The day after which nobody is born yet; the present day in Sweden when not given.

    Raises:
        ValueError: Not a number of that kind.
    """
    return _READERS[kind](text, today or local_date(now()))


def _read_personnummer(text: str, today: date) -> str:
    return _read_national(text, int(text[6:8]) if _NATIONAL_NUMBER.fullmatch(text) else 0, today)


def _read_samordningsnummer(text: str, today: date) -> str:
    """The form of a personnummer with 60 added to the day."""
    return _read_national(text, int(text[6:8]) - _COORDINATION_DAY if _NATIONAL_NUMBER.fullmatch(text) else 0, today)


def _read_national(text: str, day: int, today: date) -> str:
    if not _NATIONAL_NUMBER.fullmatch(text):
        raise ValueError("person_id.format")
    _check_birth(text, day, today)
    if text[8:11] == "000":
        raise ValueError("person_id.birth_number")
    if not luhn.is_valid(text[2:]):
        raise ValueError("person_id.check_digit")
    return text


def _read_reservnummer(text: str, today: date) -> str:
    """VGR's own number for a person without one: date, K (woman), M (man) or X (not known), a serial number, check digit."""
    if not _RESERVE_NUMBER.fullmatch(text):
        raise ValueError("person_id.format")
    _check_birth(text, int(text[6:8]), today)
    unknown_sex = text[8] == "X"
    first = _RESERVE_SERIAL_UNKNOWN_SEX if unknown_sex else _RESERVE_SERIAL_FIRST
    last = _RESERVE_SERIAL_LAST if unknown_sex else _RESERVE_SERIAL_UNKNOWN_SEX - 1
    if not first <= int(text[9:11]) <= last:
        raise ValueError("person_id.birth_number")
    if not luhn.is_valid(text[2:8] + _RESERVE_LETTERS[text[8]] + text[9:]):
        raise ValueError("person_id.check_digit")
    return text


def _check_birth(text: str, day: int, today: date) -> None:
    try:
        born = date(int(text[:4]), int(text[4:6]), day)
    except ValueError:
        raise ValueError("person_id.date") from None
    if born > today or born.year < _EARLIEST_BIRTH_YEAR:
        raise ValueError("person_id.date")


_READERS: Final[dict[str, Callable[[str, date], str]]] = {
    "personnummer": _read_personnummer,
    "samordningsnummer": _read_samordningsnummer,
    "reservnummer": _read_reservnummer,
}
