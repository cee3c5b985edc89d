"""Read the time limits of the law from their data file, and hand them to the domain as values."""

import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.planning.domain.limits import Limits, Statute, SundayRule
from services.planning.holidays import load_holidays

STATUTE_FILE: Final = Path(__file__).parent / "statute.toml"
Value = TypeVar("Value")


class StatuteFileError(Exception):
    """The data file cannot be used; the message says where and why, never a value."""


class _From(BaseModel, Generic[Value]):
    """One value from its first day on."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    first: date
    value: Value
    unit: str = Field(min_length=1)
    mark: Literal["L", "A", "D"]
    source: str = Field(min_length=1)


_Dated = _From[Annotated[int, Field(ge=0)]]
_Switch = _From[Literal["n8", "n1_and_n8", "off"]]


class _StatuteFile(BaseModel):
    """The whole file; every limit has at least one value."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    admission_notice_within: list[_Dated] = Field(min_length=1)
    sip_invitation_within: list[_Dated] = Field(min_length=1)
    acknowledge_within: list[_Dated] = Field(min_length=1)
    answer_ready_within: list[_Dated] = Field(min_length=1)
    remind_before: list[_Dated] = Field(min_length=1)
    deviation_assigned_within: list[_Dated] = Field(min_length=1)
    deviation_answered_within: list[_Dated] = Field(min_length=1)
    measures_written_within: list[_Dated] = Field(min_length=1)
    question_answered_within: list[_Dated] = Field(min_length=1)
    paper_stated_within: list[_Dated] = Field(min_length=1)
    discharge_notice_within: list[_Dated] = Field(min_length=1)
    asked_for_after_discharge: list[_Dated] = Field(min_length=1)
    escalate_to_contact: list[_Dated] = Field(min_length=1)
    escalate_on_call: list[_Dated] = Field(min_length=1)
    escalate_to_operator: list[_Dated] = Field(min_length=1)
    statutory_sunday_rule: list[_Switch] = Field(min_length=1)


@cache
def load_statute(path: Path = STATUTE_FILE) -> Statute:
    """The limits shipped.

    Raises:
        StatuteFileError: The file is not valid.
    """
    try:
        told = _StatuteFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        places = ", ".join("/".join(str(part) for part in one["loc"]) + f": {one['type']}" for one in error.errors())
        raise StatuteFileError(f"{path.name}: {places}") from None
    except tomllib.TOMLDecodeError:
        raise StatuteFileError(f"{path.name}: not TOML") from None
    limits = (
        told.admission_notice_within,
        told.sip_invitation_within,
        told.acknowledge_within,
        told.answer_ready_within,
        told.remind_before,
        told.deviation_assigned_within,
        told.deviation_answered_within,
        told.measures_written_within,
        told.question_answered_within,
        told.paper_stated_within,
        told.discharge_notice_within,
        told.asked_for_after_discharge,
        told.escalate_to_contact,
        told.escalate_on_call,
        told.escalate_to_operator,
    )
    firsts = sorted({one.first for values in (*limits, told.statutory_sunday_rule) for one in values})
    return Statute(tuple(_limits_on(day, told) for day in firsts), load_holidays())


def _limits_on(day: date, told: _StatuteFile) -> Limits:
    return Limits(
        first=day,
        admission_notice=timedelta(hours=_value(told.admission_notice_within, day)),
        sip_invitation_days=_value(told.sip_invitation_within, day),
        acknowledge=timedelta(hours=_value(told.acknowledge_within, day)),
        answer_ready=timedelta(hours=_value(told.answer_ready_within, day)),
        remind_before=timedelta(hours=_value(told.remind_before, day)),
        deviation_assigned=timedelta(days=_value(told.deviation_assigned_within, day)),
        deviation_answered=timedelta(days=_value(told.deviation_answered_within, day)),
        measures_written=timedelta(days=_value(told.measures_written_within, day)),
        question_answered=timedelta(hours=_value(told.question_answered_within, day)),
        paper_stated=timedelta(hours=_value(told.paper_stated_within, day)),
        discharge_notice_days=_value(told.discharge_notice_within, day),
        duties_after_discharge=timedelta(days=_value(told.asked_for_after_discharge, day)),
        escalate_to_contact=timedelta(hours=_value(told.escalate_to_contact, day)),
        escalate_on_call=timedelta(hours=_value(told.escalate_on_call, day)),
        escalate_to_operator=timedelta(hours=_value(told.escalate_to_operator, day)),
        sunday_rule=SundayRule(_value(told.statutory_sunday_rule, day)),
    )


def _value(values: Sequence[_From[Value]], day: date) -> Value:
    in_order = sorted(values, key=lambda one: one.first)
    return next((one.value for one in reversed(in_order) if one.first <= day), in_order[0].value)
