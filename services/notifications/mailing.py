"""One attempt to hand one e-mail over, from the claimed row to its outcome: no transaction is open while the mail server thinks."""

import structlog

from services.notifications.domain.letters import ending
from services.notifications.domain.mails import next_delay
from services.notifications.mail_channels import Mail, MailChannel, MailFailed
from services.notifications.repository import digests, mails
from shared.db import Database
from shared.streams import due
from shared.streams.due import Claim

_log = structlog.get_logger(__name__)


class Mailing:
    """Makes attempts. A mail whose outcome was lost leaves again, under the same Message-ID."""

    def __init__(self, database: Database, channel: MailChannel, link: str) -> None:
        self._database = database
        self._channel = channel
        self._link = link

    async def attempt(self, claimed: Claim) -> bool:
        """Try a claimed mail once and write what came of it; returns whether the way out is well.

        Raises:
            LeaseLost: It took so long that somebody else claimed the mail; nothing was written.
        """
        async with self._database.transaction() as work:
            row = await mails.find(work, claimed.subject)
            if row is None or row.ended:
                if row is not None:
                    await mails.give_up(work, row.id)
                await due.done(work, claimed)
                return True
        error = None
        try:
            text = row.body + ending(self._link, row.language)
            await self._channel.send(Mail(row.id, row.recipient, row.language, row.subject, text))
        except MailFailed as failed:
            error = failed.code
        async with self._database.transaction() as work:
            await due.renew(work, claimed)
            attempts = await mails.settle(work, row.id, "sent" if error is None else "pending", error)
            if error is None:
                await due.done(work, claimed)
                if row.digest_id is not None:
                    await digests.was_sent(work, row.digest_id, work.at)
                return True
            delay = next_delay(attempts)
            if delay is not None:
                await due.again(work, claimed, delay)
                return False
            await mails.give_up(work, row.id)
            await due.done(work, claimed)
            if row.digest_id is not None:
                await digests.failed(work, row.digest_id, error)
            _log.error("mail.given_up", mail=str(row.id), attempts=attempts, error=error)
        return False
