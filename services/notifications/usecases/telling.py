"""Telling: a message for every subscription that wants to hear of a notice, and a test message on request."""

from collections.abc import Sequence
from uuid import UUID

from services.notifications import repository
from services.notifications.domain.matching import TEST_TYPE, readers
from services.notifications.repository import DUE_KIND, NewDelivery
from services.notifications.usecases.subscriptions import find_managed
from shared.dates import format_instant
from shared.db import Work
from shared.errors import Refused
from shared.events.facts import NoticeSent
from shared.http.auth import Caller
from shared.identifiers import uuid7
from shared.streams import due
from shared.streams.canonical import canonical_plain
from shared.streams.consumer import Delivered


async def send_test(work: Work, caller: Caller, subscription_id: UUID) -> UUID:
    """Send the receiver a message that tells of nothing; returns its id.

    Raises:
        HttpProblem: 403, the caller does not speak for all of its units any more.
        NotFound: Unknown, deleted, or not the caller's.
        Refused: The subscription is disabled.
    """
    row = await find_managed(work, caller, subscription_id)
    message_id = uuid7()
    body = _body(TEST_TYPE, format_instant(work.at), {"subscription_id": str(row["id"])})
    if not await _tell(work, [NewDelivery(message_id, row["id"], message_id, TEST_TYPE, body)]):
        raise Refused("subscription.disabled")
    return message_id


async def tell_of_notices(work: Work, delivered: Sequence[Delivered]) -> None:
    """Make a message for every subscription that wants to hear of a notice; what was imported as history is never told."""
    facts = [(one.entry_id, one.fact) for one in delivered if isinstance(one.fact, NoticeSent) and not one.fact.history]
    reading = {entry_id: readers(fact.organisation, fact.unit, fact.members) for entry_id, fact in facts}
    organisations = {name for told in reading.values() for name in told}
    active = await repository.find_active(work, organisations) if organisations else []
    await _tell(
        work,
        [
            NewDelivery(uuid7(), subscription.id, entry_id, fact.notice_type, notice_body(fact))
            for entry_id, fact in facts
            for subscription in active
            if (units := reading[entry_id].get(subscription.organisation)) is not None
            and subscription.wants(subscription.organisation, fact.notice_type, units)
        ],
    )


async def _tell(work: Work, new: Sequence[NewDelivery]) -> int:
    """Write messages of subscriptions that are still active and make them due; returns how many."""
    active = await repository.lock_active(work, {one.subscription_id for one in new}) if new else set()
    wanted = [one for one in new if one.subscription_id in active]
    added = await repository.add_deliveries(work, wanted) if wanted else []
    await due.schedule(work, DUE_KIND, added)
    return len(added)


def notice_body(fact: NoticeSent) -> str:
    """Thin: ids and types. The receiver reads the feed for everything else."""
    about = {"notice_id": str(fact.notice_id), "mailbox": fact.mailbox}
    if fact.case_id is not None:
        about["case_id"] = str(fact.case_id)
    return _body(fact.notice_type, format_instant(fact.sent_at), about)


def _body(kind: str, at: str, about: dict[str, str]) -> str:
    return canonical_plain({"type": kind, "timestamp": at, "data": about})
