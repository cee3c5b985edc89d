"""Which ready notice counts, and which calendar days the patient waited as ready (domain rules 3.2 and 3.7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.billing.domain.reasons import Reason
from services.billing.domain.stay import CareType, OutpatientBlock, Readiness, Stay
from services.billing.domain.terms import BlockedBy, LeaveDays, Switches, TransferClock, WithdrawnReadiness
from shared.dates import local_date

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The notice that counts and the waiting days up to a given date, in order; `n` is their number.

    `clock_from` is when the free days begin: when the notice was sent, unless a switch starts the clock later. `left_out` says why days
    between notice and end are missing.
    """

    notice: Readiness
    days: tuple[date, ...]
    clock_from: datetime
    left_out: tuple[Reason, ...] = ()

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
    ended = stay.ended_on
    sent_in_time = [notice for notice in stay.ready if ended is None or notice.sent_on <= ended]
    standing = [notice for notice in sent_in_time if notice.withdrawn_at is None]
    if switches.withdrawn_readiness is WithdrawnReadiness.LAST_VALID:
        return standing[-1] if standing else None
    if switches.withdrawn_readiness is WithdrawnReadiness.FIRST_NOTICE:
        return sent_in_time[0] if standing else None
    return sent_in_time[0] if sent_in_time else None


def wait_until(stay: Stay, end: date, switches: Switches, conceded: frozenset[date] = frozenset()) -> Waiting | None:
    """The days waited from the counted notice until `end` (not included, unless the discharge day is counted by switch).

    Args:
        stay: The stay.
        end: Local date of discharge or death, or the first day after the month for a patient still there.
        switches: In force on the day that chooses the rules.
        conceded: Days that a dispute takes out.

    Returns:
        None when no ready notice counts.

    Source:
        Lag (2017:612) 5 kap. 4 §; switches count_discharge_day, withdrawn_readiness, outpatient_block, leave_days, transfer_clock;
        domain rule 3.8, dispute.
    """
    notice = counted_notice(stay, switches)
    if notice is None:
        return None
    days = _nights_ready(stay, notice, end, switches)
    if switches.count_discharge_day and end == stay.ended_on and notice.sent_on <= end:
        days.add(end)
    if not (conceded or stay.transfers or stay.blocks or stay.leaves):
        return Waiting(notice, tuple(sorted(days)), notice.sent_at)
    left_out: list[Reason] = []
    moved_at = _last_transfer(stay, notice) if switches.transfer_clock is TransferClock.RESTARTS else notice.sent_at
    clock_from = max(moved_at, _block_over_at(stay, notice, switches))
    for reason, missing in (
        (Reason.TRANSFER_RESTARTS, {day for day in days if day < local_date(moved_at)}),
        (Reason.OUTPATIENT_BLOCK, _blocked(stay, days, clock_from, switches)),
        (Reason.LEAVE_DAYS_SKIPPED, _on_leave(stay, days, switches)),
        (Reason.DISPUTED_DAYS, conceded),
    ):
        if missing & days:
            days = days - missing
            left_out.append(reason)
    return Waiting(notice, tuple(sorted(days)), clock_from, tuple(left_out))


def held_up_by(stay: Stay, switches: Switches, *, contested: bool = False) -> tuple[OutpatientBlock, ...]:
    """The outpatient blocks that lasted over some night of the waiting time: one that was over before the ready notice held nothing up.

    The whole of the waiting time is looked at, also what lies after the month in question, so that every month of a stay says the same.

    Args:
        stay: The stay.
        switches: In force on the day that chooses the rules.
        contested: Those that the region contests, instead of those it does not.

    Source:
        Lag (2017:612) 5 kap. 5 §.
    """
    if not stay.blocks:
        return ()
    blocks = [block for block in stay.blocks if block.contested is contested]
    notice = counted_notice(stay, switches) if blocks else None
    if notice is None:
        return ()
    nights = _nights_ready(stay, notice, stay.ended_on or _horizon(stay, blocks), switches)
    return tuple(block for block in blocks if any(block.covers(day) for day in nights))


def _horizon(stay: Stay, blocks: Iterable[OutpatientBlock]) -> date:
    """A day after which a patient who is still there meets no block that she has not met before."""
    begun = [local_date(block.started_at) for block in blocks] + [notice.sent_on for notice in stay.ready]
    return max(begun) + ONE_DAY


def _nights_ready(stay: Stay, notice: Readiness, end: date, switches: Switches) -> set[date]:
    """The days from the notice to the end, whatever happened on them: each stands for the night that begins on it."""
    if switches.withdrawn_readiness is WithdrawnReadiness.SUM_OF_PERIODS:
        return {day for period in stay.ready for day in _nights(period.sent_on, min(end, _end_of(period, end)))}
    return set(_nights(notice.sent_on, end))


def _last_transfer(stay: Stay, notice: Readiness) -> datetime:
    """When the patient was last moved while ready, the notice itself when she was not."""
    return max([notice.sent_at, *(moved for moved in stay.transfers if stay.ended_at is None or moved < stay.ended_at)])


def _block_over_at(stay: Stay, notice: Readiness, switches: Switches) -> datetime:
    """When the last block that held the stay up was over, by switch; the notice itself when none did, or one still lasts."""
    if switches.outpatient_block is not BlockedBy.CLOCK_STARTS_AFTER:
        return notice.sent_at
    return max([notice.sent_at, *(block.ended_at for block in held_up_by(stay, switches) if block.ended_at is not None)])


def _blocked(stay: Stay, days: set[date], clock_from: datetime, switches: Switches) -> set[date]:
    """The days that an outpatient block takes away; under the default the whole stay is judged, and no single day."""
    if switches.outpatient_block is BlockedBy.WHOLE_STAY:
        return set()
    held = held_up_by(stay, switches)
    if switches.outpatient_block is BlockedBy.BLOCKED_DAYS:
        return {day for day in days if any(block.covers(day) for block in held)}
    lasts = any(block.ended_at is None for block in held)
    return {day for day in days if lasts or (held and day < local_date(clock_from))}


def _on_leave(stay: Stay, days: set[date], switches: Switches) -> set[date]:
    if switches.leave_days is LeaveDays.COUNTED or stay.care_type is not CareType.PSYCHIATRIC:
        return set()
    return {day for day in days if any(leave.covers(day) for leave in stay.leaves)}


def _end_of(period: Readiness, end: date) -> date:
    return end if period.withdrawn_at is None else local_date(period.withdrawn_at)


def _nights(first: date, end: date) -> list[date]:
    """Every day from `first` up to, not including, `end`."""
    return [first + timedelta(days=i) for i in range((end - first).days)]
