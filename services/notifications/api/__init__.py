"""Notifications over HTTP: subscriptions with their delivery log, the stream of events, digests, contacts and escalations."""

from fastapi import FastAPI

from services.notifications import usecases
from services.notifications.api import alarms, deliveries, digests, stream, subscriptions
from services.notifications.api.shapes import Told
from services.notifications.sealing import Seal
from services.notifications.settings import Settings
from shared.http.app import create_service_app

ROUTERS = (subscriptions.router, deliveries.router, stream.router, digests.router, alarms.router)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Notifications' application, told by the environment unless by `settings`."""
    settings = settings or Settings()
    app = create_service_app("notifications", "Dirigent notifications", settings, ROUTERS)
    app.state.seal = Seal(settings.service_key.get_secret_value())
    app.state.open_streams = stream.OpenStreams(settings.streams_per_client)
    app.state.target_policy = usecases.TargetPolicy(settings.allowed_targets, permitted=settings.permitted_hosts)

    @app.webhooks.post("notice", summary="Something stands in your mailbox", tags=["webhooks"])
    def notice(body: Told) -> None:
        """Sent to the subscription's url, signed by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

        Answer 2xx within 15 seconds. Anything else is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, always
        with the same `webhook-id`; 410 disables the subscription; 429 and 503 may say when with `Retry-After`. After five failures in a
        row the endpoint rests: one message at a time is tried, and when one is accepted the others follow. For a day after the secret was
        rotated there are two signatures, separated by a space: one of them fits either secret.
        """

    return app
