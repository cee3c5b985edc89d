"""The services' applications as they are built, without a database: what routes they have and how these are checked."""

import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.billing.api import create_app as billing
from services.billing.settings import Settings as BillingSettings
from services.notifications.api import create_app as notifications
from services.notifications.settings import Settings as NotificationsSettings
from services.planning.api import create_app as planning
from services.planning.settings import Settings as PlanningSettings
from tests.services import PUBLIC_URL, SERVICE_KEY, Tokens


@cache
def applications() -> dict[str, FastAPI]:
    """Every service behind the gateway; nothing is opened until an application is started."""
    with tempfile.TemporaryDirectory() as folder:
        told = {
            "database_url": "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere",
            "DIRIGENT_REDIS_URL": "redis://127.0.0.1:1/0",
            "DIRIGENT_SERVICE_KEY": SERVICE_KEY,
            "DIRIGENT_PUBLIC_URL": PUBLIC_URL,
            "DIRIGENT_TOKEN_KEYS_FILE": Tokens(Path(folder)).keys_file,
        }
        return {
            "planning": planning(PlanningSettings.model_validate(told)),
            "billing": billing(BillingSettings.model_validate(told)),
            "notifications": notifications(NotificationsSettings.model_validate(told)),
        }


def routes_of(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Every route of an application, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            inner = getattr(route, "original_router", None)
            yield from routes_of(inner.routes) if inner is not None else ()
