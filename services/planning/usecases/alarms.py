"""What somebody must hear of because nobody did it: notices that nobody takes on, and mailboxes that nobody reads.

Planning says what is the matter and whose it is; notifications knows whom to write to, and tells the operator.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.planning.domain.alarms import Escalation, EscalationStep
from services.planning.repository import alarms as rows
from services.planning.repository import directory
from services.planning.repository import reminders as taken_steps
from services.planning.usecases.duty import duty_calendar, reading_mailbox
from services.planning.usecases.mailing import Letter, Post
from shared.dates import format_instant
from shared.db import Work
from shared.events.alarm_facts import MailboxSilent, NoticeEscalated
from shared.streams.outbox import stage_facts, staged_fact

REMINDER = "notice.reminder"
ESCALATED = "escalated"


async def escalate(work: Work, about: UUID, case_id: UUID | None, case_version: int | None, taken: Sequence[Escalation]) -> None:
    """Take steps of one case, or plan without a stay, whose time has come: each is published, and kept as taken for ever.

    In the step of whoever is on call the notice is also brought to that mailbox, whatever the hour.
    """
    post = Post()
    kept = []
    notices = await rows.waiting(work, [one.notice for one in taken])
    for one in taken:
        notice = notices[one.notice]
        on_call = await _on_call(work, one) if one.step is EscalationStep.ON_CALL else None
        boxes = {box.id: box for box in await directory.by_id(work, [one.mailbox, *([on_call] if on_call else [])])}
        members = await directory.members_of(work, {box.unit for box in boxes.values()})
        own = boxes[one.mailbox]
        kept.append((one.duty.key, one.step.value, on_call or one.mailbox))
        fact = NoticeEscalated(
            notice_id=one.notice,
            notice_type=notice.type,
            case_id=case_id,
            mailbox=str(own.id),
            organisation=own.organisation,
            unit=own.unit,
            step=one.step.value,
            told=None if on_call is None else str(on_call),
            told_unit=None if on_call is None else boxes[on_call].unit,
            members=tuple(members.get(own.unit, ())),
            told_members=() if on_call is None else tuple(members.get(boxes[on_call].unit, ())),
            fetched=notice.delivered_at is not None,
            sent_at=notice.sent_at,
            due_at=one.by,
            escalated_at=work.at,
        )
        post.staged.append(staged_fact(fact, case_id))
        if on_call is not None:
            post.put(
                Letter(
                    mailbox=boxes[on_call],
                    type=REMINDER,
                    sender=None,
                    sent_at=work.at,
                    origin=f"{REMINDER}/{about}/{one.duty.key}/{one.step}",
                    case_id=case_id,
                    case_version=case_version,
                    legal_basis=one.duty.legal_basis,
                    about={
                        "rule": one.duty.rule.value,
                        "step": ESCALATED,
                        "unit": one.duty.unit,
                        "fulfilled_by": one.duty.fulfilled_by(case_id),
                        "due_at": format_instant(one.by),
                    },
                    party=own.recipient,
                )
            )
    await taken_steps.add(work, about, kept)
    await post.write(work)


async def _on_call(work: Work, one: Escalation) -> UUID | None:
    """Whoever takes over outside the hours of the mailbox, or in turn for that one now; None where nobody does."""
    calendar = await duty_calendar(work, one.mailbox)
    if calendar is None or calendar.outside is None:
        return None
    found = await reading_mailbox(work, calendar.outside, work.at)
    return None if found == one.mailbox else found


async def tell_of_silence(work: Work, after: timedelta) -> int:
    """Publish each mailbox that nobody has read for so long, once until it is read again; how many there were.

    One that was never read counts from its first live notice; one that was never read and has nothing to fetch is nobody's yet.
    """
    silent = await rows.newly_silent(work, work.at - after)
    members = await directory.members_of(work, {row.unit for row in silent})
    await stage_facts(
        work,
        [
            (
                MailboxSilent(
                    mailbox=str(row.id),
                    organisation=row.organisation,
                    unit=row.unit,
                    municipality=row.recipient.partition(":")[2] if row.recipient.startswith("municipality:") else None,
                    since=row.since,
                    waiting=row.waiting,
                    members=tuple(members.get(row.unit, ())),
                    told_at=work.at,
                ),
                None,
            )
            for row in silent
        ],
    )
    return len(silent)
