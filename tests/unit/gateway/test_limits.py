import asyncio
from collections.abc import Iterable
from time import monotonic, sleep

import pytest
from starlette.types import Message, Receive

from services.gateway.limits import RateLimit, guarded_body
from services.gateway.upstreams import ClientGone, end_to_end, read_body
from shared.http.problems import HttpProblem


def receiving(*chunks: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages += [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    return receive


def guarded(headers: Iterable[tuple[bytes, bytes]], *chunks: bytes, limit: int = 10) -> bytes:
    async def read() -> bytes:
        return await read_body(await guarded_body({"type": "http", "headers": list(headers)}, receiving(*chunks), limit))

    return asyncio.run(read())


def refusal(headers: Iterable[tuple[bytes, bytes]], *chunks: bytes) -> str:
    with pytest.raises(HttpProblem) as raised:
        guarded(headers, *chunks)
    return raised.value.code


def test_a_body_of_exactly_the_limit_passes_whether_its_length_is_stated_or_not() -> None:
    assert guarded([(b"content-length", b"10")], b"0123456789") == b"0123456789"
    assert guarded([(b"transfer-encoding", b"chunked")], b"01234", b"56789") == b"0123456789"


def test_a_body_over_the_limit_is_refused_whether_its_length_is_stated_or_not() -> None:
    assert refusal([(b"content-length", b"11")]) == "request.too_large"
    assert refusal([(b"transfer-encoding", b"chunked")], b"01234", b"567890") == "request.too_large"


@pytest.mark.parametrize(("limit", "most"), [(4 << 20, "4 MiB"), (16 << 10, "16 KiB"), (1_000, "1000 B")])
def test_whoever_sends_too_much_hears_the_limit_of_this_address_in_both_languages(limit: int, most: str) -> None:
    with pytest.raises(HttpProblem) as raised:
        guarded([(b"content-length", b"99999999")], limit=limit)
    assert (raised.value.detail, raised.value.swedish) == (f"This address takes at most {most}.", f"Adressen tar emot högst {most}.")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"1"), (b"content-length", b"2")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"+1")],
        [(b"content-length", b"1, 1")],
        [(b"content-length", b"1" * 40)],
    ],
)
def test_a_request_that_says_in_two_ways_where_it_ends_is_refused(headers: list[tuple[bytes, bytes]]) -> None:
    assert refusal(headers) == "request.framing"


def test_a_compressed_body_is_refused() -> None:
    assert refusal([(b"content-length", b"1"), (b"content-encoding", b"gzip")]) == "request.content_type"
    assert guarded([(b"content-length", b"1"), (b"content-encoding", b"identity")], b"a") == b"a"


def test_a_client_that_leaves_in_the_middle_of_its_body_gets_no_answer() -> None:
    async def leaving() -> Message:
        return {"type": "http.disconnect"}

    async def read() -> None:
        await guarded_body({"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}, leaving, 10)

    with pytest.raises(ClientGone):
        asyncio.run(read())


def test_a_client_may_send_its_burst_and_then_waits_for_the_rate() -> None:
    rate = RateLimit(per_second=3, burst=3)
    answers = [rate.take("a") for _ in range(5)]
    assert [answer.allowed for answer in answers[:3]] == [True, True, True]
    assert [answer.remaining for answer in answers] == [2, 1, 0, 0, 0]
    refused = next(answer for answer in answers if not answer.allowed)
    assert refused.reset_seconds >= 1
    until = monotonic() + 30
    while not rate.take("a").allowed:
        assert monotonic() < until, "the rate never lets it in again"
        sleep(0.05)


def test_a_look_takes_nothing() -> None:
    rate = RateLimit(per_second=1, burst=30)
    assert [rate.look("a").remaining for _ in range(3)] == [30, 30, 30]


def test_one_client_that_runs_wild_does_not_slow_another() -> None:
    rate = RateLimit(per_second=0.01, burst=1)
    assert rate.take("wild").allowed
    assert not rate.take("wild").allowed
    assert rate.take("calm").allowed


def test_a_client_that_was_silent_never_has_more_than_its_burst() -> None:
    rate = RateLimit(per_second=1000, burst=2)
    rate.take("a")
    sleep(2.1)
    assert rate.take("a").remaining == 1


def test_headers_of_one_connection_only_do_not_travel_on() -> None:
    sent = [(b"connection", b"keep-alive, X-Once"), (b"x-once", b"1"), (b"te", b"trailers"), (b"accept", b"*/*"), (b"upgrade", b"h2c")]
    assert end_to_end(sent) == [(b"accept", b"*/*")]
