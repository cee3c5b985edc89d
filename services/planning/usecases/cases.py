"""Reading cases: every reading of personal data leaves a line in the access log, in the same transaction, or does not happen."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.repository import cases as rows
from services.planning.repository.cases import ANYWHERE, Standing
from services.planning.usecases import accesses
from services.planning.usecases.authorising import callers_case, is_callers
from shared.db import Work
from shared.errors import NotFound
from shared.http.auth import Caller


async def read_case(work: Work, caller: Caller, case_id: UUID, *, request_id: str, standing: Standing = ANYWHERE) -> Any:  # a row
    """One case, with its person.

    Raises:
        NotFound: Unknown, not the caller's, or not standing as is asked for: nothing of it is told then, nor logged as read.
    """
    found = await callers_case(work, caller, case_id, Action.READ_CASE)
    if found.version == 0 or not standing.holds(found):
        raise NotFound
    await accesses.note(work, caller, "case.read", [case_id], request_id=request_id, unit=accesses.unit_in(caller, found))
    return found


async def read_history(work: Work, caller: Caller, case_id: UUID, *, request_id: str) -> Sequence[Any]:
    """Who did what when in a case.

    Raises:
        NotFound: Unknown, or not the caller's.
    """
    case = await callers_case(work, caller, case_id, Action.READ_HISTORY)
    await accesses.note(work, caller, "case.history_read", [case_id], request_id=request_id, unit=accesses.unit_in(caller, case))
    return await rows.history(work, case_id)


async def list_cases(
    work: Work, caller: Caller, *, after: UUID, limit: int, request_id: str, standing: Standing = ANYWHERE
) -> Sequence[Any]:
    """The caller's cases by id; also without persons they say where and when somebody is cared for, so all of them were read."""
    found = await rows.page(work, caller, after=after, limit=limit, standing=standing)
    await accesses.note(work, caller, "case.list", [row.id for row in found], request_id=request_id)
    return found


async def search_cases(
    work: Work, caller: Caller, kind: str, person: str, *, request_id: str, standing: Standing = ANYWHERE
) -> Sequence[Any]:
    """The caller's cases of one person."""
    hers = await rows.by_person(work, caller, kind, person)
    found = [case for case in hers if is_callers(caller, Action.SEARCH, case) and standing.holds(case)]
    await accesses.note(work, caller, "case.search", [row.id for row in found], request_id=request_id)
    return found
