"""The co-ordinated individual plan (SIP): need, consent, invitation. Meeting, measures and follow-up come later in the same table."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from shared.errors import Refused

Consent = Literal["given", "refused"]


class PlanStatus(StrEnum):
    """Where a plan stands."""

    NEED = "need"
    CONSENTED = "consented"
    REFUSED = "refused"
    INVITED = "invited"


class PlanTrigger(StrEnum):
    """What can be done with a plan."""

    GIVE_CONSENT = "give_consent"
    REFUSE_CONSENT = "refuse_consent"
    INVITE = "invite"


_S = PlanStatus
_T = PlanTrigger

PLAN_TRANSITIONS: Final[dict[tuple[PlanStatus, PlanTrigger], PlanStatus]] = {
    (_S.NEED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.NEED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.CONSENTED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.CONSENTED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.CONSENTED, _T.INVITE): _S.INVITED,
    # The patient may change her mind, both ways.
    (_S.REFUSED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.REFUSED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.INVITED, _T.GIVE_CONSENT): _S.INVITED,
    (_S.INVITED, _T.REFUSE_CONSENT): _S.REFUSED,
    # A new invitation, e.g. to another day; the first one keeps its sent time, which is what 5 kap. 3 § asks for.
    (_S.INVITED, _T.INVITE): _S.INVITED,
}
"""What is not here is refused."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The permanent care contact called the units to a SIP (N8, kallelse)."""

    id: UUID
    sent_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of one patient, with or without a hospital stay (`case_id`)."""

    id: UUID
    care_centre: str
    opened_at: datetime
    status: PlanStatus = PlanStatus.NEED
    case_id: UUID | None = None
    invitations: tuple[Invitation, ...] = ()


def open_plan(plan_id: UUID, care_centre: str, at: datetime, *, consent: Consent | None = None, case_id: UUID | None = None) -> Plan:
    """A need for a plan was judged; the patient's consent may be recorded at once or later.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§.
    """
    plan = Plan(id=plan_id, care_centre=care_centre, opened_at=at, case_id=case_id)
    return plan if consent is None else record_consent(plan, consent)


def record_consent(plan: Plan, consent: Consent) -> Plan:
    """Record what the patient answered; without consent there is no plan.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    trigger = PlanTrigger.GIVE_CONSENT if consent == "given" else PlanTrigger.REFUSE_CONSENT
    return replace(plan, status=PLAN_TRANSITIONS[plan.status, trigger])


def invite(plan: Plan, invitation: Invitation) -> Plan:
    """Call the units to the plan's meeting.

    Raises:
        Refused: `plan.consent_refused` or `plan.consent_missing`.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    status = PLAN_TRANSITIONS.get((plan.status, PlanTrigger.INVITE))
    if status is None:
        code = "plan.consent_refused" if plan.status is PlanStatus.REFUSED else "plan.consent_missing"
        raise Refused(code, f"The plan is {plan.status}; units are invited only with the patient's consent (4 kap. 2 §).")
    return replace(plan, status=status, invitations=(*plan.invitations, invitation))
