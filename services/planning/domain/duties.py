"""What each unit still owes in a case: derived from the rules and the state of the case, never stored.

A duty is open while what fulfils it has not been done; there is no box to tick. Its deadline runs in calendar time, whoever is on duty.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from services.planning.domain.case import CaseStatus
from services.planning.domain.limits import Statute, acknowledgement_due, answer_due, sip_invitation_due
from services.planning.domain.notices import NoticeType
from services.planning.domain.party_status import PartyStatus, answers_the_ward
from shared.dates import local_date, start_of_day


class DutyRule(StrEnum):
    """Every duty that a case can lay on a unit."""

    ACKNOWLEDGE = "acknowledge"
    START_PLANNING = "start_planning"
    ANSWER_WARD = "answer_ward"
    APPOINT_CARE_CONTACT = "appoint_care_contact"
    OPEN_PLAN = "open_plan"
    INVITE_TO_PLAN = "invite_to_plan"
    STATE_NEEDS = "state_needs"
    STATE_PLANNED_DATE = "state_planned_date"
    RENEW_PLANNED_DATE = "renew_planned_date"


class Explained(NamedTuple):
    """Why a duty is owed, by which paragraph, and the call that fulfils it."""

    why: str
    legal_basis: str
    fulfilled_by: str


_LAW: Final = "lag (2017:612)"
EXPLAINED: Final[dict[DutyRule, Explained]] = {
    DutyRule.ACKNOWLEDGE: Explained(
        "A notice stands in your mailbox that nobody has taken on.", f"{_LAW} 2 kap. 6 §", "POST /v1/notices/{notice_id}/acknowledgement"
    ),
    DutyRule.START_PLANNING: Explained(
        "Your unit got the admission notice and has not told the ward where its planning stands.",
        f"{_LAW} 2 kap. 6 §",
        "PUT /v1/cases/{case_id}/parties/{unit}/planning-status",
    ),
    DutyRule.ANSWER_WARD: Explained(
        "The patient is ready for discharge, and the ward does not know from when it can count on your unit.",
        f"{_LAW} 2 kap. 6 §",
        "PUT /v1/cases/{case_id}/parties/{unit}/planning-status",
    ),
    DutyRule.APPOINT_CARE_CONTACT: Explained(
        "The patient has no permanent care contact yet; one is to be appointed before discharge.",
        f"{_LAW} 2 kap. 5 §",
        "PUT /v1/cases/{case_id}/care-contact",
    ),
    DutyRule.OPEN_PLAN: Explained(
        "The patient needs measures from both region and municipality: ask for consent and open a plan (SIP).",
        f"{_LAW} 4 kap. 1-2 §§",
        "POST /v1/plans",
    ),
    DutyRule.INVITE_TO_PLAN: Explained(
        "The patient is ready for discharge and a plan (SIP) is required, but nobody has been called to it.",
        f"{_LAW} 4 kap. 3 §",
        "POST /v1/plans/{plan_id}/invitations",
    ),
    DutyRule.STATE_NEEDS: Explained(
        "No need is stated, so nobody was notified: correct the admission, or cancel it.", f"{_LAW} 2 kap. 1 §", "POST /v1/events"
    ),
    DutyRule.STATE_PLANNED_DATE: Explained("The planned discharge date is not known.", f"{_LAW} 2 kap. 3 §", "POST /v1/events"),
    DutyRule.RENEW_PLANNED_DATE: Explained("The planned discharge date has passed.", f"{_LAW} 2 kap. 4 §", "POST /v1/events"),
}


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


class PlanOpened(NamedTuple):
    """A plan of the case, and whether anybody was called to it."""

    id: UUID
    state: str
    invited: bool


@dataclass(frozen=True, slots=True)
class CaseAtHand:
    """What duties are derived from. `ready_notice_sent_at` is the ready notice that stands; none while the patient is not ready."""

    id: UUID
    status: CaseStatus
    ward: str | None
    admitted_at: datetime | None
    ready_notice_sent_at: datetime | None
    planned_discharge_date: date | None
    needs: frozenset[str]
    sip_required: bool
    outpatient_unit: str | None
    has_care_contact: bool
    parties: tuple[PartyAt, ...] = ()
    notices: tuple[OpenNotice, ...] = ()
    plans: tuple[PlanOpened, ...] = ()


class Duty(NamedTuple):
    """One open duty: whose, since when, until when (none where the law gives no number), and what it is about.

    `key` is the same for the same duty however often it is derived; `mailbox` is where its unit is reminded. `at_once`: whoever is on
    call is told when it arises outside the unit's hours.
    """

    rule: DutyRule
    key: str
    unit: str
    since: datetime
    by: datetime | None
    mailbox: UUID | None = None
    about: UUID | None = None
    at_once: bool = False

    def fulfilled_by(self, case_id: UUID) -> str:
        """The call that fulfils it, with what is known of its address filled in."""
        call = EXPLAINED[self.rule].fulfilled_by
        if self.rule is DutyRule.INVITE_TO_PLAN and self.about is None:
            call = EXPLAINED[DutyRule.OPEN_PLAN].fulfilled_by
        return call.format(case_id=case_id, unit=self.unit, notice_id=self.about, plan_id=self.about)


_PLANNED: Final = frozenset({CaseStatus.ADMITTED, CaseStatus.PLANNING, CaseStatus.READY})
_REFUSED: Final = frozenset({"refused", "withdrawn"})


def open_duties(case: CaseAtHand, statute: Statute, at: datetime) -> tuple[Duty, ...]:
    """Every duty that is open in a case at an instant, whoever owes it; the earliest deadline first.

    Source:
        Lag (2017:612) 2 kap. 1-6 §§, 4 kap. 1-3 §§.
    """
    owed = list(_acknowledgements(case.notices, statute))
    if case.status in _PLANNED:
        owed += _of_parties(case, statute)
        owed += _of_outpatient_care(case, statute)
        owed += _of_ward(case, at)
    return tuple(sorted(owed, key=urgency))


def urgency(duty: Duty) -> tuple[bool, datetime, str]:
    """What comes first: the earliest deadline, then what has none by how long it has waited."""
    return (duty.by is None, duty.by or duty.since, duty.key)


def _acknowledgements(notices: Iterable[OpenNotice], statute: Statute) -> Iterator[Duty]:
    for notice in notices:
        key = f"{DutyRule.ACKNOWLEDGE} {notice.id}"
        by = acknowledgement_due(notice.sent_at, statute)
        at_once = notice.type == NoticeType.READY
        yield Duty(DutyRule.ACKNOWLEDGE, key, notice.unit, notice.sent_at, by, notice.mailbox, notice.id, at_once=at_once)


def _of_parties(case: CaseAtHand, statute: Statute) -> Iterator[Duty]:
    """Each unit that got the admission notice begins to plan, and tells the ward when the patient is ready."""
    for party in case.parties:
        if case.ready_notice_sent_at is not None and not answers_the_ward(party.status):
            since = max(party.since, case.ready_notice_sent_at)
            key = f"{DutyRule.ANSWER_WARD} {party.unit} {since.isoformat()}"
            yield Duty(DutyRule.ANSWER_WARD, key, party.unit, since, answer_due(since, statute), party.mailbox)
        elif party.status is None:
            key = f"{DutyRule.START_PLANNING} {party.unit}"
            yield Duty(DutyRule.START_PLANNING, key, party.unit, party.since, None, party.mailbox)


def _of_outpatient_care(case: CaseAtHand, statute: Statute) -> Iterator[Duty]:
    """The outpatient unit appoints the care contact, and calls to the plan where one is required and not refused."""
    unit = case.outpatient_unit
    party = next((party for party in case.parties if party.recipient == f"unit:{unit}"), None)
    if unit is None or party is None:
        return
    if not case.has_care_contact:
        by = None if case.planned_discharge_date is None else start_of_day(case.planned_discharge_date)
        yield Duty(DutyRule.APPOINT_CARE_CONTACT, DutyRule.APPOINT_CARE_CONTACT.value, unit, party.since, by, party.mailbox)
    if not case.sip_required or any(plan.invited or plan.state in _REFUSED for plan in case.plans):
        return
    if case.ready_notice_sent_at is not None:
        since = max(party.since, case.ready_notice_sent_at)
        plan_id = case.plans[-1].id if case.plans else None
        key = f"{DutyRule.INVITE_TO_PLAN} {since.isoformat()}"
        yield Duty(DutyRule.INVITE_TO_PLAN, key, unit, since, sip_invitation_due(since, statute), party.mailbox, plan_id)
    elif not case.plans:
        yield Duty(DutyRule.OPEN_PLAN, DutyRule.OPEN_PLAN.value, unit, party.since, None, party.mailbox)


def _of_ward(case: CaseAtHand, at: datetime) -> Iterator[Duty]:
    """The ward keeps what the others plan by: needs, and a planned discharge date that has not passed."""
    since = case.admitted_at
    if case.ward is None or since is None:
        return
    if not case.needs:
        yield Duty(DutyRule.STATE_NEEDS, DutyRule.STATE_NEEDS.value, case.ward, since, None)
    if case.ready_notice_sent_at is not None:
        return
    planned = case.planned_discharge_date
    if planned is None:
        yield Duty(DutyRule.STATE_PLANNED_DATE, DutyRule.STATE_PLANNED_DATE.value, case.ward, since, None)
    elif planned < local_date(at):
        key = f"{DutyRule.RENEW_PLANNED_DATE} {planned.isoformat()}"
        yield Duty(DutyRule.RENEW_PLANNED_DATE, key, case.ward, start_of_day(planned), None)


def duties_of_units(duties: Sequence[Duty], units: frozenset[str]) -> tuple[Duty, ...]:
    """Those duties that these units owe.

    Source:
        Lag (2017:612) 2 kap. 5-6 §§: each unit that got the notice answers for its own.
    """
    return tuple(duty for duty in duties if duty.unit in units)
