"""When the service or the network was down, and what a notice that was given on paper meanwhile counts as (reservrutin).

A ward that cannot reach us gives its notices on paper and states them afterwards, with the time they were given. That time counts when it
lies inside an outage that we recorded ourselves or that a person of the region confirmed, and was stated soon after that outage. Any
other counts from when it was really sent, until a person has decided.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from services.planning.domain.events import CaseEvent, ward_of

PaperMark = Literal["none", "counted", "unconfirmed"]
"""Whether a paper time moves anything: none stated, one that counts, or one that would count if an outage were confirmed."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time when notices could not be sent, recorded by the service itself or confirmed by the region.

    One that still lasts explains nothing yet. `scope` is the beginning of the HSA-ids of the units it struck; empty for the whole service.
    `stated_within`: how long after its end what was given on paper may be stated.
    """

    since: datetime
    until: datetime
    stated_within: timedelta
    scope: str = ""

    def covers(self, event: CaseEvent) -> bool:
        """Whether the paper time of an event is one that this outage explains; both ends belong to it."""
        paper = event.paper
        if paper is None or not ward_of(event.key.source).startswith(self.scope):
            return False
        return self.since <= paper.given_at <= self.until and paper.stated_at <= self.until + self.stated_within


class OnPaper(NamedTuple):
    """What paper makes of one notice: the time it counts from, when that is a paper time, and an earlier one that nobody has confirmed."""

    counted: datetime | None = None
    unconfirmed: datetime | None = None

    @property
    def mark(self) -> PaperMark:
        """What billing is told: as long as an earlier time may still come to count, a person must decide."""
        if self.unconfirmed is not None:
            return "unconfirmed"
        return "none" if self.counted is None else "counted"

    @property
    def given_at(self) -> datetime | None:
        """When it was given on paper, as stated; the earliest of several."""
        return self.unconfirmed or self.counted

    def counts_from(self, sent_at: datetime) -> datetime:
        """When the notice counts as sent."""
        return sent_at if self.counted is None else min(self.counted, sent_at)

    def before(self, instant: datetime) -> "OnPaper":
        """The same for one who was told at `instant` without paper: a paper time that is no earlier says nothing."""
        return OnPaper(*(None if time is None or time >= instant else time for time in self))


NOT_ON_PAPER: Final = OnPaper()


def paper_mark(event: CaseEvent, outages: Iterable[Outage]) -> PaperMark:
    """What the paper time of one event is worth. One that is no earlier than the event was sent moves nothing.

    Source:
        Lag (2017:612) 2 kap. 1 §, 3 kap. 1 §: notices are due whether or not the service can be reached; the routine is our default.
    """
    if event.paper is None or event.paper.given_at >= event.sent_at:
        return "none"
    return "counted" if any(outage.covers(event) for outage in outages) else "unconfirmed"


def on_paper(events: Sequence[CaseEvent], outages: Sequence[Outage]) -> OnPaper:
    """What paper makes of one notice that these events state: of several the one that counts as sent first is it.

    Source:
        Lag (2017:612) 2 kap. 1 §, 3 kap. 1 §; the routine is our default.
    """
    told = [(event.paper.given_at, paper_mark(event, outages)) for event in events if event.paper is not None]
    if not told:
        return NOT_ON_PAPER
    sent_at = min(event.sent_at for event in events)
    counted = min((given_at for given_at, mark in told if mark == "counted" and given_at < sent_at), default=None)
    claimed = min((given_at for given_at, mark in told if mark == "unconfirmed"), default=None)
    return OnPaper(counted, claimed if claimed is not None and claimed < (counted or sent_at) else None)
