"""The baseline: the intake as FastAPI's and SQLAlchemy's tutorials teach it. One request, one session, one transaction, ORM entities.

It does the same durable work for the same event: the same pydantic model, token check, fold and notices, the same rows in the same
tables, the same pool and settings. Only how it reaches the database and answers is its own. `tests/contract/test_intake_baseline.py`
holds it to the contract of the product's intake.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.entities import Case, CaseHistory, Event, Mailbox, Notice, Outbox
from services.planning.api.events import EventAccepted
from services.planning.domain.events import ward_of
from services.planning.repository.directory import Mailbox as MailboxOfDirectory
from services.planning.repository.directory import Reach
from services.planning.repository.intake import SAY_FOR_WHOM, each_with_its_units
from services.planning.repository.sealing import notice_of, opened_event, sealed_value
from services.planning.settings import Settings
from services.planning.translation import case_event
from services.planning.usecases.folding import Folded, addressed, case_row, collect, folded
from services.planning.usecases.intake import Statement, statement, told
from services.planning.usecases.joining import Story
from services.planning.usecases.mailing import PROTECTED_BASIS, WITHHELD_BASIS, Post
from shared.dates import now
from shared.db import Database, Role, is_unavailable
from shared.errors import Malformed
from shared.events.ward import WardEvent
from shared.http.app import create_service_app
from shared.http.call import Checked, StrictRoute
from shared.http.problems import HttpProblem
from shared.identifiers import uuid7

TRIES: Final = 5
AHEAD: Final = timedelta(days=1)
router = APIRouter(route_class=StrictRoute)


async def _open_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_open_session, scope="function")]


@router.post("/v1/events", status_code=HTTPStatus.CREATED, response_model=EventAccepted)
async def post_event(request: Request, call: Checked, event: WardEvent, session: Session) -> Response:
    """Take in one event of a ward."""
    at = now()
    if not call.caller.acts_for(ward_of(event.source)):
        raise HttpProblem("event.source_foreign")
    if event.time > at + AHEAD:
        raise Malformed("event.time_in_future")
    if event.sentat is not None and not call.caller.may("events:import"):
        raise HttpProblem("event.sentat_denied")
    if event.sentat is not None and not event.time <= event.sentat <= at:
        raise Malformed("event.sentat_invalid")
    item = statement(await request.json(), call.caller, at, event.sentat)
    answer, repeated = await _take_in(session, item, at)
    return Response(answer, HTTPStatus.OK if repeated else HTTPStatus.CREATED, media_type="application/json")


async def _take_in(session: AsyncSession, item: Statement, at: datetime) -> tuple[str, bool]:
    """One transaction; again when another request was quicker to write the same event or the same case."""
    for attempt in range(1, TRIES + 1):
        try:
            async with session.begin():
                return await _accept(session, item, at)
        except DBAPIError as error:
            if attempt == TRIES or not (isinstance(error, IntegrityError) or is_unavailable(error)):
                raise
    raise AssertionError("unreachable")


async def _accept(session: AsyncSession, item: Statement, at: datetime) -> tuple[str, bool]:
    await session.execute(SAY_FOR_WHOM, each_with_its_units([(item.row.client, item.unit_prefixes)]))
    known = await session.scalar(select(CaseHistory).join(CaseHistory.event).filter_by(source=item.row.source, event_id=item.row.event_id))
    if known is not None:
        event = await session.get_one(Event, known.event_row)
        if event.fingerprint != item.row.fingerprint:
            raise HttpProblem("event.id_reused")
        return known.answer, True
    case = await session.scalar(select(Case).filter_by(space=item.row.provider, subject=item.row.subject).with_for_update())
    if case is None:
        case = Case(id=uuid7(), space=item.row.provider, provider=item.row.provider, subject=item.row.subject, version=0, parties=[])
    whole = await _fold(session, case, item)
    line = told(whole, item, 0)
    event = _event(item)
    session.add_all((case, event))
    session.add(
        CaseHistory(case=case, event=event, version=line.version, at=line.at, client=line.client, what=line.what, answer=line.answer)
    )
    _write_case(case, whole, at)
    await _write_notices(session, whole, at)
    return line.answer, False


async def _fold(session: AsyncSession, case: Case, item: Statement) -> Folded:
    """Read what the locked case is made of, and fold it with the new event."""
    story = Story(case.version, told_to=frozenset(case.parties))
    story.tell(case_event(item.value, item.row.sent_at), history=item.row.history)
    if case.version:
        for event in await session.scalars(select(Event).filter_by(space=case.space, subject=case.subject)):
            story.tell(case_event(opened_event(event.body), event.sent_at), history=event.history)
        story.sent.extend(await session.scalars(select(Notice).filter_by(case_id=case.id).order_by(Notice.id)))
    boxes = await session.scalars(select(Mailbox).where(Mailbox.recipient.in_(addressed(story.events))))
    known = [MailboxOfDirectory(box.id, box.recipient, box.organisation, box.unit, box.function) for box in boxes]
    return folded(case.id, story, Reach.of(known))


def _event(item: Statement) -> Event:
    row = item.row
    return Event(
        source=row.source,
        event_id=row.event_id,
        space=row.provider,
        subject=row.subject,
        sent_at=row.sent_at,
        received_at=row.received_at,
        history=row.history,
        client=row.client,
        fingerprint=row.fingerprint,
        body=row.body,
    )


def _write_case(case: Case, whole: Folded, at: datetime) -> None:
    row = case_row(whole)
    case.version, case.state, case.ward, case.care_type = row.version, row.state, row.ward, row.care_type
    case.municipality, case.outpatient_unit, case.person_id = row.municipality, row.outpatient_unit, row.person_id
    case.parties, case.view, case.person, case.person_ids = _json(row.parties), _json(row.view), _json(row.person), _json(row.person_ids)
    case.changed_at = at


async def _write_notices(session: AsyncSession, whole: Folded, at: datetime) -> None:
    post = Post()
    collect(whole, at, post)
    standing: dict[Any, Notice] = {notice.id: notice for notice in whole.sent}
    for notice_id, state in post.ended:
        standing[notice_id].state = state
    for why, basis, ids in (("returned", WITHHELD_BASIS, post.withheld), ("protected", PROTECTED_BASIS, post.protected)):
        for notice_id in ids:
            if standing[notice_id].personal is not None:
                standing[notice_id].withheld, standing[notice_id].withheld_at, standing[notice_id].withheld_basis = why, at, basis
    for row in post.notices:
        session.add(
            Notice(
                id=row.id,
                mailbox=row.mailbox,
                case_id=row.case_id,
                recipient=row.recipient,
                type=row.type,
                origin=row.origin,
                fingerprint=row.fingerprint,
                revision=row.revision,
                state="sent",
                sent_at=row.sent_at,
                supersedes=row.supersedes,
                envelope=row.envelope,
                personal=None if row.personal is None else sealed_value(row.personal, of=notice_of(row.id)),
            )
        )
    for entry in post.staged:
        session.add(Outbox(feed=entry.feed, entry_id=entry.entry_id, kind=entry.kind, subject=entry.subject, body=entry.body))
    await session.execute(select(func.pg_notify("outbox", "")))


def _json(text: str | None) -> Any:  # any JSON value
    return None if text is None else msgspec.json.decode(text)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The baseline's application, in the same frame as the product's: pool, settings, verifier, request ids, problems."""
    settings = settings or Settings()
    app = create_service_app("planning", "Textbook intake", settings, (router,))
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with inner(app):
            # Both intakes write as the same role; neither asks for it anew in a transaction.
            written_by = Database(
                settings.database_url.get_secret_value(),
                role=Role.INTAKE,
                pool_size=settings.pool_size,
                overflow=settings.pool_overflow,
                application="textbook intake",
                by_key=settings.by_key,
            )
            app.state.sessions = async_sessionmaker(written_by.engine, expire_on_commit=False)
            yield
            await written_by.close()

    app.router.lifespan_context = lifespan
    return app
