"""The dated terms of an agreement (överenskommelse) between region and municipalities, and of the statute, as frozen values.

Every number here comes from a data file with its unit, source and mark; `services.billing.agreements` reads and validates them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from fractions import Fraction

from services.billing.domain.stay import CareType


class LateNotice(StrEnum):
    """What happens to a stay whose admission notice or SIP invitation came late."""

    REVIEW = "review"
    EXCLUDE = "exclude"
    ACCEPT = "accept"


class WithdrawnReadiness(StrEnum):
    """Which days count when readiness was withdrawn and came again."""

    LAST_VALID = "last_valid"
    SUM_OF_PERIODS = "sum_of_periods"
    FIRST_NOTICE = "first_notice"


class DeathWhileReady(StrEnum):
    """Whether a patient who died while ready counts until death, or not at all."""

    EXCLUDED = "excluded"
    UNTIL_DEATH = "until_death"


class MissingInvitation(StrEnum):
    """What happens to a stay without the SIP invitation the law requires."""

    SHORT_STAYS_COUNT = "short_stays_count"
    EXCLUDE_ALL = "exclude_all"


class SipRefused(StrEnum):
    """What happens to a stay without SIP invitation whose patient said no to a SIP: none was required, or a person decides."""

    NOT_REQUIRED = "not_required"
    REVIEW = "review"


class BlockedBy(StrEnum):
    """What is not charged when outpatient care held the discharge up: the whole stay, the days it did, or all days until it was over."""

    WHOLE_STAY = "whole_stay"
    BLOCKED_DAYS = "blocked_days"
    CLOCK_STARTS_AFTER = "clock_starts_after"


class DeclinedMeasures(StrEnum):
    """Whether a stay counts whose patient declined everything that the municipality was to do."""

    EXCLUDED = "excluded"
    COUNTED = "counted"


class LeaveDays(StrEnum):
    """Whether the days of a leave from psychiatric inpatient care are waiting days."""

    COUNTED = "counted"
    SKIPPED = "skipped"


class TransferClock(StrEnum):
    """Whether the clock goes on when the patient is moved to another ward or hospital, or starts anew there."""

    GOES_ON = "goes_on"
    RESTARTS = "restarts"


class ChangedRegistration(StrEnum):
    """Who is liable when the patient really moved during the stay: the municipality at the ready notice, or the one at discharge."""

    AT_READY_NOTICE = "at_ready_notice"
    AT_DISCHARGE = "at_discharge"


class OpenLongStay(StrEnum):
    """When the days of a long stay are charged: at every month end, or all at discharge."""

    MONTHLY = "monthly"
    AT_DISCHARGE = "at_discharge"


class SundayRule(StrEnum):
    """Which time limits lag (1930:173) moves to the next weekday when they end on a Saturday, Sunday or holiday."""

    N8 = "n8"
    N1_AND_N8 = "n1_and_n8"
    OFF = "off"


class RuleSetBy(StrEnum):
    """Which date chooses the rules of a stay: the statute by the ready notice, an agreement by discharge."""

    READY_NOTICE = "ready_notice"
    DISCHARGE = "discharge"


class Model(StrEnum):
    """How a care type is charged: monthly average per municipality, or each stay by itself."""

    AVERAGE = "average"
    INDIVIDUAL = "individual"


class NoRuleInForce(Exception):
    """The agreement has no rule for that day: a gap in the data files, never a reason to guess."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days on which a rule is in force, both ends included; `last` None = until further notice."""

    first: date
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def overlaps(self, first: date, last: date) -> bool:
        """Whether some day from `first` to `last` lies in it."""
        return self.first <= last and (self.last is None or first <= self.last)


@dataclass(frozen=True, slots=True)
class AverageTerms:
    """The average model of VGR: free up to `threshold` days on average, stays of more than `long_over` days each by itself."""

    period: Period
    threshold: Fraction
    long_over: int
    bill_from_day: int
    excess_decimals: int | None
    smallest_number: int
    open_long_stay: OpenLongStay
    source: str


@dataclass(frozen=True, slots=True)
class CareTerms:
    """How one care type is charged in a period. `free_days` and `cut_off` belong to the individual model alone."""

    period: Period
    care_type: CareType
    model: Model
    source: str
    free_days: int = 0
    cut_off: time | None = None


@dataclass(frozen=True, slots=True)
class Switches:
    """The answers that law and agreement leave open, each with our default, in force for a period."""

    period: Period
    late_admission_notice: LateNotice
    late_sip_invitation: LateNotice
    withdrawn_readiness: WithdrawnReadiness
    death_while_ready: DeathWhileReady
    missing_sip_invitation: MissingInvitation
    uninvited_counts_up_to_days: int
    count_discharge_day: bool
    statutory_sunday_rule: SundayRule
    silent_after_days: int
    contradictory_findings: frozenset[str]
    sip_refused: SipRefused
    outpatient_block: BlockedBy
    declined_measures: DeclinedMeasures
    leave_days: LeaveDays
    transfer_clock: TransferClock
    changed_registration: ChangedRegistration


@dataclass(frozen=True, slots=True)
class Statute:
    """The time limits of lag (2017:612) that no agreement changes, and the days lag (1930:173) calls holidays.

    Source:
        Lag (2017:612) 2 kap. 3 §, 4 kap. 3 §; lag (1930:173) 2 §.
    """

    admission_notice_within: timedelta
    invitation_within_days: int
    holidays: frozenset[date]


@dataclass(frozen=True, slots=True)
class Agreement:
    """One rule set: who it binds, when, how days are charged and how open questions are answered."""

    name: str
    title: str
    period: Period
    parties: frozenset[str] | None
    rule_set_by: RuleSetBy
    average: tuple[AverageTerms, ...]
    care: tuple[CareTerms, ...]
    switches: tuple[Switches, ...]
    statute: Statute

    def binds(self, municipality: str, day: date) -> bool:
        """Whether the agreement holds for this municipality on that day; `parties` None = everybody (the statute)."""
        return day in self.period and (self.parties is None or municipality in self.parties)

    def average_on(self, day: date) -> AverageTerms | None:
        """The average model in force on a day, None when this rule set has none."""
        return next((terms for terms in self.average if day in terms.period), None)

    def care_on(self, care_type: CareType, day: date) -> CareTerms | None:
        """How a care type is charged on a day, None outside the agreement's time."""
        return next((terms for terms in self.care if terms.care_type is care_type and day in terms.period), None)

    def switches_on(self, day: date) -> Switches:
        """The switches in force on a day; before the first and after the last period the nearest one answers.

        Raises:
            NoRuleInForce: The agreement has no switches at all.
        """
        if not self.switches:
            raise NoRuleInForce(self.name)
        return min(self.switches, key=lambda switches: _distance(switches.period, day))


def agreement_for(agreements: Iterable[Agreement], municipality: str, day: date) -> Agreement:
    """The rule set of a municipality on a day: the agreement that names it as a party, else the statute.

    Raises:
        NoRuleInForce: No rule set is in force.

    Source:
        Lag (2017:612) 5 kap. 4 § (the statutory model, also for a patient from another region); the agreement's own list of parties.
    """
    in_force = [agreement for agreement in agreements if agreement.binds(municipality, day)]
    for agreement in in_force:
        if agreement.parties is not None:
            return agreement
    if not in_force:
        raise NoRuleInForce(municipality)
    return in_force[0]


def _distance(period: Period, day: date) -> int:
    """How many days lie between a day and a period; 0 inside it."""
    if day < period.first:
        return (period.first - day).days
    return 0 if period.last is None or day <= period.last else (day - period.last).days
