"""Folding locked cases and writing what follows: the case, its notices in the mailboxes, and the facts for the other services."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.case import CaseState
from services.planning.domain.events import Admission, CaseEvent
from services.planning.domain.fold import fold
from services.planning.domain.notices import NoticeToCancel, NoticeToSend, NoticeType, SentNotice, changes, wanted_notices
from services.planning.domain.parties import Directory, Recipient
from services.planning.repository import directory as mailboxes
from services.planning.repository import intake as rows
from services.planning.repository import notices
from services.planning.repository.directory import Mailbox
from services.planning.translation import case_event, stay_changed
from services.planning.usecases.case_view import view_of
from services.planning.usecases.mailing import Letter, Post
from shared.db import Work
from shared.events.facts import StayChanged
from shared.streams.outbox import staged_members


@dataclass(slots=True)
class Story:
    """What a case is folded from: its version so far, its events, the notices sent of it. `history` = imported events only."""

    version: int = 0
    events: list[CaseEvent] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    history: bool = True

    def tell(self, event: CaseEvent, *, history: bool) -> None:
        """Add one event; the order does not matter."""
        self.events.append(event)
        self.history = self.history and history


@dataclass(slots=True)
class Folded:
    """One locked case after its fold. `version` moves with every line of history; `history` = made of imported events only."""

    case_id: UUID
    version: int
    state: CaseState
    history: bool
    sent: list[Any] = field(default_factory=list)
    reachable: Mapping[str, Mailbox] = field(default_factory=dict)


async def fold_cases(work: Work, locked: Iterable[UUID], *, begun: Mapping[UUID, Story] | None = None) -> dict[UUID, Folded]:
    """Read and fold cases that this transaction has locked.

    Args:
        work: The transaction that holds the locks.
        locked: Cases that were there before it.
        begun: Cases that it made itself: all there is about them is what it wrote, so nothing need be read.
    """
    known = {case_id: Story() for case_id in locked}
    if known:
        for row in await rows.read_events(work, list(known)):
            known[row.case_id].version = row.version
            known[row.case_id].tell(case_event(msgspec.json.decode(row.body), row.sent_at), history=row.history)
        for row in await notices.of_cases(work, list(known)):
            known[row.case_id].sent.append(row)
    stories = known | dict(begun or {})
    names = {name for story in stories.values() for name in addressed(story.events)}
    reachable = await mailboxes.mailboxes_for(work, sorted(names)) if names else {}
    directory = directory_of(reachable)
    return {case_id: folded(case_id, story, reachable, directory) for case_id, story in sorted(stories.items())}


def directory_of(reachable: Iterable[str]) -> Directory:
    """The recipients that can be reached, as the domain knows them."""
    return Directory(frozenset(_recipient(name) for name in reachable))


def folded(case_id: UUID, story: Story, reachable: Mapping[str, Mailbox], directory: Directory) -> Folded:
    """Fold one case."""
    state = fold(story.events, directory, planning_started=_planning_started(story.sent))
    return Folded(case_id, story.version, state, history=story.history, sent=story.sent, reachable=reachable)


def addressed(story: Sequence[CaseEvent]) -> set[str]:
    """Every recipient that any admission of the case ever named."""
    names: set[str] = set()
    for event in story:
        if isinstance(event.data, Admission):
            if event.data.registered_municipality is not None:
                names.add(f"municipality:{event.data.registered_municipality}")
            if event.data.outpatient_unit is not None:
                names.add(f"unit:{event.data.outpatient_unit}")
    return names


def _recipient(name: str) -> Recipient:
    kind, _, code = name.partition(":")
    return Recipient("municipality" if kind == "municipality" else "unit", code)


def _planning_started(sent: Sequence[Any]) -> bool:
    """Whether a unit has taken on its admission notice: planning starts on receipt (lag 2017:612 2 kap. 6 §)."""
    return any(row.type == NoticeType.ADMISSION and row.acknowledged_at is not None for row in sent)


async def write_folded(work: Work, cases: Sequence[Folded], history: Sequence[rows.HistoryRow]) -> None:
    """Write cases, history, notices and staged facts, in this order."""
    post = Post()
    for case in cases:
        collect(case, work.at, post)
    await rows.write_cases(work, [case_row(case) for case in cases])
    await rows.write_history(work, history)
    await post.write(work)


def case_row(case: Folded) -> rows.CaseRow:
    """What is stored of a case beside its events."""
    state, about = case.state, case.state.about
    return rows.CaseRow(
        id=case.case_id,
        version=case.version,
        state=state.status.value,
        ward=state.ward,
        care_type=about.care_type if about else None,
        municipality=next((party.recipient.code for party in state.parties if party.recipient.kind == "municipality"), None),
        outpatient_unit=next((party.recipient.code for party in state.parties if party.recipient.kind == "unit"), None),
        parties=msgspec.json.encode([str(party.recipient) for party in state.parties]).decode(),
        view=msgspec.json.encode(view_of(state)).decode(),
        person=msgspec.json.encode(about.person).decode() if about else None,
        person_id=str(about.person["id"]) if about else None,
    )


def collect(case: Folded, at: datetime, post: Post) -> None:
    """What must be entered for the mailboxes to say what the case says, and the fact for billing."""
    already = [
        SentNotice(row.id, row.origin, row.fingerprint, row.revision, NoticeStatus(row.state))
        for row in case.sent
        if row.type != NoticeType.CANCELLED
    ]
    needed = changes(already, wanted_notices(case.state), at)
    for to_send in needed.to_send:
        post.put(_letter(case, to_send))
        if to_send.supersedes is not None:
            post.ended.append((to_send.supersedes, NoticeStatus.SUPERSEDED.value))
    recipients = {row.id: row.recipient for row in case.sent}
    for to_cancel in needed.to_cancel:
        post.put(_cancelling_letter(case, to_cancel, case.reachable[recipients[to_cancel.cancels]]))
        post.ended.append((to_cancel.cancels, NoticeStatus.CANCELLED.value))
    stay = stay_changed(case.case_id, case.version, case.state)
    if stay is not None:
        post.staged.append(staged_members(StayChanged, stay, case.case_id))


def _letter(case: Folded, to_send: NoticeToSend) -> Letter:
    notice = to_send.notice
    return Letter(
        mailbox=case.reachable[str(notice.recipient)],
        type=notice.type.value,
        sender=case.state.ward,
        sent_at=notice.sent_at,
        acknowledge_by=notice.acknowledge_by,
        origin=notice.origin,
        case_id=case.case_id,
        case_version=case.version,
        legal_basis=notice.legal_basis,
        supersedes=to_send.supersedes,
        fingerprint=notice.fingerprint,
        revision=to_send.revision,
        personal={"person": notice.person, "content": notice.content, "protected": notice.protected},
        history=case.history,
    )


def _cancelling_letter(case: Folded, to_cancel: NoticeToCancel, mailbox: Mailbox) -> Letter:
    return Letter(
        mailbox=mailbox,
        type=NoticeType.CANCELLED.value,
        sender=case.state.ward,
        sent_at=to_cancel.sent_at,
        acknowledge_by=to_cancel.acknowledge_by,
        origin=to_cancel.origin,
        case_id=case.case_id,
        case_version=case.version,
        supersedes=to_cancel.cancels,
        history=case.history,
    )


async def tell_case(work: Work, case_id: UUID, *, client: str, what: str, about: Mapping[str, str]) -> None:
    """Add to the history of a locked case what somebody did, and write whatever follows from it."""
    case = (await fold_cases(work, [case_id]))[case_id]
    case.version += 1
    line = rows.HistoryRow(case_id, case.version, work.at, client, what, None, msgspec.json.encode(dict(about)).decode())
    await write_folded(work, [case], [line])
