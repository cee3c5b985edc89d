"""The MLLP listener by itself: what it lets in, what it does when the gateway is away, and that nothing ends it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hl7.mllp import open_hl7_connection
from joserfc import jwt
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from dirigent.cli import build
from dirigent.failure import CannotStart
from dirigent.mllp.command import Tls
from dirigent.mllp.credentials import DemoSecret, OwnKey
from dirigent.mllp.forwarding import Forwarder, NoMessage
from dirigent.mllp.listener import Limits, Listener
from tests.adt import admission, answer_of
from tests.certificates import an_authority


class Echo:
    """Where frames go in these tests; one that says `none` is no message."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def forward(self, frame: bytes) -> bytes:
        await self.gate.wait()
        self.seen.append(frame)
        if frame == b"none":
            raise NoMessage
        return b"ACK " + frame

    def too_long(self, beginning: bytes) -> bytes:
        if not beginning.startswith(b"MSH"):
            raise NoMessage
        return b"AR " + beginning[:5]


@asynccontextmanager
async def listening(limits: Limits, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, Echo, Listener]]:
    echo = Echo()
    listener = Listener(echo, limits)
    port = await listener.start("127.0.0.1", 0, tls)
    try:
        yield port, echo, listener
    finally:
        for writer in OPENED:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in OPENED), return_exceptions=True)
        OPENED.clear()
        await listener.close()


OPENED: list[Any] = []


async def connected(port: int, **more: Any) -> Any:
    """A connection that is closed with the listener."""
    opened = await open_hl7_connection("127.0.0.1", port, **more)
    OPENED.append(opened[1])
    return opened


async def asked(connection: Any, frame: bytes) -> bytes:
    reader, writer = connection
    writer.writeblock(frame)
    await writer.drain()
    found: bytes = await asyncio.wait_for(reader.readblock(), 10)
    return found


async def ended(connection: Any) -> bool:
    rest: bytes = await asyncio.wait_for(connection[0].read(), 10)
    return rest == b""


async def test_messages_on_one_connection_are_answered_in_order() -> None:
    async with listening(Limits()) as (port, echo, _):
        reader, writer = await connected(port)
        for number in range(20):
            writer.writeblock(str(number).encode())
        assert [await reader.readblock() for _ in range(20)] == [f"ACK {number}\r".encode() for number in range(20)]
        assert len(echo.seen) == 20
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n\x1c\r", id="another protocol"),
        pytest.param(b"\x0bnone\x1c\r", id="no message"),
        pytest.param(b"\x0b" + b"x" * 5000 + b"\x1c\r", id="too large"),
        pytest.param(b"\x0b" + b"x" * 50_000, id="too large and without an end"),
        pytest.param(b"\x1c\r\x1c\r\x0b", id="only ends"),
        pytest.param(bytes(range(256)) * 8 + b"\x1c\r", id="bytes"),
    ],
)
async def test_what_is_no_message_ends_its_connection_and_no_other(sent: bytes) -> None:
    async with listening(Limits(frame=1000)) as (port, _, _):
        good = await connected(port)
        bad = await connected(port)
        bad[1].write(sent)
        with suppress(ConnectionError):  # it was reset, with bytes unread
            assert await ended(bad)
        assert await asked(good, b"1") == b"ACK 1\r"
        good[1].close()


async def test_a_message_that_is_too_long_is_rejected_and_the_next_is_answered() -> None:
    async with listening(Limits(frame=1000)) as (port, echo, _):
        connection = await connected(port)
        for size in (1001, 2000, 15_000):
            assert await asked(connection, b"MSH|1" + b"x" * size) == b"AR MSH|1\r"
            assert await asked(connection, b"MSH|2") == b"ACK MSH|2\r"
        assert echo.seen == [b"MSH|2"] * 3


async def test_a_message_that_does_not_end_is_rejected_once_and_its_connection_closed() -> None:
    async with listening(Limits(frame=1000, idle=0.2)) as (port, echo, _):
        for size in (2000, 100_000):
            reader, writer = await connected(port)
            writer.write(b"\x0bMSH|1" + b"x" * size)
            with suppress(ConnectionError):  # it was reset, with bytes unread
                assert await asyncio.wait_for(reader.read(), 10) == b"\x0bAR MSH|1\r\x1c\r"
        assert echo.seen == []


async def test_of_a_message_that_is_too_long_the_header_is_acknowledged() -> None:
    forwarder, seen = answering()
    long = admission().replace(b"\rPV1", b"\rOBX|1||" + "ö".encode() * 600_000 + b"\rPV1")
    for end in (2_000, 2_001, len(long)):
        assert answer_of(forwarder.too_long(long[:end])) == ("AR", [("MSH", "102", "request.too_large")])
    with pytest.raises(NoMessage):
        forwarder.too_long(b"PID|1||" + b"x" * 9_000)
    with pytest.raises(NoMessage):
        forwarder.too_long(long.replace(b"|SU|", b"|" + b"x" * 20_000 + b"|")[:16_384])
    assert seen == []


