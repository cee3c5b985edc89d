"""Accruals (periodisering): what a month would cost if every patient who was there on a day had left on that day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from services.billing.domain.stay import Readiness, Stay
from shared.dates import local_date, start_of_day

METHOD: Final = (
    "Each closed month: what it costs by what is known now, less what was billed for it by that day. The month of that day: what it would "
    "cost if every patient who was still there then had left on that day; ready notices sent later are left out. Disputed amounts are part "
    "of the sums only as far as they are billed (the lower amount), and shown beside them. Our default."
)


def as_it_stood(stays: Iterable[Stay], day: date) -> tuple[Stay, ...]:
    """Stays as they had been on a day: who left later, or is still there, leaves on that day; what was sent later was not sent.

    Source:
        Domain rule 3.8, accruals for both sides' year-end (our method; the rules of accounting ask for a best estimate).
    """
    last_moment = start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1)
    found = []
    for stay in stays:
        ready = tuple(_as_told(one, day) for one in stay.ready if one.sent_on <= day)
        if ready and (stay.ended_on is None or stay.ended_on > day):
            found.append(replace(stay, ready=ready, discharged_at=last_moment, deceased_at=None))
        elif ready:
            found.append(replace(stay, ready=ready))
    return tuple(found)


def _as_told(ready: Readiness, day: date) -> Readiness:
    """A readiness that was withdrawn later still stood."""
    later = ready.withdrawn_at is not None and local_date(ready.withdrawn_at) > day
    return replace(ready, withdrawn_at=None) if later else ready
