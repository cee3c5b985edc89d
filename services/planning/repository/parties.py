"""What the parties of a case have told: planning status, permanent care contact, what the patient declined."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from services.planning.domain.party_status import Missing, PartyStatus, PlanningStatus
from shared.db import Work

_RECIPIENT: Final = text(
    """
    SELECT m.recipient, m.organisation FROM cases c JOIN mailboxes m ON m.unit = :unit AND jsonb_exists(c.parties, m.recipient)
    WHERE c.id = :case ORDER BY m.recipient LIMIT 1
    """
)
_STATUS: Final = text(
    "SELECT status, ready_from, needs, recipient, stated_at FROM planning_statuses WHERE case_id = :case AND unit = :unit"
)
_PUT_STATUS: Final = text(
    """
    INSERT INTO planning_statuses (case_id, unit, recipient, status, ready_from, needs, stated_at, answered_at, client)
    VALUES (:case, :unit, :recipient, :status, :ready_from, CAST(:needs AS jsonb), :at, :answered_at, :client)
    ON CONFLICT (case_id, unit) DO UPDATE SET status = excluded.status, ready_from = excluded.ready_from, needs = excluded.needs,
        stated_at = excluded.stated_at, answered_at = coalesce(planning_statuses.answered_at, excluded.answered_at),
        client = excluded.client
    """
)
_STATUSES: Final = text(
    """
    SELECT s.unit, s.recipient, s.status, s.ready_from, s.needs, s.stated_at FROM planning_statuses s JOIN cases c ON c.id = s.case_id
    WHERE s.case_id = :case AND jsonb_exists(c.parties, s.recipient) ORDER BY s.unit
    """
)
# The contact counts at the unit that is concerned now: one that the case was re-routed from has none any more.
_CONTACT: Final = text(
    """
    SELECT t.unit, t.name, t.role, t.phone, t.appointed_at, t.changed_at
    FROM care_contacts t JOIN cases c ON c.id = t.case_id AND c.outpatient_unit = t.unit WHERE t.case_id = :case
    """
)
_PUT_CONTACT: Final = text(
    """
    INSERT INTO care_contacts (case_id, unit, name, role, phone, appointed_at, changed_at, client)
    VALUES (:case, :unit, :name, :role, :phone, :at, :at, :client)
    ON CONFLICT (case_id) DO UPDATE SET unit = excluded.unit, name = excluded.name, role = excluded.role, phone = excluded.phone,
        appointed_at = CASE WHEN care_contacts.unit = excluded.unit THEN care_contacts.appointed_at ELSE excluded.appointed_at END,
        changed_at = excluded.changed_at, client = excluded.client
    """
)
_TOLD: Final = text(
    """
    SELECT DISTINCT mailbox FROM notices
    WHERE case_id = :case AND type = 'notice.admission' AND state IN ('sent', 'delivered', 'acknowledged') ORDER BY mailbox
    """
)
_DECLINE: Final = text(
    """
    INSERT INTO declined_measures (id, case_id, unit, measures, declined_at, recorded_at, recorded_by, client)
    VALUES (:id, :case, :unit, CAST(:measures AS jsonb), :declined_at, :at, :by, :client)
    """
)
_DECLINED: Final = text(
    """
    SELECT d.id, d.unit, d.measures, d.declined_at, d.recorded_at, d.recorded_by FROM declined_measures d
    WHERE d.case_id = :case AND NOT EXISTS (
        SELECT FROM cases c JOIN cases m ON m.id = c.id OR m.joined_to = c.joined_to
        JOIN events e ON e.space = m.space AND e.subject = m.subject
        WHERE c.id = d.case_id AND e.source = 'urn:hsa:' || d.unit
              AND CAST(e.body AS jsonb) @> jsonb_build_object(
                      'type', 'stay.event_cancelled', 'data', jsonb_build_object('event', CAST(d.id AS text))))
    ORDER BY d.recorded_at, d.id
    """
)


@dataclass(frozen=True, slots=True)
class CareContact:
    """Who is the patient's permanent care contact (fast vårdkontakt), at which unit."""

    unit: str
    name: str
    role: str | None
    phone: str | None


async def recipient_at(work: Work, case_id: UUID, unit: str) -> Any | None:  # a row
    """As which party of a case a unit is addressed, and who owns it; none when it is no party."""
    return (await work.connection.execute(_RECIPIENT, {"case": case_id, "unit": unit})).one_or_none()


@dataclass(frozen=True, slots=True)
class ToldBefore:
    """What a unit told last, as which party, and when."""

    status: PlanningStatus
    recipient: str
    stated_at: datetime


async def told_before(work: Work, case_id: UUID, unit: str) -> ToldBefore | None:
    """What a unit has told last."""
    found = (await work.connection.execute(_STATUS, {"case": case_id, "unit": unit})).one_or_none()
    if found is None:
        return None
    status = PlanningStatus(PartyStatus(found.status), found.ready_from, tuple(Missing(one) for one in found.needs))
    return ToldBefore(status, found.recipient, found.stated_at)


async def put_status(work: Work, case_id: UUID, unit: str, recipient: str, told: PlanningStatus, *, answered: bool, client: str) -> None:
    """Keep what a unit told; when it first answered the ward is kept for ever."""
    await work.connection.execute(
        _PUT_STATUS,
        {
            "case": case_id,
            "unit": unit,
            "recipient": recipient,
            "status": told.status.value,
            "ready_from": told.ready_from,
            "needs": msgspec.json.encode([one.value for one in told.needs]).decode(),
            "at": work.at,
            "answered_at": work.at if answered else None,
            "client": client,
        },
    )


async def statuses(work: Work, case_id: UUID) -> Sequence[Any]:
    """What each unit of those who are parties now has told; what one that has left told is not for its successor."""
    return (await work.connection.execute(_STATUSES, {"case": case_id})).all()


async def care_contact(work: Work, case_id: UUID) -> Any | None:  # a row
    """The permanent care contact as last set by the outpatient unit that is concerned now."""
    return (await work.connection.execute(_CONTACT, {"case": case_id})).one_or_none()


async def put_care_contact(work: Work, case_id: UUID, contact: CareContact, *, client: str) -> None:
    """Appoint or replace the care contact; when the first one of the unit was appointed is kept."""
    await work.connection.execute(
        _PUT_CONTACT,
        {
            "case": case_id,
            "unit": contact.unit,
            "name": contact.name,
            "role": contact.role,
            "phone": contact.phone,
            "at": work.at,
            "client": client,
        },
    )


async def told_of_admission(work: Work, case_id: UUID) -> list[UUID]:
    """The mailboxes in which the admission notice (N1) of a case stands."""
    return list((await work.connection.execute(_TOLD, {"case": case_id})).scalars())


@dataclass(frozen=True, slots=True)
class DeclinedRow:
    """What the patient declined: which measures, when, to whom of which unit."""

    id: UUID
    case_id: UUID
    unit: str
    measures: Sequence[str]
    declined_at: datetime
    recorded_by: str


async def decline(work: Work, row: DeclinedRow, *, client: str) -> None:
    """Keep what the patient declined; nothing that was told is changed."""
    await work.connection.execute(
        _DECLINE,
        {
            "id": row.id,
            "case": row.case_id,
            "unit": row.unit,
            "measures": msgspec.json.encode(list(row.measures)).decode(),
            "declined_at": row.declined_at,
            "at": work.at,
            "by": row.recorded_by,
            "client": client,
        },
    )


async def declined(work: Work, case_id: UUID) -> Sequence[Any]:
    """What the patient declined, in the order it was told."""
    return (await work.connection.execute(_DECLINED, {"case": case_id})).all()
