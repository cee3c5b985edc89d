"""Following a stream: one long poll says what there is, and what the queue does not bring in time is repaired.

While the queue brings things nothing is asked: it is in order, so that the next range shows that one before it was lost.
"""

import asyncio
from typing import Final, Protocol

from shared.streams.consumer import Consumer

# The queue takes a tenth of a second; two services after each other and a webhook must fit into the five that are promised without it.
QUEUE_SECONDS: Final = 0.5
POLL_SECONDS: Final = 20.0
GATHERING_SECONDS: Final = 0.05


class Growing(Protocol):
    """A stream that can be waited for."""

    async def head(self, *, epoch: int, after: int, wait: float) -> int:
        """Where the stream ends, as soon as that is beyond a position, or when so many seconds have passed."""
        ...


class Follower:
    """Keeps one consumer up with its stream, whatever becomes of the queue.

    The queue is trusted as long as it has brought whatever had to be repaired last, be it after the repair: new entries are left to it for
    a while. When it has not, they are repaired as they come, so that without a queue a fact is late once and not every time.
    """

    def __init__(self, consumer: Consumer, stream: Growing) -> None:
        self._consumer = consumer
        self._stream = stream
        self._repaired_through = 0

    @property
    def _queue_is_trusted(self) -> bool:
        return self._consumer.carried >= self._repaired_through

    async def run(self) -> None:
        """Follow until cancelled; an error leaves to the caller, who starts this again."""
        await self._consumer.catch_up()
        while True:
            pause = QUEUE_SECONDS - self._consumer.queue_silent_for if self._queue_is_trusted else 0
            if pause <= 0:
                await self.look(POLL_SECONDS)
            await asyncio.sleep(max(pause, GATHERING_SECONDS))  # as the relay does: what comes close together is taken together

    async def look(self, wait: float) -> int:
        """Wait for new entries at most so many seconds, and repair what does not come by queue; the number of facts repaired."""
        epoch, position = await self._consumer.cursor()
        head = await self._stream.head(epoch=epoch, after=position, wait=wait)
        if head <= position or (self._queue_is_trusted and await self._comes_by_queue(position, head)):
            return 0
        applied = await self._consumer.catch_up()
        _, self._repaired_through = await self._consumer.cursor()
        return applied

    async def _comes_by_queue(self, position: int, head: int) -> bool:
        """Wait for the queue for as long as it is at work, and see whether it has brought everything up to a position."""
        while position < head:
            await asyncio.sleep(QUEUE_SECONDS)
            before, (_, position) = position, await self._consumer.cursor()
            if position == before and self._consumer.queue_silent_for >= QUEUE_SECONDS:
                return False
        return True
