"""The printed information that a patient gets when she leaves the ward (N7)."""

from datetime import date, datetime
from html import escape
from typing import Any, Final
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.patient_information import ContactKnown, PatientInformation, PlanKnown, patient_information
from services.planning.domain.plans import PlanKind, PlanStatus
from services.planning.repository import parties
from services.planning.repository import patient_information as rows
from services.planning.usecases import accesses
from services.planning.usecases.authorising import callers_case, require_step
from shared.dates import parse_instant, stockholm
from shared.db import Work
from shared.errors import NotFound
from shared.http.auth import Caller

_NEEDS: Final = {"municipal_social": "socialtjänsten", "municipal_health": "kommunens hälso- och sjukvård", "outpatient": "vårdcentralen"}
_STYLE: Final = "@page{size:A4;margin:20mm}body{font:12pt sans-serif}h2{font-size:13pt}.write{border:1px solid #000;height:70mm}"


async def information_for_patient(work: Work, caller: Caller, case_id: UUID, *, request_id: str) -> str:
    """The information as a page to print and hand over. The summary of the care is left open: that stands in the ward's records.

    A person whose identity is protected is not named on it.

    Raises:
        NotFound: Unknown, or not the caller's.
        HttpProblem: 403, it is the ward that informs the patient.

    Source:
        Lag (2017:612) 3 kap. 3 §.
    """
    case = await callers_case(work, caller, case_id, Action.INFORM_PATIENT)
    if case.version == 0:
        raise NotFound
    require_step(caller, Action.INFORM_PATIENT, case)
    await accesses.note(work, caller, "case.patient_information", [case.id], request_id=request_id, unit=accesses.unit_in(caller, case))
    declined = [measure for row in await parties.declined(work, case.id) for measure in row.measures]
    plans = [_plan(row) for row in await rows.plans_of(work, case.id)]
    return _page(_name(case.person), patient_information(case.view["needs"], declined, await _contact(work, case.id), plans, work.at))


async def _contact(work: Work, case_id: UUID) -> ContactKnown | None:
    found = await parties.care_contact(work, case_id)
    return None if found is None else ContactKnown(found.name, found.role, found.phone, await rows.name_of(work, found.unit))


def _plan(row: Any) -> PlanKnown:
    meeting = row.meeting or {}
    at = parse_instant(meeting["at"]) if meeting else None
    return PlanKnown(
        goes_on=row.state != PlanStatus.CLOSED,
        consented=row.kind == PlanKind.CARE_PLAN or row.consent == "given",
        meets_at=None if meeting.get("held") else at,
        held_at=at if meeting.get("held") else None,
        place=meeting.get("place"),
        by_video=bool(meeting.get("link")),
        main_responsibility=row.main_responsibility,
        follow_up_on=None if row.follow_up_on is None else date.fromisoformat(row.follow_up_on),
    )


def _name(person: Any) -> str:
    name = (person or {}).get("name")
    return "" if name is None else f"{name['given']} {name['family']}"


def _page(name: str, told: PatientInformation) -> str:
    parts = [
        ("Sammanfattning av vården", '<div class="write"></div><p>Fylls i av avdelningen.</p>'),
        ("Planerade insatser", _listed([_NEEDS[need] for need in told.intended]) or "<p>Inga insatser är planerade.</p>"),
        ("Fast vårdkontakt", _contact_shown(told.contact)),
        ("Samordnad individuell plan", _meeting_shown(told)),
        ("Planer för vård och omsorg", _listed([_plan_shown(plan) for plan in told.plans]) or "<p>Ingen plan finns ännu.</p>"),
    ]
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in parts)
    title = "Information till dig som skrivs ut"
    return (
        f'<!DOCTYPE html><html lang="sv"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1><p>{escape(name)}</p>{body}</body></html>"
    )


def _listed(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def _contact_shown(contact: ContactKnown | None) -> str:
    if contact is None:
        return "<p>Är inte utsedd ännu.</p>"
    return f"<p>{escape(', '.join(part for part in (contact.name, contact.role, contact.unit, contact.phone) if part))}</p>"


def _meeting_shown(told: PatientInformation) -> str:
    if told.meeting is not None and told.meeting.meets_at is not None:
        return f"<p>{_when_and_where(told.meeting, told.meeting.meets_at)}</p>"
    if told.held is not None and told.held.held_at is not None:
        return f"<p>Mötet hölls {_when_and_where(told.held, told.held.held_at)}</p>"
    return "<p>Ingen tid är bestämd ännu.</p>"


def _when_and_where(plan: PlanKnown, at: datetime) -> str:
    where = plan.place or ("på video" if plan.by_video else "")
    return f"{stockholm(at):%Y-%m-%d %H:%M} {escape(where)}".rstrip()


def _plan_shown(plan: PlanKnown) -> str:
    follow_up = "" if plan.follow_up_on is None else f", följs upp {plan.follow_up_on.isoformat()}"
    return f"Samordnad plan, huvudansvar: {plan.main_responsibility}{follow_up}"
