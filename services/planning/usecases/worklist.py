"""The work list (checklista): what the caller's units still owe, derived from rule and case at the moment it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.planning.domain.duties import PLANNED, CaseAtHand, duties_of_units, open_duties
from services.planning.domain.duty_rules import Duty, urgency
from services.planning.repository import directory, paper
from services.planning.repository import worklist as rows
from services.planning.repository.at_hand import at_hand
from services.planning.statute import load_statute
from services.planning.usecases import accesses
from shared.db import Role, Work
from shared.http.auth import Caller


@dataclass(frozen=True, slots=True)
class Owed:
    """One open duty and the case it belongs to."""

    case: CaseAtHand
    duty: Duty


@dataclass(frozen=True, slots=True)
class WorkList:
    """Some of the caller's open cases: what is owed in them by the caller's units, and, to their conductor, where every party stands."""

    owed: tuple[Owed, ...]
    conducted: tuple[CaseAtHand, ...]
    last: UUID | None


async def work_list(work: Work, caller: Caller, *, after: UUID, limit: int, request_id: str) -> WorkList:
    """What the caller's units owe in its next open cases, the most urgent first; the cases that it shows were read.

    Source:
        Lag (2017:612) 2 kap. 1-6 §§, 4 kap. 1-3 §§; HSLF-FS (2016:40) 4 kap. 9 §: a reading is logged also where it names nobody.
    """
    discharged_after = work.at - load_statute().at(work.at).duties_after_discharge
    await work.become(Role.AUDITOR)  # what one party owes follows from what all have done, which none of them may read
    ids = await rows.open_cases(work, caller, after=after, limit=limit, discharged_after=discharged_after)
    boxes = await directory.mailboxes_of(work, caller)
    through = frozenset(box.unit for box in boxes)  # also the teams that the caller's units are members of
    cases = await at_hand(work, ids, [box.id for box in boxes])
    imported = await rows.imported_until(work, [case.id for case in cases if case.status not in {None, *PLANNED}])
    owed = [
        Owed(case, duty) for case in cases for duty in _own(caller, through, case, work) if not _is_history(duty, imported.get(case.id))
    ]
    conducted = tuple(case for case in cases if _is_open(case) and _acts_for(caller, through, case.outpatient_unit or ""))
    await work.become(Role.APP)  # whom it is shown to is asked of the database once more, as the caller
    seen = await rows.seen_by_caller(work, ids)
    owed, conducted = [one for one in owed if one.case.id in seen], tuple(case for case in conducted if case.id in seen)
    await work.become(Role.INTAKE)  # not every case of which something is owed is the caller's to write of
    shown = {one.case.id for one in owed} | {case.id for case in conducted}
    await accesses.note(work, caller, "worklist.read", shown, request_id=request_id)
    return WorkList(tuple(sorted(owed, key=lambda one: urgency(one.duty))), conducted, ids[-1] if len(ids) == limit else None)


async def list_findings(
    work: Work, caller: Caller, *, after: UUID, limit: int, code: str | None, unit: str | None, request_id: str
) -> Sequence[Any]:
    """The caller's cases in which something does not fit, by id; all of them were read."""
    found = await paper.with_findings(work, caller, after=after, limit=limit, code=code, unit=unit)
    await accesses.note(work, caller, "findings.read", [row.id for row in found], request_id=request_id)
    return found


def _is_history(duty: Duty, imported_until: datetime | None) -> bool:
    """Whether a duty is only what an import left of a stay that is over: nobody takes on today what somebody else did years ago."""
    return imported_until is not None and duty.since <= imported_until


def _is_open(case: CaseAtHand) -> bool:
    return case.outpatient_unit is not None and case.status in PLANNED


def _own(caller: Caller, through: frozenset[str], case: CaseAtHand, work: Work) -> tuple[Duty, ...]:
    duties = open_duties(case, load_statute(), work.at)
    return duties_of_units(duties, frozenset(duty.unit for duty in duties if _acts_for(caller, through, duty.unit)))


def _acts_for(caller: Caller, through: frozenset[str], unit: str) -> bool:
    return caller.acts_for(unit) or unit in through
