"""Accruals (periodisering): what a month would cost if every patient who was there on a day had left on that day."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from services.billing.domain.basis import MonthBasis
from services.billing.domain.charge import last_day
from services.billing.domain.month import MonthInputs
from services.billing.domain.stay import Readiness, Stay
from shared.dates import local_date, start_of_day

METHOD: Final = (
    "Each closed month: what it costs by what is known now, less what was billed for it by that day. The month of that day: what it would "
    "cost if every patient who was still there then had left on that day; ready notices sent later are left out. On the last day of a "
    "month a patient whom the month charges although she is still there is taken as it charges her. Disputed amounts are part of the sums "
    "only as far as they are billed (the lower amount), and shown beside them. Our default."
)


def basis_on(inputs: MonthInputs, day: date) -> MonthBasis:
    """What the month of a day would have come to on it.

    Whom a month that is over charges although she is still there (open long stays) it charges with its last day too: an accrual on that day
    must not be a day short of the month's own calculation.

    Args:
        inputs: What the month is calculated from, as known now.
        day: A day of the month.

    Source:
        Switch open_long_stay; domain rule 3.8, accruals for both sides' year-end (our method).
    """
    over = replace(inputs, as_of=inputs.month.next.first)
    staying: frozenset[UUID] = frozenset()
    if day == last_day(inputs.month):
        lines = replace(over, stays=as_it_stood(inputs.stays, day, staying={stay.case_id for stay in inputs.stays})).basis().lines
        staying = frozenset(line.stay for line in lines if line.ended_on is None)
    # Whoever is taken as having left closes the month: nothing else in it is open any more.
    return replace(over, stays=as_it_stood(inputs.stays, day, staying)).basis()


def as_it_stood(stays: Iterable[Stay], day: date, staying: Collection[UUID] = ()) -> tuple[Stay, ...]:
    """Stays as they had been on a day: who left later, or is still there, leaves on that day; what was sent later was not sent.

    Args:
        stays: As they are known now.
        day: The day.
        staying: Who is taken as still there instead of as leaving.

    Source:
        Domain rule 3.8, accruals for both sides' year-end (our method; the rules of accounting ask for a best estimate).
    """
    last_moment = start_of_day(day + timedelta(days=1)) - timedelta(microseconds=1)
    found = []
    for stay in stays:
        ready = tuple(_as_told(one, day) for one in stay.ready if one.sent_on <= day)
        if ready and (stay.ended_on is None or stay.ended_on > day):
            leaves_at = None if stay.case_id in staying else last_moment
            found.append(replace(stay, ready=ready, discharged_at=leaves_at, deceased_at=None))
        elif ready:
            found.append(replace(stay, ready=ready))
    return tuple(found)


def _as_told(ready: Readiness, day: date) -> Readiness:
    """A readiness that was withdrawn later still stood."""
    later = ready.withdrawn_at is not None and local_date(ready.withdrawn_at) > day
    return replace(ready, withdrawn_at=None) if later else ready
