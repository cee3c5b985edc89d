"""When a delivery is tried again, what the receiver's answer means, and when a receiver is left to rest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

# How long after each failed attempt the next one is due (Standard Webhooks 1.0); the first attempt is made at once.
SCHEDULE: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
BREAKER_AFTER: Final = 5
"""So many failures in a row, and a receiver is left to rest."""
JITTER: Final = 0.2
LONGEST_WAIT: Final = timedelta(hours=24)
LONGEST_REST: Final = timedelta(minutes=5)
"""A receiver that is back hears of what is new within this time, whatever its old messages still wait for."""
_WAITING_WANTED: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_SECONDS_DIGITS: Final = 9


class Outcome(StrEnum):
    """What one attempt led to."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    GONE = "gone"


def outcome_of(status: int | None) -> Outcome:
    """Any 2xx is accepted, 410 means never again, everything else (a redirect or no answer too) is tried again."""
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome.ACCEPTED
    return Outcome.GONE if status == HTTPStatus.GONE else Outcome.FAILED


def next_delay(attempts: int, chance: float, wanted: timedelta | None = None, schedule: Sequence[timedelta] = SCHEDULE) -> timedelta | None:
    """How long to wait after so many failed attempts, or None when they are exhausted.

    Args:
        attempts: How many have been made since the schedule began, at least one.
        chance: 0 up to 1; stretches the delay by up to a fifth, so that a receiver that comes back is not met by everything at once.
        wanted: What the receiver asked for in `Retry-After`; it can only make the wait longer.
        schedule: How long after each failed attempt the next one is due.
    """
    if attempts > len(schedule):
        return None
    planned = schedule[attempts - 1] * (1 + JITTER * chance)
    return max(planned, min(wanted, LONGEST_WAIT)) if wanted is not None else planned


def rest_after(failures: int, breaker_after: int, delay: timedelta | None, wanted: timedelta | None = None) -> timedelta | None:
    """How long a receiver is left alone after so many failures in a row; None while it is still tried with each message.

    It rests until the message that failed is due again, `LONGEST_REST` at most; then its oldest due message probes it for all the others.
    When the message was given up, the next one may probe at once. A receiver that asks for time with `Retry-After` gets it at its first
    failure; asking for less does not shorten its rest.
    """
    rest = None if failures < breaker_after else min(delay, LONGEST_REST) if delay is not None else timedelta(0)
    if not wanted:
        return rest
    return max(rest or timedelta(0), min(wanted, LONGEST_WAIT))


def wait_wanted(status: int | None, retry_after: str | None, at: datetime) -> timedelta | None:
    """What a receiver that answers 429 or 503 asks for: seconds or an HTTP date (RFC 9110 10.2.3); unreadable is as good as nothing."""
    if status not in _WAITING_WANTED or retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) <= _SECONDS_DIGITS else LONGEST_WAIT
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the second one for numbers that are too long for any clock
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(timedelta(0), until - at)
