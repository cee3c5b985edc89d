"""What a case looks like to those who may read it: its state as plain JSON, without the person."""

from datetime import datetime
from typing import Any

from services.planning.domain.case import CaseState, PaperNotice
from services.planning.domain.events import BlockEnd, BlockStart, CaseEvent, Placement, Transfer, ward_of
from services.planning.domain.findings import EXPLANATIONS, Finding
from services.planning.domain.parties import Party
from shared.dates import format_instant

View = dict[str, Any]


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _ended(event: CaseEvent | None) -> str | None:
    return None if event is None else format_instant(event.time)


def view_of(state: CaseState) -> View:
    """The state of a case as `GET /v1/cases/{id}` shows it, without ids and person."""
    about = state.about
    planned = state.planned_discharge_date
    return {
        "state": state.status.value,
        "ward": state.ward,
        "care_type": about.care_type if about else None,
        "needs": sorted(about.needs) if about else [],
        "registered_municipality": about.registered_municipality if about else None,
        "outpatient_unit": about.outpatient_unit if about else None,
        "admitted_at": _instant(state.admission.time if state.admission else None),
        "planned_discharge_date": planned.isoformat() if planned else None,
        "ready": [
            {
                "ready_at": format_instant(period.ready_at),
                "notice_sent_at": format_instant(period.counts_from),
                "withdrawn_at": _instant(period.withdrawn_at),
                "compulsory": period.judgement.compulsory,
            }
            for period in state.ready
        ],
        "discharged_at": _instant(state.discharge.time if state.discharge else None),
        "deceased_at": _instant(state.death.time if state.death else None),
        "sip_required": state.sip_required,
        "sip_contested": state.sip_contested,
        "on_leave": bool(state.leaves) and state.leaves[-1].end is None and state.discharge is None and state.death is None,
        "transfers": [
            {"transferred_at": format_instant(event.time), "from_unit": ward_of(event.key.source), "to_unit": event.data.to_unit}
            for event in state.transfers
            if isinstance(event.data, Transfer)
        ],
        "leaves": [{"started_at": format_instant(leave.start.time), "ended_at": _ended(leave.end)} for leave in state.leaves],
        "outpatient_blocks": [
            {
                "started_at": format_instant(block.start.time),
                "ended_at": _ended(block.end),
                "kind": block.start.data.kind if isinstance(block.start.data, BlockStart) else None,
                "stated_by": ward_of(block.start.key.source),
                "contested": block.end is not None and isinstance(block.end.data, BlockEnd) and block.end.data.contested,
            }
            for block in state.blocks
        ],
        "placements": [
            {
                "municipality": event.data.municipality,
                "decision_date": event.data.decision_date.isoformat(),
                "stated_by": event.data.stated_by,
            }
            for event in state.placements
            if isinstance(event.data, Placement)
        ],
        "parties": [_party(party) for party in state.parties],
        "findings": [shown(finding) | {"event_id": finding.event.id} for finding in state.findings],
    } | ({"on_paper": [_on_paper(paper) for paper in state.on_paper]} if state.on_paper else {})


def _party(party: Party) -> dict[str, str]:
    """A party and since when; from when its admission notice counts where that is another time, because it was given on paper."""
    shown = {"recipient": str(party.recipient), "since": format_instant(party.since)}
    return shown if party.counts_from == party.since else shown | {"notice_counts_from": format_instant(party.counts_from)}


def _on_paper(paper: PaperNotice) -> dict[str, str]:
    """A notice that was given on paper as the ward states, both its times, and what that is worth."""
    event = paper.event
    assert event.paper is not None  # noqa: S101  # what makes it one
    return {
        "event_id": event.key.id,
        "type": event.type.value,
        "ward": ward_of(event.key.source),
        "given_on_paper_at": format_instant(event.paper.given_at),
        "sent_at": format_instant(event.sent_at),
        "mark": paper.mark,
    }


def shown(finding: Finding) -> dict[str, str]:
    """A finding in words; `about` names the party it concerns, where it concerns one."""
    return {"code": finding.code.value, "detail": EXPLANATIONS[finding.code]} | ({"about": finding.about} if finding.about else {})
