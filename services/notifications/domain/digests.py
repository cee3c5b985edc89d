"""When a digest is sent: at a time of the Swedish wall clock, on some days of the week."""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Final

from shared.dates import at_local_time, local_date

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOKS_AHEAD: Final = 8


def next_digest(after: datetime, clock: time, days: Collection[str]) -> datetime:
    """The first time after an instant at which a digest is due: once a day, also in the nights the clocks change.

    A time that a spring night leaves out comes as much later; of one that an autumn night has twice the first counts.

    Args:
        after: The instant; what is due exactly then has been sent.
        clock: The wall clock's time.
        days: Names of weekdays; none: every day.

    Raises:
        ValueError: No such weekday.
    """
    wanted = frozenset(days) or frozenset(WEEKDAYS)
    first = local_date(after)
    for ahead in range(_LOOKS_AHEAD):
        day = first + timedelta(days=ahead)
        at = at_local_time(day, clock)
        if WEEKDAYS[day.weekday()] in wanted and at > after:
            return at
    raise ValueError("no such weekday")
