"""Who may know of a plan, who may read what it says, and who takes its steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action, PlanFacts, Which, leads, takes_part
from services.planning.domain.case import IDENTITY
from services.planning.domain.limits import check_not_before
from services.planning.domain.notices import PROTECTED
from services.planning.domain.plans import Plan
from services.planning.repository import cases
from services.planning.repository import plans as rows
from services.planning.statute import load_statute
from services.planning.usecases.authorising import require, require_step, who_asks
from shared.dates import parse_instant
from shared.db import Role, Work
from shared.errors import NotFound
from shared.http.auth import Caller


@dataclass(frozen=True, slots=True)
class PlanAtHand:
    """A plan with the units that take part in it; in a stay none that has left it, and led by whoever is concerned now."""

    plan: Plan
    row: Any
    parties: Sequence[Any]

    @property
    def units(self) -> frozenset[str]:
        """The units that take part, the one that leads included."""
        return frozenset(party.unit for party in self.parties) | (frozenset() if self.row.left else {self.row.unit})

    @property
    def protected(self) -> bool:
        """Whether the identity of the person is protected (skyddade personuppgifter)."""
        return bool((self.row.person or {}).get("protected"))

    @property
    def facts(self) -> PlanFacts:
        """What decides whose it is."""
        row = self.row
        return PlanFacts(row.opened_by, frozenset(row.leaders), self.units, self.plan.case_id is not None, row.left, row.main_unit)

    def led_by(self, caller: Caller) -> bool:
        """Whether the caller leads it."""
        return leads(who_asks(caller), self.facts)

    def takes_part(self, caller: Caller) -> bool:
        """Whether the caller takes part in it."""
        return takes_part(who_asks(caller), self.facts)


def person_told(found: PlanAtHand, *, named: bool) -> Mapping[str, object]:
    """Whom a plan is about, as far as it is told.

    Args:
        found: The plan.
        named: The reader may know who it is even when the identity is protected: the unit that entered her itself, and whoever takes the
            invitation on with a name, there being no admission notice that said it.

    Source:
        Domain rule 2: only the admission notice carries a protected identity, to named readers.
    """
    person = found.row.person or {}
    return PROTECTED if found.protected and not named else {part: person.get(part) for part in IDENTITY}


async def readable(work: Work, caller: Caller, plan_id: UUID, action: Action = Action.READ_PLAN) -> PlanAtHand:
    """A plan whose existence the caller may know of: its own, one it was called to, or one of a case of its own.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, the action is another unit's.
    """
    if not await rows.is_there(work, plan_id):
        raise NotFound
    await work.become(Role.INTAKE)  # who takes part follows from what others were told
    row = await rows.row(work, plan_id)
    if row is None:
        raise NotFound
    found = PlanAtHand(rows.plan_of(row, await rows.invitations(work, plan_id)), row, await rows.parties(work, plan_id))
    case = None
    if row.case_id is not None and not found.led_by(caller) and not found.takes_part(caller):
        case = await cases.visible(work, caller, row.case_id)
    if case is None:
        require(caller, action, Which(plan=found.facts))
    else:
        require_step(caller, action, case, plan=found.facts)
    return found


async def locked(work: Work, caller: Caller, plan_id: UUID, action: Action) -> PlanAtHand:
    """The same, its case and then itself locked: what is decided about it now is decided on what stands.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, the action is another unit's.
    """
    found = await readable(work, caller, plan_id)
    if found.plan.case_id is not None:
        await cases.lock_for_caller(work, found.plan.case_id)
    await rows.lock(work, plan_id)
    return await readable(work, caller, plan_id, action)


async def led(work: Work, caller: Caller, plan_id: UUID, *, or_responsible: bool = False) -> PlanAtHand:
    """The same for one who takes the plan's steps.

    Args:
        work: The transaction.
        caller: Who calls.
        plan_id: The plan.
        or_responsible: The unit with the main responsibility may take the step as well.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, the step is another unit's.
    """
    return await locked(work, caller, plan_id, Action.GO_ON_WITH_PLAN if or_responsible else Action.LEAD_PLAN)


async def check_day(work: Work, caller: Caller, plan: Plan, day: date, *, field: str) -> None:
    """Whether a step of a plan can have its day then; what history did is stated, not asked for.

    Raises:
        Malformed: Before the stay, or before the law was in force.
    """
    if caller.may("events:import"):
        return
    case = None if plan.case_id is None else await cases.visible(work, caller, plan.case_id)
    admitted_at = None if case is None else case.view["admitted_at"]
    check_not_before(day, None if admitted_at is None else parse_instant(admitted_at), load_statute(), field=field)
