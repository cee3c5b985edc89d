"""The SIP as far as money needs it."""

from itertools import product
from uuid import UUID

import pytest

from services.planning.domain.plans import (
    PLAN_TRANSITIONS,
    Consent,
    Invitation,
    Plan,
    PlanStatus,
    PlanTrigger,
    invite,
    open_plan,
    record_consent,
)
from shared.errors import Refused
from tests.builders import CARE_CENTRE, hours

PLAN_ID = UUID(int=1)


def an_invitation(number: int = 1, at: float = 10) -> Invitation:
    return Invitation(UUID(int=number), hours(at), CARE_CENTRE)


def a_plan(consent: Consent | None = "given") -> Plan:
    return open_plan(PLAN_ID, CARE_CENTRE, hours(0), consent=consent)


def test_only_an_invitation_without_consent_is_not_in_the_table() -> None:
    missing = set(product(PlanStatus, PlanTrigger)) - set(PLAN_TRANSITIONS)
    assert missing == {(PlanStatus.NEED, PlanTrigger.INVITE), (PlanStatus.REFUSED, PlanTrigger.INVITE)}


def test_a_plan_needs_no_hospital_stay() -> None:
    assert a_plan().case_id is None


def test_with_consent_the_units_are_invited() -> None:
    invited = invite(a_plan(), an_invitation())
    assert (invited.status, invited.invitations) == (PlanStatus.INVITED, (an_invitation(),))


def test_a_second_invitation_leaves_the_first() -> None:
    again = invite(invite(a_plan(), an_invitation()), an_invitation(2, 20))
    assert [invitation.sent_at for invitation in again.invitations] == [hours(10), hours(20)]


def test_a_patient_who_refuses_is_not_invited() -> None:
    with pytest.raises(Refused) as refusal:
        invite(a_plan("refused"), an_invitation())
    assert refusal.value.code == "plan.consent_refused"


def test_nobody_is_invited_before_the_patient_was_asked() -> None:
    with pytest.raises(Refused) as refusal:
        invite(a_plan(None), an_invitation())
    assert refusal.value.code == "plan.consent_missing"


def test_the_patient_may_change_her_mind() -> None:
    assert record_consent(a_plan("refused"), "given").status is PlanStatus.CONSENTED
    assert record_consent(invite(a_plan(), an_invitation()), "refused").status is PlanStatus.REFUSED
