"""What a debtor contests (tvist), a whole stay or some of its days, and where that stands."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
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
