"""The push feed as server-sent events: each event once, in order, from wherever the reader left off."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.notifications import usecases
from services.notifications.domain.matching import wrong_unit
from services.notifications.repository.push import feed_of
from shared.dates import now
from shared.db import Database
from shared.errors import FieldError
from shared.events.notice_types import NOTICE_TYPES
from shared.http.auth import Caller
from shared.http.call import Checked, StrictRoute
from shared.http.problems import HttpProblem
from shared.streams.canonical import canonical_plain
from shared.streams.feeds import FeedEntry, FeedRewound
from shared.streams.listener import FeedWatcher

router = APIRouter(tags=["Stream"], route_class=StrictRoute)
LIMIT: Final = 200
LONGEST_SECONDS: Final = 3_600
RECONNECT_MS: Final = 2_000
_LAST_WORDS_SECONDS: Final = 5.0
_ID: Final = re.compile(r"([1-9][0-9]{0,8})-(0|[1-9][0-9]{0,17})", re.ASCII)
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE: Final = (
    "id: 1-17\nevent: notice.ready\n"
    'data: {"data":{"case_id":"0192f0e0-…","mailbox":"0192f0e0-…","notice_id":"0192f0e0-…","unit":"SE2120001355-E1"},'
    '"timestamp":"2026-11-03T13:05:00.000000Z","type":"notice.ready"}\n\n'
)


class OpenStreams:
    """How many streams each client has open in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def open(self, client: str) -> None:
        """Count a stream of a client.

        Raises:
            HttpProblem: 429, it has as many as it may.
        """
        if self._open[client] >= self._most:
            raise HttpProblem("stream.too_many", headers={"Retry-After": "15"})
        self._open[client] += 1

    def close(self, client: str) -> None:
        """Count it no more."""
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]


class EventStream(StreamingResponse):
    """An answer that goes on until its reader, its token or its time ends."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], streams: OpenStreams, client: str, seconds: float) -> None:
        """Take one of the client's places, for so many seconds at most.

        Raises:
            HttpProblem: 429, it has none left.
        """
        streams.open(client)
        self._streams = streams
        self._client = client
        self._seconds = seconds
        super().__init__(events, headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, whatever ends it: where the reader takes nothing, the stream itself never comes to look at the time."""
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await super().__call__(scope, receive, send)
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            self._streams.close(self._client)


class PushStream:
    """Reads one caller's push feed on and on. No transaction is held while it waits."""

    def __init__(self, state: Any, caller: Caller, wish: usecases.Subscription, *, expires: int, seconds: int | None) -> None:
        self._database: Database = state.database
        self._watcher: FeedWatcher = state.watcher
        self._heartbeat: float = state.settings.heartbeat_seconds
        self._caller = caller
        self._wish = wish
        self._expires = expires
        clock = asyncio.get_running_loop().time
        self._clock = clock
        self._until = None if seconds is None else clock() + seconds
        self._epoch = 0
        self._position = 0

    async def go_to(self, last: tuple[int, int] | None) -> None:
        """Go on behind an entry, or with what comes from now on.

        Raises:
            FeedRewound: There is no such entry.
        """
        async with self._database.transaction(reader=self._caller.reader) as work:
            self._epoch, self._position = await usecases.head(work, self._caller)
            if last is not None:
                await usecases.read_on(work, self._caller, epoch=last[0] or self._epoch, after=last[1], limit=0)
                self._position = last[1]

    async def events(self) -> AsyncIterator[bytes]:
        """The events as they are sent."""
        yield format_sse_event(id=self._id(self._position), retry=RECONNECT_MS, comment="dirigent")
        quiet_since = self._clock()
        with self._watcher.watch(feed_of(self._caller.organisation)) as watch:
            while True:
                try:
                    wanted, more = await self._read_on()
                except FeedRewound as rewound:
                    yield format_sse_event(event="feed.rewound", data_str=canonical_plain(rewound.members))
                    return
                for entry in wanted:
                    yield format_sse_event(id=self._id(entry.position), event=entry.kind, data_str=entry.body)
                    quiet_since = self._clock()
                if more:
                    continue
                left = self._left()
                if left <= 0:
                    if self._expires <= now().timestamp():
                        yield format_sse_event(event="token.expired", data_str="{}")
                    return
                pause = quiet_since + self._heartbeat - self._clock()
                if pause <= 0:
                    # With what was read and not wanted the reader's place moves on as well.
                    yield format_sse_event(id=self._id(self._position), comment="heartbeat")
                    quiet_since, pause = self._clock(), self._heartbeat
                await watch.wait(max(0.0, min(pause, left)))

    async def _read_on(self) -> tuple[Sequence[FeedEntry], bool]:
        """What is wanted of the next stretch, and whether there is more behind it."""
        async with self._database.transaction(reader=self._caller.reader) as work:
            page = await usecases.read_on(work, self._caller, epoch=self._epoch, after=self._position, limit=LIMIT)
        full = len(page.entries) == LIMIT
        # What the caller may not see is missing from the page; all up to its head was looked through.
        self._position = page.next if full else max(page.head, page.next)
        return [entry for entry in page.entries if usecases.tells(self._wish, entry.kind, entry.body)], full

    def _left(self) -> float:
        left = self._expires - now().timestamp()
        return left if self._until is None else min(left, self._until - self._clock())

    def _id(self, position: int) -> str:
        return f"{self._epoch}-{position}"


