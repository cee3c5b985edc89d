"""The one way in which planning notes that somebody read of patients: in the transaction that reads, or the reading does not happen."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from services.planning.repository import accesses as rows
from shared.db import Work
from shared.http.auth import Caller
from shared.streams import access_log


async def note(work: Work, caller: Caller, action: str, cases: Collection[UUID], *, request_id: str, unit: str | None = None) -> None:
    """Log that a caller read of the patients of some cases, or of plans without a stay; nothing is logged when there were none.

    The patients stand in the log by their keyed pseudonyms, which say nothing without the key, beside the ids of the cases.

    Args:
        work: The transaction that reads.
        caller: Who reads.
        action: What was done.
        cases: The ids of the cases, or of plans without a stay.
        request_id: The request's id.
        unit: The unit that it was done for, where it was one.

    Source:
        HSLF-FS (2016:40) 4 kap. 9 §: the log says what was done, at which unit and when, by whom and about whom.
    """
    if cases:
        patients = await rows.pseudonyms(work, cases)
        await access_log.record(work, caller, action, cases, request_id=request_id, patients=patients, unit=unit)


def unit_in(caller: Caller, case: Any) -> str | None:  # a row of `cases.visible`
    """For which unit of a case a caller acts: its ward, its outpatient unit, or a team there that a unit of the caller's is a member of."""
    return one_of(caller, case.ward, case.outpatient_unit) or (case.outpatient_unit if case.through_team else None)


def one_of(caller: Caller, *units: str | None) -> str | None:
    """The unit that a caller acts for among some; none where that is none of them, or where the request does not say which of several."""
    own = {unit for unit in units if unit is not None and caller.acts_for(unit)}
    return own.pop() if len(own) == 1 else None
