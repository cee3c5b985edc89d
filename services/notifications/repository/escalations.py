"""What escalates, and whom to write to."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text

from services.notifications.domain.escalating import Contact
from services.notifications.tables import contacts, escalations
from shared.db import Work

# A later step is kept, an earlier one changes nothing: facts come in order, but a restored backup may tell one again.
_OPEN: Final = text(
    """
    INSERT INTO escalations (id, kind, subject, organisation, units, mailbox, notice_type, step, delivered, since, opened_at, changed_at)
    VALUES (:id, :kind, :subject, :organisation, CAST(:units AS text[]), :mailbox, :notice_type, :step, :delivered, :since, :at, :at)
    ON CONFLICT (kind, subject, organisation) WHERE closed_at IS NULL
    DO UPDATE SET step = excluded.step, delivered = excluded.delivered, changed_at = excluded.changed_at
    WHERE array_position(CAST(:steps AS text[]), escalations.step) < array_position(CAST(:steps AS text[]), excluded.step)
    RETURNING id
    """
)
_CLOSE: Final = text(
    """
    UPDATE escalations SET closed_at = :at, changed_at = :at, closed_by = :by
    WHERE kind = ANY(CAST(:kinds AS text[])) AND subject = ANY(CAST(:subjects AS uuid[])) AND closed_at IS NULL
    """
)
# Subscriptions with messages that were given up, or that their receiver ended, and those of which that is no longer so.
_WEBHOOKS_IN_TROUBLE: Final = text(
    """
    SELECT s.id, s.organisation, s.unit_prefixes, s.changed_at AS since, 'webhook.disabled' AS kind
    FROM subscriptions s WHERE s.state = 'disabled'
    UNION ALL
    SELECT s.id, s.organisation, s.unit_prefixes, g.since, 'webhook.exhausted'
    FROM (SELECT d.subscription_id, min(d.changed_at) AS since FROM deliveries d WHERE d.state = 'exhausted' GROUP BY 1) AS g
    JOIN subscriptions s ON s.id = g.subscription_id WHERE s.state = 'active'
    """
)
_OPEN_WEBHOOKS: Final = text("SELECT kind, subject FROM escalations WHERE closed_at IS NULL AND kind LIKE 'webhook.%'")


async def open_or_raise(work: Work, steps: Sequence[str], values: dict[str, Any]) -> UUID | None:
    """Open an escalation, or raise an open one to a later step; its id, or None when it had come that far already."""
    found: UUID | None = (await work.connection.execute(_OPEN, {**values, "steps": list(steps), "at": work.at})).scalar_one_or_none()
    return found


async def close(work: Work, kinds: Collection[str], subjects: Collection[UUID], by: str) -> None:
    """Close what is open of these."""
    if subjects:
        await work.connection.execute(_CLOSE, {"kinds": list(kinds), "subjects": list(subjects), "by": by, "at": work.at})


async def open_of(work: Work, organisation: str, *, after: UUID, limit: int) -> Sequence[Any]:
    """The open escalations of an organisation, oldest first."""
    wanted = (
        sa.select(escalations)
        .where(escalations.c.organisation == organisation, escalations.c.closed_at.is_(None), escalations.c.id > after)
        .order_by(escalations.c.id)
        .limit(limit)
    )
    return (await work.connection.execute(wanted)).all()


async def webhooks_in_trouble(work: Work) -> Sequence[Any]:
    """Subscriptions that are disabled, or have messages that were given up: rows of id, organisation, unit_prefixes, since, kind."""
    return (await work.connection.execute(_WEBHOOKS_IN_TROUBLE)).all()


async def open_webhooks(work: Work) -> set[tuple[str, UUID]]:
    """Kind and subscription of every open escalation of a webhook."""
    return {(row.kind, row.subject) for row in await work.connection.execute(_OPEN_WEBHOOKS)}


async def contacts_of(work: Work, organisation: str) -> list[Contact]:
    """Everybody of an organisation to write to, in their order."""
    wanted = sa.select(contacts).where(contacts.c.organisation == organisation).order_by(contacts.c.place, contacts.c.id)
    return [
        Contact(row.organisation, tuple(row.unit_prefixes), row.mailbox, row.email, row.from_step, row.language)
        for row in await work.connection.execute(wanted)
    ]


async def replace_contacts(work: Work, organisation: str, unit_prefixes: Sequence[str], new: Sequence[dict[str, Any]]) -> None:
    """Put a list of contacts in the place of the one that the same units had."""
    await work.connection.execute(
        sa.delete(contacts).where(contacts.c.organisation == organisation, contacts.c.unit_prefixes == list(unit_prefixes))
    )
    if new:
        await work.connection.execute(sa.insert(contacts), list(new))
