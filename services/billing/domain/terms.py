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


class NoRegisteredMunicipality(StrEnum):
    """Who pays for a patient registered in no municipality (asylum seeker, from abroad, reserve number): no municipality does."""

    NOT_LIABLE = "not_liable"


class Readmission(StrEnum):
    """What a patient who comes back is: a new case, whose days begin anew."""

    NEW_CASE = "new_case"


class FreeDays(StrEnum):
    """Which days use up the free ones: all of them, or only those that are no Saturday, Sunday or holiday."""

    CALENDAR = "calendar"
    WEEKDAYS = "weekdays"


class Charging(StrEnum):
    """What follows from an average above the threshold: its excess is charged, or every stay of the next month is, each by itself."""

    EXCESS = "excess"
    NEXT_MONTH = "next_month"


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
    """An average model: free up to `threshold` days on average, stays of more than `long_over` days each by itself (None = none is).

    `care_types` None = one common average of all. `cut_off`: a notice sent later than this counts as sent the next day.
    """

    period: Period
    threshold: Fraction
    long_over: int | None
    bill_from_day: int
    excess_decimals: int | None
    smallest_number: int
    open_long_stay: OpenLongStay
    source: str
    care_types: frozenset[CareType] | None = None
    cut_off: time | None = None
    charges: Charging = Charging.EXCESS
    alert_above: tuple[Fraction, ...] = ()
    source_sv: str = ""

    def covers(self, care_type: CareType) -> bool:
        """Whether stays of this care type are in this average."""
        return self.care_types is None or care_type in self.care_types


@dataclass(frozen=True, slots=True)
class CareTerms:
    """How one care type is charged in a period. The free days and `cut_off` belong to the individual model alone."""

    period: Period
    care_type: CareType
    model: Model
    source: str
    free_days: int = 0
    cut_off: time | None = None
    free_days_are: FreeDays = FreeDays.CALENDAR
    source_sv: str = ""


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
    no_registered_municipality: NoRegisteredMunicipality = NoRegisteredMunicipality.NOT_LIABLE
    readmission: Readmission = Readmission.NEW_CASE


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
    """One rule set: who it binds, when, how days are charged and how open questions are answered.

    `parties` None = everybody (the statute). `region` is the organisation number of the creditor, None = any. `care_types` None = all.
    `only_for_simulation`: nobody has agreed on it, so that it binds nobody until somebody tries it out.
    """

    name: str
    title: str
    period: Period
    parties: frozenset[str] | None
    rule_set_by: RuleSetBy
    average: tuple[AverageTerms, ...]
    care: tuple[CareTerms, ...]
    switches: tuple[Switches, ...]
    statute: Statute
    region: str | None = None
    care_types: frozenset[CareType] | None = None
    only_for_simulation: bool = False
    title_sv: str = ""

    def binds(self, municipality: str, day: date) -> bool:
        """Whether the agreement holds for this municipality on that day; `parties` None = everybody (the statute)."""
        return day in self.period and (self.parties is None or municipality in self.parties)

    def covers(self, care_type: CareType) -> bool:
        """Whether it has anything to say of this care type."""
        return self.care_types is None or care_type in self.care_types

    def average_on(self, day: date, care_type: CareType | None = None) -> AverageTerms | None:
        """The average model in force on a day, None when this rule set has none; of a care type when the agreement tells them apart."""
        for terms in self.average:
            if day in terms.period and (care_type is None or terms.covers(care_type)):
                return terms
        return None

    def averages_on(self, day: date) -> tuple[AverageTerms, ...]:
        """Every average taken on a day: one for all care, one for each care type, or none."""
        return tuple(terms for terms in self.average if day in terms.period)

    def care_on(self, care_type: CareType, day: date) -> CareTerms | None:
        """How a care type is charged on a day, None outside the agreement's time."""
        for terms in self.care:
            if terms.care_type is care_type and day in terms.period:
                return terms
        return None

    def switches_on(self, day: date) -> Switches:
        """The switches in force on a day; before the first and after the last period the nearest one answers.

        Raises:
            NoRuleInForce: The agreement has no switches at all.
        """
        for switches in self.switches:
            if day in switches.period:
                return switches
        if not self.switches:
            raise NoRuleInForce(self.name)
        return min(self.switches, key=lambda switches: _distance(switches.period, day))

    @property
    def adds_up(self) -> bool:
        """Whether a month is the sum of its stays, taken one by one, plus the excess of one common average."""
        return all(terms.care_types is None and terms.charges is Charging.EXCESS for terms in self.average)


def in_force_for(agreements: Iterable[Agreement], region: str | None, municipality: str) -> tuple[Agreement, ...]:
    """The rule sets that can bind a municipality against a region, the one that goes before all others first.

    An agreement that names the municipality goes before the statute, and what is made for some care types before what is made for all.

    Args:
        agreements: All rule sets known.
        region: Organisation number of the creditor, None = whoever it is.
        municipality: SCB code of the debtor.

    Source:
        Lag (2017:612) 5 kap. 4 § (the statutory model, also for a patient from another region); the agreement's own list of parties.
    """
    found = [
        one
        for one in agreements
        if not one.only_for_simulation
        and (region is None or one.region is None or one.region == region)
        and (one.parties is None or municipality in one.parties)
    ]
    return tuple(sorted(found, key=lambda one: (one.parties is None, one.care_types is None)))


def agreement_for(
    agreements: Iterable[Agreement], region: str | None, municipality: str, day: date, care_type: CareType | None = None
) -> Agreement:
    """The rule set of a municipality on a day: the agreement that names it as a party, else the statute.

    Args:
        agreements: All rule sets known.
        region: Organisation number of the creditor, None = whoever it is.
        municipality: SCB code of the debtor.
        day: Which day.
        care_type: Of the stay; None = a rule set for all of them.

    Raises:
        NoRuleInForce: No rule set is in force.

    Source:
        Lag (2017:612) 5 kap. 4 § (the statutory model, also for a patient from another region); the agreement's own list of parties.
    """
    for one in in_force_for(agreements, region, municipality):
        if day in one.period and (one.care_types is None if care_type is None else one.covers(care_type)):
            return one
    raise NoRuleInForce(municipality)


def _distance(period: Period, day: date) -> int:
    """How many days lie between a day and a period; 0 inside it."""
    if day < period.first:
        return (period.first - day).days
    return 0 if period.last is None or day <= period.last else (day - period.last).days
