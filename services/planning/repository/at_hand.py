"""Cases, and plans without a stay, as duties are derived from them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.planning.domain.case import CaseStatus
from services.planning.domain.deviations import DeviationStatus
from services.planning.domain.duties import CaseAtHand, OpenDeviation, OpenNotice, OpenQuestion, PartyAt
from services.planning.domain.party_status import PartyStatus
from services.planning.domain.plan_duties import Called, MeetingKnown, PlanOpened, UnitAt
from services.planning.domain.plans import PlanKind
from services.planning.repository import worklist as rows
from services.planning.repository.worklist import Read
from shared.dates import local_date
from shared.db import Work

_ByCase = Mapping[UUID, Sequence[Any]]


async def at_hand(work: Work, cases: Sequence[UUID], mailboxes: Sequence[UUID] | None = None) -> list[CaseAtHand]:
    """What duties are derived from, for many cases at once; notices of these mailboxes only, or of all."""
    if not cases:
        return []
    read = await rows.read(work, cases, mailboxes)
    notices, plans, asked = _by(read.notices, "case_id"), _plans(read), _by(read.asked, "case_id")
    parties = _by(read.parties, "case_id")
    found = {row.id: _case(row, parties.get(row.id, ())) for row in read.cases if row.state is not None}
    found |= {plan_id: {"id": plan_id} for plan_id, (plan, *_) in plans.items() if not plan.stay}
    return [
        CaseAtHand(
            **found[case_id],
            notices=tuple(OpenNotice(one.id, one.type, one.mailbox, one.unit, one.sent_at) for one in notices.get(case_id, ())),
            plans=tuple(plans.get(case_id, ())),
            questions=tuple(
                OpenQuestion(one.id, _at(one.unit, read), one.since) for one in asked.get(case_id, ()) if one.what == "question"
            ),
            deviations=tuple(
                OpenDeviation(one.id, DeviationStatus(one.state), _at(one.unit, read), one.since, one.due_at)
                for one in asked.get(case_id, ())
                if one.what == "deviation"
            ),
        )
        for case_id in sorted(found)
    ]


def _by(found: Sequence[Any], name: str) -> _ByCase:
    grouped: dict[UUID, list[Any]] = {}
    for row in found:
        grouped.setdefault(getattr(row, name), []).append(row)
    return grouped


def _at(unit: str, read: Read) -> UnitAt:
    return UnitAt(unit, read.boxes.get(unit))


def _case(row: Any, parties: Sequence[Any]) -> dict[str, Any]:  # rows
    """The members of a case that are its own."""
    told = row.told_on_paper or ()
    counted = {one["recipient"]: datetime.fromisoformat(one["notice_counts_from"]) for one in told if "notice_counts_from" in one}
    ready, discharged = _standing(row), _instant(row.discharged_at)
    if ready is not None and discharged is not None and local_date(ready) > local_date(discharged):
        ready = None  # no ready notice of this stay (domain rule 3.2)
    return {
        "id": row.id,
        "status": CaseStatus(row.state),
        "ward": row.ward,
        "admitted_at": _instant(row.admitted_at),
        "ready_notice_sent_at": ready,
        "compulsory": "none" if ready is None else row.compulsory,
        "discharged_at": discharged,
        "deceased": row.deceased_at is not None,
        "planned_discharge_date": _day(row.planned_discharge_date),
        "needs": frozenset(row.needs),
        "sip_required": bool(row.sip_required),
        "outpatient_unit": row.outpatient_unit,
        "has_care_contact": row.has_care_contact,
        "returned": row.returned,
        "parties": tuple(_party(one, counted.get(one.recipient, one.since)) for one in parties),
    }


def _standing(row: Any) -> datetime | None:  # a row
    """When the ready notice was sent that was not withdrawn; a discharge does not take it away."""
    stands = row.withdrawn_at is None and row.state in {CaseStatus.READY, CaseStatus.DISCHARGED}
    return _instant(row.ready_sent_at) if stands else None


def _party(row: Any, counts_from: datetime) -> PartyAt:  # a row
    return PartyAt(
        row.mailbox,
        row.unit,
        row.recipient,
        min(row.since, counts_from),
        acknowledged=row.acknowledged,
        status=None if row.status is None else PartyStatus(row.status),
        ready_from=row.ready_from,
    )


def _plans(read: Read) -> dict[UUID, list[PlanOpened]]:
    """The plans by their case, or by themselves where there is no stay."""
    called, found = _by(read.called, "plan_id"), dict[UUID, list[PlanOpened]]()
    for row in read.plans:
        plan = PlanOpened(
            row.id,
            row.state,
            called=frozenset(row.called),
            lead=_at(row.unit, read),
            opened_at=row.created_at,
            kind=PlanKind(row.kind),
            stay=row.stay,
            unanswered=tuple(
                Called(one.invitation, _at(one.unit, read), one.sent_at, _instant(one.meets_at)) for one in called.get(row.id, ())
            ),
            meeting=None if row.meeting is None else MeetingKnown(row.said_at, _instant(row.meeting_at), held=row.meeting == "held"),
            responsible=None if row.main_unit is None else _at(row.main_unit, read),
            agreed_at=row.agreed_at,
            follow_up_on=_day(row.follow_up_on),
        )
        found.setdefault(row.case_id, []).append(plan)
    return found


def _instant(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def _day(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)
