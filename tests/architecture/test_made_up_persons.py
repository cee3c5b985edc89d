"""Rule 8 of the house, for the repository itself: every person number in it lies inside Skatteverket's published test series."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

import pytest
from stdnum import luhn

from tests.architecture.source import ROOT, files

NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])((?:18|19|20)?[0-9]{6})[-+]?([0-9]{4})(?![0-9A-Za-z])")
TEXTS: Final = frozenset(
    {".py", ".md", ".toml", ".txt", ".json", ".ndjson", ".csv", ".yaml", ".yml", ".html", ".css", ".sh", ".sql", ".ini", ".service", ""}
)
COORDINATION: Final = 60
ADULTS: Final = (range(1890, 1910), frozenset({"980", "981"}))
CHILDREN: Final = (range(2006, 2024), frozenset({"238", "239"}))


def persons(text: str) -> Iterator[str]:
    """Everything in a text that could be a person's number: a date, three digits and the right check digit."""
    for found in NUMBER.finditer(text):
        born, rest = found[1], found[2]
        if luhn.is_valid(born[-6:] + rest) and any(_is_date(century + born[-6:]) for century in _centuries(born)):
            yield born + rest


def made_up(number: str) -> bool:
    """Whether a number lies in the test series."""
    years = [int(century + number[-10:-8]) for century in _centuries(number[:-4])]
    return any(year in series and number[-4:-1] in births for year in years for series, births in (ADULTS, CHILDREN))


def _centuries(born: str) -> tuple[str, ...]:
    return (born[:2],) if len(born) == len("yyyymmdd") else ("18", "19", "20")


def _is_date(digits: str) -> bool:
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    try:
        date(year, month, day - COORDINATION if day > COORDINATION else day)
    except ValueError:
        return False
    return True


def real_looking(text: str) -> list[str]:
    return [number for number in persons(text) if not made_up(number)]


def test_no_number_in_the_repository_could_belong_to_a_person() -> None:
    found: dict[str, list[str]] = {}
    seen = 0
    for path in files():
        if path.suffix not in TEXTS:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        seen += sum(1 for _ in persons(text))
        numbers = real_looking(text)
        if numbers:
            found[path.relative_to(ROOT).as_posix()] = numbers
    assert seen > 3, "the examples hold test persons, so nothing was read"
    assert found == {}


@pytest.mark.parametrize("stem", ["19121212121", "121212-121", "19121272121"])
def test_a_number_outside_the_series_is_seen(stem: str) -> None:
    """Put together here, because the file itself is read too."""
    digits = stem.replace("-", "")
    number = stem + str(luhn.calc_check_digit(digits[-9:]))
    assert real_looking(f"person {number}.")


def test_the_test_series_is_known() -> None:
    assert not real_looking("189001019802")
