"""The co-ordinated individual plan (SIP) from the need to the consent, and reading it. Without consent nothing of it is shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action, Which
from services.planning.domain.age import AnsweredBy, birth_date, is_child
from services.planning.domain.events import Compulsory
from services.planning.domain.plans import Consent, Plan, PlanKind, PlanStatus, check_kind, open_plan, ready_says, record_consent, withheld
from services.planning.repository import notices
from services.planning.repository import plans as rows
from services.planning.usecases import accesses
from services.planning.usecases.authorising import locked_case, require, require_step
from services.planning.usecases.folding import tell_case
from services.planning.usecases.plan_access import PlanAtHand, led, locked, person_told, readable
from services.planning.usecases.plan_letters import WITHDRAWAL_BASIS, told
from shared.dates import local_date
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, Refused
from shared.events.command_facts import PlanOpened
from shared.events.facts import PlanConsentChanged
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.outbox import stage_facts


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A need for a plan: of a stay, or of a person without any."""

    case_id: UUID | None = None
    person: Mapping[str, Any] | None = None
    kind: PlanKind = PlanKind.SIP
    care_centre: str | None = None
    consent: Consent | None = None
    consent_by: AnsweredBy = "patient"
    compulsory: Compulsory | None = None


async def start_plan(work: Work, caller: Caller, new: NewPlan) -> Plan:
    """A unit judged that a plan is needed, and may have recorded what the patient answered.

    Raises:
        NotFound: The case is unknown or not the caller's.
        Malformed: It is about a stay and a person, or neither; no care centre is named and none follows from the case or the caller, or
            another one leads in the stay; or nothing says that there is the compulsory care that a care plan rests on.
        HttpProblem: 403, the unit is not one of the caller's, or a municipality leads the plan of a stay.
        Refused: 409, a care plan does not rest on consent, the ready notice asks for the other kind, or such a plan is open already.

    Source:
        Lag (2017:612) 4 kap. 1-2 §§: the plan of a stay is the region's to call for; any other either principal's.
    """
    if (new.case_id is None) == (new.person is None):
        raise Malformed("request.malformed", errors=(FieldError("/person", "missing" if new.person is None else "not_with_case"),))
    case = await _case_of(work, caller, new.case_id)
    unit = new.care_centre or (case.outpatient_unit if case is not None else None) or _only_unit(caller)
    if unit is None:
        raise Malformed("request.malformed", errors=(FieldError("/care_centre", "missing"),))
    if case is None:
        require(caller, Action.OPEN_PLAN, Which(unit=unit))
        await work.become(Role.INTAKE)
    else:
        require_step(caller, Action.OPEN_PLAN, case, unit=unit)
    ready = None if case is None else ready_says(case.view)
    if not caller.may("events:import"):  # what history did is stated, not asked for
        check_kind(new.kind, ready=ready, stated=new.compulsory)
        if case is not None and not await rows.may_lead(work, case.id, unit):
            raise Malformed("plan.unit_not_concerned", errors=(FieldError("/care_centre", "unit_not_concerned"),))
    child = under_age(new.person if case is None else await rows.person_of(work, case.id), local_date(work.at))
    plan = open_plan(uuid7(), unit, work.at, case_id=None if case is None else case.id, kind=new.kind, child=child)
    if new.consent is not None:
        plan = record_consent(plan, new.consent, new.consent_by)
    await check_only(work, caller, plan)
    await rows.add(work, plan, organisation=caller.organisation, person=new.person, client=caller.client_id)
    said: dict[str, str | None] = {"consent": new.consent, "by": new.consent_by}
    if plan.kind is PlanKind.CARE_PLAN:
        said["compulsory"] = new.compulsory or ready
    await rows.say(work, plan.id, "opened", said, client=caller.client_id)
    opened = PlanOpened(plan_id=plan.id, case_id=plan.case_id, plan_kind=plan.kind.value, unit=unit, opened_at=work.at)
    await stage_facts(work, [(opened, plan.case_id)])
    if new.consent is not None:
        fact = PlanConsentChanged(plan_id=plan.id, case_id=plan.case_id, consent=new.consent, changed_at=work.at)
        await stage_facts(work, [(fact, plan.case_id)])
    if plan.case_id is not None:
        about = {"plan_id": str(plan.id), "kind": plan.kind.value, "consent": plan.consent or "missing"}
        await tell_case(work, plan.case_id, client=caller.client_id, what="plan.opened", about=about)
    return plan


