"""The time limits that planning watches, as values; the numbers stand in a dated data file and are handed in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.dates import local_date, start_of_day


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


@dataclass(frozen=True, slots=True)
class Statute:
    """Every set of limits there ever was, oldest first."""

    sets: tuple[Limits, ...]

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
