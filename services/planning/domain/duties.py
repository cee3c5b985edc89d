"""What each unit still owes in a case: derived from the rules and the state of the case, never stored.

A duty is open while what fulfils it has not been done; there is no box to tick. Its deadline runs in calendar time, whoever is on duty.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.case import CaseStatus
from services.planning.domain.deviations import DeviationStatus
from services.planning.domain.duty_rules import EXPLAINED, Duty, DutyRule, urgency
from services.planning.domain.events import Compulsory
from services.planning.domain.limits import (
    Statute,
    acknowledgement_due,
    answer_due,
    asked_for_until,
    question_due,
    sip_invitation_due,
    sip_invitation_late_from,
)
from services.planning.domain.notices import RETURNED, NoticeType
from services.planning.domain.parties import MUNICIPAL
from services.planning.domain.party_status import PartyStatus, answers_the_ward
from services.planning.domain.plan_duties import CARE_PLAN, PlanOpened, UnitAt, plan_duties
from services.planning.domain.plans import PlanKind, PlanStatus
from shared.dates import local_date, start_of_day


class PartyAt(NamedTuple):
    """A mailbox that was told of the stay: the unit that reads it, since when, and what the unit has told the ward."""

    mailbox: UUID
    unit: str
    recipient: str
    since: datetime
    acknowledged: bool = False
    status: PartyStatus | None = None
    ready_from: datetime | None = None


class OpenNotice(NamedTuple):
    """A notice that nobody has taken on."""

    id: UUID
    type: str
    mailbox: UUID
    unit: str
    sent_at: datetime


class OpenQuestion(NamedTuple):
    """A question that the unit it was put to has not answered."""

    id: UUID
    who: UnitAt
    asked_at: datetime


class OpenDeviation(NamedTuple):
    """A deviation that is not closed, and whose turn it is, since when and until when."""

    id: UUID
    state: DeviationStatus
    who: UnitAt
    since: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseAtHand:
    """What duties are derived from: a case, or (no `status`) a plan without a stay, whose id it has then.

    `ready_notice_sent_at` is the ready notice that stands, also after the discharge; none while the patient is not ready. `compulsory` is
    what it says of compulsory outpatient care. `has_care_contact`: at the outpatient unit that is concerned now. `returned`: a party
    returned a notice as wrongly addressed, and the ward has not named another since.
    """

    id: UUID
    status: CaseStatus | None = None
    ward: str | None = None
    admitted_at: datetime | None = None
    ready_notice_sent_at: datetime | None = None
    compulsory: Compulsory = "none"
    discharged_at: datetime | None = None
    deceased: bool = False
    planned_discharge_date: date | None = None
    needs: frozenset[str] = frozenset()
    sip_required: bool = False
    outpatient_unit: str | None = None
    has_care_contact: bool = False
    returned: bool = False
    parties: tuple[PartyAt, ...] = ()
    notices: tuple[OpenNotice, ...] = ()
    plans: tuple[PlanOpened, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    deviations: tuple[OpenDeviation, ...] = ()

    @property
    def case_id(self) -> UUID | None:
        """The id of the case; none of a plan without a stay."""
        return None if self.status is None else self.id


PLANNED: Final = frozenset({CaseStatus.ADMITTED, CaseStatus.PLANNING, CaseStatus.READY})
"""The statuses of a case in which its units plan for the discharge."""
_NOTHING_LEFT: Final = frozenset({CaseStatus.DECEASED, CaseStatus.CANCELLED})
_REFUSED: Final = frozenset({"refused", "withdrawn"})
_MUNICIPALITY: Final = "municipality:"


def open_duties(case: CaseAtHand, statute: Statute, at: datetime) -> tuple[Duty, ...]:
    """Every duty that is open in a case at an instant, whoever owes it; the earliest deadline first.

    Source:
        Lag (2017:612) 2 kap. 1-6 §§, 4 kap. 1-3 §§; questions and deviations: domain rule 5.
    """
    owed = [*_acknowledgements(case.notices, statute), *_questions(case.questions, statute), *_deviations(case.deviations)]
    if case.status in PLANNED:
        owed += _of_parties(case, statute)
        owed += _of_outpatient_care(case, statute)
        owed += _of_ward(case, at)
    elif _still_asked_for(case, statute, at):
        owed += _of_outpatient_care(case, statute)
    called_for = {duty.plan for duty in owed if duty.rule is DutyRule.INVITE_TO_PLAN}
    for plan in case.plans:
        duties = plan_duties(plan, statute, over=case.status in _NOTHING_LEFT)
        owed += (duty for duty in duties if duty.rule is not DutyRule.INVITE_TO_PLAN or plan.id not in called_for)
    return tuple(sorted(owed, key=urgency))


def _acknowledgements(notices: Iterable[OpenNotice], statute: Statute) -> Iterator[Duty]:
    for notice in notices:
        key = f"{DutyRule.ACKNOWLEDGE} {notice.id}"
        by = acknowledgement_due(notice.sent_at, statute)
        at_once = notice.type == NoticeType.READY
        basis = EXPLAINED[DutyRule.CORRECT_ADDRESSING].legal_basis if notice.type == RETURNED else None
        yield Duty(DutyRule.ACKNOWLEDGE, key, notice.unit, notice.sent_at, by, notice.mailbox, notice.id, at_once=at_once, basis=basis)


def _of_parties(case: CaseAtHand, statute: Statute) -> Iterator[Duty]:
    """Each unit that got the admission notice begins to plan, and tells the ward when the patient is ready.

    A unit answers once, in however many of its mailboxes it was told; the one that was told first is reminded.
    """
    first_told = {party.unit: party for party in sorted(case.parties, key=lambda party: party.since, reverse=True)}
    for party in first_told.values():
        if case.ready_notice_sent_at is not None and not answers_the_ward(party.status):
            since = max(party.since, case.ready_notice_sent_at)
            key = f"{DutyRule.ANSWER_WARD} {party.unit} {since.isoformat()}"
            yield Duty(DutyRule.ANSWER_WARD, key, party.unit, since, answer_due(since, statute), party.mailbox)
        elif party.status is None:
            key = f"{DutyRule.START_PLANNING} {party.unit}"
            yield Duty(DutyRule.START_PLANNING, key, party.unit, party.since, None, party.mailbox)


def _still_asked_for(case: CaseAtHand, statute: Statute, at: datetime) -> bool:
    """Whether what outpatient care had to do before the discharge is still asked for after it."""
    return (
        case.status is CaseStatus.DISCHARGED
        and not case.deceased
        and case.discharged_at is not None
        and at < asked_for_until(case.discharged_at, statute)
    )


def _of_outpatient_care(case: CaseAtHand, statute: Statute) -> Iterator[Duty]:
    """The outpatient unit appoints the care contact, and calls to the plan where one is required and not refused.

    The three days of 4 kap. 3 § run from the ready notice whatever happens to the stay: a discharge ends neither duty.
    """
    unit = case.outpatient_unit
    party = next((party for party in case.parties if party.recipient == f"unit:{unit}"), None)
    if unit is None or party is None:
        return
    if not case.has_care_contact:
        planned = None if case.planned_discharge_date is None else start_of_day(case.planned_discharge_date)
        by = min((instant for instant in (planned, case.discharged_at) if instant is not None), default=None)
        yield Duty(DutyRule.APPOINT_CARE_CONTACT, DutyRule.APPOINT_CARE_CONTACT.value, unit, party.since, by, party.mailbox)
    yield from _of_care_plan(case, party)
    yield from _of_sip(case, party, statute)


def _of_care_plan(case: CaseAtHand, party: PartyAt) -> Iterator[Duty]:
    """Under compulsory outpatient care that needs both principals a care plan stands in the place of the SIP (N10)."""
    needed = case.compulsory != "none" and "outpatient" in case.needs and not MUNICIPAL.isdisjoint(case.needs)
    if needed and case.ready_notice_sent_at is not None and not any(plan.kind is PlanKind.CARE_PLAN for plan in case.plans):
        since = max(party.since, case.ready_notice_sent_at)
        key = f"{DutyRule.OPEN_PLAN} {PlanKind.CARE_PLAN}"
        yield Duty(DutyRule.OPEN_PLAN, key, party.unit, since, None, party.mailbox, basis=CARE_PLAN)


def _of_sip(case: CaseAtHand, party: PartyAt, statute: Statute) -> Iterator[Duty]:
    """The call has reached every municipality that is concerned now: one that came in later is to be called too."""
    plans = [plan for plan in case.plans if plan.kind is PlanKind.SIP]
    if not case.sip_required or any(plan.state in _REFUSED for plan in plans):
        return
    waiting = _not_called(case, party, plans)
    if not waiting:
        return
    own = [plan for plan in plans if plan.state != PlanStatus.CLOSED and plan.lead.unit == party.unit]
    if case.ready_notice_sent_at is not None:
        since = max(party.since, case.ready_notice_sent_at, min(waiting))
        key = f"{DutyRule.INVITE_TO_PLAN} {since.isoformat()}"
        yield Duty(
            DutyRule.INVITE_TO_PLAN,
            key,
            party.unit,
            since,
            sip_invitation_due(since, statute),
            party.mailbox,
            plan=own[-1].id if own else None,
            judged_from=sip_invitation_late_from(since, statute),
        )
    elif not own and case.status in PLANNED:
        yield Duty(DutyRule.OPEN_PLAN, DutyRule.OPEN_PLAN.value, party.unit, party.since, None, party.mailbox)


def _not_called(case: CaseAtHand, party: PartyAt, plans: Sequence[PlanOpened]) -> list[datetime]:
    """Since when each municipality that no call has reached is concerned; where none is, anybody who was called will do."""
    called = frozenset[str]().union(*(plan.called for plan in plans))
    municipal: dict[str, datetime] = {}
    for one in case.parties:
        if one.recipient.startswith(_MUNICIPALITY):
            municipal[one.recipient] = min(one.since, municipal.get(one.recipient, one.since))
    if not municipal:
        return [] if called else [party.since]
    return [since for recipient, since in municipal.items() if recipient not in called]


def _of_ward(case: CaseAtHand, at: datetime) -> Iterator[Duty]:
    """The ward keeps what the others plan by: needs, and a planned discharge date that has not passed."""
    since = case.admitted_at
    if case.ward is None or since is None:
        return
    if not case.needs:
        yield Duty(DutyRule.STATE_NEEDS, DutyRule.STATE_NEEDS.value, case.ward, since, None)
    if case.returned:
        yield Duty(DutyRule.CORRECT_ADDRESSING, DutyRule.CORRECT_ADDRESSING.value, case.ward, since, None)
    if case.ready_notice_sent_at is not None:
        return
    planned = case.planned_discharge_date
    if planned is None:
        yield Duty(DutyRule.STATE_PLANNED_DATE, DutyRule.STATE_PLANNED_DATE.value, case.ward, since, None)
    elif planned < local_date(at):
        key = f"{DutyRule.RENEW_PLANNED_DATE} {planned.isoformat()}"
        yield Duty(DutyRule.RENEW_PLANNED_DATE, key, case.ward, start_of_day(planned), None)


def _questions(questions: Iterable[OpenQuestion], statute: Statute) -> Iterator[Duty]:
    """Whoever was asked answers."""
    for one in questions:
        key, by = f"{DutyRule.ANSWER_QUESTION} {one.id}", question_due(one.asked_at, statute)
        yield Duty(DutyRule.ANSWER_QUESTION, key, one.who.unit, one.asked_at, by, one.who.mailbox, one.id)


_NEXT_STEP: Final = {
    DeviationStatus.REPORTED: DutyRule.ASSIGN_DEVIATION,
    DeviationStatus.ASSIGNED: DutyRule.ANSWER_DEVIATION,
    DeviationStatus.ANSWERED: DutyRule.CLOSE_DEVIATION,
}


def _deviations(deviations: Iterable[OpenDeviation]) -> Iterator[Duty]:
    """Whoever reported assigns and closes; whoever it is assigned to answers. The deadlines stand with the deviation."""
    for one in deviations:
        rule = _NEXT_STEP[one.state]
        key = f"{rule} {one.id} {one.since.isoformat()}"
        yield Duty(rule, key, one.who.unit, one.since, one.due_at, one.who.mailbox, one.id)


def duties_of_units(duties: Sequence[Duty], units: frozenset[str]) -> tuple[Duty, ...]:
    """Those duties that these units owe.

    Source:
        Lag (2017:612) 2 kap. 5-6 §§: each unit that got the notice answers for its own.
    """
    return tuple(duty for duty in duties if duty.unit in units)
