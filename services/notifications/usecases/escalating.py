"""Escalations: what planning says that nobody did, and what our own deliveries show, becomes an entry, e-mails and an operator event."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.notifications.domain import letters
from services.notifications.domain.escalating import STEPS, Called, Contact, Kind, Matter, Step, is_about, matters, needs_every, to_write_to
from services.notifications.domain.matching import readers
from services.notifications.repository import escalations as rows
from services.notifications.repository import mails, push
from services.notifications.usecases.pushing import UNACKNOWLEDGED
from shared.dates import format_instant
from shared.db import Work
from shared.events.alarm_facts import MailboxSilent, NoticeEscalated
from shared.events.facts import MailboxPolled
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams.consumer import Delivered

_log = structlog.get_logger(__name__)
OPERATOR_EVENTS: Final = Counter("dirigent_operator_events", "What the operator must look at", ["what"])
MAILS_KEPT: Final = timedelta(days=90)
SILENT: Final[Kind] = "mailbox.silent"
_Facts = Sequence[tuple[str, str, str]]


async def hear_escalations(work: Work, delivered: Sequence[Delivered]) -> None:
    """Nobody has taken notices on: write to the contacts, and in the last step tell the operator."""
    for fact in (one.fact for one in delivered):
        if not isinstance(fact, NoticeEscalated):
            continue
        reading = readers(fact.organisation, fact.unit, fact.members)
        # Whoever takes over outside the hours of a mailbox is of the same organisation.
        called = Called(fact.told, readers(fact.organisation, fact.told_unit, fact.told_members)) if fact.told and fact.told_unit else None
        reached = fact.fetched or await push.was_pushed(work, fact.notice_id)
        facts = (
            ("Enhet", "Unit", fact.unit),
            ("Brevlåda", "Mailbox", fact.mailbox),
            ("Meddelande", "Notice", str(fact.notice_id)),
            ("Typ", "Type", fact.notice_type),
            ("Skulle ha kvitterats senast", "To be acknowledged by", format_instant(fact.due_at)),
            ("Har nått ett system", "Has reached a system", "ja / yes" if reached else "nej / no"),
        )
        values = {
            "kind": UNACKNOWLEDGED,
            "subject": fact.notice_id,
            "notice_type": fact.notice_type,
            "delivered": reached,
            "since": fact.sent_at,
        }
        about = matters(UNACKNOWLEDGED, fact.mailbox, fact.step, reading, called)
        raised = [await _raise(work, matter, values, facts) for matter in about]
        if any(raised) and fact.step == "operator":
            _tell_operator("notice.escalated_to_operator", notice=str(fact.notice_id), mailbox=fact.mailbox, unit=fact.unit)


async def hear_silences(work: Work, delivered: Sequence[Delivered]) -> None:
    """Nobody reads mailboxes: write to the contacts and tell the operator, once for each silence."""
    for fact in (one.fact for one in delivered):
        if not isinstance(fact, MailboxSilent):
            continue
        facts = (
            ("Enhet", "Unit", fact.unit),
            ("Brevlåda", "Mailbox", fact.mailbox),
            ("Inte läst sedan", "Not read since", format_instant(fact.since)),
            ("Meddelanden som väntar", "Notices waiting", str(fact.waiting)),
        )
        values = {
            "kind": SILENT,
            "subject": UUID(fact.mailbox),
            "notice_type": None,
            "delivered": False,
            "since": fact.since,
        }
        about = matters(SILENT, fact.mailbox, "contact", readers(fact.organisation, fact.unit, fact.members), None)
        if any([await _raise(work, matter, values, facts) for matter in about]):
            _tell_operator("mailbox.silent", mailbox=fact.mailbox, unit=fact.unit, waiting=fact.waiting)


async def hear_polls(work: Work, delivered: Sequence[Delivered]) -> None:
    """Mailboxes were read: their silence is over."""
    read = [UUID(one.fact.mailbox) for one in delivered if isinstance(one.fact, MailboxPolled)]
    await rows.close(work, [SILENT], read, "polled")


async def watch_webhooks(work: Work) -> int:
    """Open an escalation for each webhook that was given up or ended by its receiver, and close those that are well again; how many opened.

    The operator has heard of it when it happened.
    """
    in_trouble = await rows.webhooks_in_trouble(work)
    known = await rows.open_webhooks(work)
    now = {(row.kind, row.id) for row in in_trouble}
    for kind, subject in known - now:
        await rows.close(work, [kind], [subject], "mended")
    opened = 0
    for row in in_trouble:
        if (row.kind, row.id) in known:
            continue
        facts = (("Prenumeration", "Subscription", str(row.id)), ("Sedan", "Since", format_instant(row.since)))
        values = {"kind": row.kind, "subject": row.id, "notice_type": None, "delivered": False, "since": row.since}
        (matter,) = matters(row.kind, None, "contact", {row.organisation: tuple(row.unit_prefixes)}, None)
        opened += await _raise(work, matter, values, facts)
    return opened


async def forget_mails(work: Work) -> int:
    """Delete what was written so long ago that nobody asks for it any more; how many mails that were."""
    return await mails.forget(work, work.at - MAILS_KEPT)


async def _raise(work: Work, matter: Matter, values: dict[str, Any], facts: _Facts) -> bool:
    """Open an escalation or raise it a step, and write to whoever hears of that; False when it had come so far already."""
    entry = {
        "id": uuid7(),
        "organisation": matter.organisation,
        "units": list(matter.units),
        "mailbox": matter.mailbox,
        "step": matter.step,
    }
    opened = await rows.open_or_raise(work, STEPS, entry | values)
    if opened is None:
        return False
    contacts = to_write_to(await rows.contacts_of(work, matter.organisation), matter)
    await mails.add(work, [_mail(opened, values["kind"], matter.step, contact, facts) for contact in contacts])
    return True


def _mail(escalation: UUID, kind: str, step: Step, contact: Contact, facts: _Facts) -> dict[str, Any]:
    written = letters.escalation(kind, step=step, facts=facts, language=contact.language)
    return {
        "id": uuid7(),
        "source": f"escalation/{escalation}/{step}",
        "recipient": contact.email,
        "language": contact.language,
        "subject": written.subject,
        "body": written.text,
    }


def _tell_operator(event: str, **about: object) -> None:
    OPERATOR_EVENTS.labels(event).inc()
    _log.error(event, **about)


def _concerns(caller: Caller, row: Any) -> bool:  # a row
    return is_about(caller.organisation, caller.unit_prefixes, row.organisation, row.units, every=needs_every(row.kind))


async def list_escalations(work: Work, caller: Caller, *, after: UUID, limit: int) -> tuple[list[Any], UUID | None]:
    """What is open in the caller's units, oldest first, and after which id there may be more."""
    found = await rows.open_of(work, caller.organisation, after=after, limit=limit)
    own = [row for row in found if _concerns(caller, row)]
    return own, found[-1].id if len(found) == limit else None
