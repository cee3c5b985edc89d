"""The one way in which planning notes that somebody read of patients: in the transaction that reads, or the reading does not happen."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import structlog

from services.planning.domain.reviewing import covers_organisation
from services.planning.repository import accesses as rows
from shared.dates import format_instant
from shared.db import Work
from shared.events.access_facts import AccessLogged
from shared.http.auth import Caller
from shared.http.policies import REGION_OFFICES
from shared.http.problems import HttpProblem
from shared.streams import access_log
from shared.streams.consumer import Delivered

BILLING: Final = "billing"
_log = structlog.get_logger(__name__)


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


async def keep_accesses(work: Work, delivered: Sequence[Delivered]) -> None:
    """Put what was read in another service into the log that is reviewed here, with the patients by pseudonym; each entry once."""
    facts = [one.fact for one in delivered if isinstance(one.fact, AccessLogged)]
    known = set(await rows.told_before(work, [fact.access_id for fact in facts]))
    patients = await rows.pseudonyms_of_each(work, {case for fact in facts for case in fact.cases})
    entries = []
    for fact in facts:
        if fact.access_id in known:  # a stream that begins anew, after a backup, tells again what it told
            continue
        known.add(fact.access_id)
        told = {
            "service": BILLING,
            "at": format_instant(fact.at),
            "client": fact.client,
            "organisation": fact.organisation,
            "role": fact.role,
            "action": fact.action,
            "cases": [str(case) for case in fact.cases],
            "patients": sorted({patient for case in fact.cases for patient in patients.get(case, ())}),
            "unit": fact.unit,
            "units": list(fact.units),
            "user": fact.user,
            "request_id": fact.request_id,
        }
        entries.append(access_log.Recorded(fact.access_id, told))
    await access_log.keep(work, entries)


def require_whole_organisation(caller: Caller) -> None:
    """Go on only for one who answers for its organisation as a whole: by its units, or as an office of the region.

    Raises:
        HttpProblem: 403, the caller is a part of its organisation, a ward or a care centre.
    """
    office = caller.of_region and caller.role in REGION_OFFICES
    if not office and not covers_organisation(caller.organisation, caller.unit_prefixes):
        _log.info("access.refused", action="whole_organisation", reason="a part of its organisation", client=caller.client_id)
        raise HttpProblem("access.denied")


def unit_in(caller: Caller, case: Any) -> str | None:  # a row of `cases.visible`
    """For which unit of a case a caller acts: its ward, its outpatient unit, or a team there that a unit of the caller's is a member of."""
    return one_of(caller, case.ward, case.outpatient_unit) or (case.outpatient_unit if case.through_team else None)


def one_of(caller: Caller, *units: str | None) -> str | None:
    """The unit that a caller acts for among some; none where that is none of them, or where the request does not say which of several."""
    own = {unit for unit in units if unit is not None and caller.acts_for(unit)}
    return own.pop() if len(own) == 1 else None
