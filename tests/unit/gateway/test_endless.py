"""What stands between a service and a caller that listens: when it ends the answer, and that it lets everything else through."""

import asyncio

import pytest
from starlette.types import Message

from services.gateway import endless
from services.gateway.endless import Endless

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
LEFT: Message = {"type": "http.disconnect"}


def said(words: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": words, "more_body": more}


class Caller:
    """A caller that says nothing; what it takes is noted, and for a while it takes nothing."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.revoked = False
        self.endless = Endless(self.receive, self.send, lambda: self.revoked)

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        return LEFT

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.taken.append(message)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endless, "LOOK_EVERY_SECONDS", 0.01)


async def left_within(caller: Caller, seconds: float = 5) -> Message:
    """What the service hears."""
    return await asyncio.wait_for(caller.endless.receive(), seconds)


async def test_whoever_is_shut_out_hears_the_end_although_nothing_more_was_to_be_said() -> None:
    caller = Caller()
    await caller.endless.send(START)
    await caller.endless.send(said(b"a"))
    caller.revoked = True
    assert await left_within(caller) == LEFT
    await caller.endless.send(said(b"b"))
    assert caller.taken == [START, said(b"a"), said(b"", more=False)]


@pytest.mark.parametrize("why", ["stuck", "shut out"])
async def test_whoever_takes_nothing_is_not_waited_for(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller()
    await caller.endless.send(START)
    caller.reads.clear()
    sending = asyncio.create_task(caller.endless.send(said(b"a")))
    with pytest.raises(TimeoutError):
        await left_within(caller, 0.1)
    if why == "stuck":
        monkeypatch.setattr(endless, "STUCK_SECONDS", 0.05)
    else:
        caller.revoked = True
    assert await left_within(caller) == LEFT
    sending.cancel()


async def test_whoever_is_shut_out_before_the_answer_or_after_it_hears_no_end_of_it() -> None:
    caller = Caller()
    caller.revoked = True
    with pytest.raises(TimeoutError):
        await left_within(caller, 0.1)
    caller.revoked = False
    await caller.endless.send(START)
    await caller.endless.send(said(b"a", more=False))
    caller.revoked = True
    with pytest.raises(TimeoutError):
        await left_within(caller, 0.1)
    assert caller.taken == [START, said(b"a", more=False)]


async def test_a_slow_caller_is_let_be_as_long_as_it_takes_each_piece_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 0.0
    monkeypatch.setattr(endless, "monotonic", lambda: at)
    caller = Caller()
    await caller.endless.send(START)
    for _ in range(3):
        caller.reads.clear()
        sending = asyncio.create_task(caller.endless.send(said(b"a")))
        await asyncio.sleep(0)
        at += endless.STUCK_SECONDS - 1
        with pytest.raises(TimeoutError):
            await left_within(caller, 0.05)
        caller.reads.set()
        await sending
    assert len(caller.taken) == 4
