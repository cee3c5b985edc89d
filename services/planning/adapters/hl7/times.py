"""HL7's times (DTM): one without an offset is a Swedish wall clock's; of an hour that comes twice, the first."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from services.planning.adapters.hl7.message import wrong
from shared.dates import EARLIEST, LATEST, at_local_time, format_instant

_TIME: Final = re.compile(
    r"(?P<day>\d{8})(?P<hour>\d\d)(?P<minute>\d\d)((?P<second>\d\d)(\.(?P<fraction>\d{1,4}))?)?((?P<sign>[+-])(?P<ahead>\d\d)(?P<over>\d\d))?",
    re.ASCII,
)
_DAY: Final = re.compile(r"(\d{8})(\d{4}(\d\d(\.\d{1,4})?)?([+-]\d{4})?)?", re.ASCII)


def instant(text: str, place: str) -> datetime:
    """Read a time to the minute at least.

    Raises:
        NotTaken: Any other form, or no such time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise wrong(place, "time.format")
    try:
        micros = int((found["fraction"] or "").ljust(6, "0"))
        clock = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), micros)
        day = datetime.strptime(found["day"], "%Y%m%d").date()  # noqa: DTZ007  # a day; its zone follows
        read = at_local_time(day, clock) if found["sign"] is None else _at_offset(day, clock, found)
    except (ValueError, OverflowError):
        raise wrong(place, "time.format") from None
    if not EARLIEST <= read < LATEST:
        raise wrong(place, "time.format")
    return read


def _at_offset(day: date, clock: time, found: re.Match[str]) -> datetime:
    ahead = timedelta(hours=int(found["ahead"]), minutes=int(found["over"]))
    return datetime.combine(day, clock, tzinfo=timezone(-ahead if found["sign"] == "-" else ahead)).astimezone(UTC)


def written(text: str, place: str) -> str:
    """The same as the product's events write it.

    Raises:
        NotTaken: Any other form, or no such time.
    """
    return format_instant(instant(text, place))


def day(text: str, place: str) -> str:
    """Read the day of a day or time, as the product's events write it; a time of day beside it says nothing more here.

    Raises:
        NotTaken: Any other form, or no such day.
    """
    found = _DAY.fullmatch(text)
    if found is None:
        raise wrong(place, "day.format")
    try:
        return datetime.strptime(found[1], "%Y%m%d").date().isoformat()  # noqa: DTZ007  # only a day
    except ValueError:
        raise wrong(place, "day.format") from None
