"""What a recipient does with a notice that is not for it: return it as wrongly addressed, or send it on inside its own organisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from services.planning.domain.access import Action
from services.planning.domain.acknowledgement import NoticeStanding, NoticeStatus, NoticeTrigger, move
from services.planning.domain.addressing import forwarded_origin
from services.planning.domain.notices import RETURNED, NoticeType
from services.planning.repository import directory
from services.planning.repository import notices as rows
from services.planning.repository.directory import Mailbox
from services.planning.usecases.folding import Folded, tell_case
from services.planning.usecases.mailing import Letter, Post
from services.planning.usecases.notices import locked_notice
from shared.dates import format_instant, local_date
from shared.db import Work
from shared.errors import FieldError, Malformed, Refused
from shared.events.command_facts import NoticeForwarded, NoticeReturned
from shared.http.auth import Caller
from shared.streams.outbox import stage_facts

_OF_THE_STAY: Final = frozenset(kind.value for kind in NoticeType if kind is not NoticeType.CANCELLED)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A notice that a named person returned as wrongly addressed (felsänt)."""

    notice_id: UUID
    state: str
    returned_by: str
    returned_at: datetime


@dataclass(frozen=True, slots=True)
class SentOn:
    """A notice that a named person sent on to another mailbox of the same organisation (vidaresänd): the copy, and where it stands."""

    notice_id: UUID
    copy_id: UUID
    mailbox: UUID
    forwarded_by: str
    forwarded_at: datetime


async def return_notice(work: Work, caller: Caller, notice_id: UUID, *, by: str, reason: str) -> GivenBack:
    """Return a notice as wrongly addressed: its recipient is no party any more, until the ward names it anew.

    The recipient gets a cancellation of whatever else it had of the case, loses the case, and the personal part of its entries is
    withheld. The ward sees a finding on the case and gets a notice. Repeating it changes nothing.

    Raises:
        NotFound: Unknown, or not in a mailbox of the caller.
        Refused: 409, no notice of a stay, or superseded, cancelled or returned before.

    Source:
        Domain rule 2.2; offentlighets- och sekretesslagen (2009:400) 25 kap. 1 §.
    """
    row, own = await locked_notice(work, caller, notice_id, Action.RETURN)
    if row.returned_at is not None and (row.returned_by, row.return_reason) == (by, reason):
        return GivenBack(notice_id, row.state, by, row.returned_at)
    if row.case_id is None or row.type not in _OF_THE_STAY or row.recipient != own.recipient:
        raise Refused(
            "notice.not_returnable",
            "Only the recipient of a notice of a stay returns it; a copy is its forwarder's to return.",
        )
    after = move(NoticeStanding(NoticeStatus(row.state)), NoticeTrigger.RETURN)
    await rows.give_back(work, notice_id, state=after.status.value, by=by, reason=reason, client=caller.client_id)
    fact = NoticeReturned(notice_id=notice_id, notice_type=row.type, case_id=row.case_id, recipient=row.recipient, returned_at=work.at)
    await stage_facts(work, [(fact, row.case_id)])
    about = {"notice_id": str(notice_id), "recipient": row.recipient}
    case = await tell_case(work, row.case_id, client=caller.client_id, what=RETURNED, about=about)
    await _tell_ward(work, case, own, about, {"reason": reason, "returned_by": by})
    return GivenBack(notice_id, after.status.value, by, work.at)


async def _tell_ward(work: Work, case: Folded, sender: Mailbox, about: Mapping[str, str], content: Mapping[str, str]) -> None:
    """The ward hears of the return in its own mailbox, if it has one; the finding on the case is there in any event."""
    found = await directory.mailboxes_for(work, [f"unit:{case.state.ward}"], function=directory.WARD)
    post = Post()
    for mailbox in found.values():
        post.put(
            Letter(
                mailbox=mailbox,
                type=RETURNED,
                sender=sender.unit,
                sent_at=work.at,
                origin=f"{RETURNED} {about['notice_id']}",
                case_id=case.case_id,
                case_version=case.version,
                personal={"person": None, "content": content, "protected": case.state.about is not None and case.state.about.protected},
                about=about,
                history=case.history,
            )
        )
    await post.write(work)


