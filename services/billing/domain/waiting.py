"""Which ready notice counts, and which calendar days the patient waited as ready (domain rules 3.2)."""

from dataclasses import dataclass
from datetime import date, timedelta

from services.billing.domain.stay import Readiness, Stay
from services.billing.domain.terms import Switches, WithdrawnReadiness
from shared.dates import local_date


@dataclass(frozen=True, slots=True)
class Waiting:
    """The notice the clocks run from and the waiting days up to a given date, in order; `n` is their number."""

    notice: Readiness
    days: tuple[date, ...]

    @property
    def n(self) -> int:
        """Whole calendar days; never hours divided by 24, never negative."""
        return len(self.days)


def counted_notice(stay: Stay, switches: Switches) -> Readiness | None:
    """The ready notice that starts the clock: by default the last one that was not withdrawn.

    A notice sent after the date the stay ended is no N5 and is passed over.

    Source:
        Lag (2017:612) 3 kap. 1 §; switch withdrawn_readiness.
    """
    sent_in_time = [notice for notice in stay.ready if stay.ended_on is None or notice.sent_on <= stay.ended_on]
    standing = [notice for notice in sent_in_time if notice.withdrawn_at is None]
    if switches.withdrawn_readiness is WithdrawnReadiness.LAST_VALID:
        return standing[-1] if standing else None
    if switches.withdrawn_readiness is WithdrawnReadiness.FIRST_NOTICE:
        return sent_in_time[0] if standing else None
    return sent_in_time[0] if sent_in_time else None


def wait_until(stay: Stay, end: date, switches: Switches) -> Waiting | None:
    """The days waited from the counted notice until `end` (not included, unless the discharge day is counted by switch).

    Args:
        stay: The stay.
        end: Local date of discharge or death, or the first day after the month for a patient still there.
        switches: In force on the day that chooses the rules.

    Returns:
        None when no ready notice counts.

    Source:
        Lag (2017:612) 5 kap. 4 §; switches count_discharge_day, withdrawn_readiness.
    """
    notice = counted_notice(stay, switches)
    if notice is None:
        return None
    if switches.withdrawn_readiness is WithdrawnReadiness.SUM_OF_PERIODS:
        days = {day for period in stay.ready for day in _nights(period.sent_on, min(end, _end_of(period, end)))}
    else:
        days = set(_nights(notice.sent_on, end))
    if switches.count_discharge_day and end == stay.ended_on and notice.sent_on <= end:
        days.add(end)
    return Waiting(notice, tuple(sorted(days)))


def _end_of(period: Readiness, end: date) -> date:
    return end if period.withdrawn_at is None else local_date(period.withdrawn_at)


def _nights(first: date, end: date) -> list[date]:
    """Every day from `first` up to, not including, `end`."""
    return [first + timedelta(days=i) for i in range((end - first).days)]
