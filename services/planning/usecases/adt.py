"""An ADT message in the light of what is known: the events that it makes, the same ones however often the message comes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.planning.adapters.hl7.adt import Stay, Translated, stay_id, translate
from services.planning.adapters.hl7.header import Header
from services.planning.adapters.hl7.known import Stated, StayKnown
from services.planning.adapters.hl7.message import Message
from services.planning.repository import stay_events
from services.planning.repository.sealing import opened_event
from shared.db import Role, Work
from shared.http.auth import Caller


async def translate_adt(work: Work, caller: Caller, message: Message, header: Header, wards: Mapping[str, str]) -> Translated:
    """The events of a message. A repeat is read against what was known before it first came, so it makes the same events again.

    Args:
        work: The transaction; it only reads.
        caller: The sender.
        message: The message, of one stay.
        header: Its header, checked.
        wards: HSA-ids by what this sender calls its wards.

    Raises:
        NotTaken: The message cannot be taken; nothing was stored.
    """
    subject = stay_id(message)
    await work.become(Role.INTAKE)
    known = (await what_it_met(work, caller, subject, header)).known
    translated = translate(Stay(message, header, known, wards))
    translated.numbers = known.numbers
    return translated


class Met(NamedTuple):
    """What a message meets of a stay: as it was stated before the message first came, and whether it came."""

    known: StayKnown
    repeated: bool


async def what_it_met(work: Work, caller: Caller, subject: str, header: Header) -> Met:
    """The stay as it was stated before this message first came."""
    return met_by(await stay_events.of_stay(work, caller, subject), caller, header)


def met_by(stated: Sequence[Any], caller: Caller, header: Header, about_to_be: Sequence[Stated] = ()) -> Met:
    """The same, of a stay whose events were read; `about_to_be` are those that come in front of the message and are not kept yet."""
    own = [place for place, row in enumerate(stated) if header.named(row.event_id)]
    rows = stated[: own[0]] if own else stated
    if not rows and not about_to_be:
        return Met(StayKnown(), bool(own))
    space = rows[0].space if rows else None  # should two record systems of one sender use one id, the first is meant, always the same one
    told = [Stated(opened_event(row.body), row.sent_at) for row in rows if row.space == space]
    return Met(StayKnown([*told, *about_to_be], space, caller.acts_for), bool(own))
