"""What notifications hears from the other services."""

from collections.abc import Sequence
from typing import Final

from services.notifications import usecases
from shared.db import Work
from shared.events.alarm_facts import MailboxSilent, NoticeEscalated
from shared.events.command_facts import NoticeAcknowledged, NoticeErased, NoticeReturned
from shared.events.facts import MailboxPolled, NoticeSent
from shared.streams.consumer import Delivered, Handler


async def hear_notices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Webhooks and push feed tell the same, in one transaction."""
    await usecases.tell_of_notices(work, delivered)
    await usecases.push_notices(work, delivered)


CONSUMES: Final[dict[str, dict[str, Handler]]] = {
    "planning": {
        NoticeSent.kind: hear_notices,
        NoticeAcknowledged.kind: usecases.end_waiting,
        NoticeReturned.kind: usecases.end_waiting,
        NoticeErased.kind: usecases.end_waiting,
        NoticeEscalated.kind: usecases.hear_escalations,
        MailboxSilent.kind: usecases.hear_silences,
        MailboxPolled.kind: usecases.hear_polls,
    }
}
