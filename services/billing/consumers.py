"""What billing takes from planning's stream: stays, SIP invitations, notices of its own months, and when mailboxes were read."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.billing.usecases.ledger import apply_invitations, apply_stays
from services.billing.usecases.mailboxes import apply_notices, apply_polls
from shared.db import Work
from shared.events.facts import MailboxPolled, NoticeSent, PlanInvited, StayChanged
from shared.streams.consumer import Delivered, Handler


async def stays_changed(work: Work, delivered: Sequence[Delivered]) -> None:
    """Move stays to their newest version."""
    await apply_stays(work, [one.fact for one in delivered if isinstance(one.fact, StayChanged)])


async def plans_invited(work: Work, delivered: Sequence[Delivered]) -> None:
    """Note calls to a SIP."""
    await apply_invitations(work, [one.fact for one in delivered if isinstance(one.fact, PlanInvited)])


async def notices_sent(work: Work, delivered: Sequence[Delivered]) -> None:
    """Learn when the notice of a published month entered its debtor's mailbox."""
    await apply_notices(work, [one.fact for one in delivered if isinstance(one.fact, NoticeSent)])


async def mailboxes_polled(work: Work, delivered: Sequence[Delivered]) -> None:
    """Learn when mailboxes were read."""
    await apply_polls(work, [one.fact for one in delivered if isinstance(one.fact, MailboxPolled)])


HANDLERS: Final[Mapping[str, Handler]] = {
    StayChanged.kind: stays_changed,
    PlanInvited.kind: plans_invited,
    NoticeSent.kind: notices_sent,
    MailboxPolled.kind: mailboxes_polled,
}
