"""The month basis (fakturaunderlag): what one municipality owes for one month, and every stay it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from math import floor
from uuid import UUID

from services.billing.domain.reasons import Exclusion
from services.billing.domain.stay import CareType
from shared.dates import Month
from shared.money import ZERO, Money


class CountedAs(StrEnum):
    """How a stay entered the month."""

    AVERAGE = "average"
    LONG = "long"
    INDIVIDUAL = "individual"
    EXCLUDED = "excluded"
    REVIEW = "review"
    DISPUTED = "disputed"


COUNTED = frozenset({CountedAs.AVERAGE, CountedAs.LONG, CountedAs.INDIVIDUAL})


@dataclass(frozen=True, slots=True)
class PricedDays:
    """Days charged at one price; `price` None = nobody has entered it, and the amount is unknown."""

    first: date
    last: date
    days: Fraction
    price: Money | None
    source: str

    @property
    def amount(self) -> Money | None:
        """Days times price, half öre upwards; only an agreement with a fractional threshold ever gives a fraction."""
        if self.price is None:
            return None if self.days else ZERO
        return Money(floor(self.price.ore * self.days + Fraction(1, 2)))


@dataclass(frozen=True, slots=True)
class Line:
    """One stay in the month: how it was counted, why, and what it costs by itself.

    `days` is n up to the end of the stay, or so far for a patient still in hospital at the end of the month (`ended_on` None). `rule` names
    the agreement clause that charged it, `agreement` the rule set the stay falls under.
    """

    stay: UUID
    ward: str
    care_type: CareType
    counted_as: CountedAs
    reasons: tuple[Exclusion, ...]
    days: int
    admission_notice_sent_at: datetime | None
    ready_notice_sent_at: datetime | None
    invited_at: datetime | None
    ended_on: date | None
    charges: tuple[PricedDays, ...]
    rule: str
    agreement: str = ""

    @property
    def chargeable_days(self) -> int:
        """Days charged by themselves this month; the excess of the average belongs to the month, not to a stay."""
        return int(sum(part.days for part in self.charges))

    @property
    def amount(self) -> Money | None:
        """What the stay costs by itself this month, None while a price is missing."""
        return total(part.amount for part in self.charges)


class FindingCode(StrEnum):
    """What the data-quality gate looks for before a month may be published."""

    READY_WITHOUT_ADMISSION_NOTICE = "ready_without_admission_notice"
    NO_SIGN_OF_LIFE = "no_sign_of_life"
    CONTRADICTORY_EVENTS = "contradictory_events"
    UNDECIDED_REVIEW = "undecided_review"
    MISSING_PRICE = "missing_price"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the gate, the unit it concerns, and whether the month must wait for it."""

    code: FindingCode
    blocks: bool
    stay: UUID | None = None
    unit: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class MonthBefore:
    """The average of the month before, for a rule set in which it decides whether every stay of this month is charged."""

    month: Month
    in_average: int
    sum_days: int
    exceeded: bool


@dataclass(frozen=True, slots=True)
class AverageGroup:
    """One average of the month: the rule set and care types it is taken for, the stays in it, and the days above what is free."""

    agreement: str
    care_types: tuple[CareType, ...]
    threshold: Fraction
    stays: tuple[UUID, ...]
    sum_days: int
    excess: PricedDays
    source: str
    before: MonthBefore | None = None

    @property
    def in_average(self) -> int:
        """R: how many stays the average is taken over."""
        return len(self.stays)

    @property
    def average(self) -> Fraction | None:
        """The exact average, None without stays."""
        return Fraction(self.sum_days, len(self.stays)) if self.stays else None


@dataclass(frozen=True, slots=True)
class DisputedAmounts:
    """What the month costs with every undecided dispute counted, and with all of them left out: the two ends.

    `claims` are those disputes, and `claims_left_out` the ones among them that the month leaves out, so that it costs the least.
    """

    counted: Money | None
    left_out: Money | None
    claims: tuple[UUID, ...]
    claims_left_out: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthBasis:
    """One municipality's month, calculated; equal inputs give an equal basis, whatever their order.

    `complete` says whether the month was over: only then are patients still in hospital charged. `open_stays` counts ready patients
    still in hospital; like the findings it is shown but is no part of what is charged. `agreement` names the rule set at the end of the
    month and every other one that stays fall under. `disputed` None = nothing in the month waits for a decision on a dispute.
    """

    municipality: str
    month: Month
    agreement: str
    complete: bool
    lines: tuple[Line, ...]
    groups: tuple[AverageGroup, ...]
    open_stays: int
    findings: tuple[Finding, ...]
    disputed: DisputedAmounts | None = None

    @property
    def excess(self) -> PricedDays | None:
        """The excess of the one average of the month; None without any, and with several, of which each group has its own."""
        return self.groups[0].excess if len(self.groups) == 1 else None

    @property
    def stays(self) -> int:
        """E: stays that ended in the month and passed the preconditions."""
        return sum(1 for line in self.lines if line.counted_as in COUNTED and line.ended_on is not None)

    @property
    def in_average(self) -> int:
        """R: the stays of E that averages are taken over, those of every group together."""
        return sum(group.in_average for group in self.groups)

    @property
    def sum_days(self) -> int:
        """All days of R."""
        return sum(group.sum_days for group in self.groups)

    @property
    def average(self) -> Fraction | None:
        """The exact average of R, None without stays; with several groups no amount rests on it."""
        return Fraction(self.sum_days, self.in_average) if self.in_average else None

    @property
    def excess_days(self) -> Fraction:
        """Days above the threshold of each average."""
        return sum((group.excess.days for group in self.groups), Fraction(0))

    @property
    def long_stays(self) -> int:
        """L: the stays of E that are charged by themselves because of their length."""
        return sum(1 for line in self.lines if line.counted_as is CountedAs.LONG and line.ended_on is not None)

    @property
    def individual_days(self) -> int:
        """Days charged stay by stay, those of patients still in hospital included."""
        return sum(line.chargeable_days for line in self.lines if line.charges)

    @property
    def amount(self) -> Money | None:
        """What the month costs, None while a price is missing."""
        return total((*(group.excess.amount for group in self.groups), *(line.amount for line in self.lines if line.charges)))

    @property
    def blocked(self) -> bool:
        """Whether the gate holds the month back."""
        return any(finding.blocks for finding in self.findings)


def total(amounts: Iterable[Money | None]) -> Money | None:
    """The sum, or None when any part is unknown."""
    known = 0
    for amount in amounts:
        if amount is None:
            return None
        known += amount.ore
    return Money(known)