@router.get(
    "/v1/stream",
    response_class=Response,
    responses={200: {"description": "The events.", "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}}},
    summary="Hear of every event as it happens",
)
async def read_stream(
    call: Checked,
    request: Request,
    last_event_id: Annotated[str | None, Header(description="the id of the last event you have: the stream goes on behind it")] = None,
    after: Annotated[int | None, Query(ge=0, lt=2**63, description="begin behind this position; 0: everything there ever was")] = None,
    types: Annotated[str | None, Query(max_length=1_000, description="types of notice to hear of, separated by commas")] = None,
    unit: Annotated[str | None, Query(max_length=100, description="HSA-id of the one unit to hear of")] = None,
    seconds: Annotated[int | None, Query(ge=0, le=LONGEST_SECONDS, description="end after so long; 0: send what there is, and end")] = None,
) -> Response:
    """Server-sent events, thin as webhooks: `event` is the type, `id` the place in the feed.

    Without `Last-Event-ID` or `after` it begins with what happens from now on. A comment comes at least every 15 seconds. The stream
    ends with the event `token.expired` when the token does; go on with a new one and the last id. An id that is not of this feed is
    answered 410 with the last common position.
    """
    wish = usecases.wished(call.caller, _types(types), _units(call.caller, unit))
    expires = request.app.state.verifier.expires(request.headers.get("authorization"))
    pushed = PushStream(request.app.state, call.caller, wish, expires=expires, seconds=seconds)
    await pushed.go_to(_place(last_event_id, after))
    left = expires - now().timestamp() + _LAST_WORDS_SECONDS
    return EventStream(pushed.events(), request.app.state.open_streams, call.caller.client_id, left)


def _types(text: str | None) -> tuple[str, ...]:
    types = tuple(text.split(",")) if text else ()
    if not NOTICE_TYPES.issuperset(types):
        raise _invalid("/types", "type_unknown")
    return types


def _units(caller: Caller, unit: str | None) -> tuple[str, ...]:
    if unit is None:
        return ()
    wrong = wrong_unit(caller.unit_prefixes, unit)
    if wrong is not None:
        raise _invalid("/unit", wrong)
    return (unit,)


def _place(last_event_id: str | None, after: int | None) -> tuple[int, int] | None:
    """Where the reader left off: a browser that comes back tells it in the header, whatever stands in the address."""
    if last_event_id:
        found = _ID.fullmatch(last_event_id)
        if found is None:
            raise _invalid("/last-event-id", "format")
        return int(found[1]), int(found[2])
    return None if after is None else (0, after)


def _invalid(pointer: str, code: str) -> HttpProblem:
    problem = HttpProblem("request.parameter_invalid")
    problem.errors = (FieldError(pointer, code),)
    return problem
