"""Which rule set a stay falls under: decided stay by stay, from region, municipality, date and care type (domain rule 3.2)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from typing import TypeVar

from services.billing.domain.stay import CareType, Stay
from services.billing.domain.terms import Agreement, AverageTerms, CareTerms, NoRuleInForce, Period, RuleSetBy, Switches
from services.billing.domain.waiting import counted_notice

Dated = TypeVar("Dated", AverageTerms, CareTerms, Switches)


@dataclass(frozen=True, slots=True)
class RuleSets:
    """The rule sets that one municipality's stays may fall under, the one that goes before all others first.

    `regardless`: every stay falls under the first, also one outside its time, which it then excludes.
    """

    ordered: tuple[Agreement, ...]
    regardless: bool = False

    def on(self, day: date) -> Agreement:
        """The rule set of the municipality on a day: one for all care, or else one for some of it.

        Raises:
            NoRuleInForce: There was none.
        """
        if self.regardless:
            return self.ordered[0]
        in_force = [one for one in self.ordered if day in one.period]
        if not in_force:
            raise NoRuleInForce(str(day))
        return next((one for one in in_force if one.care_types is None), in_force[0])

    def of(self, stay: Stay, ended: date | None, last: date) -> Agreement:
        """The rule set of one stay in a month.

        Args:
            stay: The stay.
            ended: Local date it ended, None when that was not in the month.
            last: Last day of the month.

        Raises:
            NoRuleInForce: None was in force for it, nor for the municipality at the end of the month.
        """
        if self.regardless:
            return self.ordered[0]
        day = last if ended is None else ended
        for one in self.ordered:
            if one.covers(stay.care_type) and rule_day(stay, one, day) in one.period:
                return one
        return self.on(last)


def rule_day(stay: Stay, agreement: Agreement, day: date) -> date:
    """The day that chooses the rules of a stay: when the counted ready notice was sent, or `day`, when it ended or the month did.

    Source:
        Domain rule 3.2 (statute by the date of the ready notice, agreement by the date of discharge).
    """
    if agreement.rule_set_by is RuleSetBy.DISCHARGE:
        return day
    notice = counted_notice(stay, agreement.switches_on(day))
    return day if notice is None else notice.sent_on


def as_if_in_force(agreement: Agreement) -> Agreement:
    """The same rule set binding everybody at every time, to see what it would cost: its first tables reach back, its last ones forward.

    Source:
        Domain rule 3.5, profiles to compare; it binds nobody.
    """
    return replace(
        agreement,
        period=Period(date.min),
        parties=None,
        region=None,
        only_for_simulation=False,
        average=tuple(
            table
            for care_types in dict.fromkeys(one.care_types for one in agreement.average)
            for table in _at_every_time([one for one in agreement.average if one.care_types == care_types])
        ),
        care=tuple(
            table
            for care_type in dict.fromkeys(one.care_type for one in agreement.care)
            for table in _at_every_time([one for one in agreement.care if one.care_type is care_type])
        ),
        switches=tuple(_at_every_time(agreement.switches)),
    )


def _at_every_time(tables: Sequence[Dated]) -> Iterator[Dated]:
    """Tables that follow each other, without an end at either side."""
    ordered = sorted(tables, key=lambda table: table.period.first)
    for table in ordered:
        first = date.min if table is ordered[0] else table.period.first
        yield replace(table, period=Period(first, None if table is ordered[-1] else table.period.last))


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rule sets that answer for the same stays: from which day, for which care type; `municipality` None = everybody."""

    first: str
    second: str
    municipality: str | None
    care_type: CareType
    day: date


def overlaps(agreements: Collection[Agreement]) -> tuple[Overlap, ...]:
    """Every two rule sets that bind the same municipality for the same care type on the same day in the same region.

    The statute stands behind every agreement, and what is made for one care type before what is made for everybody and all care, so that
    these do not overlap; what is only for simulation binds nobody.

    Args:
        agreements: All rule sets that are to count together, no two versions of one.

    Source:
        Domain rule 3.5 (one rule set for a stay); the agreements' own parties, periods and care types.
    """
    binding = sorted((one for one in agreements if not one.only_for_simulation), key=lambda one: (one.period.first, one.name))
    return tuple(overlap for first, second in combinations(binding, 2) for overlap in _overlap(first, second))


def _overlap(first: Agreement, second: Agreement) -> Iterator[Overlap]:
    day = max(first.period.first, second.period.first)
    if first.region is not None and second.region is not None and first.region != second.region:
        return
    if day not in first.period or day not in second.period or (first.parties is None) is not (second.parties is None):
        return
    if first.parties is None and (first.care_types is None) is not (second.care_types is None):
        return
    both = [None] if first.parties is None or second.parties is None else sorted(first.parties & second.parties)
    for care_type in CareType:
        if both and first.covers(care_type) and second.covers(care_type):
            yield Overlap(first.name, second.name, both[0], care_type, day)
