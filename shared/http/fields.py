"""Field types for request bodies: what pydantic would quietly convert, these refuse."""

import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StrictBool, StrictInt, WithJsonSchema

from shared.dates import Month, format_instant, parse_instant

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _instant(value: Any) -> datetime:  # whatever stood in the body
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("time_not_rfc3339")  # noqa: TRY004  # pydantic turns ValueError into a field error
    return parse_instant(value)


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("day_not_iso")
    return date.fromisoformat(value)


def _month(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("month_not_iso")  # noqa: TRY004
    return str(Month.parse(value))


def plain_text(value: str) -> str:
    """Text a person wrote: composed form, no control characters, no bidirectional overrides.

    Raises:
        ValueError: It holds a character that could deceive or break a reader.
    """
    if any(unicodedata.category(char) in {"Cc", "Cs"} or char in _BIDI for char in value):
        raise ValueError("text_unsafe")
    return unicodedata.normalize("NFC", value)


def _plain_text(value: Any) -> Any:
    return plain_text(value) if isinstance(value, str) else value


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
    """What a caller sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What we send."""

    model_config = ConfigDict(frozen=True)
