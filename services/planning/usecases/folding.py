"""Folding locked cases and writing what follows: the case, its notices in the mailboxes, and the facts for the other services."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.addressing import Forward, deliveries
from services.planning.domain.case import CaseState
from services.planning.domain.events import Admission, CaseEvent, PersonChange, Placement, ward_of
from services.planning.domain.fold import fold
from services.planning.domain.lateness import judge_admission_notices, judge_discharge_notice, judge_secrecy
from services.planning.domain.notices import NoticeToCancel, NoticeToSend, NoticeType, SentNotice, changes, wanted_notices
from services.planning.domain.outages import Outage
from services.planning.domain.parties import Recipient, Returned
from services.planning.repository import directory as mailboxes
from services.planning.repository import intake as rows
from services.planning.repository import notices
from services.planning.repository.directory import Mailbox, Reach
from services.planning.repository.sealing import case_of, sealed_json
from services.planning.statute import load_statute
from services.planning.translation import stay_changed
from services.planning.usecases.case_view import view_of
from services.planning.usecases.joining import Story, joined_stories, read_stories
from services.planning.usecases.mailing import Letter, Post
from services.planning.usecases.on_paper import outages_for
from services.planning.usecases.party_changes import party_changes
from services.planning.vault import person_vault
from shared.db import Work
from shared.events.facts import StayChanged
from shared.streams.outbox import staged_members

ITSELF: Final = "dirigent"
"""Who did what follows from others' statements alone."""


@dataclass(slots=True)
class Folded:
    """One locked case after its fold. `version` moves with every line of history; `history` = made of imported events only."""

    case_id: UUID
    version: int
    state: CaseState
    history: bool
    sent: list[Any] = field(default_factory=list)
    reach: Reach = field(default_factory=Reach)
    story: Story = field(default_factory=Story)


async def fold_cases(work: Work, locked: Iterable[UUID], *, begun: Mapping[UUID, Story] | None = None) -> dict[UUID, Folded]:
    """Read and fold cases that this transaction has locked.

    Args:
        work: The transaction that holds the locks.
        locked: Cases that were there before it.
        begun: Cases that it made itself: all there is about them is what it wrote, so nothing need be read.

    Returns:
        By each id the case it means: the same one for several ids, after a transfer.
    """
    there = list(locked)
    known = await read_stories(work, there) if there else {}
    stories = await joined_stories(work, known | dict(begun or {}))
    if asked := sorted(stories.keys() - (begun or {}).keys()):
        for row in await notices.of_cases(work, asked):
            stories[row.case_id].sent.append(row)
    names = {name for story in stories.values() for name in addressed(story.events)}
    reach = await mailboxes.reach_of(work, sorted(names))
    elsewhere = {box for story in stories.values() for row in story.sent for box in (row.mailbox, row.forwarded_to)}
    if missing := elsewhere - {None} - reach.mailboxes.keys():
        reach.add(await mailboxes.by_id(work, sorted(missing)))
    outages = await outages_for(work, (event for story in stories.values() for event in story.events))
    cases = {id(story): folded(case_id, story, reach, outages) for case_id, story in sorted(stories.items(), reverse=True)}
    return {case_id: cases[id(story)] for case_id, story in sorted(stories.items())}


def folded(case_id: UUID, story: Story, reach: Reach, outages: Sequence[Outage] = ()) -> Folded:
    """Fold one case."""
    returned = [Returned(recipient_of(row.recipient), row.returned_at) for row in story.sent if row.returned_at is not None]
    state = judge_admission_notices(
        fold(story.events, reach.directory, planned_by=_planned_by(story.sent), returned=returned, outages=outages),
        load_statute(),
    )
    state = judge_discharge_notice(state, load_statute())
    if not story.history:  # the records of then do not say who checked what
        state = judge_secrecy(state)
    return Folded(case_id, story.version, state, history=story.history, sent=story.sent, reach=reach, story=story)