async def test_a_connection_that_sends_nothing_is_closed() -> None:
    async with listening(Limits(idle=0.2)) as (port, _, _):
        assert await ended(await connected(port))


async def test_more_connections_than_allowed_are_refused() -> None:
    async with listening(Limits(connections=2)) as (port, _, _):
        first, second = await connected(port), await connected(port)
        assert await asked(first, b"1") == await asked(second, b"1")
        assert await ended(await connected(port))
        first[1].close()
        await first[1].wait_closed()
        await asyncio.sleep(0.1)
        assert await asked(await connected(port), b"2") == b"ACK 2\r"


async def test_stopping_answers_what_is_under_way_and_takes_nothing_more() -> None:
    async with listening(Limits()) as (port, echo, listener):
        echo.gate.clear()
        busy, idle = await connected(port), await connected(port)
        busy[1].writeblock(b"1")
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(listener.close())
        await asyncio.sleep(0.1)
        echo.gate.set()
        assert await asyncio.wait_for(busy[0].readblock(), 10) == b"ACK 1\r"
        await stopping
        assert await ended(busy)
        assert await ended(idle)
        with pytest.raises(ConnectionRefusedError):
            await connected(port)


async def test_without_a_certificate_of_the_authority_and_the_right_name_nobody_gets_in(tmp_path: Path) -> None:
    ours, other = an_authority(tmp_path), an_authority(tmp_path, "other")
    certificate, key = ours.issue("listener")
    tls = Tls(certificate, key, ours.file).context()
    stranger = ours.client_context(None)
    stranger.load_cert_chain(*other.issue("integration"))
    async with listening(Limits(peers=frozenset({"integration"})), tls) as (port, echo, _):
        for context in (ours.client_context(None), stranger, ours.client_context("another")):
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await asked(await connected(port, ssl=context, server_hostname="listener"), b"1")
        assert echo.seen == []
        right = await connected(port, ssl=ours.client_context("integration"), server_hostname="listener")
        assert await asked(right, b"1") == b"ACK 1\r"
        right[1].close()
        plain = await connected(port)
        plain[1].writeblock(b"a message in clear, longer than the head of a record")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(plain[0].readblock(), 60)
        assert echo.seen == [b"1"]


def answering(*answers: httpx.Response | Exception) -> tuple[Forwarder, list[httpx.Request]]:
    """A forwarder to a gateway that gives tokens, and these answers in turn."""
    left = list(answers)
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": f"token-{len(seen)}", "expires_in": 300})
        seen.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    forwarder = Forwarder("http://gateway.test", DemoSecret("ward-su", "secret"))
    forwarder._http = httpx.AsyncClient(base_url="http://gateway.test", transport=httpx.MockTransport(handle))
    return forwarder, seen


@pytest.mark.parametrize(
    "trouble", [httpx.Response(503), httpx.Response(429), httpx.Response(404), httpx.ConnectError("no"), httpx.Response(500)]
)
async def test_what_nobody_took_is_to_be_sent_again(trouble: Any) -> None:
    forwarder, _ = answering(trouble)
    assert answer_of(await forwarder.forward(admission())) == ("AE", [("MSH-10", "207", "service.unavailable")])


@pytest.mark.parametrize(
    ("status", "said", "condition", "code"),
    [
        (403, b'{"code": "access.denied"}', "204", "access.denied"),
        (400, b'{"code": "hl7.unreadable"}', "102", "hl7.unreadable"),
        (400, b"<html>", "102", "hl7.unreadable"),
        (413, b'{"code": "request.too_large"}', "102", "request.too_large"),
        (415, b"<html>", "102", "request.content_type"),
        (403, b'{"code": "a|b\\r"}', "204", "access.denied"),
        (403, b'["code"]', "204", "access.denied"),
        (403, b"\xff", "204", "access.denied"),
    ],
)
async def test_what_will_never_be_taken_is_rejected_and_not_asked_for_again(status: int, said: bytes, condition: str, code: str) -> None:
    forwarder, _ = answering(httpx.Response(status, content=said))
    answer = await forwarder.forward(admission())
    assert answer_of(answer) == ("AR", [("MSH", condition, code)])
    assert b"again" not in answer


