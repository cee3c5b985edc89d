"""An ADT message in the light of what is known: the events that it makes, the same ones however often the message comes."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.planning.adapters.hl7.adt import MERGE, Stay, Translated, merged, merged_number, stay_id, translate
from services.planning.adapters.hl7.header import Header
from services.planning.adapters.hl7.known import Stated, StayKnown
from services.planning.adapters.hl7.message import Condition, Message, Remark
from services.planning.repository import cases, stay_events
from services.planning.repository.sealing import opened_event
from shared.db import Role, Work
from shared.http.auth import Caller

NOBODY_KNOWN = Remark("MRG-1", Condition.ACCEPTED, "hl7.person_unknown", "No open stay of this person is known, and nothing was stored")


async def translate_adt(work: Work, caller: Caller, message: Message, header: Header, wards: Mapping[str, str]) -> Translated:
    """The events of a message. A repeat is read against what was known before it first came, so it makes the same events again.

    Args:
        work: The transaction; it only reads.
        caller: The sender.
        message: The message.
        header: Its header, checked.
        wards: HSA-ids by what this sender calls its wards.

    Raises:
        NotTaken: The message cannot be taken; nothing was stored.
    """
    if header.trigger == MERGE:
        return await _merged(work, caller, message, header)
    subject = stay_id(message)
    await work.become(Role.INTAKE)
    return translate(Stay(message, header, await _known(work, caller, subject, header), wards))


async def _merged(work: Work, caller: Caller, message: Message, header: Header) -> Translated:
    """Every open stay of the merged number that one of the caller's wards admitted."""
    kind, number = merged_number(message)
    own = sorted({row.subject for row in await cases.by_person(work, caller, kind, number)})
    await work.become(Role.INTAKE)
    known = [await _known(work, caller, subject, header) for subject in own]
    theirs = [stay for stay in known if not stay.over and _admitted_by(stay, caller)]
    found = Translated([merged(message, header, stay) for stay in theirs])
    if not found.events:
        found.remarks.append(NOBODY_KNOWN)
    return found


def _admitted_by(stay: StayKnown, caller: Caller) -> bool:
    admission = stay.admission
    return admission is not None and caller.acts_for(str(admission["source"]).removeprefix("urn:hsa:"))


async def _known(work: Work, caller: Caller, subject: str, header: Header) -> StayKnown:
    """The stay as it was stated before this message first came."""
    rows = _before(await stay_events.of_stay(work, caller, subject), header)
    if not rows:
        return StayKnown()
    space = rows[0].space  # should two record systems of one sender use one id, the first is meant, always the same one
    return StayKnown([Stated(opened_event(row.body), row.sent_at) for row in rows if row.space == space], space, caller.acts_for)


def _before(rows: Sequence[Any], header: Header) -> Sequence[Any]:
    own = [place for place, row in enumerate(rows) if header.named(row.event_id)]
    return rows[: own[0]] if own else rows
