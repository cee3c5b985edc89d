"""Co-ordinated individual plans and their invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from services.planning.domain.plans import Invitation, Plan, PlanStatus
from shared.db import Work

_ADD: Final = text(
    """
    INSERT INTO plans (id, case_id, organisation, unit, state, consent, created_at, created_by)
    VALUES (:id, :case_id, :organisation, :unit, :state, :consent, :at, :by)
    """
)
_LOCK: Final = text("SELECT id FROM plans WHERE id = :id FOR UPDATE")
_READ: Final = text("SELECT id, case_id, organisation, unit, state, consent, created_at FROM plans WHERE id = :id")
_INVITATIONS: Final = text("SELECT id, sent_at, units, meeting FROM plan_invitations WHERE plan_id = :id ORDER BY recorded_at, id")
_MOVE: Final = text("UPDATE plans SET state = :state WHERE id = :id")
_INVITE: Final = text(
    """
    INSERT INTO plan_invitations (id, plan_id, sent_at, recorded_at, units, meeting, client)
    VALUES (:id, :plan_id, :sent_at, :at, CAST(:units AS jsonb), CAST(:meeting AS jsonb), :client)
    """
)
_MAILBOXES: Final = text(
    "SELECT id, recipient, organisation, unit, function FROM mailboxes WHERE unit = ANY(CAST(:units AS text[])) ORDER BY unit, function"
)


async def add(work: Work, plan: Plan, *, organisation: str, consent: str, client: str) -> None:
    """Write a new plan."""
    await work.connection.execute(
        _ADD,
        {
            "id": plan.id,
            "case_id": plan.case_id,
            "organisation": organisation,
            "unit": plan.care_centre,
            "state": plan.status.value,
            "consent": consent,
            "at": plan.opened_at,
            "by": client,
        },
    )


async def lock(work: Work, plan_id: UUID) -> None:
    """Lock one plan; the case of its stay, if any, is locked before."""
    await work.connection.execute(_LOCK, {"id": plan_id})


async def row(work: Work, plan_id: UUID) -> Any | None:  # a row
    """One plan as it is stored."""
    return (await work.connection.execute(_READ, {"id": plan_id})).one_or_none()


async def invitations(work: Work, plan_id: UUID) -> Sequence[Any]:
    """The invitations of a plan, oldest first."""
    return (await work.connection.execute(_INVITATIONS, {"id": plan_id})).all()


def plan_of(found: Any, invited: Sequence[Any]) -> Plan:  # rows
    """The plan as the domain knows it."""
    return Plan(
        id=found.id,
        care_centre=found.unit,
        opened_at=found.created_at,
        status=PlanStatus(found.state),
        case_id=found.case_id,
        invitations=tuple(Invitation(one.id, one.sent_at, found.unit) for one in invited),
    )


async def invite(
    work: Work, plan: Plan, invitation: Invitation, *, units: Sequence[str], meeting: dict[str, Any] | None, client: str, at: datetime
) -> None:
    """Add an invitation and move the plan along."""
    await work.connection.execute(_MOVE, {"id": plan.id, "state": plan.status.value})
    await work.connection.execute(
        _INVITE,
        {
            "id": invitation.id,
            "plan_id": plan.id,
            "sent_at": invitation.sent_at,
            "at": at,
            "units": msgspec.json.encode(list(units)).decode(),
            "meeting": None if meeting is None else msgspec.json.encode(meeting).decode(),
            "client": client,
        },
    )


async def mailboxes_at(work: Work, units: Sequence[str]) -> Sequence[Any]:
    """The mailboxes of these units."""
    return (await work.connection.execute(_MAILBOXES, {"units": list(units)})).all()
