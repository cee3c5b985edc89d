"""Digests over HTTP: e-mails of counts, never of persons."""

from datetime import time
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from services.notifications import usecases
from services.notifications.usecases import DigestWanted
from shared.dates import format_instant
from shared.http.call import Checked, StrictRoute, Working
from shared.http.documented import with_example
from shared.http.fields import Answer, Body, ShortText, Truth
from shared.http.idempotency import once

router = APIRouter(tags=["Digests and contacts"], route_class=StrictRoute)
DigestId = Annotated[UUID, Path(description="The id that POST /v1/digests gave.")]
Email = Annotated[str, Field(min_length=3, max_length=254, description="one plain address, ASCII only")]
Language = Literal["sv", "en"]


class DigestStated(Body):
    """Whom to write to, when, and of what."""

    model_config = with_example({"email": "samordning@kommun.se", "at": "07:30", "days": ["mon", "tue", "wed", "thu", "fri"]})

    email: Email
    at: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="time of the Swedish wall clock")
    days: list[ShortText] = Field(default_factory=list, max_length=7, description="mon … sun; empty: every day")
    types: list[ShortText] = Field(default_factory=list, max_length=50, description="types of notice to count; empty means all")
    units: list[ShortText] = Field(default_factory=list, max_length=500, description="HSA-ids of units to count; empty: all of yours")
    language: Language = "sv"
    empty: Truth = Field(default=False, description="also write when nothing came and nothing waits")


class DigestShown(Answer):
    """A digest, and whether its mails are taken."""

    id: UUID
    email: str
    at: str
    days: list[str]
    types: list[str]
    units: list[str]
    language: Language
    empty: bool
    state: Literal["active", "failing"] = Field(description="failing when the last mail was given up; the next one is tried all the same")
    last_sent_at: str | None
    last_error: str | None = Field(description="why the last mail was given up: not_reachable, refused, timeout, login_failed …")


class DigestList(Answer):
    """The caller's digests."""

    digests: list[DigestShown]


def _shown(row: Any) -> DigestShown:  # a row
    return DigestShown(
        id=row.id,
        email=row.email,
        at=row.clock.strftime("%H:%M"),
        days=row.days,
        types=row.types,
        units=row.units,
        language=row.language,
        empty=row.empty,
        state=row.state,
        last_sent_at=None if row.last_sent_at is None else format_instant(row.last_sent_at),
        last_error=row.last_error,
    )


@router.post("/v1/digests", status_code=HTTPStatus.CREATED, response_model=DigestShown, summary="Ask for a digest by e-mail")
async def add_digest(call: Checked, work: Working, body: DigestStated, request: Request) -> Response:
    """Once a day: how many notices came into which mailbox, how many wait to be acknowledged, and how many of those are overdue."""

    async def act() -> DigestShown:
        wanted = DigestWanted(body.email, time.fromisoformat(body.at), body.days, body.types, body.units, body.language, body.empty)
        return _shown(await usecases.add_digest(work, call.caller, wanted))

    return await once(work, call, request, act)


@router.get("/v1/digests", summary="List your digests")
async def get_digests(call: Checked, work: Working) -> DigestList:
    """Those your client made, and those for exactly your client's units."""
    return DigestList(digests=[_shown(row) for row in await usecases.list_digests(work, call.caller)])


@router.delete("/v1/digests/{digest_id}", status_code=HTTPStatus.NO_CONTENT, summary="End a digest")
async def delete_digest(call: Checked, work: Working, digest_id: DigestId) -> None:
    """No more is written; a mail that waits already still leaves."""
    await usecases.delete_digest(work, call.caller, digest_id)
