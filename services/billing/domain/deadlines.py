"""Whether the admission notice and the SIP invitation came in time; never moves a chargeable day."""

from datetime import date, timedelta
from typing import Final

from services.billing.domain.stay import Readiness, Stay
from services.billing.domain.terms import Statute, SundayRule
from shared.dates import local_date

_SATURDAY: Final = 5


def is_weekday(day: date, holidays: frozenset[date]) -> bool:
    """Whether a day is neither Saturday, Sunday nor holiday.

    Source:
        Lag (1930:173) om beräkning av lagstadgad tid, 2 §.
    """
    return day.weekday() < _SATURDAY and day not in holidays


def next_weekday(day: date, holidays: frozenset[date]) -> date:
    """The day itself, or the next one that is neither Saturday, Sunday nor holiday.

    Source:
        Lag (1930:173) om beräkning av lagstadgad tid, 2 §.
    """
    while not is_weekday(day, holidays):
        day += timedelta(days=1)
    return day


def admission_notice_is_late(stay: Stay, statute: Statute, sunday_rule: SundayRule) -> bool:
    """Whether N1 was sent more than 24 hours after admission, or after the need was judged when that came later.

    Hours are real hours: the night the clocks change has 23 or 25 of them.

    Source:
        Lag (2017:612) 2 kap. 1–3 §§.
    """
    if stay.need_judged_at is None or stay.admission_notice_sent_at is None:
        return False
    limit = stay.need_judged_at + statute.admission_notice_within
    if stay.admission_notice_sent_at <= limit:
        return False
    last_day = local_date(limit)
    moved = next_weekday(last_day, statute.holidays)
    if sunday_rule is SundayRule.N1_AND_N8 and moved != last_day:
        return local_date(stay.admission_notice_sent_at) > moved
    return True


def last_day_to_invite(counted: Readiness, statute: Statute, sunday_rule: SundayRule) -> date:
    """The local day at whose end the time to call to a SIP (N8) is over: N5 + 3, or the next weekday.

    Source:
        Lag (2017:612) 4 kap. 3 §; switch statutory_sunday_rule.
    """
    last_day = counted.sent_on + timedelta(days=statute.invitation_within_days)
    return last_day if sunday_rule is SundayRule.OFF else next_weekday(last_day, statute.holidays)


def invitation_is_late(stay: Stay, counted: Readiness, statute: Statute, sunday_rule: SundayRule) -> bool:
    """Whether the earliest SIP invitation (N8) was sent after the end of local day N5 + 3; one sent before N5 is in time.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    if not stay.invited_at:
        return False
    return local_date(min(stay.invited_at)) > last_day_to_invite(counted, statute, sunday_rule)
