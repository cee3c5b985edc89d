"""One attempt to deliver one message, from the claimed row to its outcome: no transaction is open while the receiver thinks."""

import asyncio
from typing import Final

from services.notifications import repository, usecases
from services.notifications.channels import Message, Met, Webhooks
from services.notifications.domain.attempts import Outcome, outcome_of
from services.notifications.repository import Accepted, WebhookClaim
from services.notifications.sealing import Seal
from services.notifications.usecases import Rules
from shared.db import Database
from shared.streams.due import LeaseLost

_SETTLED_AT_ONCE: Final = 4
_RULES: Final = Rules()


class Deliveries:
    """Makes attempts; many may run at once, in any number of processes.

    Messages that well receivers took while another write was under way are written together, in one transaction: under load this costs a
    fraction of one transaction each.
    """

    def __init__(self, database: Database, channel: Webhooks, seal: Seal, rules: Rules = _RULES) -> None:
        self._database = database
        self._channel = channel
        self._seal = seal
        self._rules = rules
        self._accepted: list[tuple[Accepted, asyncio.Future[bool]]] = []
        self._writing = asyncio.Lock()
        self._settling = asyncio.Semaphore(_SETTLED_AT_ONCE)  # the rest of the worker needs connections, too

    async def attempt(self, claimed: WebhookClaim) -> bool:
        """Try a claimed message once and write what came of it; returns whether the receiver is well.

        Raises:
            LeaseLost: Somebody else has claimed the message since, or it was cancelled or put back; nothing was written.
        """
        met = await self._channel.post(self._message(claimed), claimed.claimed_at)
        accepted = outcome_of(met.status) is Outcome.ACCEPTED
        if accepted and claimed.well:
            await self._settle_together(claimed, met)
        else:
            async with self._settling, self._database.transaction() as work:
                await usecases.settle(work, claimed, met, self._rules)
        return accepted

    def _message(self, claimed: WebhookClaim) -> Message:
        sealed = (claimed.secret, *([claimed.former_secret] if claimed.former_secret is not None else ()))
        opened = tuple(self._seal.open(one, claimed.lane) for one in sealed)
        return Message(claimed.subject, claimed.url, opened, claimed.body, claimed.lane)

    async def _settle_together(self, claimed: WebhookClaim, met: Met) -> None:
        written = asyncio.get_running_loop().create_future()
        self._accepted.append((Accepted(claimed, met.milliseconds, met.status or 0), written))
        async with self._writing:
            if not written.done():
                await self._write_accepted()
        if not await written:
            raise LeaseLost

    async def _write_accepted(self) -> None:
        """Write all that waits, whoever brought it; whoever waits learns whether its own was written."""
        taken, self._accepted = self._accepted, []
        try:
            async with self._database.transaction() as work:
                held = await repository.settle_accepted(work, [one for one, _ in taken])
        except BaseException as error:
            failed = error if isinstance(error, Exception) else LeaseLost()
            for _, written in taken:
                if not written.done():
                    written.set_exception(failed)
                    written.exception()  # whoever was cancelled meanwhile will not look at it
            raise
        for one, written in taken:
            if not written.done():
                written.set_result(one.claim.id in held)
