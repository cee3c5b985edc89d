"""One attempt to deliver one message, from the claimed row to its outcome: no transaction is open while the receiver thinks."""

from uuid import UUID

import sqlalchemy as sa

from services.notifications import repository, usecases
from services.notifications.channels import Message, Met, Webhooks
from services.notifications.domain.attempts import Outcome, next_delay, outcome_of, wait_wanted
from services.notifications.sealing import Seal
from shared.db import Database, Work
from shared.streams import due
from shared.streams.due import Claim


class Deliveries:
    """Makes attempts; many may run at once, in any number of processes."""

    def __init__(self, database: Database, channel: Webhooks, seal: Seal) -> None:
        self._database = database
        self._channel = channel
        self._seal = seal

    async def attempt(self, claimed: Claim) -> bool:
        """Try a claimed message once and write what came of it; returns whether the receiver is well.

        Raises:
            LeaseLost: It took so long that somebody else claimed the message; nothing was written.
        """
        async with self._database.transaction() as work:
            row = await repository.find_message(work, claimed.subject)
            if row is None:  # cancelled since it became due
                await due.done(work, claimed)
                await repository.set_delivery_state(work, claimed.subject, "cancelled")
                return True
        met = await self._channel.post(self._message(row), claimed.claimed_at)
        outcome = outcome_of(met.status) if met.status is not None else Outcome.FAILED
        async with self._database.transaction() as work:
            await settle(work, claimed, row["subscription_id"], met, outcome)
        return outcome is Outcome.ACCEPTED

    def _message(self, row: sa.RowMapping) -> Message:
        return Message(row["id"], row["url"], self._seal.open(row["secret"], row["subscription_id"]), row["body"])


async def settle(work: Work, claimed: Claim, subscription_id: UUID, met: Met, outcome: Outcome) -> None:
    """Write the outcome of an attempt: delivered, to be tried again, exhausted, or never to be told again.

    Raises:
        LeaseLost: Somebody else has claimed the message since.
    """
    if outcome is Outcome.GONE:
        await repository.lock_subscription(work, subscription_id)
    await due.renew(work, claimed)
    attempt = {
        "at": claimed.claimed_at,
        "milliseconds": met.milliseconds,
        "status": met.status,
        "error": met.error,
        "accepted": outcome is Outcome.ACCEPTED,
    }
    number = await repository.add_attempt(work, claimed.subject, attempt)
    wanted = wait_wanted(met.status or 0, met.retry_after, claimed.claimed_at)
    delay = next_delay(number, usecases.chance(), wanted)
    match outcome:
        case Outcome.ACCEPTED:
            await due.done(work, claimed)
            await repository.set_delivery_state(work, claimed.subject, "delivered")
        case Outcome.GONE:
            await usecases.disable(work, subscription_id)
        case Outcome.FAILED if delay is not None:
            await due.again(work, claimed, delay)
        case Outcome.FAILED:
            await due.done(work, claimed)
            await repository.set_delivery_state(work, claimed.subject, "exhausted")
            usecases.log_exhausted(subscription_id, claimed.subject, number)
