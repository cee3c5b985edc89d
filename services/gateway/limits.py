"""What one request and one client may cost us: framing, size, rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from limits.storage import MemoryStorage
from starlette.types import Message, Receive, Scope

from services.gateway.upstreams import ClientGone, Headers
from shared.dates import CLOCK
from shared.http.problems import HttpProblem

_ABOUT_THE_BODY: Final = (b"content-length", b"transfer-encoding", b"content-encoding", b"content-type")
_LENGTH_DIGITS: Final = 19
FAILURES_PER_SECOND: Final = 100.0
FAILURES_BURST: Final = 1_000


async def guarded_body(scope: Scope, receive: Receive, limit: int, content_types: Sequence[str] = ()) -> Receive:
    """Check a request's framing and size before anyone reads it; what comes back gives the body, never more than the limit.

    A stated length is trusted, since the server cuts the body there; an unstated one is read here first, up to the limit.

    Args:
        scope: The request.
        receive: Where its body comes from.
        limit: Most bytes.
        content_types: What a body may be; empty means anything.

    Raises:
        HttpProblem: 400 for `Transfer-Encoding` together with `Content-Length` or an unreadable or repeated length (request smuggling
            lives there), 415 for a compressed body (it could grow without bound when opened) or another content type, 413 for too much.
        ClientGone: The client left while sending.
    """
    stated: dict[bytes, list[bytes]] = {name: [] for name in _ABOUT_THE_BODY}
    for name, value in scope["headers"]:
        if name in stated:
            stated[name].append(value.strip().lower())
    chunked, length = bool(stated[b"transfer-encoding"]), _length(stated[b"content-length"])
    if chunked and length is not None:
        raise HttpProblem("request.framing")
    if any(coding != b"identity" for coding in stated[b"content-encoding"]):
        raise _other_kind(content_types)
    if length is not None and length > limit:
        raise _too_large(limit)
    if content_types and (chunked or length):
        _refuse_other_kinds(stated[b"content-type"], content_types)
    return await _read_ahead(receive, limit) if chunked else receive


def _length(stated: Sequence[bytes]) -> int | None:
    if not stated:
        return None
    if len(stated) > 1 or not stated[0].isdigit() or len(stated[0]) > _LENGTH_DIGITS:
        raise HttpProblem("request.framing")
    return int(stated[0])


def _refuse_other_kinds(stated: Sequence[bytes], content_types: Sequence[str]) -> None:
    kind, _, parameters = (stated[0] if len(stated) == 1 else b"").decode("latin-1").partition(";")
    charset = parameters.strip().replace(" ", "").replace('"', "")
    if kind.strip() not in content_types or charset not in {"", "charset=utf-8", "charset=utf8"}:
        raise _other_kind(content_types)


def _other_kind(content_types: Sequence[str]) -> HttpProblem:
    kinds = ", ".join(content_types)
    return HttpProblem(
        "request.content_type",
        f"Send it uncompressed and in UTF-8; this address takes {kinds}." if kinds else "",
        swedish=f"Skicka det okomprimerat och i UTF-8; adressen tar emot {kinds}." if kinds else "",
    )


def _too_large(limit: int) -> HttpProblem:
    most = _readable(limit)
    return HttpProblem("request.too_large", f"This address takes at most {most}.", swedish=f"Adressen tar emot högst {most}.")


def _readable(limit: int) -> str:
    """A limit in the largest unit that it is whole in."""
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if limit % size == 0:
            return f"{limit // size} {unit}"
    return f"{limit} B"


async def _read_ahead(receive: Receive, limit: int) -> Receive:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            break
    whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client has left: `allowed` is false when it must wait."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> Headers:
        """The `RateLimit-*` headers of an answer."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset_seconds),
        ]


class RateLimit:
    """So many requests per client and window, counted in this process: a wall against a client that runs wild, not a quota.

    A window begins with the first request after the one before has ended. Nothing outside the process is asked, so that whatever else is
    slow or gone, this is not. The library's strategies cost five times what its storage does, which counts already; half of all the door
    took of a request was theirs.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        """Count in windows as long as a burst takes at the rate, of whole seconds.

        Args:
            per_second: Requests a client may make in the long run.
            burst: Requests it may make at once.
        """
        self._burst = burst
        self._seconds = max(1, round(burst / per_second))
        self._counted = MemoryStorage()

    def take(self, client: str) -> Allowance:
        """Count one request of a client."""
        return self._allowance(client, self._counted.incr(client, self._seconds))

    def look(self, client: str) -> Allowance:
        """What `take` would say, counting nothing."""
        count = self._counted.get(client)
        return replace(self._allowance(client, count + 1), remaining=max(0, self._burst - count))

    def _allowance(self, client: str, count: int) -> Allowance:
        wait = math.ceil(self._counted.get_expiry(client) - CLOCK.machine().timestamp())
        return Allowance(count <= self._burst, self._burst, max(0, self._burst - count), max(1, wait))
