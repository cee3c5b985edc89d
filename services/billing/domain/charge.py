"""Which days of a single stay are charged by themselves, and in which month (domain rules 3.3, 3.4 and 3.7)."""

from dataclasses import dataclass
from datetime import date, timedelta

from services.billing.domain.stay import Stay
from services.billing.domain.terms import Agreement, AverageTerms, CareTerms, Model, OpenLongStay, RuleSetBy, Switches
from services.billing.domain.waiting import Waiting, wait_until
from shared.dates import Month, stockholm


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stay stands at the end of a month: its waiting days so far, and the rules that hold for it then.

    `care` is None when the agreement has no rule for the stay on that day; `closed` says whether inpatient care ended in the month.
    """

    waiting: Waiting | None
    closed: bool
    switches: Switches
    care: CareTerms | None
    average: AverageTerms | None

    @property
    def long(self) -> bool:
        """Whether the stay is charged by itself because it is longer than the average model takes in ("längre än sju dagar")."""
        return self.average is not None and self.waiting is not None and self.waiting.n > self.average.long_over


def standing(stay: Stay, agreement: Agreement, month: Month) -> Standing | None:
    """Place a stay in a month; None when it had ended before the month or was not yet ready at the end of it.

    A stay that ended in the month is seen at its end, one that was still in hospital on the first day after the month at that day.

    Source:
        Domain rule 3.2 (statute by the date of the ready notice, agreement by the date of discharge).
    """
    ended = stay.ended_on
    if ended is not None and ended < month.first:
        return None
    closed = ended is not None and ended in month
    end = ended if ended is not None and closed else month.next.first
    reference = ended if ended is not None and closed else last_day(month)
    switches = agreement.switches_on(reference)
    waiting = wait_until(stay, end, switches)
    if not closed and (waiting is None or waiting.notice.sent_on > reference):
        return None
    if agreement.rule_set_by is RuleSetBy.READY_NOTICE and waiting is not None:
        reference = waiting.notice.sent_on
    care = agreement.care_on(stay.care_type, reference) if reference in agreement.period else None
    average = agreement.average_on(last_day(month)) if care is not None and care.model is Model.AVERAGE else None
    return Standing(waiting, closed, switches, care, average)


def individual_days(waiting: Waiting, care: CareTerms) -> tuple[date, ...]:
    """The chargeable days of a stay under the individual model: all after the free ones, one more free when sent after the cut-off.

    The day of the notice is the first free day. Exactly at the cut-off is not after it.

    Source:
        Lag (2017:612) 5 kap. 4 §; each agreement's own free days.
    """
    late = care.cut_off is not None and stockholm(waiting.clock_from).time() > care.cut_off
    return waiting.days[care.free_days + late :]


def due_by(stay: Stay, agreement: Agreement, month: Month) -> tuple[date, ...]:
    """All days of a stay that are charged by themselves when the month is over, whether or not an earlier month took some of them.

    Source:
        VGR agreement, long stays individually from day four; switch open_long_stay.
    """
    at = standing(stay, agreement, month)
    if at is None or at.waiting is None or at.care is None:
        return ()
    if at.care.model is Model.INDIVIDUAL:
        return individual_days(at.waiting, at.care) if at.closed else ()
    if at.average is None or not at.long or not (at.closed or at.average.open_long_stay is OpenLongStay.MONTHLY):
        return ()
    return at.waiting.days[at.average.bill_from_day - 1 :]


def charged_in(stay: Stay, agreement: Agreement, month: Month) -> tuple[date, ...]:
    """The days of a stay that this month charges: those due by its end that no earlier month has charged.

    Earlier months are derived from what is known of the stay now, never from what was stored: no day is charged twice or forgotten.
    """
    due = due_by(stay, agreement, month)
    if not due:
        return ()
    earlier: set[date] = set()
    before = Month.of(due[0])
    while before < month:
        earlier.update(due_by(stay, agreement, before))
        before = before.next
    return tuple(day for day in due if day not in earlier)


def months_touched(stay: Stay, today: date) -> list[Month]:
    """Every month a stay can count in, as known today: from its first ready notice, or its end if earlier, to its end or to this month."""
    if stay.cancelled or not stay.ready:
        return []
    first = min(notice.sent_on for notice in stay.ready)
    end = stay.ended_on
    month, last = Month.of(first if end is None else min(first, end)), Month.of(today if end is None else end)
    months = []
    while month <= last:
        months.append(month)
        month = month.next
    return months


def last_day(month: Month) -> date:
    """The last calendar day of a month."""
    return month.next.first - timedelta(days=1)
