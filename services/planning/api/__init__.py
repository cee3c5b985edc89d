"""Planning over HTTP: what wards, municipalities and care centres call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI

from services.planning.api import (
    admission_reasons,
    audit,
    cases,
    consents,
    deviations,
    directory,
    events,
    fhir,
    fhir_search,
    hl7v2,
    indicators,
    messages,
    notices,
    outages,
    paper,
    parties,
    patient_information,
    persons,
    plan_steps,
    plans,
    statements,
    stating,
    worklist,
)
from services.planning.heartbeat import keep_beating
from services.planning.intake import Intake
from services.planning.settings import Settings
from services.planning.vault import person_vault
from shared.db import Database, Role
from shared.http.app import create_service_app

INTAKE_POOL: Final = 2
"""One batch is in flight at a time; a batch that a client gathered itself runs beside it."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Planning's application, told by the environment unless by `settings`."""
    settings = settings or Settings()
    person_vault()  # without its keys planning does not start
    routers = (
        events.router,
        hl7v2.router,
        fhir.router,
        fhir_search.router,
        notices.router,
        outages.router,
        paper.router,  # before the cases, whose ids would take its address
        cases.router,
        directory.router,
        parties.router,
        patient_information.router,
        plans.router,
        plan_steps.router,
        stating.router,
        statements.router,
        admission_reasons.router,
        consents.router,
        messages.router,
        deviations.router,
        worklist.router,
        indicators.router,
        audit.router,
        persons.router,
    )
    app = create_service_app("planning", "Dirigent planning", settings, routers)
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            # What is gathered from many callers is written for all of them, and asks for its role once, when it connects.
            written_by = Database(
                settings.database_url.get_secret_value(),
                role=Role.INTAKE,
                pool_size=INTAKE_POOL if settings.gathered_intake else settings.pool_size,
                overflow=settings.pool_overflow,
                application="planning intake",
                by_key=settings.by_key,
            )
            app.state.intake = Intake(written_by, gathered=settings.gathered_intake, queue=settings.intake_queue)
            beating = asyncio.create_task(
                keep_beating(app.state.database, every=settings.beat_every_seconds, outage_after=settings.outage_after_seconds)
            )
            try:
                yield
            finally:
                beating.cancel()
                await asyncio.gather(beating, return_exceptions=True)
                await app.state.intake.close()
                await written_by.close()

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
