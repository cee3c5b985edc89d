"""What others may see of a month: no figure, alone or against another, that stands for a small group (domain rule 4)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Groups:
    """The patients behind a month's figures: in the average, long, charged by themselves by another rule, and charged while still there."""

    in_average: int
    long: int
    individual: int
    still_there: int


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Which figures of a month others may see: those of the average, those of stays charged by themselves, and those of both together."""

    average: bool
    by_itself: bool

    @property
    def together(self) -> bool:
        """A sum of two figures tells the second one to a reader of the first."""
        return self.average and self.by_itself

    @property
    def nothing(self) -> bool:
        """Whether the whole month is shown as a small group only."""
        return not self.average and not self.by_itself


def disclosure(groups: Groups, smallest: int) -> Disclosure:
    """Judge what may be shown when groups below `smallest` are small.

    The days charged by themselves come from all three other groups, and others learn how many stays were long and, from the number of all
    stays, how many were charged by another rule: none of these may be small. An empty group says something of nobody.

    Source:
        Domain rule 4: groups smaller than 5 are shown as such.
    """
    ended = groups.in_average + groups.long + groups.individual
    if ended < smallest:
        return Disclosure(average=False, by_itself=False)
    charged = groups.long + groups.individual + groups.still_there
    return Disclosure(
        average=not 0 < groups.in_average < smallest,
        by_itself=not any(0 < size < smallest for size in (groups.long, groups.individual, charged)),
    )
