"""Notifications' share of a worker process: hears of notices, and delivers what is due."""

from services.notifications.channels import Webhooks
from services.notifications.consumers import CONSUMES
from services.notifications.delivering import Deliveries
from services.notifications.repository import DUE_KIND
from services.notifications.sealing import Seal
from services.notifications.settings import Settings
from shared.db import Database
from shared.streams.due import DueWorker
from shared.streams.runtime import ServiceWorker, StreamWorker


def create_worker(settings: Settings | None = None) -> ServiceWorker:
    """Notifications' worker, told by the environment unless by `settings`."""
    settings = settings or Settings()

    async def deliver(database: Database) -> None:
        async with Webhooks(settings.allowed_targets) as channel:
            deliveries = Deliveries(database, channel, Seal(settings.service_key.get_secret_value()))
            await DueWorker(
                DUE_KIND,
                deliveries.attempt,
                at_once=settings.deliveries_at_once,
                per_lane=settings.deliveries_per_receiver,
                listen_url=settings.direct_url,
            ).run(database)

    return StreamWorker("notifications", settings, consumes=CONSUMES, tasks={"deliveries": deliver})
