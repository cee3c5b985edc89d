"""The co-ordinated individual plan (SIP) of a child or an adult, with or without a hospital stay: its steps as a table.

Under compulsory psychiatric outpatient care a co-ordinated care plan stands in its place; it goes the same way, but rests on no consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from services.planning.domain.age import AnsweredBy, check_answered_by
from services.planning.domain.events import Compulsory
from shared.errors import FieldError, Malformed, Refused

Consent = Literal["given", "refused", "withdrawn"]
CloseReason = Literal["goals_met", "no_longer_needed", "consent_missing", "moved", "deceased", "replaced"]


class PlanKind(StrEnum):
    """A SIP, or the co-ordinated care plan under ÖPT and ÖRV (samordnad vårdplan)."""

    SIP = "sip"
    CARE_PLAN = "care_plan"


class PlanStatus(StrEnum):
    """Where a plan stands."""

    NEED = "need"
    CONSENTED = "consented"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    INVITED = "invited"
    HELD = "held"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"


class PlanTrigger(StrEnum):
    """What can be done with a plan."""

    GIVE_CONSENT = "give_consent"
    REFUSE_CONSENT = "refuse_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    INVITE = "invite"
    ANSWER = "answer"
    SCHEDULE = "schedule"
    HOLD = "hold"
    AGREE = "agree"
    FOLLOW_UP = "follow_up"
    CLOSE = "close"


_S = PlanStatus
_T = PlanTrigger

PLAN_TRANSITIONS: Final[dict[tuple[PlanStatus, PlanTrigger], PlanStatus]] = {
    (_S.NEED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.NEED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.NEED, _T.CLOSE): _S.CLOSED,
    (_S.CONSENTED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.CONSENTED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.CONSENTED, _T.WITHDRAW_CONSENT): _S.WITHDRAWN,
    (_S.CONSENTED, _T.INVITE): _S.INVITED,
    (_S.CONSENTED, _T.SCHEDULE): _S.CONSENTED,
    (_S.CONSENTED, _T.CLOSE): _S.CLOSED,
    # The patient may change her mind, both ways. Consent given anew begins anew: the units are called again.
    (_S.REFUSED, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.REFUSED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.REFUSED, _T.CLOSE): _S.CLOSED,
    (_S.WITHDRAWN, _T.GIVE_CONSENT): _S.CONSENTED,
    (_S.WITHDRAWN, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.WITHDRAWN, _T.WITHDRAW_CONSENT): _S.WITHDRAWN,
    (_S.WITHDRAWN, _T.CLOSE): _S.CLOSED,
    (_S.INVITED, _T.GIVE_CONSENT): _S.INVITED,
    (_S.INVITED, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.INVITED, _T.WITHDRAW_CONSENT): _S.WITHDRAWN,
    # A new invitation, e.g. to another day; the first one keeps its sent time, which is what 5 kap. 3 § asks for.
    (_S.INVITED, _T.INVITE): _S.INVITED,
    (_S.INVITED, _T.ANSWER): _S.INVITED,
    (_S.INVITED, _T.SCHEDULE): _S.INVITED,
    (_S.INVITED, _T.HOLD): _S.HELD,
    (_S.INVITED, _T.CLOSE): _S.CLOSED,
    (_S.HELD, _T.GIVE_CONSENT): _S.HELD,
    (_S.HELD, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.HELD, _T.WITHDRAW_CONSENT): _S.WITHDRAWN,
    # A further meeting of the same plan, for instance to follow it up with one more unit.
    (_S.HELD, _T.INVITE): _S.HELD,
    (_S.HELD, _T.ANSWER): _S.HELD,
    (_S.HELD, _T.SCHEDULE): _S.HELD,
    (_S.HELD, _T.HOLD): _S.HELD,
    (_S.HELD, _T.AGREE): _S.HELD,
    (_S.HELD, _T.FOLLOW_UP): _S.FOLLOW_UP,
    (_S.HELD, _T.CLOSE): _S.CLOSED,
    (_S.FOLLOW_UP, _T.GIVE_CONSENT): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.REFUSE_CONSENT): _S.REFUSED,
    (_S.FOLLOW_UP, _T.WITHDRAW_CONSENT): _S.WITHDRAWN,
    (_S.FOLLOW_UP, _T.INVITE): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.ANSWER): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.SCHEDULE): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.HOLD): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.AGREE): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.FOLLOW_UP): _S.FOLLOW_UP,
    (_S.FOLLOW_UP, _T.CLOSE): _S.CLOSED,
}
"""What is not here is refused."""

CONSENTING: Final[dict[Consent, PlanTrigger]] = {
    "given": _T.GIVE_CONSENT,
    "refused": _T.REFUSE_CONSENT,
    "withdrawn": _T.WITHDRAW_CONSENT,
}
CARE_PLAN_TRANSITIONS: Final[dict[tuple[PlanStatus, PlanTrigger], PlanStatus]] = {
    (status, trigger): after for (status, trigger), after in PLAN_TRANSITIONS.items() if trigger not in CONSENTING.values()
} | {(_S.NEED, _T.INVITE): _S.INVITED, (_S.NEED, _T.SCHEDULE): _S.NEED}
"""The same without the patient's consent, which a care plan does not rest on."""