def addressed(story: Sequence[CaseEvent]) -> set[str]:
    """Every recipient that any statement of the case ever named."""
    names: set[str] = set()
    for event in story:
        data = event.data
        if isinstance(data, Admission | PersonChange) and data.registered_municipality is not None:
            names.add(f"municipality:{data.registered_municipality}")
        if isinstance(data, Admission) and data.outpatient_unit is not None:
            names.add(f"unit:{data.outpatient_unit}")
        if isinstance(data, Placement):
            names.add(f"municipality:{data.municipality}")
    return names


def recipient_of(name: str) -> Recipient:
    """A recipient by its name, `municipality:CODE` or `unit:HSA-id`."""
    kind, _, code = name.partition(":")
    return Recipient("municipality" if kind == "municipality" else "unit", code)


def _planned_by(sent: Sequence[Any]) -> set[Recipient]:
    """Who has taken on its admission notice, or begun to plan: planning starts on receipt (lag 2017:612 2 kap. 6 §).

    A notice that was returned, however late, was taken on by nobody.
    """
    told = [row for row in sent if row.type == NoticeType.ADMISSION and row.returned_at is None]
    return {recipient_of(row.recipient) for row in told if row.acknowledged_at is not None or row.planning}


async def write_folded(work: Work, cases: Sequence[Folded], history: Sequence[rows.HistoryRow]) -> None:
    """Write cases, history, notices and staged facts, in this order; a case that is named by several ids once."""
    post, lines = Post(), list(history)
    written: list[rows.CaseRow] = []
    for case in sorted({case.case_id: case for case in cases}.values(), key=lambda case: case.case_id):
        if case.story.regrouped:
            lines.append(_regrouped(case, work.at))
        collect(case, work.at, post)
        written.append(case_row(case))
        for member, version in case.story.absorbed.items():
            await rows.follow(work, leader=case.case_id, member=member)
            lines += _absorbed(case, member, version, work.at, post)
            written.append(rows.CaseRow(member, version + 1 if version else 0, joined_to=case.case_id))
    await rows.write_cases(work, written)
    await rows.write_history(work, lines)
    await post.write(work)


def _regrouped(case: Folded, at: datetime) -> rows.HistoryRow:
    """The line that says which other cases are this one now."""
    case.version += 1
    about = {"joined_cases": [str(member) for member in case.story.members]}
    return rows.HistoryRow(case.case_id, case.version, at, ITSELF, "case.joined_cases_changed", None, msgspec.json.encode(about).decode())


def _absorbed(case: Folded, member: UUID, version: int, at: datetime, post: Post) -> list[rows.HistoryRow]:
    """What becomes of a case that proved to be another one: billing must not count the stay twice."""
    if not version:
        return []
    gone = stay_changed(member, version + 1, case.state)
    if gone is not None:
        post.staged.append(staged_members(StayChanged, gone | {"cancelled": True, "ready": ()}, member))
    about = msgspec.json.encode({"case_id": str(case.case_id)}).decode()
    return [rows.HistoryRow(member, version + 1, at, ITSELF, "case.joined_to", None, about)]


def case_row(case: Folded) -> rows.CaseRow:
    """What is stored of a case beside its events."""
    state, about, vault = case.state, case.state.about, person_vault()
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
        person=_kept(about.person, case.case_id) if about else None,
        person_id=vault.stands_for(str(about.person["type"]), str(about.person["id"])) if about and "id" in about.person else None,
        person_ids=msgspec.json.encode([vault.stands_for(kind, number) for kind, number in state.person_ids]).decode(),
        joined_to=case.story.joined_to,
    )


def _kept(person: Mapping[str, object], case_id: UUID) -> str:
    """How a person is kept beside the case: sealed, or in clear that she was erased, since when and why."""
    if "withheld" in person:
        return msgspec.json.encode({name: person[name] for name in ("withheld", "at", "basis")}).decode()
    return sealed_json(person, of=case_of(case_id))


