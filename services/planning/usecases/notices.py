"""What a recipient does with its mailbox: read it, and take a notice on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.planning.domain.access import Action
from services.planning.domain.acknowledgement import Acknowledgement, NoticeStanding, NoticeStatus
from services.planning.domain.acknowledgement import acknowledge as taken_on
from services.planning.domain.disclosure import disclosed
from services.planning.repository import cases, directory
from services.planning.repository import notices as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases import accesses
from services.planning.usecases.authorising import may_read_protected, require_mailbox
from services.planning.usecases.folding import tell_case
from shared.db import Role, Work
from shared.errors import NotFound
from shared.events.command_facts import NoticeAcknowledged
from shared.events.facts import MailboxPolled
from shared.http.auth import Caller
from shared.http.problems import HttpProblem
from shared.streams import feeds
from shared.streams.outbox import stage_facts

POLL_NOTED_EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NoticeRead:
    """One notice as its recipient reads it: the feed's entry, and beside it the personal part, or why it stays back."""

    entry: feeds.FeedEntry
    personal: dict[str, Any] | None


async def mailbox_of(work: Work, caller: Caller, mailbox_id: UUID | None, unit: str | None = None) -> Mailbox:
    """The mailbox a caller means: the one it names, the only one of the unit it names, or its only one.

    Raises:
        NotFound: It has none, or names one that is not its own.
        HttpProblem: 400, it has several and names none.
    """
    own = await directory.mailboxes_of(work, caller)
    own = [mailbox for mailbox in own if mailbox_id in {None, mailbox.id} and unit in {None, mailbox.unit}]
    if not own:
        raise NotFound
    if len(own) > 1:
        raise HttpProblem("mailbox.ambiguous")
    return own[0]


async def attach_personal(
    work: Work, caller: Caller, mailbox: Mailbox, entries: Sequence[feeds.FeedEntry], *, request_id: str, polled: bool = True
) -> list[NoticeRead]:
    """Put the personal parts beside the entries, note the delivery and the reading, all in one transaction.

    Args:
        work: The transaction.
        caller: Who reads.
        mailbox: The mailbox.
        entries: Some of its entries.
        request_id: The request's id.
        polled: Whatever is new in the mailbox would be among them: it was read, and not only searched for something else.
    """
    if polled and await directory.note_poll(work, mailbox, POLL_NOTED_EVERY):
        fact = MailboxPolled(
            mailbox=str(mailbox.id), organisation=mailbox.organisation, municipality=mailbox.municipality, polled_at=work.at
        )
        await stage_facts(work, [(fact, None)])
    if not entries:
        return []
    ids = [entry.entry_id for entry in entries]
    beside = await rows.personal_parts(work, ids)
    await rows.note_delivered(work, ids)
    shown = {notice_id: _shown(row, caller, mailbox, one_by_id=False) for notice_id, row in beside.items()}
    read_about = [row.subject for notice_id, row in beside.items() if _is_personal(shown[notice_id])]
    await accesses.note(work, caller, "notices.read", read_about, request_id=request_id, unit=mailbox.unit)
    return [NoticeRead(entry, shown.get(entry.entry_id)) for entry in entries]


def _shown(row: Any, caller: Caller, mailbox: Mailbox, *, one_by_id: bool) -> dict[str, Any] | None:  # a row
    named = may_read_protected(caller, mailbox, taken_on=row.acknowledged_by is not None, one_by_id=one_by_id)
    return disclosed(row.personal, row.sent_at, to_named_reader=named)


def _is_personal(shown: dict[str, Any] | None) -> bool:
    return shown is not None and "withheld" not in shown


@dataclass(frozen=True, slots=True)
class NoticeFound:
    """One notice with what became of it."""

    read: NoticeRead
    row: Any


