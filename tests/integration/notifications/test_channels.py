"""One attempt on real sockets: whom it connects to, what it sends, how much it reads."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from time import perf_counter
from uuid import UUID

import pytest

from services.notifications import channels
from services.notifications.channels import LOOKED_UP_AT_ONCE, READ_LIMIT, Message, Met, Webhooks
from services.notifications.sealing import new_secret
from services.notifications.usecases import TargetPolicy
from shared.identifiers import uuid7
from tests.integration.notifications.receivers import Receiver, answer, receiver, silence
from tests.patience import until

AT = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
NAME = "hooks.kommun.se"


class Names:
    """A resolver that answers what it is told to, another thing each time, and counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers: Iterator[list[str]] = iter(answers)
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        return next(self._answers)


async def post(url: str, names: Names, *, allowed: tuple[str, ...] = (f"http://{NAME}:*",), seconds: float = 15) -> Met:
    async with Webhooks(allowed, resolver=names, seconds=seconds) as channel:
        return await channel.post(Message(uuid7(), url, (new_secret(),), '{"data":{}}', uuid7()), AT)


def at_name(told: Receiver) -> str:
    return told.url.replace("127.0.0.1", NAME)


async def test_addresses_are_tried_in_turn_until_one_answers() -> None:
    async with receiver() as told:
        met = await post(at_name(told), Names(["127.0.0.2", "::1", "127.0.0.1"]))
    assert (met.status, met.error) == (200, None)
    assert len(told.received) == 1


async def test_a_name_is_asked_once_for_one_attempt_so_that_what_was_checked_is_what_is_called() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.3"])
    async with receiver() as told:
        first = await post(at_name(told), names)
        second = await post(at_name(told), names)
    assert (first.status, second.error, names.asked) == (200, "not_reachable", 2)
    assert len(told.received) == 1


async def test_a_name_that_is_slow_to_resolve_holds_nobody_else_up_however_often_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Event()

    def system(host: str, _port: int, **_hints: int) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            answered.wait(60)
        return [(None, None, None, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(channels, "_RESOLVERS", ThreadPoolExecutor(LOOKED_UP_AT_ONCE + 1))
    monkeypatch.setattr(socket, "getaddrinfo", system)
    slow = uuid7()
    async with receiver() as told, Webhooks((f"http://{NAME}:*", "http://slow.se:*"), seconds=0.5) as channel:

        async def tried(host: str, whose: UUID) -> str | int | None:
            url = told.url.replace("127.0.0.1", host)
            met = await channel.post(Message(uuid7(), url, (new_secret(),), "{}", whose), AT)
            return met.error or met.status

        try:
            for _ in range(2):  # the first leave their lookups behind
                assert set(await asyncio.gather(*(tried("slow.se", slow) for _ in range(4)))) == {"timeout"}
            assert await tried(NAME, uuid7()) == 200
        finally:
            answered.set()
        await until(lambda: not channel._looking_up)
        assert await tried("slow.se", slow) == 200, "its turn comes again"


async def test_names_that_somebody_only_stated_hold_no_delivery_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a subscription that is asked for the name is looked up as well; whoever asks for many leaves as many lookups behind."""
    answered, begun = Event(), Event()

    def system(host: str, _port: int, **_hints: int) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            begun.set()
            answered.wait(60)
        return [(None, None, None, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(channels, "_RESOLVERS", ThreadPoolExecutor(LOOKED_UP_AT_ONCE))
    monkeypatch.setattr(socket, "getaddrinfo", system)
    stated = [asyncio.ensure_future(TargetPolicy().resolver("slow.se", 443)) for _ in range(20)]
    try:
        await until(begun.is_set)
        async with receiver() as told, Webhooks((f"http://{NAME}:*",), seconds=5) as channel:
            met = await channel.post(Message(uuid7(), at_name(told), (new_secret(),), "{}", uuid7()), AT)
        assert (met.error, met.status) == (None, 200)
    finally:
        answered.set()
        await asyncio.gather(*stated)


async def test_a_name_with_one_private_address_is_not_called_at_all() -> None:
    async with receiver() as told:
        met = await post(f"https://{NAME}/in", Names(["93.184.215.14", "127.0.0.1"]), allowed=())
    assert (met.error, told.received) == ("url_not_public", [])


async def test_only_the_operators_list_opens_a_private_address() -> None:
    async with receiver() as told:
        for url in (told.url, at_name(told), told.url.replace("http:", "https:")):
            met = await post(url, Names(["127.0.0.1"]), allowed=())
            assert met.error is not None
            assert met.error.startswith("url_")
    assert told.received == []


async def test_a_host_that_is_not_permitted_any_more_is_not_even_resolved() -> None:
    names = Names(["93.184.215.14"])
    async with Webhooks((), permitted=(".region.se",), resolver=names) as channel:
        met = await channel.post(Message(uuid7(), f"https://{NAME}/in", (new_secret(),), "{}", uuid7()), AT)
    assert (met.error, names.asked) == ("url_not_permitted", 0)


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as proxy, receiver() as told:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert (await post(at_name(told), Names(["127.0.0.1"]))).status == 200
    assert (len(told.received), proxy.received) == (1, [])


async def test_no_redirect_is_followed() -> None:
    async with receiver() as elsewhere, receiver(answer(307, Location=elsewhere.url)) as told:
        assert (await post(at_name(told), Names(["127.0.0.1"]))).status == 307
    assert elsewhere.received == []


async def test_a_receiver_that_never_answers_is_left_when_the_time_is_over() -> None:
    async with receiver(silence) as told:
        begun = perf_counter()
        met = await post(at_name(told), Names(["127.0.0.1"]), seconds=0.3)
    assert met.error == "timeout"
    assert perf_counter() - begun < 5


async def test_early_hints_are_no_answer_yet() -> None:
    async def hints(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n")
        await answer(503, Retry_After="7")(writer)

    async with receiver(hints) as told:
        met = await post(at_name(told), Names(["127.0.0.1"]))
    assert (met.status, met.retry_after) == (503, "7")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 ",
        b"HTTP/1.1 99 X\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: y",
        b"HTTP/1.1 103 Early Hints\r\nx: " + b"y" * READ_LIMIT,
        b"HTTP/1.1 20" + b"0" * READ_LIMIT,
        b"y" * READ_LIMIT,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    ],
    ids=[
        "nothing",
        "half a line",
        "no status",
        "half a head",
        "endless hints",
        "endless status",
        "no end",
        "another protocol",
        "ssh",
        "no field",
    ],
)
async def test_what_is_no_answer_is_none(said: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with receiver(say) as told:
        met = await post(at_name(told), Names(["127.0.0.1"]), seconds=2)
    assert (met.status, met.error) == (None, "no_valid_answer")


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n"], ids=["at once", "after hints"])
async def test_a_status_counts_although_the_head_is_longer_than_what_is_read(before: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(before + b"HTTP/1.1 200 OK\r\nset-cookie: " + b"y" * 2 * READ_LIMIT + b"\r\nretry-after: 7\r\n\r\n")
        await writer.drain()

    async with receiver(say) as told:
        met = await post(at_name(told), Names(["127.0.0.1"]), seconds=2)
    assert (met.status, met.error, met.retry_after) == (200, None, None)


async def test_a_status_counts_although_the_rest_of_the_answer_never_comes() -> None:
    async def begin(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nabc")
        await asyncio.Event().wait()

    async with receiver(begin) as told:
        met = await post(at_name(told), Names(["127.0.0.1"]), seconds=5)
    assert (met.status, met.error) == (202, None)
    assert met.milliseconds < 3_000
