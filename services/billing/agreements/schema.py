"""The shape of the data files: every number with its unit, its source and its mark, and nothing unknown beside it.

`title_sv` and `source_sv` are what is printed on a Swedish document; the others name the rule in the calculation itself.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from services.billing.domain.stay import CareType
from services.billing.domain.terms import (
    BlockedBy,
    ChangedRegistration,
    Charging,
    DeathWhileReady,
    DeclinedMeasures,
    FreeDays,
    LateNotice,
    LeaveDays,
    MissingInvitation,
    Model,
    NoRegisteredMunicipality,
    OpenLongStay,
    Readmission,
    RuleSetBy,
    SipRefused,
    SundayRule,
    TransferClock,
    WithdrawnReadiness,
)
from shared.dates import parse_day
from shared.identifiers import parse_organisation_number

V = TypeVar("V")


def _day(value: object) -> object:
    """A day as TOML has it, or as text: never a number, which could be read as seconds."""
    if isinstance(value, str):
        return parse_day(value)
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("day.format")  # noqa: TRY004  # a fault of the file, not of the program
    return parse_day(value.isoformat())


def _each_once(values: tuple[V, ...]) -> tuple[V, ...]:
    if len(set(values)) != len(values):
        raise ValueError("named_twice")
    return values


def _above_zero(value: str) -> str:
    if not Fraction(value):
        raise ValueError("must be above zero")
    return value


Mark = Literal["L", "A", "D"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Whole = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[int, Field(ge=1, strict=True)]
Day = Annotated[date, BeforeValidator(_day)]
Truth = Annotated[bool, Field(strict=True)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^\d{1,4}(\.\d{1,3})?$", strict=True), AfterValidator(_above_zero)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$", strict=True)]
Municipality = Annotated[str, StringConstraints(pattern=r"^\d{4}$", strict=True)]
CareTypes = Annotated[tuple[CareType, ...], Field(min_length=1), AfterValidator(_each_once)]


class Table(BaseModel):
    """What every table of a data file shares: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Table, Generic[V]):
    """One value of law or agreement: what it is, in what unit, how sure we are (mark) and where it was read."""

    value: V
    unit: Text
    mark: Mark
    source: Text


class Dated(Table):
    """A table in force from `first` to `last`, both days included."""

    first: Day
    last: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Dated":
        if self.last is not None and self.last < self.first:
            raise ValueError("period_reversed")
        return self


class AverageTable(Dated):
    """The average model of a period, for all care or for some care types."""

    source: Text
    source_sv: Text | None = None
    care_types: CareTypes | None = None
    threshold: Sourced[DecimalText]
    long_over: Sourced[Literal["none"] | Positive]
    bill_from_day: Sourced[Positive]
    excess_decimals: Sourced[Literal["none"] | Annotated[int, Field(ge=1, le=2, strict=True)]]
    smallest_number: Sourced[Positive]
    open_long_stay: Sourced[OpenLongStay]
    cut_off: Sourced[ClockTime] | None = None
    charges: Sourced[Charging] | None = None
    alert_above: Sourced[tuple[DecimalText, ...]] | None = None

    @property
    def exact_threshold(self) -> Fraction:
        """The threshold without any rounding."""
        return Fraction(self.threshold.value)

    @property
    def cut_off_time(self) -> time | None:
        """The cut-off as a local time of day."""
        return None if self.cut_off is None else time.fromisoformat(self.cut_off.value)


class CareTable(Dated):
    """How one care type is charged in a period; free days and cut-off belong to the individual model."""

    care_type: CareType
    model: Model
    source: Text
    source_sv: Text | None = None
    free_days: Sourced[Positive] | None = None
    free_days_are: Sourced[FreeDays] | None = None
    cut_off: Sourced[ClockTime] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "CareTable":
        if self.model is Model.INDIVIDUAL and self.free_days is None:
            raise ValueError("free_days_missing")
        if self.model is Model.AVERAGE and (self.free_days or self.free_days_are or self.cut_off) is not None:
            raise ValueError("free_days_without_individual_model")
        return self

    @property
    def cut_off_time(self) -> time | None:
        """The cut-off as a local time of day."""
        return None if self.cut_off is None else time.fromisoformat(self.cut_off.value)


