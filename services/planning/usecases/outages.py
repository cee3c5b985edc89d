"""Outages: recorded by the service itself, or stated by those who were cut off and confirmed by the region; the cases follow."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from services.planning.domain.access import Action, Which
from services.planning.repository import cases
from services.planning.repository import intake as lines
from services.planning.repository import outages as rows
from services.planning.usecases.authorising import require
from services.planning.usecases.case_view import view_of
from services.planning.usecases.folding import ITSELF, fold_cases, write_folded
from shared.dates import format_instant
from shared.db import Role, Work
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.persons import Actor
from shared.streams import due
from shared.streams.due import Claim

_log = structlog.get_logger(__name__)

PAPER_TIMES: Final = "paper"
"""The due work of a case whose paper times may count differently now."""
SERVICE: Final = "planning"
JUDGED: Final = "case.paper_times_judged"


@dataclass(frozen=True, slots=True)
class OutageStated:
    """An outage as somebody states it; `scope` none for the whole service, `until` none while it lasts."""

    since: datetime
    until: datetime | None
    scope: str | None
    cause: str
    stated_by: str | None = None


async def beat(work: Work, longest_gap: timedelta) -> UUID | None:
    """Note that the service is up; after a gap between two beats that is longer than allowed enter the gap as an outage.

    Both ends are read from the clock of the database, so that the clock of no process makes an outage, or hides one.

    Returns:
        The outage that was recorded, if one was.
    """
    beats = await rows.beat(work, SERVICE)
    if beats is None or beats[1] - beats[0] <= longest_gap:
        return None
    since, until = beats
    await rows.about_to_change(work)
    outage = rows.NewOutage(uuid7(), since, until, "", "recorded", "service", None, ITSELF)
    await rows.add(work, outage, until)
    body = {"started_at": format_instant(since), "ended_at": format_instant(until)}
    await rows.enter(work, outage.id, "recorded", client=ITSELF, person=ITSELF, body=body)
    await _have_judged(work, since, until, "")
    _log.warning("outage.recorded", seconds=round((until - since).total_seconds()))
    return outage.id


async def state_outage(work: Work, caller: Caller, stated: OutageStated) -> Any:  # a row
    """Enter an outage that somebody states: for units of the caller's own, or for the whole service. It counts once it is confirmed.

    Raises:
        HttpProblem: 403, the units are not the caller's, or neither a ward nor the region states one of the whole service.
        Malformed: It lies in the future, or ends before it begins.
    """
    require(caller, Action.STATE_OUTAGE, Which(unit=stated.scope))
    _check_times(stated.since, stated.until, work.at)
    actor = Actor(caller.client_id, stated.stated_by or caller.client_id)
    outage = rows.NewOutage(
        uuid7(), stated.since, stated.until, stated.scope or "", "stated", stated.cause, caller.organisation, actor.person
    )
    await rows.add(work, outage, work.at)
    body = {
        "started_at": format_instant(stated.since),
        "ended_at": None if stated.until is None else format_instant(stated.until),
        "unit": stated.scope,
        "cause": stated.cause,
    }
    await rows.enter(work, outage.id, "stated", client=actor.client, person=actor.person, body=body)
    return await _locked(work, outage.id)


async def end_outage(work: Work, caller: Caller, outage_id: UUID, until: datetime, ended_by: str | None) -> Any:  # a row
    """State when an outage ended; only then can it be confirmed.

    Raises:
        NotFound: It is unknown, or another organisation's.
        HttpProblem: 403, it is of units that are not the caller's.
        Refused: 409, it has ended already.
        Malformed: The end lies in the future, or before the beginning.
    """
    outage = await _locked(work, outage_id)
    require(caller, Action.END_OUTAGE, Which(owner=outage.organisation, unit=outage.scope or None))
    if outage.until is not None:
        raise Refused("outage.ended")
    _check_times(outage.since, until, work.at)
    await rows.end(work, outage_id, until)
    body = {"ended_at": format_instant(until)}
    await rows.enter(work, outage_id, "ended", client=caller.client_id, person=ended_by or caller.client_id, body=body)
    return await _locked(work, outage_id)


async def confirm_outage(work: Work, caller: Caller, outage_id: UUID, person: str) -> Any:  # a row
    """A named person of the region confirms an outage: from now on what was given on paper during it counts from when it was.

    Raises:
        NotFound: It is unknown, or the caller is no one of the region.
        Refused: 409, it counts already, it still lasts, or the person is one of those who stated it.

    Source:
        Lag (2017:612) 2 kap. 1 §, 3 kap. 1 §; that two persons take part is our default.
    """
    require(caller, Action.CONFIRM_OUTAGE, Which())
    await work.become(Role.INTAKE)  # it concerns whatever cases there are
    await rows.about_to_change(work)
    outage = await _locked(work, outage_id)
    if outage.origin == "recorded" or outage.confirmed_at is not None:
        raise Refused("outage.confirmed")
    if outage.until is None:
        raise Refused("outage.lasts")
    actor = Actor(caller.client_id, person)
    if any(actor.is_same_person_as(Actor(said.client, said.person)) for said in await rows.entries(work, outage_id)):
        raise Refused("outage.same_person")
    await rows.confirm(work, outage_id, person)
    await rows.enter(work, outage_id, "confirmed", client=caller.client_id, person=person, body={})
    await _have_judged(work, outage.since, outage.until, outage.scope)
    return await _locked(work, outage_id)


async def list_outages(work: Work, caller: Caller, *, before: UUID | None, limit: int) -> Any:  # rows
    """The outages that the caller may see: those of the whole service and its own organisation's; of those who pay or decide, all."""
    every = caller.municipality is not None or (caller.of_region and caller.may("reviews:decide"))
    return await rows.seen(work, organisation=caller.organisation, every=every, before=before, limit=limit)


async def judge_paper_times(work: Work, claimed: Claim) -> bool:
    """Fold a case anew whose paper times may count differently now, and tell whoever must know; whether something changed.

    Raises:
        LeaseLost: Somebody else has taken the case over since.
    """
    case_id = claimed.subject
    await cases.lock(work, case_id)
    before = await rows.view_of_case(work, case_id)
    folded = await fold_cases(work, [case_id])
    case = folded[case_id]
    changed = before is not None and view_of(case.state) != before
    if changed:
        case.version += 1
        line = lines.HistoryRow(case.case_id, case.version, work.at, ITSELF, JUDGED, None, msgspec.json.encode({}).decode())
        await write_folded(work, list(folded.values()), [line])
    await due.done(work, claimed)
    return changed


async def _have_judged(work: Work, since: datetime, until: datetime, scope: str) -> None:
    """Make the cases due that have paper times an outage may explain. Whoever reads outages waits until this has been committed."""
    concerned = await rows.concerned(work, since=since, until=until, scope=scope)
    await due.schedule(work, PAPER_TIMES, [(case_id, case_id) for case_id in concerned])


async def _locked(work: Work, outage_id: UUID) -> Any:  # a row
    found = await rows.locked(work, outage_id)
    if found is None:
        raise NotFound
    return found


def _check_times(since: datetime, until: datetime | None, at: datetime) -> None:
    wrong = [FieldError(f"/{name}", "in_future") for name, time in (("started_at", since), ("ended_at", until)) if time and time > at]
    if until is not None and until <= since:
        wrong.append(FieldError("/ended_at", "out_of_order"))
    if wrong:
        raise Malformed("outage.times_invalid", errors=tuple(wrong))
