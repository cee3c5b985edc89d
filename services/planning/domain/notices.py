"""Which notices a case calls for, and how the mailboxes get from what they hold to that.

The notices follow from the state of the case alone. What was sent is never changed: a notice whose content changed is superseded by a
new one, and one that is no longer called for is cancelled by a notice of its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final
from uuid import UUID

from services.planning.domain.acknowledgement import NoticeStatus
from services.planning.domain.asides import Content, blocks_told, declines_told, leaves_told, transfers_told
from services.planning.domain.case import IDENTITY, WHOLE_PERSON, CaseState, PlannedDate, ReadyPeriod
from services.planning.domain.events import Admission, CaseEvent, Discharge, EventKey
from services.planning.domain.parties import Party, Recipient
from shared.dates import format_instant

RETURNED: Final = "notice.returned"
"""A recipient returned a notice as wrongly addressed: told to the ward, which names another."""
PROTECTED: Final[Mapping[str, object]] = {"withheld": "protected"}
"""What stands in the place of a person whose identity is protected (skyddade personuppgifter)."""


class NoticeType(StrEnum):
    """The notices that follow from the events of a stay."""

    ADMISSION = "notice.admission"
    PLANNED_DISCHARGE_CHANGED = "notice.planned_discharge_changed"
    READY = "notice.ready"
    READY_WITHDRAWN = "notice.ready_withdrawn"
    DISCHARGED = "notice.discharged"
    DECEASED = "notice.deceased"
    TRANSFERRED = "notice.transferred"
    LEAVE = "notice.leave"
    OUTPATIENT_BLOCK = "notice.outpatient_block"
    DECLINED = "notice.declined"
    CANCELLED = "notice.cancelled"


LEGAL_BASIS: Final[Mapping[NoticeType, str | None]] = {
    NoticeType.ADMISSION: "lag (2017:612) 2 kap. 1-3 §§",
    NoticeType.PLANNED_DISCHARGE_CHANGED: "lag (2017:612) 2 kap. 4 §",
    NoticeType.READY: "lag (2017:612) 3 kap. 1 §",
    NoticeType.READY_WITHDRAWN: None,
    NoticeType.DISCHARGED: "lag (2017:612) 3 kap. 2 §",
    NoticeType.DECEASED: None,
    NoticeType.TRANSFERRED: None,
    NoticeType.LEAVE: None,
    NoticeType.OUTPATIENT_BLOCK: "lag (2017:612) 5 kap. 5 §",
    NoticeType.DECLINED: None,
    NoticeType.CANCELLED: None,
}
"""The paragraph each notice rests on; none where the statute is silent and the notice takes back or ends what another one said."""

CARE_PLAN_BASIS: Final = "lag (2017:612) 4 kap. 1 §"
"""Under compulsory psychiatric outpatient care (ÖPT, ÖRV) a co-ordinated care plan is made instead of a SIP (N10)."""

_ASIDES: Final = {
    NoticeType.TRANSFERRED: transfers_told,
    NoticeType.LEAVE: leaves_told,
    NoticeType.OUTPATIENT_BLOCK: blocks_told,
    NoticeType.DECLINED: declines_told,
}
_FOLDED: Final = tuple(f"{kind} " for kind in NoticeType if kind is not NoticeType.CANCELLED)
_TAKEN_BACK: Final = frozenset({NoticeStatus.CANCELLED, NoticeStatus.RETURNED})
"""What no longer stands in its mailbox: taken back by the sender, or sent back by the recipient."""


@dataclass(frozen=True, slots=True)
class WantedNotice:
    """A notice that the case calls for.

    `origin` is the same for the same notice however often the case is folded: type, event, recipient. `fingerprint` changes when what
    the notice says changes. `person` holds exactly what may leave under the statute, and of one whose identity is protected only the
    admission notice holds anything; `content` holds nothing personal.
    """

    origin: str
    fingerprint: str
    type: NoticeType
    recipient: Recipient
    event: EventKey
    sent_at: datetime
    legal_basis: str | None
    person: Mapping[str, object]
    content: Content
    protected: bool


@dataclass(frozen=True, slots=True)
class SentNotice:
    """A notice as it stands in a mailbox; of each origin there may be several revisions."""

    id: UUID
    origin: str
    fingerprint: str
    revision: int
    status: NoticeStatus


@dataclass(frozen=True, slots=True)
class NoticeToSend:
    """A notice to enter in its recipient's mailbox, as revision 1, 2 … of its origin."""

    notice: WantedNotice
    revision: int
    supersedes: UUID | None


