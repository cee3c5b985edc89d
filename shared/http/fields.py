"""Field types for request bodies: what pydantic would quietly convert, these refuse."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictBool, StrictInt, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from shared.dates import Month, format_instant, parse_day, parse_instant
from shared.text import compose


def _instant(value: Any) -> datetime:  # whatever stood in the body
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("time.format")  # noqa: TRY004  # pydantic turns ValueError into a field error
    try:
        return parse_instant(value)
    except ValueError:
        raise ValueError("time.format") from None


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError("day.format")  # noqa: TRY004
    return parse_day(value)


def _month(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("month.format")  # noqa: TRY004
    try:
        return str(Month.parse(value))
    except ValueError:
        raise ValueError("month.format") from None


def _plain_text(value: Any) -> Any:
    return compose(value) if isinstance(value, str) else value


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
MonthText = Annotated[str, BeforeValidator(_month), WithJsonSchema({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])$"})]
Text = Annotated[str, BeforeValidator(_plain_text), Field(min_length=1, max_length=2_000)]
ShortText = Annotated[str, BeforeValidator(_plain_text), Field(min_length=1, max_length=200)]
Whole = StrictInt
Truth = StrictBool


class Body(BaseModel):
    """What a caller sends: unknown fields are refused, at the first one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, value: Any) -> Any:
        """Thousands of unknown fields are refused as cheaply as one; which ones is not told, their names may hold anything."""
        if isinstance(value, dict) and not value.keys() <= cls._known():
            raise PydanticCustomError("unknown_field", "unknown field")
        return value

    @classmethod
    def _known(cls) -> set[str]:
        return {field.alias or name for name, field in cls.model_fields.items()}


class Answer(BaseModel):
    """What we send."""

    model_config = ConfigDict(frozen=True)