async def _case_of(work: Work, caller: Caller, case_id: UUID | None) -> Any:  # a row, or none
    return None if case_id is None else await locked_case(work, caller, case_id, Action.OPEN_PLAN)


async def check_only(work: Work, caller: Caller, plan: Plan) -> None:
    """A stay has at most one open plan of each kind; what history did is stated, not asked for.

    Raises:
        Refused: 409 `plan.already_open`.
    """
    is_open = plan.status not in {PlanStatus.CLOSED, PlanStatus.REFUSED, PlanStatus.WITHDRAWN}
    if is_open and not caller.may("events:import") and plan.case_id is not None and await rows.another_open(work, plan):
        raise Refused("plan.already_open", "The stay has an open plan of this kind: go on with that one, or close it.")


def _only_unit(caller: Caller) -> str | None:
    return caller.unit_prefixes[0] if len(caller.unit_prefixes) == 1 and caller.role == "care" else None


def under_age(person: Mapping[str, Any] | None, today: date) -> bool:
    """Whether a person is a child, by the birth date in her number."""
    return person is not None and "id" in person and is_child(birth_date(str(person["id"])), today)


@dataclass(frozen=True, slots=True)
class PlanRead:
    """A plan as its reader may see it; `withheld` says why what it says is kept back, if it is."""

    plan: Plan
    person: Mapping[str, Any] | None
    parties: Sequence[Any]
    invitations: Sequence[Any]
    answers: Sequence[Any]
    entries: Sequence[Any]
    withheld: str | None


async def read_plan(work: Work, caller: Caller, plan_id: UUID, *, request_id: str) -> PlanRead:
    """One plan: its unit's, those who were called to it, and everyone's who may see its case; what it says only where that is shared.

    Raises:
        NotFound: Unknown, or not the caller's.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    return await disclosed_plan(work, caller, await readable(work, caller, plan_id), request_id=request_id)


async def disclosed_plan(work: Work, caller: Caller, found: PlanAtHand, *, request_id: str) -> PlanRead:
    """A plan that its reader may know of, as far as it may read it; the reading is logged where there is something to read."""
    why, plan_id = _why_withheld(caller, found), found.plan.id
    if why is None:
        unit = accesses.one_of(caller, *found.units)
        await accesses.note(work, caller, "plan.read", [found.plan.case_id or plan_id], request_id=request_id, unit=unit)
    return PlanRead(
        plan=found.plan,
        person=_person_for(caller, found) if why is None else None,
        parties=found.parties,
        invitations=await rows.invitations(work, plan_id),
        answers=await rows.answers(work, plan_id),
        entries=await rows.entries(work, plan_id),
        withheld=why,
    )


def names_person(found: PlanAtHand, caller: Caller) -> bool:
    """Whether a plan tells its reader whom it is about."""
    return _why_withheld(caller, found) is None and bool(_person_for(caller, found).get("id"))


def _why_withheld(caller: Caller, found: PlanAtHand) -> str | None:
    return withheld(found.plan, leads=found.led_by(caller), takes_part=found.takes_part(caller), void=found.row.void)


def _person_for(caller: Caller, found: PlanAtHand) -> Mapping[str, object]:
    return person_told(found, named=found.plan.case_id is None and found.led_by(caller))


async def change_consent(work: Work, caller: Caller, plan_id: UUID, *, consent: Consent, by: AnsweredBy, asked_by: str) -> Plan:
    """Record what the patient answered. Any unit that takes part may record that she withdraws; from then on nothing is shared.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, only the plan's own unit asks.
        Malformed: A guardian answers for an adult.
        Refused: 409, the plan is closed, was never consented to, or does not rest on consent; or the stay has another open one.

    Source:
        Lag (2017:612) 4 kap. 2 §.
    """
    if consent == "withdrawn":
        found = await locked(work, caller, plan_id, Action.TAKE_PART_IN_PLAN)
    else:
        found = await led(work, caller, plan_id)
    before = found.plan
    plan = record_consent(before, consent, by)
    await check_only(work, caller, plan)
    await rows.move(work, plan)
    await rows.say(work, plan_id, "consent", {"consent": consent, "by": by, "asked_by": asked_by}, client=caller.client_id)
    if consent != "given":
        await notices.withhold(work, await rows.notices(work, plan_id), why="consent_withdrawn", basis=WITHDRAWAL_BASIS)
    if consent != before.consent:
        fact = PlanConsentChanged(plan_id=plan_id, case_id=plan.case_id, consent=consent, changed_at=work.at)
        await told(work, caller, replace(found, plan=plan), f"consent_{consent}", fact=fact, about={})
    return plan
