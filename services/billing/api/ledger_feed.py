"""GET /v1/ledger: every posting of documents and payments, in the feed whose running hash checkpoints are taken of."""

import json

from fastapi import APIRouter, Request, Response

from services.billing.api.parts import require_region
from services.billing.usecases.postings import LEDGER_FEED
from shared.http.call import Checked, StrictRoute
from shared.http.conditional import unless_known
from shared.http.feed_query import FEED_ANSWERS, Epoch, Limit, Position, Wait
from shared.http.fields import Answer
from shared.streams.internal import long_poll

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
    responses=FEED_ANSWERS,
)
async def read_ledger(
    call: Checked,
    request: Request,
    after: Position = 0,
    limit: Limit = 100,
    wait: Wait = 0,
    epoch: Epoch = None,
) -> Response:
    """The ledger after a position, for the region's own offices; the hash of the last entry is a checkpoint worth keeping elsewhere."""
    require_region(call)
    database, watcher = request.app.state.database, request.app.state.watcher
    page = await long_poll(database, watcher, LEDGER_FEED, after, limit, wait, epoch, reader=call.caller.reader)
    entries = [LedgerEntry(position=entry.position, hash=entry.hash.hex(), **json.loads(entry.body)) for entry in page.entries]
    body = LedgerFeed(epoch=page.epoch, entries=entries, next=page.next, head=page.head)
    return unless_known(request, body.model_dump_json(), f"{page.epoch}-{after}-{page.next}-{page.head}")
