"""What the registered person may ask for: everything that is kept of her, and that it is erased when nothing demands that it be kept.

Each organisation answers for the cases whose care it provided, and for the plans without a stay that it opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.planning.domain.notices import PROTECTED
from services.planning.repository import accesses as log
from services.planning.repository import cases, plans
from services.planning.repository import persons as rows
from services.planning.repository.sealing import opened_event
from services.planning.usecases import accesses
from services.planning.usecases.authorising import PROTECTED_READERS
from services.planning.usecases.folding import tell_case
from services.planning.vault import person_vault
from shared.dates import format_instant
from shared.db import Role, Work
from shared.errors import NotFound, Refused
from shared.events.command_facts import NoticeErased
from shared.http.auth import Caller
from shared.streams import access_log
from shared.streams.canonical import canonical_plain
from shared.streams.outbox import stage_facts

ERASED: Final = "case.person_erased"
OVER: Final = frozenset({"discharged", "cancelled", "deceased"})
PLAN_OVER: Final = frozenset({"closed", "refused", "withdrawn"})
MOST_ACCESSES: Final = 10_000
_KEPT_OF_PERSON: Final = ("registered_municipality", "protected")


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure concerned."""

    at: datetime
    cases: int
    events: int
    notices: int
    plans: int


async def export_person(work: Work, caller: Caller, kind: str, number: str, *, request_id: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept of one person and that the caller's organisation answers for; the reading is logged.

    Of a person whose identity is protected who she is stays back, unless the caller may read such persons.

    Raises:
        NotFound: Nothing is kept of her here.
        HttpProblem: 403, the caller speaks for a part of its organisation only.

    Source:
        Förordning (EU) 2016/679 artikel 15: the right of access; patientdatalagen (2008:355) 8 kap. 5 §: who read.
    """
    accesses.require_whole_organisation(caller)
    await work.become(Role.AUDITOR)
    kept = await rows.kept_of(work, caller.organisation, kind, number)
    if not kept:
        raise NotFound
    protected = any(row.protected for row in [*kept.cases, *kept.plans, *kept.merges]) and not caller.may(PROTECTED_READERS)
    told = {name: [_plain(row) for row in found] for name, found in (await rows.beside(work, kept)).items()}
    told["cases"] = [_plain(row) for row in kept.cases]
    told["events"] = [
        {"case_id": row.case_id, "sent_at": format_instant(row.sent_at), "event": _event(row.body, protected=protected)}
        for row in await rows.events_of(work, kept.case_ids)
    ]
    told["notices"] = [_held_back(_plain(row), "personal", protected=protected) for row in await rows.notices_of(work, kept)]
    told["plans"] = [_held_back(_plain(row), "person", protected=protected) for row in await rows.plans_of(work, kept)]
    told["merges"] = [_held_back(_plain(row), "person", protected=protected) for row in await rows.merges_of(work, kept)]
    told["accesses"] = await _who_read(work, caller, kept, (kind, number))
    await work.become(Role.INTAKE)
    await _note(work, caller, "person.export", kept, (kind, number), request_id=request_id)
    return told


async def erase_person(  # who, of whom, why, by whom
    work: Work, caller: Caller, kind: str, number: str, *, basis: str, by: str, request_id: str
) -> Erased:
    """Erase who a person was from everything that the caller's organisation answers for: envelopes, days and sums stand.

    Raises:
        NotFound: Nothing is kept of her here.
        Refused: 409 `person.case_open`, one of her cases or plans is open.
        HttpProblem: 403, the caller speaks for a part of its organisation only.

    Source:
        Patientdatalagen (2008:355) 8 kap. 4 §; förordning (EU) 2016/679 artikel 17.
    """
    accesses.require_whole_organisation(caller)
    await work.become(Role.INTAKE)
    found = await rows.kept_of(work, caller.organisation, kind, number)
    if not found:
        raise NotFound
    for leader in sorted({row.joined_to or row.id for row in found.cases}):
        await cases.lock(work, leader)
    kept = await rows.kept_of(work, caller.organisation, kind, number)
    if any(row.state not in OVER for row in kept.cases if row.joined_to in {None, row.id}):
        raise Refused("person.case_open")
    if not await rows.states_of_plans(work, kept) <= PLAN_OVER:
        raise Refused("person.case_open")
    await _note(work, caller, "person.erasure", kept, (kind, number), request_id=request_id)
    return await _erase(work, kept, basis=basis, by=by, client=caller.client_id)


async def erase_outlived(work: Work, before: datetime, *, basis: str, limit: int) -> int:
    """Erase who the patients were of some cases, and plans without a stay, that are over and were not touched since; how many.

    Not while a plan of hers is open, and of a plan not while she is cared for.

    Source:
        Patientdatalagen (2008:355) 3 kap. 17 §: a record is kept at least ten years after its last entry; whoever answers for it sets
        how long it is kept beyond that.
    """
    erased = 0
    for case_id in sorted(await rows.some_outlived(work, before, limit)):
        await cases.lock(work, case_id)
        if await rows.is_outlived(work, before, case_id):  # a plan may have been opened while the lock was waited for
            await _erase(work, await rows.kept_of_case(work, case_id), basis=basis, by="retention", client="retention")
            erased += 1
    for plan_id in sorted(await rows.some_outlived_plans(work, before, limit - erased)):
        await plans.lock(work, plan_id)
        kept = await rows.outlived_plan(work, before, plan_id)
        if kept is not None:
            await _erase(work, kept, basis=basis, by="retention", client="retention")
            erased += 1
    return erased


async def _erase(work: Work, kept: rows.Kept, *, basis: str, by: str, client: str) -> Erased:
    left = {"withheld": "erased", "at": format_instant(work.at), "basis": basis}
    events = await rows.events_of(work, kept.case_ids)
    bodies = {row.id: body for row in events if (body := _without_person(opened_event(row.body), left)) is not None}
    notices = await rows.erase(work, kept, bodies, basis=basis)
    await stage_facts(
        work,
        [
            (NoticeErased(notice_id=row.id, notice_type=row.type, case_id=row.case_id, erased_at=work.at), row.case_id)
            for row in notices
            if row.waited
        ],
    )
    leaders = [row.id for row in kept.cases if row.joined_to in {None, row.id} and row.version]
    for case_id in leaders:
        await tell_case(work, case_id, client=client, what=ERASED, about={"basis": basis, "acted_by": by})
    return Erased(work.at, len(leaders), len(bodies), len(notices), len(kept.plans))


def _without_person(event: dict[str, Any], left: Mapping[str, str]) -> str | None:
    """The event as it is kept from now on; none where it names nobody, or nobody any more."""
    person = event["data"].get("person")
    if person is None or "withheld" in person:
        return None
    stays = {name: person[name] for name in _KEPT_OF_PERSON if name in person}
    return canonical_plain({**event, "data": {**event["data"], "person": {**left, **stays}}})


def _event(body: str, *, protected: bool) -> dict[str, Any]:
    event = opened_event(body)
    if protected and "person" in event["data"]:
        event["data"]["person"] = dict(PROTECTED)
    return event


def _held_back(row: dict[str, Any], part: str, *, protected: bool) -> dict[str, Any]:
    return row | {part: dict(PROTECTED)} if protected and row[part] is not None else row


async def _note(work: Work, caller: Caller, action: str, kept: rows.Kept, who: tuple[str, str], *, request_id: str) -> None:
    """Log it; where nothing but a merge is kept of her, by what stands for the number that was asked for."""
    if kept.cases or kept.plans:
        await accesses.note(work, caller, action, [*kept.case_ids, *kept.plan_ids], request_id=request_id)
    else:
        patients = [person_vault().stands_for(*who)]
        await access_log.record(work, caller, action, (), request_id=request_id, patients=patients, even_of_none=True)


async def _who_read(work: Work, caller: Caller, kept: rows.Kept, who: tuple[str, str]) -> list[dict[str, Any]]:
    """Who read of her: when, what, at which organisation and units; never by name, which is not hers to know.

    Where nothing but a merge is kept of her it is found by what stands for the number that was asked for: with no case and no patient named
    the log would be asked for what everybody read of everybody.
    """
    told: list[dict[str, Any]] = []
    ids = [*kept.case_ids, *kept.plan_ids]
    wanted = log.Wanted(ids) if ids else log.Wanted(patient=person_vault().stands_for(*who))
    after: int | None = 0
    while after is not None and len(told) < MOST_ACCESSES:
        page = await log.page(work, caller.organisation, wanted, after=after, limit=MOST_ACCESSES - len(told))
        told += [log.told(row.body) for row in page.rows]
        after = page.next
    shown = ("at", "action", "service", "organisation", "unit", "units", "role")
    return [{name: entry[name] for name in shown if name in entry} for entry in told]


def _plain(row: Any) -> dict[str, Any]:  # a row
    return {name: format_instant(value) if isinstance(value, datetime) else value for name, value in row._asdict().items()}
