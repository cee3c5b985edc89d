"""What a plan asks of its unit, of those called to it, and of the unit with the main responsibility; with or without a stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.duty_rules import Duty, DutyRule
from services.planning.domain.limits import Statute, measures_due
from services.planning.domain.plans import PlanKind, PlanStatus
from shared.dates import local_date, start_of_day


class UnitAt(NamedTuple):
    """A unit, and the mailbox in which it is reminded; none when it has none."""

    unit: str
    mailbox: UUID | None = None


class Called(NamedTuple):
    """A unit that was called to a plan and has not answered."""

    invitation: UUID
    who: UnitAt
    since: datetime
    meets_at: datetime | None = None


class MeetingKnown(NamedTuple):
    """The last that was said of a plan's meeting: set for a time, or held then."""

    said_at: datetime
    at: datetime | None
    held: bool


_NOBODY: Final = UnitAt("")


@dataclass(frozen=True, slots=True)
class PlanOpened:
    """A plan as duties are derived from it.

    `called` is who its invitations reached, as notices are addressed; `lead` the unit that leads it now. `follow_up_on` is the day that was
    set last, with the measures or at the follow-up before; `agreed_at` when.
    """

    id: UUID
    state: str
    called: frozenset[str] = frozenset()
    lead: UnitAt = _NOBODY
    opened_at: datetime | None = None
    kind: PlanKind = PlanKind.SIP
    stay: bool = True
    unanswered: tuple[Called, ...] = ()
    meeting: MeetingKnown | None = None
    responsible: UnitAt | None = None
    agreed_at: datetime | None = None
    follow_up_on: date | None = None


_UNDER_WAY: Final = frozenset({PlanStatus.INVITED, PlanStatus.HELD, PlanStatus.FOLLOW_UP})
_WITHOUT_STAY: Final = "hälso- och sjukvårdslagen (2017:30) 16 kap. 4 §"
CARE_PLAN: Final = "lag (2017:612) 4 kap. 1 §"
"""By which paragraph a co-ordinated care plan is made."""


def plan_duties(plan: PlanOpened, statute: Statute, *, over: bool) -> tuple[Duty, ...]:
    """Every open duty of one plan.

    Args:
        plan: The plan.
        statute: The limits.
        over: The patient has died, or there was no such stay: nothing is left but to close it.

    Source:
        Lag (2017:612) 4 kap. 1-3 §§; the steps of a plan: domain rule 2.
    """
    if plan.opened_at is None or PlanStatus(plan.state) in {PlanStatus.CLOSED, PlanStatus.REFUSED, PlanStatus.WITHDRAWN}:
        return ()
    if over:
        return (_duty(plan, DutyRule.CLOSE_PLAN, plan.lead, plan.opened_at),)
    if PlanStatus(plan.state) not in _UNDER_WAY:
        asks = plan.state == PlanStatus.NEED and plan.kind is PlanKind.SIP
        return (_duty(plan, DutyRule.ASK_CONSENT if asks else DutyRule.INVITE_TO_PLAN, plan.lead, plan.opened_at),)
    return (*_answers(plan), *_meetings(plan), *_agreements(plan, statute))


def meeting_over(at: datetime) -> datetime:
    """Until when a meeting is to be recorded as held, or set anew: the end of its local day.

    Source:
        Lag (2017:612) 4 kap. 2 §; the end of the day is our default.
    """
    return start_of_day(local_date(at) + timedelta(days=1))


def _answers(plan: PlanOpened) -> Iterator[Duty]:
    """Who was called answers before the meeting; once it was held there is nothing to answer."""
    for called in plan.unanswered:
        held_since = plan.meeting is not None and plan.meeting.held and plan.meeting.said_at >= called.since
        if called.who.unit != plan.lead.unit and not held_since:
            key = f"{called.invitation} {called.who.unit}"
            yield _duty(plan, DutyRule.ANSWER_INVITATION, called.who, called.since, called.meets_at, key=key, about=called.invitation)


def _meetings(plan: PlanOpened) -> Iterator[Duty]:
    meeting = plan.meeting
    if meeting is not None and not meeting.held:
        by = None if meeting.at is None else meeting_over(meeting.at)
        key = "" if meeting.at is None else meeting.at.isoformat()
        yield _duty(plan, DutyRule.HOLD_MEETING, plan.lead, meeting.said_at, by, key=key)
    elif plan.state == PlanStatus.INVITED and plan.opened_at is not None:
        yield _duty(plan, DutyRule.HOLD_MEETING, plan.lead, plan.opened_at)


def _agreements(plan: PlanOpened, statute: Statute) -> Iterator[Duty]:
    """Measures after the meeting, the follow-up on its day, and an end when no further follow-up is set."""
    if plan.state == PlanStatus.INVITED:
        return
    if plan.agreed_at is None or plan.responsible is None:
        if plan.meeting is not None and plan.meeting.held:
            held = plan.meeting.at or plan.meeting.said_at
            by = measures_due(held, statute)
            yield _duty(plan, DutyRule.WRITE_MEASURES, plan.lead, plan.meeting.said_at, by, key=held.isoformat())
    elif plan.follow_up_on is not None:
        by = start_of_day(plan.follow_up_on + timedelta(days=1))
        yield _duty(plan, DutyRule.FOLLOW_UP, plan.responsible, plan.agreed_at, by, key=plan.follow_up_on.isoformat())
    else:
        yield _duty(plan, DutyRule.CLOSE_PLAN, plan.responsible, plan.agreed_at)


def _duty(  # the parts of one duty
    plan: PlanOpened,
    rule: DutyRule,
    who: UnitAt,
    since: datetime,
    by: datetime | None = None,
    *,
    key: str = "",
    about: UUID | None = None,
) -> Duty:
    usual = None if plan.kind is PlanKind.SIP else CARE_PLAN
    basis = usual if plan.stay else _WITHOUT_STAY
    name = f"{rule} {plan.id} {key}".rstrip()
    return Duty(rule, name, who.unit, since, by, who.mailbox, about, plan=plan.id, basis=basis)