async def test_an_expired_token_is_renewed_once() -> None:
    forwarder, seen = answering(httpx.Response(401), httpx.Response(200, content=b"ACK"))
    assert await forwarder.forward(admission()) == b"ACK"
    assert seen[0].headers["authorization"] != seen[1].headers["authorization"]
    forwarder, _ = answering(httpx.Response(401), httpx.Response(401))
    assert answer_of(await forwarder.forward(admission()))[0] == "AE"


async def test_what_has_no_header_is_acknowledged_by_nobody() -> None:
    forwarder, _ = answering(httpx.Response(400))
    with pytest.raises(NoMessage):
        await forwarder.forward(b"x")
    forwarder, _ = answering(httpx.Response(503))
    with pytest.raises(NoMessage):
        await forwarder.forward(b"x")


def test_a_client_with_a_key_of_its_own_proves_it_with_an_assertion(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256")
    for name, text in {"key.json": json.dumps(key.as_dict(private=True)), "key.pem": key.as_pem(private=True).decode()}.items():
        (tmp_path / name).write_text(text)
        request = OwnKey.from_file("ward-su", tmp_path / name).request("https://d.test/oauth2/token")
        claims = jwt.decode(request["data"]["client_assertion"], key, algorithms=["ES256"]).claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("ward-su", "ward-su", "https://d.test/oauth2/token")
    (tmp_path / "public.json").write_text(json.dumps(key.as_dict(private=False)))
    for name in ("public.json", "missing"):
        with pytest.raises(CannotStart):
            OwnKey.from_file("ward-su", tmp_path / name)


def test_a_certificate_that_is_not_there_is_told_by_the_name_of_its_file(tmp_path: Path) -> None:
    missing, empty = tmp_path / "listener.pem", tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(CannotStart, match=f"^{missing}: No such file or directory$"):
        Tls(missing, empty, empty).context()
    with pytest.raises(CannotStart, match="the certificates cannot be used"):
        Tls(empty, empty, empty).context()


def asked_for_a_token(answer: httpx.Response | Exception) -> Forwarder:
    """A forwarder to a gateway that answers so when it is asked for a token."""

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/oauth2/token", "nothing else is sent before there is a message"
        if isinstance(answer, Exception):
            raise answer
        return answer

    forwarder = Forwarder("http://gateway.test", DemoSecret("ward-su", "secret"))
    forwarder._http = httpx.AsyncClient(base_url="http://gateway.test", transport=httpx.MockTransport(handle))
    return forwarder


def a_token(**more: str) -> httpx.Response:
    return httpx.Response(200, json={"access_token": "token", "expires_in": 300} | more)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        pytest.param(a_token(scope="cases:read events:import"), "ward-su may not send messages: it has no scope events:write", id="scope"),
        pytest.param(a_token(scope=""), "ward-su may not send messages: it has no scope events:write", id="no scope at all"),
        pytest.param(
            httpx.Response(401, json={"error": "invalid_client"}),
            "http://gateway.test does not take ward-su for who it says it is: is its key or secret the one it is registered with,"
            " and this the address that the gateway calls itself by?",
            id="another key",
        ),
    ],
)
async def test_a_client_that_will_never_be_heard_is_told_so_before_anybody_is_listened_to(answer: httpx.Response, line: str) -> None:
    with pytest.raises(CannotStart) as refused:
        await asked_for_a_token(answer).refuse_in_vain()
    assert str(refused.value) == line


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(a_token(scope="cases:read events:write"), id="it may"),
        pytest.param(a_token(), id="its scope was not told"),
        pytest.param(httpx.ConnectError("no"), id="nobody there"),
        pytest.param(httpx.Response(503), id="not now"),
        pytest.param(httpx.Response(429), id="too often"),
        pytest.param(httpx.Response(200, content=b"<html>"), id="something else"),
        pytest.param(httpx.Response(200, json=["token"]), id="something else in JSON"),
    ],
)
async def test_a_gateway_that_is_away_says_nothing_of_the_client_and_the_listener_starts(answer: Any) -> None:
    await asked_for_a_token(answer).refuse_in_vain()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--plaintext", "--host", "0.0.0.0"], id="plaintext for everybody"),  # noqa: S104
        pytest.param(["--plaintext", "--host", "dirigent.test"], id="plaintext at a name"),
        pytest.param([], id="no certificate"),
        pytest.param(["--certificate", "a", "--key", "b", "--client-ca", "c"], id="files that are not there"),
        pytest.param(["--plaintext"], id="no secret"),
    ],
)
def test_the_command_refuses_what_is_not_safe(options: list[str], tmp_path: Path) -> None:
    ended_with = CliRunner().invoke(build("mllp"), ["mllp", "--client", "ward-su", "--data", str(tmp_path), *options])
    assert isinstance(ended_with.exception, CannotStart)
