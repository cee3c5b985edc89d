"""Deadlines: which case is looked at when, and who is reminded of what. Planning decides who is next; notifications only delivers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.planning.domain.alarms import escalations
from services.planning.domain.duties import open_duties
from services.planning.domain.reminders import Reminder, Step, reminders
from services.planning.repository import directory, notices
from services.planning.repository import reminders as rows
from services.planning.repository.at_hand import at_hand
from services.planning.repository.directory import Mailbox
from services.planning.repository.worklist import imported_until
from services.planning.statute import load_statute
from services.planning.usecases.alarms import REMINDER, escalate
from services.planning.usecases.duty import reading_mailbox
from services.planning.usecases.mailing import Letter, Post
from shared.dates import format_instant
from shared.db import Work
from shared.events.facts import DeviationChanged, DutyOverdue, StayChanged
from shared.streams import due
from shared.streams.due import Claim
from shared.streams.outbox import staged_fact

DEADLINES: Final = "deadline"
AT_A_TIME: Final = 100
"""Facts in one transaction: a worker that appoints deadlines numbers no notices meanwhile."""
_LONGEST_CHAIN: Final = 8
_MOVES_DUTIES: Final = (StayChanged.kind, DeviationChanged.kind)
"""Whatever is done in a case with an admission is told as the stay; a deviation may be reported of one without."""


async def watch_deadlines(work: Work) -> int:
    """Follow the own stream, and appoint when each changed case is looked at next; how many facts were seen."""
    seen, changed = await rows.changed_cases(work, _MOVES_DUTIES, AT_A_TIME)
    if not changed:
        return seen
    next_looks = await _next_looks(work, changed)
    await due.appoint(work, DEADLINES, [(case_id, case_id, at) for case_id, at in next_looks.items()])
    return seen


async def _next_looks(work: Work, changed: Sequence[UUID]) -> dict[UUID, datetime]:
    """When the first reminder of each case is to be taken; a case that reminds nobody is not here.

    Steps that were taken already are not left out: looking once too often does nothing, looking at what was sent would cost every case.
    """
    imported = await imported_until(work, changed)
    looks = {}
    for case in await at_hand(work, changed):
        steps = reminders(open_duties(case, load_statute(), work.at), load_statute(), imported_until=imported.get(case.id))
        if steps:
            looks[case.id] = min(step.at for step in steps)
    return looks


async def look_at_plan(work: Work, plan_id: UUID) -> None:
    """Let a plan without a stay, which no case's facts tell of, be looked at as soon as this transaction has ended."""
    await due.appoint(work, DEADLINES, [(plan_id, plan_id, work.at)])


@dataclass(frozen=True, slots=True)
class _About:
    """What is looked at: a case with its version, or (without one) a plan without a stay."""

    id: UUID
    version: int | None

    @property
    def case_id(self) -> UUID | None:
        return None if self.version is None else self.id


async def remind(work: Work, claimed: Claim) -> int:
    """Take the steps of one case, or plan without a stay, whose time has come, and appoint the next look; how many were taken.

    Each step is taken once for ever: reminders of every open duty, and of notices that nobody has taken on also those that tell others.

    A step goes to the mailbox that somebody reads now, by the duty calendars. The deadline itself stands, whoever is on duty.

    Raises:
        LeaseLost: Somebody else has taken the case over since.

    Source:
        Lag (2017:612) 2 kap. 5-6 §§, 4 kap. 2-3 §§.
    """
    about = _About(claimed.subject, await rows.lock_case(work, claimed.subject))
    imported = await imported_until(work, [about.id])
    statute = load_statute()
    owed = [duty for case in await at_hand(work, [about.id]) for duty in open_duties(case, statute, work.at)]
    sent = await rows.sent(work, about.id)
    steps = [
        step for step in reminders(owed, statute, imported_until=imported.get(about.id)) if (step.duty.key, step.step.value) not in sent
    ]
    known = imported.get(about.id)
    told = [one for one in escalations(owed, statute, imported_until=known) if (one.duty.key, one.step.value) not in sent]
    taken = [step for step in steps if step.at <= work.at]
    await _take(work, about, taken)
    now_told = [one for one in told if one.at <= work.at]
    await escalate(work, about.id, about.case_id, about.version, now_told)
    later = [at for at in (*(step.at for step in steps), *(one.at for one in told)) if at > work.at]
    if later:
        await due.again(work, claimed, min(later) - work.at)
    else:
        await due.done(work, claimed)
    return len(taken) + len(now_told)