async def notice_of(work: Work, caller: Caller, notice_id: UUID, action: Action) -> tuple[Any, Mailbox]:  # a row
    """A notice, and the mailbox of the caller's that it stands in.

    Raises:
        NotFound: Unknown, or not in a mailbox of the caller.
    """
    own = {mailbox.id: mailbox for mailbox in await directory.mailboxes_of(work, caller)}
    row = await rows.one(work, notice_id, list(own))
    if row is None:
        raise NotFound
    require_mailbox(caller, action, own[row.mailbox])
    return row, own[row.mailbox]


async def locked_notice(work: Work, caller: Caller, notice_id: UUID, action: Action) -> tuple[Any, Mailbox]:  # a row
    """The same, read after its case and itself were locked; from here on the transaction runs as intake.

    Raises:
        NotFound: Unknown, or not in a mailbox of the caller.
    """
    seen, mailbox = await notice_of(work, caller, notice_id, action)
    await work.become(Role.INTAKE)
    if seen.case_id is not None:
        await cases.lock_for_caller(work, seen.case_id)
    await rows.lock(work, notice_id)
    row: Any = await rows.one(work, notice_id, [mailbox.id])
    return row, mailbox


async def read_notice(
    work: Work, caller: Caller, notice_id: UUID, *, request_id: str, one_by_id: bool = True, states: Collection[str] | None = None
) -> NoticeFound:
    """One notice of the caller's mailboxes.

    Args:
        work: The transaction.
        caller: Who reads.
        notice_id: Which one.
        request_id: The request's id.
        one_by_id: It was asked for by its id. As one of many it never names a protected person.
        states: Only if it stands in one of these, where that is asked: else nothing of it is told, nor logged as read.

    Raises:
        NotFound: Unknown, not the caller's, not yet numbered, or in another state.
    """
    row, mailbox = await notice_of(work, caller, notice_id, Action.READ_MAILBOX)
    numbered = await feeds.find(work, notice_id)
    if numbered is None or (states is not None and row.state not in states):
        raise NotFound
    personal = _shown(row, caller, mailbox, one_by_id=one_by_id)
    if _is_personal(personal):
        await accesses.note(work, caller, "notice.read", [row.subject], request_id=request_id, unit=mailbox.unit)
    return NoticeFound(NoticeRead(numbered[1], personal), row)


@dataclass(frozen=True, slots=True)
class TakenOn:
    """A notice that a named person has taken on; `repeated` when that was known already."""

    notice_id: UUID
    state: str
    acknowledged_by: str
    acknowledged_at: datetime
    repeated: bool


async def acknowledge(work: Work, caller: Caller, notice_id: UUID, *, by: str) -> TakenOn:
    """Record that a named person at the recipient has taken the notice on (kvittera).

    Raises:
        NotFound: Unknown, or not in a mailbox of the caller.
        Refused: 409, the notice was returned or cancelled, or somebody else acknowledged it.

    Source:
        Lag (2017:612) 2 kap. 6 §: planning starts when the admission notice is received.
    """
    row, _ = await locked_notice(work, caller, notice_id, Action.ACKNOWLEDGE)
    before = NoticeStanding(
        NoticeStatus(row.state), None if row.acknowledged_at is None else Acknowledgement(row.acknowledged_by, row.acknowledged_at)
    )
    after = taken_on(before, by, work.at)
    if after.acknowledgement is None or after == before:
        return TakenOn(notice_id, row.state, row.acknowledged_by, row.acknowledged_at, repeated=True)
    done = after.acknowledgement
    await rows.acknowledge(work, notice_id, state=after.status.value, by=done.by, at=done.at, client=caller.client_id)
    fact = NoticeAcknowledged(
        notice_id=notice_id, notice_type=row.type, case_id=row.case_id, recipient=row.recipient, acknowledged_at=done.at
    )
    await stage_facts(work, [(fact, row.case_id)])
    if row.case_id is not None:
        about = {"notice_id": str(notice_id), "acknowledged_by": done.by}
        await tell_case(work, row.case_id, client=caller.client_id, what="notice.acknowledged", about=about)
    return TakenOn(notice_id, after.status.value, done.by, done.at, repeated=False)
