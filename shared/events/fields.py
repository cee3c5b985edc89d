"""The types of the fields of ward events: strict, printable, in Unicode NFC, so that the stored form of an event is what was sent."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.dates import parse_day, parse_instant
from shared.identifiers import HSA_ID_PATTERN, MUNICIPALITY_CODE_PATTERN, parse_hsa_id
from shared.text import refuse_odd_text

SOURCE_PREFIX: Final = "urn:hsa:"

_T = TypeVar("_T")


def _from_text(read: Callable[[str], _T], code: str) -> Callable[[object], _T]:
    """A reader that takes strings only and says no more than `code` about what it refuses."""

    def read_or_refuse(value: object) -> _T:
        if not isinstance(value, str):
            raise ValueError(code)  # noqa: TRY004 - pydantic collects ValueError only
        try:
            return read(value)
        except ValueError:
            raise ValueError(code) from None

    return read_or_refuse


def _read_source(text: str) -> str:
    parse_hsa_id(text.removeprefix(SOURCE_PREFIX))
    return text


Instant = Annotated[datetime, BeforeValidator(_from_text(parse_instant, "time.format")), Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[date, BeforeValidator(_from_text(parse_day, "day.format"))]
ShortText = Annotated[str, Field(max_length=120), AfterValidator(refuse_odd_text)]
LongText = Annotated[str, Field(max_length=500), AfterValidator(refuse_odd_text)]
Token = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]
HsaId = Annotated[str, Field(pattern=f"^{HSA_ID_PATTERN}$"), AfterValidator(parse_hsa_id)]
MunicipalityCode = Annotated[str, Field(pattern=f"^{MUNICIPALITY_CODE_PATTERN}$")]
Source = Annotated[str, Field(pattern=f"^{SOURCE_PREFIX}{HSA_ID_PATTERN}$"), AfterValidator(_read_source)]
CareType = Literal["somatic", "psychiatric"]
Compulsory = Literal["none", "opt", "orv"]
Need = Literal["municipal_social", "municipal_health", "outpatient"]
BlockKind = Literal["missing", "not_clarified"]
DischargedTo = Literal["home", "short_term_housing", "special_housing", "hospice", "other_hospital", "other"]


class Strict(BaseModel):
    """Frozen; unknown fields and other types than the stated are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)
