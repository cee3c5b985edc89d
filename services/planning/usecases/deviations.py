"""Deviations from report to close. They are never refused for want of consent: without it their texts stay where they were written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.planning.domain.access import Action, Which
from services.planning.domain.deviations import (
    Category,
    DeviationStatus,
    DeviationTimes,
    DeviationTrigger,
    Step,
    StepStatistics,
    due_at,
    move,
    statistics,
)
from services.planning.repository import cases, directory, messages, notices
from services.planning.repository import deviations as rows
from services.planning.statute import load_statute
from services.planning.usecases import accesses
from services.planning.usecases.authorising import locked_case, require, require_step
from services.planning.usecases.consents import may_share
from services.planning.usecases.folding import tell_case
from services.planning.usecases.mailing import Letter, Post
from shared.db import Work
from shared.errors import FieldError, Malformed, NotFound
from shared.events.facts import DeviationChanged
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.outbox import staged_fact

DEVIATION: Final = "notice.deviation"


@dataclass(frozen=True, slots=True)
class NewDeviation:
    """A fault in the co-operation, seen in a case or in a notice of one."""

    unit: str
    category: Category
    step: Step
    text: str
    case_id: UUID | None = None
    notice_id: UUID | None = None


async def report_deviation(work: Work, caller: Caller, new: NewDeviation) -> Any:  # a row
    """Report a fault. It is the reporter's own until it is assigned.

    Raises:
        NotFound: The case or the notice is unknown or not the caller's.
        Malformed: Neither is named, or both.
        HttpProblem: 403, the unit is not the caller's, or not concerned in the case.
    """
    named = await _case_of(work, caller, new)
    case = await locked_case(work, caller, named, Action.REPORT_DEVIATION)
    case_id = case.id
    concerned = frozenset(await messages.concerned(work, case_id))
    require_step(caller, Action.REPORT_DEVIATION, case, concerned=concerned, unit=new.unit)
    deviation_id, status = uuid7(), DeviationStatus.REPORTED
    await rows.add(
        work,
        deviation_id,
        case_id,
        notice_id=new.notice_id,
        state=status.value,
        category=new.category,
        step=new.step,
        reporter=new.unit,
        due_at=due_at(status, work.at, load_statute()),
    )
    await rows.say(work, deviation_id, new.unit, "reported", {"text": new.text}, client=caller.client_id)
    return await _told(work, caller, deviation_id, "reported", tell=None)


async def _case_of(work: Work, caller: Caller, new: NewDeviation) -> UUID:
    if (new.case_id is None) == (new.notice_id is None):
        raise Malformed("request.malformed", errors=(FieldError("/case_id", "missing" if new.case_id is None else "not_with_notice"),))
    if new.case_id is not None:
        return new.case_id
    own = [mailbox.id for mailbox in await directory.mailboxes_of(work, caller)]
    notice = None if new.notice_id is None else await notices.one(work, new.notice_id, own)
    if notice is None or notice.case_id is None:
        raise NotFound
    case_id: UUID = notice.case_id
    return case_id


async def assign_deviation(work: Work, caller: Caller, deviation_id: UUID, *, to: str) -> Any:  # a row
    """Assign it to the counterpart that must answer; the one it is assigned to may pass it on.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, the case is not the caller's any more.
        Malformed: The unit is not concerned in the case, or is the reporter.
        Refused: 409, it is closed.
    """
    found = await _locked(work, caller, deviation_id)
    case = await cases.visible(work, caller, found.case_id)  # who lost the case must not learn whom it concerns now
    _require(caller, Action.ASSIGN_DEVIATION, found, case)
    status = move(DeviationStatus(found.state), DeviationTrigger.ASSIGN)
    if to == found.reporter or to not in await messages.concerned(work, found.case_id):
        raise Malformed("case.unit_not_concerned", errors=(FieldError("/unit", "unit_not_concerned"),))
    await rows.move(work, deviation_id, status.value, assigned_to=to, due_at=due_at(status, work.at, load_statute()))
    await rows.say(work, deviation_id, _speaker(caller, found), "assigned", {"unit": to}, client=caller.client_id)
    return await _told(work, caller, deviation_id, "assigned", tell=to)


async def answer_deviation(
    work: Work, caller: Caller, deviation_id: UUID, *, text: str, measures: Sequence[Mapping[str, Any]], answered_by: str
) -> Any:  # a row
    """The counterpart answers: what happened, and what it does about it.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is assigned to another unit.
        Refused: 409, it is not assigned, or is closed.
    """
    found = await _locked(work, caller, deviation_id)
    status = move(DeviationStatus(found.state), DeviationTrigger.ANSWER)
    _require(caller, Action.ANSWER_DEVIATION, found)
    await rows.move(work, deviation_id, status.value, assigned_to=None, due_at=None)
    said = {"text": text, "measures": [*measures], "answered_by": answered_by}
    await rows.say(work, deviation_id, found.assigned_to, "answered", said, client=caller.client_id)
    return await _told(work, caller, deviation_id, "answered", tell=found.reporter)


async def close_deviation(work: Work, caller: Caller, deviation_id: UUID, *, text: str | None) -> Any:  # a row
    """The reporter is content, or reported by mistake.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, another unit reported it.
        Refused: 409, it is closed already.
    """
    found = await _locked(work, caller, deviation_id)
    status = move(DeviationStatus(found.state), DeviationTrigger.CLOSE)
    _require(caller, Action.CLOSE_DEVIATION, found)
    await rows.move(work, deviation_id, status.value, assigned_to=None, due_at=None)
    await rows.say(work, deviation_id, found.reporter, "closed", {"text": text}, client=caller.client_id)
    return await _told(work, caller, deviation_id, "closed", tell=found.assigned_to)


async def _locked(work: Work, caller: Caller, deviation_id: UUID) -> Any:  # a row
    found = await rows.own(work, caller, deviation_id)
    if found is None:
        raise NotFound
    await cases.lock_for_caller(work, found.case_id)
    await rows.lock(work, deviation_id)
    found = await rows.own(work, caller, deviation_id)
    if found is None:
        raise NotFound
    _require(caller, Action.READ_DEVIATION, found)
    return found


def _require(caller: Caller, action: Action, found: Any, case: Any = None) -> None:  # rows
    sides = {"reporter": found.reporter, "assigned_to": found.assigned_to}
    if case is None:
        require(caller, action, Which(**sides))
    else:
        require_step(caller, action, case, **sides)


def _speaker(caller: Caller, found: Any) -> str:
    return str(found.reporter if caller.acts_for(found.reporter) else found.assigned_to)


async def _told(work: Work, caller: Caller, deviation_id: UUID, change: str, *, tell: str | None) -> Any:  # a row
    """Tell a unit in its mailbox, the other services, and the case's history; what was said stays here."""
    row = await rows.one(work, deviation_id)
    post = Post()
    mailbox = None if tell is None else (await messages.concerned(work, row.case_id)).get(tell)
    if mailbox is not None:
        post.put(
            Letter(
                mailbox=mailbox,
                type=DEVIATION,
                sender=row.assigned_to if change == "answered" else row.reporter,
                sent_at=work.at,
                origin=f"{DEVIATION}/{deviation_id}/{change}/{work.at.isoformat()}",
                case_id=row.case_id,
                about={"deviation_id": str(deviation_id), "change": change},
            )
        )
    fact = DeviationChanged(
        deviation_id=deviation_id,
        case_id=row.case_id,
        state=row.state,
        category=row.category,
        step=row.step,
        reporter=row.reporter,
        assigned_to=row.assigned_to,
        changed_at=work.at,
    )
    post.staged.append(staged_fact(fact, row.case_id))
    await post.write(work)
    about = {"deviation_id": str(deviation_id), "category": row.category}
    await tell_case(work, row.case_id, client=caller.client_id, what=f"deviation.{change}", about=about)
    return row


