"""The time limits that planning watches, as values; the numbers stand in a dated data file and are handed in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.dates import local_date, start_of_day
from shared.errors import FieldError, Malformed

_SATURDAY: Final = 5


class SundayRule(StrEnum):
    """For which notices lag (1930:173) 2 § lets the last day be the next weekday when it is judged whether they came late."""

    N8 = "n8"
    N1_AND_N8 = "n1_and_n8"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force from one day until the next set of them."""

    first: date
    admission_notice: timedelta
    sip_invitation_days: int
    acknowledge: timedelta
    answer_ready: timedelta
    remind_before: timedelta
    deviation_assigned: timedelta
    deviation_answered: timedelta
    measures_written: timedelta
    question_answered: timedelta
    paper_stated: timedelta
    discharge_notice_days: int
    duties_after_discharge: timedelta
    escalate_to_contact: timedelta
    escalate_on_call: timedelta
    escalate_to_operator: timedelta
    sunday_rule: SundayRule


@dataclass(frozen=True, slots=True)
class Statute:
    """Every set of limits there ever was, oldest first, and the holidays that a last day may move past."""

    sets: tuple[Limits, ...]
    holidays: frozenset[date] = frozenset()

    @property
    def in_force_from(self) -> date:
        """The day the law came into force: nothing that it asks for was done before."""
        return self.sets[0].first

    def on(self, day: date) -> Limits:
        """The limits in force on a day; the oldest ones before there were any."""
        return next((limits for limits in reversed(self.sets) if limits.first <= day), self.sets[0])

    def at(self, instant: datetime) -> Limits:
        """The limits in force at an instant, by its day in Sweden."""
        return self.on(local_date(instant))


def admission_notice_due(admitted_at: datetime, judged_at: datetime | None, statute: Statute) -> datetime:
    """Until when the admission notice (N1) is in time. Hours are real hours, also in the night the clocks change.

    Source:
        Lag (2017:612) 2 kap. 1 § and 3 §: within 24 hours after the admission, or after the judgement when that comes later.
    """
    begins = max(admitted_at, judged_at or admitted_at)
    return begins + statute.at(begins).admission_notice


def sip_invitation_due(ready_notice_sent_at: datetime, statute: Statute) -> datetime:
    """The instant before which the invitation to SIP (N8) is in time: the end of the local day N5 + 3.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    sent_on = local_date(ready_notice_sent_at)
    return start_of_day(sent_on + timedelta(days=statute.on(sent_on).sip_invitation_days + 1))


def next_weekday(day: date, holidays: frozenset[date]) -> date:
    """The day itself, or the next one that is neither Saturday, Sunday nor holiday.

    Source:
        Lag (1930:173) om beräkning av lagstadgad tid, 2 §.
    """
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day


def admission_notice_is_late(sent_at: datetime, admitted_at: datetime, judged_at: datetime | None, statute: Statute) -> bool:
    """Whether an admission notice (N1) came after its 24 hours; as billing judges it.

    Source:
        Lag (2017:612) 2 kap. 1-3 §§; switch statutory_sunday_rule: lag (1930:173) 2 §.
    """
    limit = admission_notice_due(admitted_at, judged_at, statute)
    if sent_at <= limit:
        return False
    last_day = local_date(limit)
    moved = next_weekday(last_day, statute.holidays)
    if statute.on(last_day).sunday_rule is SundayRule.N1_AND_N8 and moved != last_day:
        return local_date(sent_at) > moved
    return True


def sip_invitation_late_from(ready_notice_sent_at: datetime, statute: Statute) -> datetime:
    """The instant from which an invitation to SIP (N8) is late: the end of local day N5 + 3, or of the next weekday; as billing judges it.

    Source:
        Lag (2017:612) 4 kap. 3 §; switch statutory_sunday_rule: lag (1930:173) 2 §.
    """
    sent_on = local_date(ready_notice_sent_at)
    limits = statute.on(sent_on)
    last_day = sent_on + timedelta(days=limits.sip_invitation_days)
    if limits.sunday_rule is not SundayRule.OFF:
        last_day = next_weekday(last_day, statute.holidays)
    return start_of_day(last_day + timedelta(days=1))


def discharge_notice_is_late(sent_at: datetime, discharged_at: datetime, statute: Statute) -> bool:
    """Whether a discharge notice (N6) was sent after the local day of the discharge.

    Source:
        Lag (2017:612) 3 kap. 2 §: the same day.
    """
    discharged_on = local_date(discharged_at)
    return local_date(sent_at) > discharged_on + timedelta(days=statute.on(discharged_on).discharge_notice_days)


def asked_for_until(discharged_at: datetime, statute: Statute) -> datetime:
    """Until when the work list asks for what was not done before the discharge; the duty itself does not end.

    Source:
        Lag (2017:612) 4 kap. 3 §: three days from the ready notice, whatever happens to the stay; the number of days is our default.
    """
    return discharged_at + statute.at(discharged_at).duties_after_discharge


def check_not_before(day: date, admitted_at: datetime | None, statute: Statute, *, field: str) -> None:
    """Whether something of a case, or of a plan, can have its day then: not before the stay, nor before the law was in force.

    Raises:
        Malformed: Too early.

    Source:
        Lag (2017:612) 2 kap. 6 § and 4 kap. 2 §: what is planned follows the admission notice.
    """
    first = statute.in_force_from
    if admitted_at is not None:
        first = max(first, local_date(admitted_at))
    if day < first:
        raise Malformed("request.malformed", errors=(FieldError(field, "too_early"),))


def acknowledgement_due(sent_at: datetime, statute: Statute) -> datetime:
    """Until when a named person is expected to have taken a notice on (kvittera); a warning only.

    Source:
        Lag (2017:612) 2 kap. 6 §: planning starts on receipt; the number of hours is our default.
    """
    return sent_at + statute.at(sent_at).acknowledge


def answer_due(ready_notice_sent_at: datetime, statute: Statute) -> datetime:
    """Until when a party is expected to have told the ward when it can receive the patient, or what it needs.

    Source:
        Lag (2017:612) 2 kap. 6 §; the number of hours is our default.
    """
    return ready_notice_sent_at + statute.at(ready_notice_sent_at).answer_ready


def measures_due(held_at: datetime, statute: Statute) -> datetime:
    """Until when what was agreed at the meeting of a plan is expected to be written down.

    Source:
        Lag (2017:612) 4 kap. 2 §: the work begins without delay; the number of days is our default.
    """
    return held_at + statute.at(held_at).measures_written


def question_due(asked_at: datetime, statute: Statute) -> datetime:
    """Until when the answer to a question on a case is expected.

    Source:
        Domain rule 5: question and answer on a case; the number of hours is our default.
    """
    return asked_at + statute.at(asked_at).question_answered