def collect(case: Folded, at: datetime, post: Post) -> None:
    """What must be entered for the mailboxes to say what the case says, and the fact for billing.

    Of a patient who was erased nobody is told any more; billing's fact stands as it was.
    """
    if case.state.about is None or "withheld" not in case.state.about.person:
        _collect_notices(case, at, post)
    stay = stay_changed(case.case_id, case.version, case.state, case.story.members)
    if stay is not None:
        post.staged.append(staged_members(StayChanged, stay, case.case_id))


def _collect_notices(case: Folded, at: datetime, post: Post) -> None:
    already = [
        SentNotice(row.id, row.origin, row.fingerprint, row.revision, NoticeStatus(row.state))
        for row in case.sent
        if row.type != NoticeType.CANCELLED
    ]
    forwards = [Forward(row.origin, row.forwarded_to) for row in case.sent if row.forwarded_to is not None]
    wanted = deliveries(wanted_notices(case.state), case.state.about, case.reach.boxes, forwards)
    into = {delivery.notice.origin: delivery.mailbox for delivery in wanted}
    needed = changes(already, [delivery.notice for delivery in wanted], at)
    for to_send in needed.to_send:
        post.put(_letter(case, to_send, case.reach.mailboxes[into[to_send.notice.origin]]))
        if to_send.supersedes is not None:
            post.ended.append((to_send.supersedes, NoticeStatus.SUPERSEDED.value))
    cancelled = {row.id: row for row in case.sent}
    for to_cancel in needed.to_cancel:
        row = cancelled[to_cancel.cancels]
        post.put(_cancelling_letter(case, to_cancel, case.reach.mailboxes[row.mailbox], row.recipient))
        post.ended.append((to_cancel.cancels, NoticeStatus.CANCELLED.value))
    post.withheld += _no_longer_theirs(case)
    if case.state.about is not None and case.state.about.protected:
        post.protected += [row.id for row in case.sent if row.withheld is None and row.protected == "false"]
    if any(row.type == NoticeType.ADMISSION for row in case.sent):  # whom a case concerns first, its admission notices tell
        post.staged += party_changes(case.case_id, case.version, case.story.told_to, case.state, at, history=case.history)


def _no_longer_theirs(case: Folded) -> list[UUID]:
    """Notices whose personal part must be withheld now: their recipient was a party, and is none any more (rule 2.2)."""
    present = {str(party.recipient) for party in case.state.parties}
    told = {row.recipient for row in case.sent if row.type == NoticeType.ADMISSION}
    return [row.id for row in case.sent if row.recipient in told - present and row.withheld is None]


def _letter(case: Folded, to_send: NoticeToSend, mailbox: Mailbox) -> Letter:
    notice = to_send.notice
    return Letter(
        mailbox=mailbox,
        party=str(notice.recipient),
        type=notice.type.value,
        sender=ward_of(notice.event.source),
        sent_at=notice.sent_at,
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


def _cancelling_letter(case: Folded, to_cancel: NoticeToCancel, mailbox: Mailbox, party: str) -> Letter:
    return Letter(
        mailbox=mailbox,
        party=party,
        type=NoticeType.CANCELLED.value,
        sender=case.state.ward,
        sent_at=to_cancel.sent_at,
        origin=to_cancel.origin,
        case_id=case.case_id,
        case_version=case.version,
        supersedes=to_cancel.cancels,
        history=case.history,
    )


async def tell_case(work: Work, case_id: UUID, *, client: str, what: str, about: Mapping[str, str]) -> Folded:
    """Add to the history of a locked case what somebody did, and write whatever follows from it; the case after it."""
    case = (await fold_cases(work, [case_id]))[case_id]
    case.version += 1
    line = rows.HistoryRow(case.case_id, case.version, work.at, client, what, None, msgspec.json.encode(dict(about)).decode())
    await write_folded(work, [case], [line])
    return case
