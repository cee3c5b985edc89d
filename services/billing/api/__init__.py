"""Billing over HTTP: averages, months, invoices, prices. Every handler parses, calls one use case and renders."""

from fastapi import FastAPI

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.api import averages, invoices, months, reviews, tariffs
from services.billing.settings import Settings
from shared.http.app import create_service_app


def create_app(settings: Settings | None = None) -> FastAPI:
    """Billing's application.

    Raises:
        DataFileError: A file of agreements or prices is not valid; the service does not start on it.
    """
    load_agreements()
    load_tariffs()
    routers = [averages.router, months.router, invoices.router, tariffs.router, reviews.router]
    return create_service_app("billing", "Dirigent billing", settings or Settings(), routers)
