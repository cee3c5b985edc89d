"""What a debtor contests (tvist), a whole stay or some of its days, and where that stands."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID


class Standing(StrEnum):
    """Where a dispute stands for the calculation: nobody has decided yet, the debtor was right, or the creditor was."""

    UNDECIDED = "undecided"
    UPHELD = "upheld"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Claim:
    """One dispute as the calculation sees it; `days` None = the whole stay. Of one upheld in part, the days that were."""

    dispute: UUID
    stay: UUID
    days: frozenset[date] | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Conceded:
    """What the calculation leaves out of one stay because of disputes.

    `days` are taken out of the waiting days. `upheld`: the whole stay is out, and that is decided. `left_out`: it is out until somebody has
    decided. `undecided`: a dispute on it waits for a decision, whether it is counted meanwhile or not.
    """

    days: frozenset[date] = frozenset()
    upheld: bool = False
    left_out: bool = False
    undecided: bool = False


NOTHING: Final = Conceded()


def conceded(claims: Iterable[Claim], left_out: Collection[UUID] = ()) -> dict[UUID, Conceded]:
    """What disputes take out of each stay; one that was rejected takes nothing, as if it had never been raised.

    Args:
        claims: The disputes on all stays.
        left_out: Undecided disputes that are left out as if the debtor were right; the others are counted.

    Source:
        Domain rule 3.8, dispute (computed with and without while undecided).
    """
    found: dict[UUID, Conceded] = {}
    for claim in claims:
        known = found.get(claim.stay, NOTHING)
        is_open, upheld = claim.standing is Standing.UNDECIDED, claim.standing is Standing.UPHELD
        meanwhile = is_open and claim.dispute in left_out
        out = upheld or meanwhile
        found[claim.stay] = Conceded(
            known.days | claim.days if out and claim.days is not None else known.days,
            known.upheld or (upheld and claim.days is None),
            known.left_out or (meanwhile and claim.days is None),
            known.undecided or is_open,
        )
    return found
