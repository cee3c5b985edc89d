"""Billing over HTTP: averages, months, invoices, prices. Every handler parses, calls one use case and renders."""

from fastapi import FastAPI

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.api import (
    accruals,
    agreements,
    averages,
    comparisons,
    debtors,
    disputes,
    documents,
    explanation,
    invoices,
    ledger_feed,
    months,
    receivables,
    reviews,
    signatures,
    simulations,
    statuses,
    tariffs,
)
from services.billing.finance import load_accounts, load_interest
from services.billing.settings import Settings
from shared.http.app import create_service_app


def create_app(settings: Settings | None = None) -> FastAPI:
    """Billing's application.

    Raises:
        DataFileError: A file of agreements or prices is not valid; the service does not start on it.
    """
    load_agreements()
    load_tariffs()
    load_interest()
    load_accounts()
    routers = [
        averages.router,
        months.router,
        signatures.router,
        explanation.router,
        documents.router,
        invoices.router,
        tariffs.router,
        agreements.router,
        reviews.router,
        disputes.router,
        simulations.router,
        comparisons.router,
        statuses.router,
        debtors.router,
        receivables.router,
        accruals.router,
        ledger_feed.router,
    ]
    return create_service_app("billing", "Dirigent billing", settings or Settings(), routers)
