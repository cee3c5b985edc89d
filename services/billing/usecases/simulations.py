"""Simulations: who would have paid what under other rule sets, worked out beside the real months, a few municipalities at a time."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

from services.billing.domain.charge import last_day
from services.billing.domain.identity import canonical_json
from services.billing.domain.persons import Actor
from services.billing.domain.simulating import Outcome, books_for, look_back, months_from, next_group, outcomes_of, profiles_known
from services.billing.repository import debtors
from services.billing.repository import simulations as rows
from services.billing.repository.simulations import SimulationRow
from services.billing.usecases.gathering import gather
from services.billing.usecases.rules import rules_now
from shared.dates import Month, local_date
from shared.db import Work, is_unavailable
from shared.errors import FieldError, Malformed, NotFound, Refused
from shared.identifiers import uuid7

_log = structlog.get_logger(__name__)
MOST_MONTHS: Final = 36
MOST_AT_ONCE: Final = 3
"""Jobs of one municipality, or of the region, that may wait or run at the same time."""
STAYS_AT_ONCE: Final = 500
"""What one transaction takes on: with ten rule sets well under a second, so that a cancel is seen and nobody waits for the row."""
OPEN: Final = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What to try: rule sets by name, months, and municipalities (None = all that the one who asks may see)."""

    profiles: tuple[str, ...]
    first: Month
    last: Month
    municipalities: tuple[str, ...] | None = None

    @property
    def months(self) -> list[Month]:
        """The months in their order."""
        return months_from(self.first, self.last)

    @property
    def total(self) -> int:
        """How many months of municipalities that is."""
        return len(self.months) * len(self.municipalities or ())


@dataclass(frozen=True, slots=True)
class SimulationView:
    """A job, what was asked for, and what it found; empty until it is done."""

    row: SimulationRow
    wish: Wish
    outcomes: tuple[Outcome, ...] = ()


async def checked(work: Work, wish: Wish, reader: str | None) -> Wish:
    """The same wish with its municipalities named, each profile once.

    Raises:
        Malformed: A profile is unknown, or the months are none, too many, or not over.
        NotFound: A municipality is unknown, or not the reader's.
    """
    known = profiles_known(await rules_now(work))
    unknown = [FieldError(f"/profiles/{place}", "unknown") for place, profile in enumerate(wish.profiles) if profile not in known]
    if unknown:
        raise Malformed("simulation.profile_unknown", f"there are {', '.join(known)}", errors=tuple(unknown))
    if wish.last < wish.first:
        raise Malformed("simulation.period_invalid", errors=(FieldError("/to", "before_from"),))
    if wish.last >= Month.of(local_date(work.at)):
        raise Malformed("simulation.period_invalid", errors=(FieldError("/to", "not_over"),))
    if wish.last.year - wish.first.year > MOST_MONTHS or len(wish.months) > MOST_MONTHS:
        raise Malformed("simulation.period_invalid", errors=(FieldError("/from", "too_long"),))
    seen = await _debtors(work, wish)
    visible = seen if reader is None else seen & {reader}
    wanted = visible if wish.municipalities is None else set(wish.municipalities)
    if not wanted or not wanted <= visible:
        raise NotFound
    return Wish(tuple(dict.fromkeys(wish.profiles)), wish.first, wish.last, tuple(sorted(wanted)))


async def _debtors(work: Work, wish: Wish) -> set[str]:
    """Every municipality that was a debtor when the period began or ended."""
    return {code for month in (wish.first, wish.last) for code in await debtors.on(work, last_day(month))}


async def start_simulation(work: Work, wish: Wish, actor: Actor, reader: str | None) -> SimulationView:
    """Put a job into the queue; a worker takes it from there.

    Raises:
        Malformed: A profile is unknown, or the months are none, too many, or not over.
        NotFound: A municipality is unknown, or not the reader's.
        Refused: Too many jobs of the same side are waiting.
    """
    plan = await checked(work, wish, reader)
    if await rows.unfinished(work, reader) >= MOST_AT_ONCE:
        raise Refused("simulation.too_many", f"{MOST_AT_ONCE} may wait or run at the same time")
    row = SimulationRow(uuid7(), _told(plan), actor.client, actor.person, reader, "queued", plan.total, 0, work.at)
    await rows.enter(work, row)
    return SimulationView(row, plan)


