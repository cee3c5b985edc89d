"""Notifications' share of a worker process: hears of notices, delivers what is due, writes digests and sends mails."""

import asyncio
from typing import Final

from services.notifications import usecases
from services.notifications.channels import Webhooks
from services.notifications.consumers import CONSUMES
from services.notifications.delivering import Deliveries
from services.notifications.mail_channels import FileMail, MailChannel, SmtpMail
from services.notifications.mailing import Mailing
from services.notifications.repository import DUE_KIND, claim_webhooks
from services.notifications.repository.digests import DIGEST_KIND
from services.notifications.repository.mails import MAIL_KIND
from services.notifications.sealing import Seal
from services.notifications.settings import Settings
from services.notifications.usecases import Rules
from shared.db import Database
from shared.streams.due import Claim, DueWorker
from shared.streams.runtime import ServiceWorker, StreamWorker, Task

DIGESTS_AT_ONCE: Final = 2
MAILS_AT_ONCE: Final = 4
FORGET_EVERY_SECONDS: Final = 3_600.0


def create_worker(settings: Settings | None = None) -> ServiceWorker:
    """Notifications' worker, told by the environment unless by `settings`."""
    settings = settings or Settings()

    async def deliver(database: Database) -> None:
        async with Webhooks(settings.allowed_targets, permitted=settings.permitted_hosts) as channel:
            rules = Rules(settings.retry_schedule, settings.breaker_after)
            deliveries = Deliveries(database, channel, Seal(settings.service_key.get_secret_value()), rules)
            await DueWorker(
                DUE_KIND,
                deliveries.attempt,
                take=claim_webhooks,
                at_once=settings.deliveries_at_once,
                per_lane=settings.deliveries_per_receiver,
                listen_url=settings.direct_url,
            ).run(database)

    async def write_digests(database: Database) -> None:
        async def write(claimed: Claim) -> bool:
            async with database.transaction() as work:
                await usecases.write_digest(work, claimed)
            return True

        await DueWorker(DIGEST_KIND, write, at_once=DIGESTS_AT_ONCE, listen_url=settings.direct_url).run(database)

    async def send_mails(database: Database) -> None:
        mailing = Mailing(database, mail_channel(settings), settings.public_url)
        await DueWorker(MAIL_KIND, mailing.attempt, at_once=MAILS_AT_ONCE, listen_url=settings.direct_url).run(database)

    async def watch_webhooks(database: Database) -> None:
        while True:
            async with database.transaction() as work:
                await usecases.watch_webhooks(work)
            await asyncio.sleep(settings.troubles_every_seconds)

    tasks: dict[str, Task] = {
        "deliveries": deliver,
        "digests": write_digests,
        "mails": send_mails,
        "troubles": watch_webhooks,
        "old-mails": forget_mails,
    }
    return StreamWorker("notifications", settings, consumes=CONSUMES, tasks=tasks)


async def forget_mails(database: Database) -> None:
    """Delete old mails for as long as the worker lives."""
    while True:
        async with database.transaction() as work:
            await usecases.forget_mails(work)
        await asyncio.sleep(FORGET_EVERY_SECONDS)


def mail_channel(settings: Settings) -> MailChannel:
    """The operator's mail server, or the folder."""
    if settings.smtp_url is None:
        return FileMail(settings.mail_folder, settings.mail_sender)
    return SmtpMail(settings.smtp_url.get_secret_value(), settings.mail_sender)
