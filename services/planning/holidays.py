"""The one place that knows Swedish holidays for duty calendars: read from a data file, handed to the domain as days."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

HOLIDAY_FILE: Final = Path(__file__).parent / "holidays.toml"


@cache
def load_holidays(path: Path = HOLIDAY_FILE) -> frozenset[date]:
    """The holidays that fall on weekdays, for every year the file covers."""
    told: list[date] = tomllib.loads(path.read_text(encoding="utf-8"))["holidays"]["days"]
    return frozenset(told)