async def simulations(work: Work, reader: str | None, before: UUID | None, limit: int) -> list[SimulationView]:
    """The reader's jobs, the newest first, without what they found."""
    return [SimulationView(row, _wish(row)) for row in await rows.latest(work, reader, before, limit)]


async def simulation(work: Work, simulation_id: UUID, reader: str | None) -> SimulationView:
    """One job, with what it found once it is done.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    row = await rows.find(work, simulation_id, reader)
    if row is None:
        raise NotFound
    return SimulationView(row, _wish(row), tuple(await rows.parts(work, row.id)) if row.state == "done" else ())


async def cancel_simulation(work: Work, simulation_id: UUID, reader: str | None) -> SimulationView:
    """Stop a job; a worker that is at it ends with the part it is at.

    Raises:
        NotFound: There is none, or it is somebody else's.
        Refused: It has ended already.
    """
    row = await rows.find(work, simulation_id, reader, lock=True)
    if row is None:
        raise NotFound
    if row.state not in OPEN:
        raise Refused("simulation.ended", f"it is {row.state}")
    await rows.move(work, row.id, "cancelled", row.done, work.at)
    return await simulation(work, simulation_id, reader)


async def go_on(work: Work) -> bool:
    """Work out the next part of the oldest job: one month of some municipalities under every rule set.

    How far a job has come moves in the transaction that keeps the part: any worker goes on where another one was killed. A job that cannot
    be worked out is marked as failed, so that it does not stand in the way of the others.

    Returns:
        Whether there was something to do.
    """
    row = await rows.take_next(work)
    if row is None:
        return False
    try:
        async with work.connection.begin_nested():
            done = row.done + await _next_part(work, row)
            ended = done >= row.total
            await rows.move(work, row.id, "done" if ended else "running", done, work.at if ended else None)
    except Exception as error:
        if is_unavailable(error):
            raise
        _log.warning("simulation.failed", simulation=str(row.id), error=type(error).__name__)
        await rows.move(work, row.id, "failed", row.done, work.at)
    return True


async def _next_part(work: Work, row: SimulationRow) -> int:
    wish = _wish(row)
    month, group = await parts_of(work, wish, row.done)
    await rows.keep_parts(work, row.id, await try_out(work, group, month, wish.profiles))
    return len(group)


async def parts_of(work: Work, wish: Wish, done: int) -> tuple[Month, Sequence[str]]:
    """What comes next after so many months of municipalities: a month, and as many municipalities as one transaction takes."""
    municipalities = wish.municipalities or ()
    place, first = divmod(done, len(municipalities))
    month, left = wish.months[place], municipalities[first:]
    return month, next_group(left, await rows.stays_in(work, left, month), STAYS_AT_ONCE)


async def try_out(work: Work, municipalities: Sequence[str], month: Month, profiles: Sequence[str]) -> list[Outcome]:
    """One month of some municipalities under the rules in force and each profile; a municipality without rules then gives nothing.

    The calculation runs in a thread of its own, so that the event loop of a worker is never held up by it.
    """
    books = books_for(await rules_now(work), profiles)
    earlier = look_back(books, municipalities, month)
    before = await gather(work, earlier, month.previous) if earlier else {}
    outcomes: list[Outcome] = []
    for code, inputs in (await gather(work, municipalities, month)).items():
        outcomes += await asyncio.to_thread(outcomes_of, inputs, books, before.get(code))
    return outcomes


def _told(wish: Wish) -> str:
    return canonical_json(
        {
            "profiles": list(wish.profiles),
            "from": str(wish.first),
            "to": str(wish.last),
            "municipalities": list(wish.municipalities or ()),
        }
    )


def _wish(row: SimulationRow) -> Wish:
    told: dict[str, Any] = json.loads(row.request)
    return Wish(tuple(told["profiles"]), Month.parse(told["from"]), Month.parse(told["to"]), tuple(told["municipalities"]))