@dataclass(frozen=True, slots=True)
class NoticeToCancel:
    """A sent notice that the case no longer calls for; its recipient gets a `notice.cancelled` that names it."""

    cancels: UUID
    origin: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be entered for the mailboxes to say what the case says."""

    to_send: tuple[NoticeToSend, ...]
    to_cancel: tuple[NoticeToCancel, ...]


def wanted_notices(state: CaseState) -> tuple[WantedNotice, ...]:
    """Every notice that the case as it stands calls for, in the order they are sent.

    A party's admission notice is sent when it becomes a party. Any other is sent when its event was, but not before that: a municipality
    that a correction brings in gets a fresh admission notice and ready notice, and its days count from that ready notice (rule 2.2). What
    was over and done with by then is not told: a planned date that had been replaced, a readiness that had been withdrawn.

    Source:
        Lag (2017:612) 2 kap. 1-4 §§, 3 kap. 1-2 §§, 4 kap. 1 §.
    """
    if state.admission is None or state.about is None or not state.parties:
        return ()
    writer = _Writer(state.admission, state.about, state)
    wanted = [notice for party in state.parties for notice in _notices_for(party, state, writer)]
    return tuple(sorted(wanted, key=_sending_order))


def ready_notice_sent_at(period: ReadyPeriod, since: datetime) -> datetime | None:
    """When the ready notice of one readiness is sent to a party that is concerned since then; never, when it was withdrawn before.

    Source:
        Lag (2017:612) 3 kap. 1 §; domain rule 2.2.
    """
    sent_at = max(period.sent_at, since)
    over = period.withdrawal is not None and period.withdrawal.sent_at < sent_at
    return None if over else sent_at


def ready_notice_counts_from(period: ReadyPeriod, since: datetime) -> datetime | None:
    """The same by the times that count: of notices that were given on paper during an outage the time they were given.

    Args:
        period: The readiness.
        since: From when the party's admission notice counts.

    Source:
        Lag (2017:612) 3 kap. 1 §; domain rule 2.2.
    """
    counted_at = max(period.counts_from, since)
    withdrawal = period.withdrawal
    over = withdrawal is not None and period.withdrawal_paper.counts_from(withdrawal.sent_at) < counted_at
    return None if over else counted_at


def _sending_order(notice: WantedNotice) -> tuple[datetime, bool]:
    return (notice.sent_at, notice.type is not NoticeType.ADMISSION)


def _notices_for(party: Party, state: CaseState, writer: "_Writer") -> Iterator[WantedNotice]:
    """The notices of one party, each type in fold order."""
    since = party.since
    current, later = _dates_for(state.planned_dates, since)
    dated: Content = {"planned_discharge_date": _iso(current)}
    yield writer.write(NoticeType.ADMISSION, writer.admission.key, party, since, _as_told(dated, writer.admission, party, writer))
    for change in later:
        new_date = _with_paper({"planned_discharge_date": _iso(change.day)}, change.paper_given_at)
        yield writer.write(NoticeType.PLANNED_DISCHARGE_CHANGED, change.key, party, change.sent_at, new_date)
    for period in state.ready:
        yield from _readiness_for(party, period, writer)
    if state.discharge is not None and isinstance(state.discharge.data, Discharge):
        event, data = state.discharge, state.discharge.data
        left: Content = {
            "discharged_at": format_instant(event.time),
            "discharged_to": data.discharged_to,
            "secrecy_checked": data.secrecy_checked,
        }
        yield writer.write(NoticeType.DISCHARGED, event.key, party, max(event.sent_at, since), _as_told(left, event, party, writer))
    if state.death is not None:
        event = state.death
        yield writer.write(NoticeType.DECEASED, event.key, party, max(event.sent_at, since), {"deceased_at": format_instant(event.time)})
    for kind, asides in _ASIDES.items():
        for aside in asides(state, since):
            yield writer.write(kind, aside.event, party, aside.sent_at, aside.content)


def _readiness_for(party: Party, period: ReadyPeriod, writer: "_Writer") -> Iterator[WantedNotice]:
    """The ready notice of one readiness, and that it was withdrawn; nothing when it was withdrawn before the party was one."""
    sent_at = ready_notice_sent_at(period, party.since)
    if sent_at is None:
        return
    judged: Content = {"ready_at": format_instant(period.ready_at), "secrecy_checked": period.judgement.secrecy_checked}
    if period.judgement.compulsory != "none":  # N10: a co-ordinated care plan takes the place of SIP
        judged = {**judged, "compulsory": period.judgement.compulsory, "care_plan": CARE_PLAN_BASIS}
    if told_on_paper(party, period.sent_at, writer.admission):
        judged = _with_paper(judged, period.paper.given_at)
    yield writer.write(NoticeType.READY, period.key, party, sent_at, judged)
    if period.withdrawal is not None:
        event = period.withdrawal
        taken_back = _with_paper({"withdrawn_at": format_instant(event.time)}, period.withdrawal_paper.given_at)
        yield writer.write(NoticeType.READY_WITHDRAWN, event.key, party, event.sent_at, taken_back)


def told_on_paper(party: Party, sent_at: datetime, admission: CaseEvent) -> bool:
    """Whether a party was one when a notice was given on paper: not one that a statement sent after that notice brought in.

    Source:
        Domain rule 2.2: a notice counts for a party from when it was that party's.
    """
    return party.since <= max(sent_at, admission.sent_at)


def _as_told(content: Content, event: CaseEvent, party: Party, writer: "_Writer") -> Content:
    told = event.paper is not None and told_on_paper(party, event.sent_at, writer.admission)
    return _with_paper(content, event.paper.given_at) if told and event.paper is not None else content


def _with_paper(content: Content, given_at: datetime | None) -> Content:
    """The same, saying that the notice had been given on paper before; whether that time counts never changes what a notice says."""
    return content if given_at is None else {**content, "given_on_paper_at": format_instant(given_at)}


def _dates_for(dates: Sequence[PlannedDate], since: datetime) -> tuple[date | None, list[PlannedDate]]:
    """The planned date that a party's admission notice carries, and the changes it is told of afterwards.

    A change that was sent when a later one was already known is not told: it would set the clock back.
    """
    current = dates[0].day
    later: list[PlannedDate] = []
    for stated in dates[1:]:
        if stated.sent_at < since:
            current, later = stated.day, []
            continue
        later = [earlier for earlier in later if earlier.sent_at <= stated.sent_at]
        later.append(stated)
    return current, later


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


class _Writer:
    """Writes the notices of one case; what they share is worked out once."""

    __slots__ = ("_about", "_address_too", "_identity", "_marks", "admission")

    def __init__(self, admission: CaseEvent, about: Admission, state: CaseState) -> None:
        self.admission = admission
        self._about = about
        self._identity = PROTECTED if about.protected else {part: about.person.get(part) for part in IDENTITY}
        self._address_too = {part: about.person.get(part) for part in WHOLE_PERSON}
        self._marks = tuple("" if key is None else f"{key.source} {key.id}" for key in (state.identity_version, state.person_version))

    def write(self, kind: NoticeType, event: EventKey, party: Party, sent_at: datetime, content: Content) -> WantedNotice:
        whole = kind is NoticeType.ADMISSION
        said = f"{sent_at.isoformat()} {self._marks[whole]} {content}{' protected' if self._about.protected else ''}"
        return WantedNotice(
            origin=f"{kind} {event.source} {event.id} {party.recipient}",
            fingerprint=blake2b(said.encode(), digest_size=16).hexdigest(),
            type=kind,
            recipient=party.recipient,
            event=event,
            sent_at=sent_at,
            legal_basis=LEGAL_BASIS[kind],
            person=self._address_too if whole else self._identity,
            content=content,
            protected=self._about.protected,
        )


def changes(already: Iterable[SentNotice], wanted: Iterable[WantedNotice], at: datetime) -> Changes:
    """The append-only way from the notices that were sent to those the case calls for.

    A notice whose content changed is sent anew and supersedes the old one; one that is no longer called for is cancelled; one that is
    called for again after it was cancelled is sent afresh; one that was returned stays returned until it says something else. Only notices
    that follow from the events of a stay are touched.

    Args:
        already: Every notice of the case that was ever sent, in whatever state it is now.
        wanted: What `wanted_notices` gave.
        at: The sent time of the cancellations.
    """
    latest: dict[str, SentNotice] = {}
    for sent in already:
        if sent.origin.startswith(_FOLDED) and (sent.origin not in latest or sent.revision > latest[sent.origin].revision):
            latest[sent.origin] = sent
    to_send = []
    for notice in wanted:
        before = latest.pop(notice.origin, None)
        if before is None or before.status is NoticeStatus.CANCELLED:
            to_send.append(NoticeToSend(notice, 1 if before is None else before.revision + 1, None))
        elif before.fingerprint != notice.fingerprint:
            replaced = None if before.status in _TAKEN_BACK else before.id
            to_send.append(NoticeToSend(notice, before.revision + 1, replaced))
    no_longer = [sent for sent in latest.values() if sent.status not in _TAKEN_BACK]
    to_cancel = [
        NoticeToCancel(sent.id, f"{NoticeType.CANCELLED} {sent.id}", at) for sent in sorted(no_longer, key=lambda sent: sent.origin)
    ]
    return Changes(tuple(to_send), tuple(to_cancel))