REFUSALS: Final[dict[PlanStatus, str]] = {
    _S.NEED: "plan.consent_missing",
    _S.CONSENTED: "plan.not_invited",
    _S.REFUSED: "plan.consent_refused",
    _S.WITHDRAWN: "plan.consent_withdrawn",
    _S.INVITED: "plan.not_held",
    _S.CLOSED: "plan.closed",
}
"""What a plan lacks in each status for the steps that are not in its table."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The permanent care contact called the units to a SIP (N8, kallelse)."""

    id: UUID
    sent_at: datetime
    invited_by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of one patient, with or without a hospital stay (`case_id`). `child`: under age when the plan was opened."""

    id: UUID
    care_centre: str
    opened_at: datetime
    status: PlanStatus = PlanStatus.NEED
    case_id: UUID | None = None
    invitations: tuple[Invitation, ...] = ()
    kind: PlanKind = PlanKind.SIP
    consent: Consent | None = None
    child: bool = False


def open_plan(  # a plan's own members
    plan_id: UUID,
    care_centre: str,
    at: datetime,
    *,
    consent: Consent | None = None,
    case_id: UUID | None = None,
    kind: PlanKind = PlanKind.SIP,
    child: bool = False,
) -> Plan:
    """A need for a plan was judged; the patient's consent may be recorded at once or later.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§.
    """
    plan = Plan(id=plan_id, care_centre=care_centre, opened_at=at, case_id=case_id, kind=kind, child=child)
    return plan if consent is None else record_consent(plan, consent)


def check_kind(kind: PlanKind, *, ready: Compulsory | None, stated: Compulsory | None) -> None:
    """Which kind of plan is made: under compulsory outpatient care a care plan, which rests on no consent, and otherwise a SIP.

    Args:
        kind: The kind asked for.
        ready: What the readiness that stands says of compulsory care; none while there is no such readiness, or no stay.
        stated: What whoever opens the plan states of it.

    Raises:
        Malformed: Nothing says that there is compulsory care, or it is stated for a SIP.
        Refused: `plan.not_compulsory` or `plan.compulsory`: the readiness says otherwise.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§.
    """
    if kind is PlanKind.SIP:
        if stated is not None:
            raise Malformed("request.malformed", errors=(FieldError("/compulsory", "not_with_sip"),))
        if ready in {"opt", "orv"}:
            raise Refused("plan.compulsory", f"The ready notice says {ready}: a care plan stands in the place of the SIP (4 kap. 1 §).")
        return
    if ready is None and stated is None:
        raise Malformed("request.malformed", errors=(FieldError("/compulsory", "missing"),))
    if ready is not None and (ready == "none" or stated not in {None, ready}):
        raise Refused("plan.not_compulsory", f"The ready notice says of compulsory outpatient care: {ready} (4 kap. 1 §).")


def ready_says(view: Mapping[str, Any]) -> Compulsory | None:
    """What the readiness of a case that stands says of compulsory outpatient care; none while none stands.

    Source:
        Lag (2017:612) 4 kap. 1 §.
    """
    latest = view["ready"][-1] if view["ready"] else None
    if latest is None or latest["withdrawn_at"] is not None:
        return None
    says: Compulsory = latest["compulsory"]
    return says


def move(plan: Plan, trigger: PlanTrigger) -> PlanStatus:
    """The status of a plan after something was done with it.

    Raises:
        Refused: What the plan lacks for it.
    """
    table = PLAN_TRANSITIONS if plan.kind is PlanKind.SIP else CARE_PLAN_TRANSITIONS
    status = table.get((plan.status, trigger))
    if status is not None:
        return status
    if plan.kind is PlanKind.CARE_PLAN and trigger in CONSENTING.values():
        raise Refused("plan.consent_not_asked", "A co-ordinated care plan under ÖPT or ÖRV does not rest on consent (4 kap. 1 §).")
    code = "plan.not_invited" if plan.kind is PlanKind.CARE_PLAN and plan.status is PlanStatus.NEED else REFUSALS[plan.status]
    raise Refused(code, f"The plan is {plan.status}, which does not allow: {trigger} (4 kap. 2 §).")


def record_consent(plan: Plan, consent: Consent, by: AnsweredBy = "patient") -> Plan:
    """Record what the patient answered; without consent there is no plan, and when it is withdrawn sharing stops.

    Raises:
        Malformed: `consent.guardian_of_adult`: only a child's guardians answer in its place.
        Refused: A plan in this status does not allow it, or is a care plan.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    check_answered_by(by, child=plan.child)
    return replace(plan, status=move(plan, CONSENTING[consent]), consent=consent)


def shares(plan: Plan) -> bool:
    """Whether the units that were called may read what the plan says.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§.
    """
    return plan.kind is PlanKind.CARE_PLAN or plan.consent == "given"


def withheld(plan: Plan, *, leads: bool, takes_part: bool, void: bool = False) -> str | None:
    """Why what a plan says is kept from a reader who may know of it; none when nothing is.

    Args:
        plan: The plan.
        leads: The reader acts for the unit whose plan it is.
        takes_part: The reader acts for a unit that was called to it.
        void: There was no such stay: nothing is left but to close it.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    if void:
        return "stay_cancelled"
    if leads:
        return None
    if not shares(plan):
        return {None: "consent_missing", "refused": "consent_refused"}.get(plan.consent, "consent_withdrawn")
    return None if takes_part else "not_participant"


def invite(plan: Plan, invitation: Invitation) -> Plan:
    """Call the units to the plan's meeting.

    Raises:
        Refused: `plan.consent_refused`, `plan.consent_withdrawn`, `plan.consent_missing` or `plan.closed`.

    Source:
        Lag (2017:612) 4 kap. 3 §.
    """
    return replace(plan, status=move(plan, PlanTrigger.INVITE), invitations=(*plan.invitations, invitation))