class SwitchesTable(Dated):
    """The open questions and their answers in a period."""

    late_admission_notice: Sourced[LateNotice]
    late_sip_invitation: Sourced[LateNotice]
    withdrawn_readiness: Sourced[WithdrawnReadiness]
    death_while_ready: Sourced[DeathWhileReady]
    missing_sip_invitation: Sourced[MissingInvitation]
    uninvited_counts_up_to_days: Sourced[Whole]
    count_discharge_day: Sourced[Truth]
    statutory_sunday_rule: Sourced[SundayRule]
    silent_after_days: Sourced[Whole]
    contradictory_findings: Sourced[tuple[Text, ...]]
    sip_refused: Sourced[SipRefused]
    outpatient_block: Sourced[BlockedBy]
    declined_measures: Sourced[DeclinedMeasures]
    leave_days: Sourced[LeaveDays]
    transfer_clock: Sourced[TransferClock]
    changed_registration: Sourced[ChangedRegistration]
    no_registered_municipality: Sourced[NoRegisteredMunicipality]
    readmission: Sourced[Readmission]


class AgreementFile(Dated):
    """One file in `agreements/`. Without parties it binds everybody, unless it is only for simulation."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, strict=True)]
    title: Text
    title_sv: Text | None = None
    rule_set_by: Sourced[RuleSetBy]
    parties: Annotated[tuple[Municipality, ...], Field(min_length=1), AfterValidator(_each_once)] | None = None
    region: Annotated[str, Field(strict=True), AfterValidator(parse_organisation_number)] | None = None
    care_types: CareTypes | None = None
    only_for_simulation: Sourced[Truth] | None = None
    average: tuple[AverageTable, ...] = ()
    care: tuple[CareTable, ...] = Field(min_length=1)
    switches: tuple[SwitchesTable, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "AgreementFile":
        for care_type in CareType:
            charged = [table for table in self.care if table.care_type is care_type]
            averages = [table for table in self.average if table.care_types is None or care_type in table.care_types]
            _refuse_overlap(charged)
            _refuse_overlap(averages)
            if bool(charged) is not (self.care_types is None or care_type in self.care_types):
                raise ValueError("care_types_differ")
            if any(not _covered(table, averages, self) for table in charged if table.model is Model.AVERAGE):
                raise ValueError("average_terms_missing")
        _refuse_overlap(self.switches)
        return self


class PriceTable(Dated):
    """A price per care day, or the open statement that it is missing."""

    price: Sourced[Annotated[str, StringConstraints(pattern=r"^\d{1,7}\.\d\d$", strict=True)]] | None = None
    missing: Text | None = None
    source_sv: Text | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "PriceTable":
        if (self.price is None) == (self.missing is None):
            raise ValueError("price_or_missing")
        return self


class TariffFile(Table):
    """The file `tariffs.toml`."""

    price: tuple[PriceTable, ...]

    @model_validator(mode="after")
    def _consistent(self) -> "TariffFile":
        _refuse_overlap(self.price)
        return self


class HolidayTable(Table):
    """The holidays of lag (1930:173) that fall on weekdays."""

    mark: Mark
    source: Text
    days: tuple[date, ...] = Field(min_length=1)


class StatuteFile(Table):
    """The file `statute.toml`."""

    admission_notice_within: Sourced[Whole]
    invitation_within: Sourced[Whole]
    holidays: HolidayTable


def _refuse_overlap(tables: Sequence[Dated]) -> None:
    """Two tables may not answer for the same day.

    Raises:
        ValueError: They do.
    """
    ordered = sorted(tables, key=lambda table: table.first)
    for earlier, later in pairwise(ordered):
        if earlier.last is None or earlier.last >= later.first:
            raise ValueError("periods_overlap")


def _covered(table: Dated, by: Sequence[Dated], within: Dated) -> bool:
    """Whether every day of a table, as far as the agreement is in force, has an answer in the others, which do not overlap."""
    day, last = max(table.first, within.first), min(_end(table), _end(within))
    for one in sorted(by, key=lambda other: other.first):
        if one.first <= day <= _end(one):
            if _end(one) >= last:
                return True
            day = _end(one) + timedelta(days=1)
    return day > last


def _end(table: Dated) -> date:
    return table.last or date.max