@dataclass(frozen=True, slots=True)
class DeviationRead:
    """A deviation as its reader may see it; `withheld`: the other side's texts are kept back for want of consent."""

    row: Any
    entries: Sequence[Mapping[str, Any]]
    withheld: bool
    overdue: bool


async def read_deviation(work: Work, caller: Caller, deviation_id: UUID, *, request_id: str) -> DeviationRead:
    """One deviation of the caller; what the other side wrote only while the patient consents to free text and the case is the caller's.

    Raises:
        NotFound: Unknown, or not the caller's.

    Source:
        Domain rule 2: consent is checked before anything beyond the statutory content leaves.
    """
    row = await rows.own(work, caller, deviation_id)
    if row is None:
        raise NotFound
    _require(caller, Action.READ_DEVIATION, row)
    consented = await may_share(work, row.case_id, "free_text") and await cases.visible(work, caller, row.case_id) is not None
    entries, withheld = [], False
    for entry in await rows.entries(work, deviation_id):
        free = not consented and not caller.acts_for(entry.unit) and entry.what != "assigned"
        withheld = withheld or free
        entries.append(
            {"number": entry.number, "at": entry.at, "unit": entry.unit, "what": entry.what, "said": None if free else entry.body}
        )
    unit = accesses.one_of(caller, row.reporter, row.assigned_to)
    await accesses.note(work, caller, "deviation.read", [row.case_id], request_id=request_id, unit=unit)
    return DeviationRead(row, entries, withheld, row.due_at is not None and row.due_at < work.at)


async def list_deviations(work: Work, caller: Caller, *, after: UUID, limit: int, state: str | None, request_id: str) -> Sequence[Any]:
    """The caller's deviations by id; also without what was said they tell of somebody's care, so all of them were read."""
    found = await rows.page(work, caller, after=after, limit=limit, state=state)
    await accesses.note(work, caller, "deviation.list", {row.case_id for row in found}, request_id=request_id)
    return found


async def deviation_statistics(work: Work, caller: Caller, first: datetime, last: datetime) -> list[StepStatistics]:
    """The caller's deviations of a period, per step of the chain."""
    found = [
        DeviationTimes(row.step, row.category, row.reported_at, row.answered_at, row.closed_at, row.due_at)
        for row in await rows.of_period(work, caller, first, last)
    ]
    return statistics(found, work.at)