async def _take(work: Work, about: _About, taken: Sequence[Reminder]) -> None:
    """Write the reminders, and say on the stream which duties are overdue. Of one duty only the last of several steps is written."""
    last = {reminder.duty.key: reminder for reminder in taken}
    post = Post()
    kept = []
    for reminder in taken:
        own = reminder.duty.mailbox
        assert own is not None  # noqa: S101  # a duty without a mailbox reminds nobody
        reader = await _who_reads(work, own, reminder.at if reminder.step is Step.CAME_IN else work.at)
        kept.append((reminder.duty.key, reminder.step.value, reader))
        if last[reminder.duty.key] is not reminder or (reminder.step is Step.CAME_IN and reader == own):
            continue
        boxes = {box.id: box for box in await directory.by_id(work, [own, reader])}
        post.put(await _letter(work, about, reminder, own=boxes[own], reader=boxes[reader]))
        if reminder.step is Step.OVERDUE and reminder.duty.by is not None:
            fact = DutyOverdue(
                case_id=about.case_id,
                plan_id=reminder.duty.plan,
                rule=reminder.duty.rule.value,
                unit=reminder.duty.unit,
                due_at=reminder.duty.by,
                told=str(reader),
                legal_basis=reminder.duty.legal_basis,
            )
            post.staged.append(staged_fact(fact, about.case_id))
    await rows.add(work, about.id, kept)
    await post.write(work)


async def _who_reads(work: Work, mailbox: UUID, at: datetime) -> UUID:
    """Along the chain of those who take over outside their hours, the first mailbox that somebody reads; the last when nobody does."""
    chain = [mailbox]
    while len(chain) < _LONGEST_CHAIN:
        reader = await reading_mailbox(work, chain[-1], at)
        if reader in chain:
            break
        chain.append(reader)
    return chain[-1]


async def _letter(work: Work, about: _About, reminder: Reminder, *, own: Mailbox, reader: Mailbox) -> Letter:
    duty = reminder.duty
    told = {
        "rule": duty.rule.value,
        "step": reminder.step.value,
        "unit": duty.unit,
        "fulfilled_by": duty.fulfilled_by(about.case_id),
        **({} if duty.plan is None else {"plan_id": str(duty.plan)}),
        **({} if duty.by is None else {"due_at": format_instant(duty.by)}),
    }
    return Letter(
        mailbox=reader,
        type=REMINDER,
        sender=None,
        sent_at=work.at,
        origin=f"{REMINDER}/{about.id}/{duty.key}/{reminder.step}",
        case_id=about.case_id,
        case_version=about.version,
        legal_basis=duty.legal_basis,
        personal=await _for_the_reader(work, reminder, own, reader),
        about=told,
        party=own.recipient,
    )


async def _for_the_reader(work: Work, reminder: Reminder, own: Mailbox, reader: Mailbox) -> dict[str, object] | None:
    """What whoever is on call for the unit must know of the patient: what the notice itself says. The unit has the notice already."""
    if reader.id == own.id or reader.organisation != own.organisation or reminder.duty.about is None:
        return None
    row = (await notices.personal_parts(work, [reminder.duty.about])).get(reminder.duty.about)
    if row is None or row.personal is None or "withheld" in row.personal or row.personal.get("protected"):
        return None
    return {name: row.personal[name] for name in ("person", "content", "protected") if name in row.personal}
