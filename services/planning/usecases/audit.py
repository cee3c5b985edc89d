"""Reviewing who read what: an organisation reviews its own people, and whoever read of the cases that it provided the care of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.planning.repository import accesses as rows
from services.planning.repository import persons
from services.planning.vault import person_vault
from shared.db import Role, Work
from shared.http.auth import Caller
from shared.streams import access_log


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


async def list_accesses(work: Work, caller: Caller, sought: Sought, *, after: int, limit: int, request_id: str) -> list[Access]:
    """Accesses by number; that they were looked at is an access too.

    Source:
        Patientdatalagen (2008:355) 4 kap. 3 §; HSLF-FS (2016:40) 4 kap. 9-10 §§: logs are reviewed, systematically and again and again.
    """
    asked: dict[str, object] = {}
    if sought.case_id is not None:
        asked["cases"] = [str(sought.case_id)]
    if sought.client is not None:
        asked["client"] = sought.client
    if sought.user is not None:
        asked["user"] = sought.user
    await work.become(Role.AUDITOR)
    found = await _page(work, caller, [asked] if asked else [], sought, after=after, limit=limit)
    await work.become(Role.INTAKE)
    about = [] if sought.case_id is None else [sought.case_id]
    await access_log.record(work, caller, "audit.read", about, request_id=request_id, even_of_none=True)
    return found


async def accesses_of_person(  # noqa: PLR0913  # whose, which of them, and where to go on
    work: Work, caller: Caller, kind: str, number: str, sought: Sought, *, after: int, limit: int, request_id: str
) -> list[Access]:
    """Accesses to what is known of one person, by number; also of cases that name her no more."""
    await work.become(Role.AUDITOR)
    kept = await persons.kept_of(work, caller.organisation, kind, number)
    pseudonym, about = person_vault().stands_for(kind, number), [*kept.case_ids, *kept.plan_ids]
    ways = [{"patients": [pseudonym]}, *({"cases": [str(one)]} for one in about)]
    found = await _page(work, caller, ways, sought, after=after, limit=limit)
    await work.become(Role.INTAKE)
    await access_log.record(work, caller, "audit.search", about, request_id=request_id, patients=[pseudonym], even_of_none=True)
    return found


async def _page(
    work: Work, caller: Caller, ways: Sequence[Mapping[str, object]], sought: Sought, *, after: int, limit: int
) -> list[Access]:
    found = await rows.page(work, caller.organisation, ways, after=after, limit=limit, since=sought.since, until=sought.until)
    entries = [(row, rows.told(row.body)) for row in found]
    others = [told for _, told in entries if told["organisation"] != caller.organisation]
    own = await rows.provided(work, caller.organisation, {case for told in others for case in told["cases"]})
    return [Access(row.position, row.hash, _as_reviewed(told, caller.organisation, own)) for row, told in entries]


def _as_reviewed(told: dict[str, Any], organisation: str, own: Mapping[str, str | None]) -> Mapping[str, Any]:
    """An access as an organisation may review it: of what others read in one go only what it provided the care of itself."""
    concerned = [case for case in told["cases"] if case in own]
    if told["organisation"] == organisation or concerned == told["cases"]:
        return told
    patients = {own[case] for case in concerned}
    return told | {"cases": concerned, "patients": [patient for patient in told.get("patients", ()) if patient in patients]}