async def forward_notice(work: Work, caller: Caller, notice_id: UUID, *, to: UUID, by: str) -> SentOn:
    """Send a notice on to another mailbox of the recipient's own organisation; both keep the trace of it.

    The copy keeps the sent time of the notice, because no clock moves by it, and follows it: it is superseded and cancelled with it.

    Raises:
        NotFound: Unknown, or not in a mailbox of the caller.
        Malformed: 422, there is no such mailbox in the organisation, or its unit does not stand today.
        Refused: 409, superseded, cancelled, returned, or sent on before.
    """
    row, own = await locked_notice(work, caller, notice_id, Action.FORWARD)
    if (row.forwarded_to, row.forwarded_by) == (to, by):
        return SentOn(notice_id, row.forwarded_as, to, by, row.forwarded_at)
    if row.forwarded_to is not None:
        raise Refused("notice.forwarded", "The notice was sent on before; send its copy on instead.")
    move(NoticeStanding(NoticeStatus(row.state)), NoticeTrigger.FORWARD)
    target = next(iter(await directory.by_id(work, [to])), None)
    if target is None or not _within(own, target, caller) or not _takes(target) or target.id == own.id:
        raise Malformed("notice.mailbox_unknown", errors=(FieldError("/mailbox", "mailbox_unknown"),))
    if not target.standing.on(local_date(work.at)):
        raise Malformed("notice.mailbox_unknown", errors=(FieldError("/mailbox", "unit_closed"),))
    post = Post()
    copy = post.put(_copy(row, target, work.at))
    await post.write(work)
    await rows.send_on(work, notice_id, mailbox=to, copy=copy, by=by, client=caller.client_id)
    fact = NoticeForwarded(
        notice_id=notice_id,
        notice_type=row.type,
        case_id=row.case_id,
        recipient=row.recipient,
        forwarded_as=copy,
        mailbox=to,
        forwarded_at=work.at,
    )
    await stage_facts(work, [(fact, row.case_id)])
    if row.case_id is not None:
        about = {"notice_id": str(notice_id), "forwarded_as": str(copy), "mailbox": str(to), "forwarded_by": by}
        await tell_case(work, row.case_id, client=caller.client_id, what="notice.forwarded", about=about)
    return SentOn(notice_id, copy, to, by, work.at)


def _takes(target: Mailbox) -> bool:
    return target.function != directory.WARD and target.takes_patients


def _within(own: Mailbox, target: Mailbox, caller: Caller) -> bool:
    """Whether a mailbox is inside the recipient's own organisation: all care units of a region share one number, but are no one party."""
    if target.organisation != own.organisation:
        return False
    return target.recipient == own.recipient or caller.acts_for(target.unit)


def _copy(row: Any, target: Mailbox, at: datetime) -> Letter:  # a row
    """The copy for another mailbox; what is withheld from the recipient stays withheld from it."""
    said: dict[str, Any] = msgspec.json.decode(row.envelope)
    open_to_read = row.personal is not None and row.withheld is None
    trace = {"forwarded_from": str(row.id), "forwarded_at": format_instant(at)}
    return Letter(
        mailbox=target,
        party=row.recipient,
        type=row.type,
        sender=said["sender"],
        sent_at=row.sent_at,
        origin=forwarded_origin(row.origin, target.id),
        case_id=row.case_id,
        case_version=said["case_version"],
        legal_basis=said["legal_basis"],
        fingerprint=row.fingerprint,
        personal={name: part for name, part in row.personal.items() if name != "salt"} if open_to_read else None,
        about=said.get("about", {}) | trace,
    )
