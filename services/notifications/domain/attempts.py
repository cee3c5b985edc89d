"""When a delivery is tried again, what the receiver's answer means, and when a receiver is left to rest."""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Rules:
    """When a message is tried again and how long at most, and after how many failures in a row its receiver is left to rest.

    `lasts` bounds attempts that use nothing of the schedule; None: as long as the whole schedule takes.
    """

    schedule: Sequence[timedelta] = SCHEDULE
    breaker_after: int = BREAKER_AFTER
    lasts: timedelta | None = None

    @property
    def longest(self) -> timedelta:
        """How long after its first attempt a message is still tried for a receiver that asks for time."""
        return self.lasts if self.lasts is not None else sum(self.schedule, timedelta(0))

    @property
    def first_step(self) -> timedelta:
        """The shortest wait between two attempts."""
        return self.schedule[0] if self.schedule else timedelta(0)


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed attempt, as far as the next one depends on it.

    `tried`: attempts of the schedule made before it. `age`: how long after the first attempt it was made. `early`: how long before its
    planned time, because another message had been accepted. `wanted`: what the receiver asked for in `Retry-After`.
    """

    tried: int
    age: timedelta = timedelta(0)
    early: timedelta = timedelta(0)
    wanted: timedelta | None = None

    def counts(self, rules: Rules) -> bool:
        """Whether it used an attempt of the schedule: not when the receiver may ask for time and does, nor when we came before ours."""
        return not self.early and (self.wanted is None or self.age >= rules.longest)


def next_delay(failed: Failed, chance: float, rules: Rules) -> timedelta | None:
    """How long to wait after a failed attempt, or None when the message is given up.

    A receiver that asks for time is asked again when it said, never mind how many times, as long as the whole schedule takes: one that
    takes few messages at a time would otherwise use up the attempts of those that it never looked at. From then on asking uses them up,
    too: a message that waited behind others for so long still has the attempts that were not made. Who was tried early and failed waits
    for its planned time.

    Args:
        failed: The attempt.
        chance: 0 up to 1; stretches the delay by up to a fifth, so that a receiver that comes back is not met by everything at once.
        rules: The schedule, and how long it takes.
    """
    stretched = 1 + JITTER * chance
    wanted = timedelta(0) if failed.wanted is None else min(failed.wanted, LONGEST_WAIT)
    if failed.wanted is not None and failed.age < rules.longest:
        return max(rules.first_step * stretched, wanted)
    if failed.early:
        return max(rules.first_step * stretched, failed.early, wanted)
    return max(rules.schedule[failed.tried] * stretched, wanted) if failed.tried < len(rules.schedule) else None


def rest_after(
    failures: int, breaker_after: int, delay: timedelta | None, wanted: timedelta | None = None, rested: timedelta = timedelta(0)
) -> timedelta | None:
    """How long a receiver is left alone after so many failures in a row; None while it is still tried with each message.

    It rests until the message that failed is due again, `LONGEST_REST` at most; then its oldest due message probes it for all the others.
    When the message was given up, the next one may probe at once. A receiver that asks for time with `Retry-After` gets it at its first
    failure; asking for less does not shorten its rest. One that asks again and again and takes nothing in between rests as long again as
    it has `rested` so far, up to `LONGEST_REST`: by itself its asking would not end.
    """
    rest = None if failures < breaker_after else min(delay, LONGEST_REST) if delay is not None else timedelta(0)
    if wanted is None:
        return rest
    longest = max(rest or timedelta(0), min(wanted, LONGEST_WAIT), min(rested, LONGEST_REST))
    return longest if longest or rest is not None else None


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
