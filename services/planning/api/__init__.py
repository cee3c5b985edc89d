"""Planning over HTTP: what wards, municipalities and care centres call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from services.planning.api import (
    cases,
    consents,
    deviations,
    directory,
    events,
    messages,
    notices,
    paper,
    parties,
    plan_steps,
    plans,
    stating,
    worklist,
)
from services.planning.intake import Intake
from services.planning.settings import Settings
from shared.http.app import create_service_app


def create_app(settings: Settings | None = None) -> FastAPI:
    """Planning's application, told by the environment unless by `settings`."""
    settings = settings or Settings()
    routers = (
        events.router,
        notices.router,
        paper.router,  # before the cases, whose ids would take its address
        cases.router,
        directory.router,
        parties.router,
        plans.router,
        plan_steps.router,
        stating.router,
        consents.router,
        messages.router,
        deviations.router,
        worklist.router,
    )
    app = create_service_app("planning", "Dirigent planning", settings, routers)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            app.state.intake = Intake(app.state.database, gathered=settings.gathered_intake, queue=settings.intake_queue)
            try:
                yield
            finally:
                await app.state.intake.close()

    app.router.lifespan_context = lifespan
    _document_events(app)
    return app


def _document_events(app: FastAPI) -> None:
    """Events are read by our own reader, so FastAPI does not know their models: put them into the document beside its own."""
    without = app.openapi

    def openapi() -> dict[str, Any]:
        document = without()
        document["components"]["schemas"] |= events.EVENT_DEFINITIONS
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents for extending the document
