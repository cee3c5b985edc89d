"""Which days of a single stay are charged by themselves, and in which month (domain rules 3.3, 3.4 and 3.7)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.billing.domain.contested import NOTHING, Conceded
from services.billing.domain.deadlines import is_weekday
from services.billing.domain.rulesets import RuleSets
from services.billing.domain.stay import Stay
from services.billing.domain.terms import (
    Agreement,
    AverageTerms,
    CareTerms,
    Charging,
    FreeDays,
    Model,
    NoRuleInForce,
    OpenLongStay,
    RuleSetBy,
    Statute,
    Switches,
)
from services.billing.domain.waiting import Waiting, wait_until
from shared.dates import Month, stockholm


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stay stands at the end of a month: its waiting days so far, and the rules that hold for it then.

    `ended_on` None = inpatient care did not end in the month. `care` is None when the agreement has no rule for the stay on that day.
    """

    agreement: Agreement
    waiting: Waiting | None
    ended_on: date | None
    switches: Switches
    care: CareTerms | None
    average: AverageTerms | None

    @property
    def closed(self) -> bool:
        """Whether inpatient care ended in the month."""
        return self.ended_on is not None

    @property
    def long(self) -> bool:
        """Whether the stay is charged by itself because it is longer than the average model takes in ("längre än sju dagar")."""
        if self.average is None or self.average.long_over is None or self.waiting is None:
            return False
        return self.waiting.n > self.average.long_over


def standing(stay: Stay, rules: RuleSets, month: Month, out: Conceded = NOTHING) -> Standing | None:
    """Place a stay in a month; None when it had ended before the month or was not yet ready at the end of it.

    A stay that ended in the month is seen at its end, one that was still in hospital on the first day after the month at that day.

    Args:
        stay: The stay.
        rules: What it may fall under.
        month: Which month.
        out: What disputes take out of it.

    Raises:
        NoRuleInForce: No rule set was in force.

    Source:
        Domain rule 3.2 (statute by the date of the ready notice, agreement by the date of discharge).
    """
    ended = stay.ended_on
    if ended is not None and ended < month.first:
        return None
    after = month.next.first
    if ended is not None and ended >= after:
        ended = None
    last = after - timedelta(days=1)
    end, reference = (after, last) if ended is None else (ended, ended)
    agreement = rules.of(stay, ended, last)
    switches = agreement.switches_on(reference)
    waiting = wait_until(stay, end, switches, out.days)
    if ended is None and (waiting is None or waiting.notice.sent_on > reference):
        return None
    if agreement.rule_set_by is RuleSetBy.READY_NOTICE and waiting is not None:
        reference = waiting.notice.sent_on
    care = agreement.care_on(stay.care_type, reference) if reference in agreement.period else None
    average = None
    if care is not None and care.model is Model.AVERAGE:
        average = agreement.average_on(average_day(agreement, last), stay.care_type)
        if average is None:
            care = None
        elif waiting is not None:
            waiting = from_the_day_after(waiting, average)
    return Standing(agreement, waiting, ended, switches, care, average)


def average_day(agreement: Agreement, last: date) -> date:
    """The day that chooses the average of a month: its last one, or the last one of an agreement that ended in the month.

    Source:
        VGR agreement 2018-09-25: one average for each calendar month.
    """
    return last if agreement.period.last is None else min(last, agreement.period.last)


def from_the_day_after(waiting: Waiting, terms: AverageTerms) -> Waiting:
    """The waiting as the average counts it: a notice sent after the cut-off counts as sent the next day.

    Source:
        Each agreement's own cut-off; Stockholm agreement 2020, the 12:00 rule.
    """
    return replace(waiting, days=waiting.days[1:]) if is_late(waiting, terms) else waiting


def is_late(waiting: Waiting, terms: CareTerms | AverageTerms) -> bool:
    """Whether the clock began after the cut-off; exactly at it is not after.

    Source:
        Lag (2017:612) 5 kap. 4 §; each agreement's own cut-off.
    """
    return terms.cut_off is not None and stockholm(waiting.clock_from).time() > terms.cut_off


def individual_days(waiting: Waiting, care: CareTerms, statute: Statute) -> tuple[date, ...]:
    """The chargeable days of a stay under the individual model: all after the free ones, one more free when sent after the cut-off.

    The day of the notice is the first free day. Where weekdays are free, Saturdays, Sundays and holidays before the last of them are free
    too, and use up none.

    Source:
        Lag (2017:612) 5 kap. 4 §; each agreement's own free days.
    """
    free = care.free_days + is_late(waiting, care)
    if care.free_days_are is FreeDays.CALENDAR or not free:
        return waiting.days[free:]
    weekdays = [index for index, day in enumerate(waiting.days) if is_weekday(day, statute.holidays)]
    return waiting.days[weekdays[free - 1] + 1 :] if len(weekdays) >= free else ()


def due(at: Standing, *, triggered: bool = False) -> tuple[date, ...]:
    """All days of a stay that are charged by themselves when the month is over, whether or not an earlier month took some of them.

    Args:
        at: Where the stay stands.
        triggered: The average of the month before makes every stay of this one chargeable, by an agreement that says so.

    Source:
        VGR agreement, long stays individually from day four; switch open_long_stay; the next-month option of February 2018.
    """
    if at.waiting is None or at.care is None:
        return ()
    if at.average is None:
        return individual_days(at.waiting, at.care, at.agreement.statute) if at.closed else ()
    if at.average.charges is Charging.NEXT_MONTH:
        return at.waiting.days[at.average.bill_from_day - 1 :] if triggered and at.closed else ()
    if not at.long or not (at.closed or at.average.open_long_stay is OpenLongStay.MONTHLY):
        return ()
    return at.waiting.days[at.average.bill_from_day - 1 :]


def charged_in(
    stay: Stay, at: Standing, rules: RuleSets, month: Month, out: Conceded = NOTHING, *, triggered: bool = False
) -> tuple[date, ...]:
    """The days of a stay that this month charges: those due by its end that no earlier month has charged.

    Earlier months are derived from what is known of the stay now, never from what was stored: no day is charged twice or forgotten.
    """
    days = due(at, triggered=triggered)
    if not days or days[0] >= month.first:
        return days
    earlier: set[date] = set()
    before = Month.of(days[0])
    while before < month:
        earlier.update(_due_then(stay, rules, before, out))
        before = before.next
    return tuple(day for day in days if day not in earlier)


def _due_then(stay: Stay, rules: RuleSets, month: Month, out: Conceded) -> tuple[date, ...]:
    """What an earlier month took of a stay that was still in hospital then; nothing when no rule set was in force."""
    try:
        at = standing(stay, rules, month, out)
    except NoRuleInForce:
        return ()
    return () if at is None else due(at)


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
