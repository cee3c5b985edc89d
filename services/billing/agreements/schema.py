"""The shape of the data files: every number with its unit, its source and its mark, and nothing unknown beside it."""

from collections.abc import Sequence
from datetime import date, time
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.billing.domain.stay import CareType
from services.billing.domain.terms import (
    BlockedBy,
    ChangedRegistration,
    DeathWhileReady,
    DeclinedMeasures,
    LateNotice,
    LeaveDays,
    MissingInvitation,
    Model,
    OpenLongStay,
    RuleSetBy,
    SipRefused,
    SundayRule,
    TransferClock,
    WithdrawnReadiness,
)

V = TypeVar("V")
Mark = Literal["L", "A", "D"]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Whole = Annotated[int, Field(ge=0, strict=True)]
Truth = Annotated[bool, Field(strict=True)]
DecimalText = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?$", strict=True)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$", strict=True)]
Municipality = Annotated[str, StringConstraints(pattern=r"^\d{4}$", strict=True)]


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

    first: date
    last: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Dated":
        if self.last is not None and self.last < self.first:
            raise ValueError("period_reversed")
        return self


class AverageTable(Dated):
    """The average model of a period."""

    source: Text
    threshold: Sourced[DecimalText]
    long_over: Sourced[Whole]
    bill_from_day: Sourced[Annotated[int, Field(ge=1, strict=True)]]
    excess_decimals: Sourced[Literal["none"] | Annotated[int, Field(ge=1, le=2, strict=True)]]
    smallest_number: Sourced[Annotated[int, Field(ge=1, strict=True)]]
    open_long_stay: Sourced[OpenLongStay]

    @property
    def exact_threshold(self) -> Fraction:
        """The threshold without any rounding."""
        return Fraction(self.threshold.value)


class CareTable(Dated):
    """How one care type is charged in a period; free days and cut-off belong to the individual model."""

    care_type: CareType
    model: Model
    source: Text
    free_days: Sourced[Whole] | None = None
    cut_off: Sourced[ClockTime] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "CareTable":
        if self.model is Model.INDIVIDUAL and self.free_days is None:
            raise ValueError("free_days_missing")
        if self.model is Model.AVERAGE and (self.free_days is not None or self.cut_off is not None):
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


class AgreementFile(Dated):
    """One file in `agreements/`."""

    name: Text
    title: Text
    rule_set_by: Sourced[RuleSetBy]
    parties: tuple[Municipality, ...] | None = None
    average: tuple[AverageTable, ...] = ()
    care: tuple[CareTable, ...] = Field(min_length=1)
    switches: tuple[SwitchesTable, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> "AgreementFile":
        for care_type in CareType:
            _refuse_overlap([table for table in self.care if table.care_type is care_type])
        _refuse_overlap(self.average)
        _refuse_overlap(self.switches)
        if any(table.model is Model.AVERAGE for table in self.care) and not self.average:
            raise ValueError("average_terms_missing")
        return self


class PriceTable(Dated):
    """A price per care day, or the open statement that it is missing."""

    price: Sourced[Annotated[str, StringConstraints(pattern=r"^\d{1,7}\.\d\d$", strict=True)]] | None = None
    missing: Text | None = None

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
