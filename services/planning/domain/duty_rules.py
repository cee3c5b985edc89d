"""Every kind of duty there is: why it is owed, by which paragraph, and the call that fulfils it."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID


class DutyRule(StrEnum):
    """Every duty that a case, or a plan without a stay, can lay on a unit."""

    ACKNOWLEDGE = "acknowledge"
    START_PLANNING = "start_planning"
    ANSWER_WARD = "answer_ward"
    APPOINT_CARE_CONTACT = "appoint_care_contact"
    OPEN_PLAN = "open_plan"
    ASK_CONSENT = "ask_consent"
    INVITE_TO_PLAN = "invite_to_plan"
    ANSWER_INVITATION = "answer_invitation"
    HOLD_MEETING = "hold_meeting"
    WRITE_MEASURES = "write_measures"
    FOLLOW_UP = "follow_up"
    CLOSE_PLAN = "close_plan"
    STATE_NEEDS = "state_needs"
    STATE_PLANNED_DATE = "state_planned_date"
    RENEW_PLANNED_DATE = "renew_planned_date"
    CORRECT_ADDRESSING = "correct_addressing"
    ANSWER_QUESTION = "answer_question"
    ASSIGN_DEVIATION = "assign_deviation"
    ANSWER_DEVIATION = "answer_deviation"
    CLOSE_DEVIATION = "close_deviation"


class Explained(NamedTuple):
    """Why a duty is owed, by which paragraph, and the call that fulfils it."""

    why: str
    legal_basis: str
    fulfilled_by: str


_LAW: Final = "lag (2017:612)"
_PLAN: Final = f"{_LAW} 4 kap. 2 §"
_QUALITY: Final = "SOSFS 2011:9 5 kap. 3 §"
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
        "A plan (SIP) is required, and nobody has been called to it.",
        f"{_LAW} 4 kap. 3 §",
        "POST /v1/plans/{plan_id}/invitations",
    ),
    DutyRule.STATE_NEEDS: Explained(
        "No need is stated, so nobody was notified: correct the admission, or cancel it.", f"{_LAW} 2 kap. 1 §", "POST /v1/events"
    ),
    DutyRule.STATE_PLANNED_DATE: Explained("The planned discharge date is not known.", f"{_LAW} 2 kap. 3 §", "POST /v1/events"),
    DutyRule.RENEW_PLANNED_DATE: Explained("The planned discharge date has passed.", f"{_LAW} 2 kap. 4 §", "POST /v1/events"),
    DutyRule.ASK_CONSENT: Explained(
        "A plan was opened, and nobody has recorded whether the patient consents to it.", _PLAN, "PUT /v1/plans/{plan_id}/consent"
    ),
    DutyRule.ANSWER_INVITATION: Explained(
        "Your unit was called to a plan and has not answered.",
        f"{_LAW} 4 kap. 3 §",
        "POST /v1/plans/{plan_id}/invitations/{invitation_id}/answer",
    ),
    DutyRule.HOLD_MEETING: Explained(
        "The units were called to a plan, and its meeting was not recorded as held.", _PLAN, "PUT /v1/plans/{plan_id}/meeting"
    ),
    DutyRule.WRITE_MEASURES: Explained(
        "The meeting was held, and the plan names no measures yet.", _PLAN, "PUT /v1/plans/{plan_id}/measures"
    ),
    DutyRule.FOLLOW_UP: Explained(
        "Your unit has the main responsibility for a plan that is to be followed up.", _PLAN, "POST /v1/plans/{plan_id}/follow-up"
    ),
    DutyRule.CLOSE_PLAN: Explained(
        "No further follow-up of the plan is set, or there is nothing left to plan for: close it, or follow it up again.",
        _PLAN,
        "POST /v1/plans/{plan_id}/close",
    ),
    DutyRule.CORRECT_ADDRESSING: Explained(
        "A party returned a notice as wrongly addressed: correct whom the patient belongs to, or cancel the admission.",
        f"{_LAW} 2 kap. 1-2 §§",
        "POST /v1/events",
    ),
    DutyRule.ANSWER_QUESTION: Explained(
        "Another unit of the case asked yours something.", "förvaltningslagen (2017:900) 8 §", "POST /v1/cases/{case_id}/messages"
    ),
    DutyRule.ASSIGN_DEVIATION: Explained(
        "A deviation that your unit reported is not assigned to the counterpart.", _QUALITY, "POST /v1/deviations/{deviation_id}/assign"
    ),
    DutyRule.ANSWER_DEVIATION: Explained(
        "A deviation is assigned to your unit and not answered.", _QUALITY, "POST /v1/deviations/{deviation_id}/answer"
    ),
    DutyRule.CLOSE_DEVIATION: Explained(
        "A deviation that your unit reported is answered: close it, or assign it anew.",
        _QUALITY,
        "POST /v1/deviations/{deviation_id}/close",
    ),
}


class Duty(NamedTuple):
    """One open duty: whose, since when, until when (none where nobody gives a number), and what it is about.

    `key` is the same for the same duty however often it is derived; `mailbox` is where its unit is reminded; `about` is the notice,
    invitation, question or deviation. `at_once`: whoever is on call is told when it arises outside the unit's hours. `basis`: by which
    paragraph, where that is not the one of most duties of the rule. `judged_from`: from when it is judged as late, where the law lets that
    be later than `by`.
    """

    rule: DutyRule
    key: str
    unit: str
    since: datetime
    by: datetime | None
    mailbox: UUID | None = None
    about: UUID | None = None
    at_once: bool = False
    plan: UUID | None = None
    basis: str | None = None
    judged_from: datetime | None = None

    @property
    def late_from(self) -> datetime | None:
        """From when it is overdue; never where nobody gives a number."""
        return self.judged_from or self.by

    @property
    def legal_basis(self) -> str:
        """By which paragraph it is owed."""
        return self.basis or EXPLAINED[self.rule].legal_basis

    def fulfilled_by(self, case_id: UUID | None) -> str:
        """The call that fulfils it, with what is known of its address filled in."""
        call = EXPLAINED[self.rule].fulfilled_by
        if self.rule is DutyRule.INVITE_TO_PLAN and self.plan is None:
            call = EXPLAINED[DutyRule.OPEN_PLAN].fulfilled_by
        about = dict.fromkeys(("notice_id", "invitation_id", "deviation_id"), self.about)
        return call.format(case_id=case_id, unit=self.unit, plan_id=self.plan, **about)


def urgency(duty: Duty) -> tuple[bool, datetime, str]:
    """What comes first: the earliest deadline, then what has none by how long it has waited."""
    return (duty.by is None, duty.by or duty.since, duty.key)
