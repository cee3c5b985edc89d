"""Events in an open loop, each posted when its time has come whether or not the answers keep up, and the clocks of what follows."""

import asyncio
import contextlib
import time
from typing import Final

import aiohttp
import msgspec

from benchmarks.stories import Stories, encoded

PER_SECOND: Final = 200
LATE_SECONDS: Final = 5.0


class Clocks:
    """When each case's event was answered, and when its notice was first seen."""

    def __init__(self) -> None:
        self.answered: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.refused = 0
        self._more = asyncio.Event()

    def see(self, case_id: str, at: float) -> None:
        """A poll brought the notice of a case."""
        self.seen.setdefault(case_id, at)
        self._more.set()

    async def all_seen(self) -> None:
        """Wait until every notice has been seen, or nothing more comes."""
        with contextlib.suppress(TimeoutError):
            while self.waiting():
                self._more.clear()
                await asyncio.wait_for(self._more.wait(), LATE_SECONDS)

    def waiting(self) -> int:
        """How many notices have not been seen yet."""
        return len(self.answered.keys() - self.seen.keys())

    def latencies(self, after: float) -> list[float]:
        """Milliseconds of every notice whose event was answered after a moment, the quickest first."""
        return sorted(max(0.0, 1_000 * (self.seen[case] - at)) for case, at in self.answered.items() if at > after and case in self.seen)


async def post_all(http: aiohttp.ClientSession, base: str, token: str, clocks: Clocks, run: str, *, seconds: float) -> None:
    """Post admissions for so long, and note when each was answered.

    Args:
        http: What to post with.
        base: Where planning is.
        token: A ward's.
        clocks: Where the answers are noted.
        run: What tells the stays of this run from those of another.
        seconds: How long to go on.
    """
    stories = Stories(run)
    bodies = [encoded(stories.admission()) for _ in range(int(PER_SECOND * seconds))]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    async def post(body: bytes) -> None:
        async with http.post(f"{base}/v1/events", data=body, headers=headers) as answer:
            content = await answer.read()
            if answer.status != 201:
                clocks.refused += 1
                return
            clocks.answered[msgspec.json.decode(content)["case_id"]] = time.perf_counter()

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as posts:
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            posts.create_task(post(body))
