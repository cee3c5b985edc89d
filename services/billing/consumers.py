"""What billing takes from planning's stream: stays and what bears on them, notices of its own months, and when mailboxes were read."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.billing.usecases.ledger import apply_consents, apply_declined, apply_invitations, apply_stays
from services.billing.usecases.mailboxes import apply_notices, apply_polls
from shared.db import Work
from shared.events.facts import MailboxPolled, MeasuresDeclined, NoticeSent, PlanConsentChanged, PlanInvited, StayChanged
from shared.streams.consumer import Delivered, Handler


async def stays_changed(work: Work, delivered: Sequence[Delivered]) -> None:
    """Move stays to their newest version."""
    await apply_stays(work, [one.fact for one in delivered if isinstance(one.fact, StayChanged)])


async def plans_invited(work: Work, delivered: Sequence[Delivered]) -> None:
    """Note calls to a SIP."""
    await apply_invitations(work, [one.fact for one in delivered if isinstance(one.fact, PlanInvited)])


async def consents_changed(work: Work, delivered: Sequence[Delivered]) -> None:
    """Note what patients answered when asked for consent to a SIP."""
    await apply_consents(work, [one.fact for one in delivered if isinstance(one.fact, PlanConsentChanged)])


async def measures_declined(work: Work, delivered: Sequence[Delivered]) -> None:
    """Note what patients declined."""
    await apply_declined(work, [one.fact for one in delivered if isinstance(one.fact, MeasuresDeclined)])


async def notices_sent(work: Work, delivered: Sequence[Delivered]) -> None:
    """Learn when the notice of a published month entered its debtor's mailbox."""
    await apply_notices(work, [one.fact for one in delivered if isinstance(one.fact, NoticeSent)])


async def mailboxes_polled(work: Work, delivered: Sequence[Delivered]) -> None:
    """Learn when mailboxes were read."""
    await apply_polls(work, [one.fact for one in delivered if isinstance(one.fact, MailboxPolled)])


HANDLERS: Final[Mapping[str, Handler]] = {
    StayChanged.kind: stays_changed,
    PlanInvited.kind: plans_invited,
    PlanConsentChanged.kind: consents_changed,
    MeasuresDeclined.kind: measures_declined,
    NoticeSent.kind: notices_sent,
    MailboxPolled.kind: mailboxes_polled,
}
