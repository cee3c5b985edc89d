"""GET /v1/ledger: every posting of documents and payments, in the feed whose running hash checkpoints are taken of."""

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.billing.api.parts import require_region
from services.billing.usecases.postings import LEDGER_FEED
from shared.http.call import Checked, StrictRoute
from shared.http.conditional import caller_has
from shared.http.fields import Answer
from shared.streams.internal import MAX_WAIT_SECONDS, long_poll

router = APIRouter(route_class=StrictRoute, tags=["Finance"])


class PostingAnswer(Answer):
    """One line of an entry: debit above 0, credit below; the lines of an entry add up to 0."""

    account: str
    amount: str
    currency: str


class LedgerEntry(Answer):
    """One entry of a document or a payment. `hash` is the running hash through this entry; `document_sha256` binds the document to it."""

    position: int
    hash: str
    entry: str
    kind: str
    document: str
    document_sha256: str
    municipality: str
    month: str
    booked_on: str
    recorded_at: str
    status: str | None
    postings: list[PostingAnswer]


class LedgerFeed(Answer):
    """A stretch of the ledger: `next` is the last position scanned, `head` the last that exists."""

    epoch: int
    entries: list[LedgerEntry]
    next: int
    head: int


@router.get(
    "/v1/ledger",
    response_model=LedgerFeed,
    responses={
        304: {"description": "Nothing new since the ETag"},
        410: {"description": "The feed was rewound; go on from the last common position"},
    },
)
async def read_ledger(
    call: Checked,
    request: Request,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS)] = 0,
    epoch: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> Response:
    """The ledger after a position, for the region's own offices; the hash of the last entry is a checkpoint worth keeping elsewhere."""
    require_region(call)
    database, watcher = request.app.state.database, request.app.state.watcher
    page = await long_poll(database, watcher, LEDGER_FEED, after, limit, wait, epoch, reader=call.caller.reader)
    etag = f'"{page.epoch}-{after}-{page.next}-{page.head}"'
    if caller_has(request, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    entries = [LedgerEntry(position=entry.position, hash=entry.hash.hex(), **json.loads(entry.body)) for entry in page.entries]
    body = LedgerFeed(epoch=page.epoch, entries=entries, next=page.next, head=page.head)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    return Response(body.model_dump_json(), media_type="application/json", headers=headers)
