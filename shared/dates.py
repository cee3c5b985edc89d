"""Instants are aware UTC, days are dates in Europe/Stockholm; this is the one module that converts, and holds the one clock."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Final, Self
from zoneinfo import ZoneInfo

STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Clock:
    """The clock of this process: the machine's, until it is told the time by somebody whom all processes ask.

    From then on it runs by itself, so that a machine's clock that is wrong, or is set while we run, moves no due time and no amount.
    """

    TOLERATED = timedelta(seconds=1)

    def __init__(self, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._wall = wall
        self._told: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        if self._told is None:
            return self._wall()
        instant, then = self._told
        return instant + timedelta(seconds=monotonic() - then)

    def tell(self, instant: datetime) -> timedelta:
        """Say what time it is now; returns how far off the clock was. A difference that a slow answer may make changes nothing."""
        off = instant - self.now()
        if self._told is None or abs(off) > self.TOLERATED:
            self._told = (instant if abs(off) > self.TOLERATED else self.now(), monotonic())
        return off

    @property
    def is_told(self) -> bool:
        """Whether it goes by what it was told, and no longer by the machine's clock."""
        return self._told is not None

    def machine(self) -> datetime:
        """What the machine says, to compare with what a library said that goes by it."""
        return self._wall()

    def forget(self) -> None:
        """Go by the machine's clock again."""
        self._told = None


CLOCK: Final = Clock()


def now() -> datetime:
    """The present instant, aware UTC. Only the outermost layer calls this; everything else is handed `at`."""
    return CLOCK.now()


def stockholm(instant: datetime) -> datetime:
    """The same instant on a Swedish wall clock."""
    return instant.astimezone(STOCKHOLM)


def local_date(instant: datetime) -> date:
    """The calendar day of an instant in Europe/Stockholm; every day count of the law starts here."""
    return instant.astimezone(STOCKHOLM).date()


def start_of_day(day: date) -> datetime:
    """The instant (UTC) at which a Swedish calendar day begins; a day has 23, 24 or 25 hours."""
    return datetime(day.year, day.month, day.day, tzinfo=STOCKHOLM).astimezone(UTC)


def at_local_time(day: date, clock: time) -> datetime:
    """The instant (UTC) of a wall clock's time on a Swedish calendar day; of a time that comes twice the first."""
    return datetime.combine(day, clock, tzinfo=STOCKHOLM).astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 time with offset as aware UTC, microseconds at the finest.

    Raises:
        ValueError: Not RFC 3339, no offset, or outside 1900..2199.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an RFC 3339 time with offset")
    instant = datetime.fromisoformat(text.upper())
    if not EARLIEST <= instant < LATEST:
        raise ValueError("outside the years 1900 to 2199")
    return instant.astimezone(UTC)


def parse_day(text: str) -> date:
    """Read a calendar day `YYYY-MM-DD`.

    Raises:
        ValueError: `day.format`: any other form, no such day, or outside 1900..2199.
    """
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST.date() <= day < LATEST.date():
        raise ValueError("day.format")
    return day


def format_instant(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with `Z`, the way every answer of ours does."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in Europe/Stockholm, written `YYYY-MM`."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `YYYY-MM`.

        Raises:
            ValueError: Any other form, or outside 1900..2199.
        """
        match = _MONTH.fullmatch(text)
        if match is None or not EARLIEST.year <= int(match[1]) < LATEST.year:
            raise ValueError("not a month YYYY-MM")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> Self:
        """The month that a day lies in."""
        return cls(day.year, day.month)

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        """The month after this one."""
        return Month.of(self.first + timedelta(days=31))

    @property
    def previous(self) -> "Month":
        """The month before this one."""
        return Month.of(self.first - timedelta(days=1))

    def __contains__(self, day: date) -> bool:
        return (day.year, day.month) == (self.year, self.number)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"
