"""Reviewing who read what: an organisation reviews its own people, and whoever read of the cases that it provided the care of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.planning.repository import accesses as rows
from services.planning.repository import persons
from services.planning.usecases.accesses import require_whole_organisation
from services.planning.vault import person_vault
from shared.db import Role, Work
from shared.http.auth import Caller
from shared.streams import access_log

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Sought:
    """Which accesses to show, by what they say; none means any."""

    case_id: UUID | None = None
    client: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """One access as it stands in the log: its number, the running hash up to it, and what it says."""

    number: int
    hash: bytes
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accesses:
    """Some accesses, and behind which number to go on; none: there are no more."""

    found: Sequence[Access]
    next: int | None


async def list_accesses(work: Work, caller: Caller, sought: Sought, *, after: int, limit: int, request_id: str) -> Accesses:
    """Accesses by number; that they were looked at is an access too.

    Raises:
        HttpProblem: 403, the caller speaks for a part of its organisation only.

    Source:
        Patientdatalagen (2008:355) 4 kap. 3 §; HSLF-FS (2016:40) 4 kap. 9-10 §§: logs are reviewed, systematically and again and again.
    """
    require_whole_organisation(caller)
    about = [] if sought.case_id is None else [sought.case_id]
    await work.become(Role.AUDITOR)
    found = await _page(work, caller, _wanted(sought, about), after=after, limit=limit)
    await work.become(Role.INTAKE)
    await access_log.record(work, caller, "audit.read", about, request_id=request_id, even_of_none=True)
    return found


async def accesses_of_person(  # noqa: PLR0913  # whose, which of them, and where to go on
    work: Work, caller: Caller, kind: str, number: str, sought: Sought, *, after: int, limit: int, request_id: str
) -> Accesses:
    """Accesses to what is known of one person, by number; also of cases that name her no more.

    Raises:
        HttpProblem: 403, the caller speaks for a part of its organisation only.
    """
    require_whole_organisation(caller)
    await work.become(Role.AUDITOR)
    kept = await persons.kept_of(work, caller.organisation, kind, number)
    pseudonym, about = person_vault().stands_for(kind, number), [*kept.case_ids, *kept.plan_ids]
    found = await _page(work, caller, _wanted(sought, about, pseudonym), after=after, limit=limit)
    await work.become(Role.INTAKE)
    await access_log.record(work, caller, "audit.search", about, request_id=request_id, patients=[pseudonym], even_of_none=True)
    return found


async def accesses_not_found(work: Work) -> list[str]:
    """Every access (some, where there are many) that whoever reviews would miss, because the index lacks what its entry says."""
    return [f"access {position}: whoever reviews the log does not find it" for position in await rows.not_found(work, AT_ONCE)]


def _wanted(sought: Sought, cases: Sequence[UUID], patient: str | None = None) -> rows.Wanted:
    return rows.Wanted(cases, patient, sought.client, sought.user, sought.since, sought.until)


async def _page(work: Work, caller: Caller, wanted: rows.Wanted, *, after: int, limit: int) -> Accesses:
    found = await rows.page(work, caller.organisation, wanted, after=after, limit=limit)
    entries = [(row, rows.told(row.body)) for row in found.rows]
    others = [told for _, told in entries if told["organisation"] != caller.organisation]
    own = await rows.provided(work, caller.organisation, {case for told in others for case in told["cases"]})
    return Accesses([Access(row.position, row.hash, _as_reviewed(told, caller.organisation, own)) for row, told in entries], found.next)


def _as_reviewed(told: dict[str, Any], organisation: str, own: Mapping[str, str | None]) -> Mapping[str, Any]:
    """An access as an organisation may review it: of what others read in one go only what it provided the care of itself."""
    concerned = [case for case in told["cases"] if case in own]
    if told["organisation"] == organisation or concerned == told["cases"]:
        return told
    patients = {own[case] for case in concerned}
    return told | {"cases": concerned, "patients": [patient for patient in told.get("patients", ()) if patient in patients]}
