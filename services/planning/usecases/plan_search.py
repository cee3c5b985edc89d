"""Searching plans: what is found is read one by one, by the same decision and with the same line in the access log as by its id."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from services.planning.repository import plan_search as rows
from services.planning.usecases.plan_access import readable
from services.planning.usecases.plans import PlanRead, disclosed_plan, names_person
from shared.db import Role, Work
from shared.errors import NotFound
from shared.http.auth import Caller

MOST_OF_A_PERSON: Final = 100
_WIDER: Final = 4
_MOST_AT_ONCE: Final = 1_000


async def list_plans(
    work: Work, caller: Caller, *, after: UUID, limit: int, request_id: str, case_id: UUID | None = None
) -> Sequence[PlanRead]:
    """The caller's plans by id, or those of one stay; what is not the caller's is passed over, so that fewer than asked for are the last.

    Source:
        Lag (2017:612) 4 kap. 2 §; HSLF-FS (2016:40) 4 kap. 9 §.
    """
    found: list[PlanRead] = []
    at_once = limit
    while True:
        await work.become(Role.INTAKE)  # who takes part follows from what others were told; whose each is, is asked for each
        if case_id is None:
            ids = await rows.of_caller(work, caller, after=after, limit=at_once)
        else:
            ids = await rows.of_case(work, case_id, after=after, limit=at_once)
        found += await _read(work, caller, ids, most=limit - len(found), request_id=request_id)
        if len(found) == limit or len(ids) < at_once:
            return found
        # However many it once had, and however few are asked for, they are passed over in a few steps.
        after, at_once = ids[-1], min(at_once * _WIDER, _MOST_AT_ONCE)


async def plans_of_person(work: Work, caller: Caller, kind: str, person: str, *, request_id: str) -> Sequence[PlanRead]:
    """The caller's plans of one person, as far as they name her to the caller.

    Who asks by a number must not learn by it whose a plan is that does not say so: without consent, or of a protected person.

    Source:
        Lag (2017:612) 4 kap. 2 §; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §, 26 kap. 1 §.
    """
    await work.become(Role.INTAKE)
    ids = await rows.of_person(work, kind, person)
    return await _read(work, caller, ids, most=MOST_OF_A_PERSON, request_id=request_id, named=True)


async def _read(work: Work, caller: Caller, ids: Sequence[UUID], *, most: int, request_id: str, named: bool = False) -> list[PlanRead]:
    """Those of some plans that are the caller's, by id; `named`: that tell it whom they are about."""
    found: list[PlanRead] = []
    await work.become(Role.APP)  # row-level security first, as it sees the caller
    for plan_id in await rows.seen(work, ids):
        if len(found) == most:
            break
        with suppress(NotFound):
            plan = await readable(work, caller, plan_id)
            if not named or names_person(plan, caller):
                found.append(await disclosed_plan(work, caller, plan, request_id=request_id))
    return found
