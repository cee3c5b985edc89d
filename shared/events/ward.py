"""What the wards send: CloudEvents 1.0 in structured JSON mode, one strict model per type of event.

`parse_ward_event` takes JSON that `shared.http.strict_json` has already decoded strictly. Text must be printable and in Unicode NFC, so
that the stored form of an event is exactly what was sent.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from shared.dates import parse_day, parse_instant
from shared.errors import FieldError, Malformed
from shared.identifiers import HSA_ID_PATTERN, MUNICIPALITY_CODE_PATTERN, PersonIdType, parse_hsa_id, parse_person_id
from shared.text import refuse_odd_text

SOURCE_PREFIX: Final = "urn:hsa:"
MOST_ERRORS: Final = 10
"""Told of one event."""
MOST_READ: Final = 50
"""An event with more wrong than this was not made by mistake: telling it field by field would cost more than reading it."""

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
DischargedTo = Literal["home", "short_term_housing", "special_housing", "hospice", "other_hospital", "other"]


class _Strict(BaseModel):
    """Frozen; unknown fields and other types than the stated are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class PersonName(_Strict):
    """A person's name as registered."""

    given: ShortText
    family: ShortText


class Address(_Strict):
    """A registered address (folkbokföringsadress)."""

    street: ShortText
    postal_code: Annotated[str, Field(max_length=16), AfterValidator(refuse_odd_text)]
    city: ShortText


class Person(_Strict):
    """The patient. Address and registered municipality may be unknown (reserve number) or withheld (protected identity)."""

    type: PersonIdType
    id: Annotated[str, Field(max_length=12)]
    name: PersonName
    registered_address: Address | None = None
    registered_municipality: MunicipalityCode | None = None
    protected: bool = False

    @field_validator("id")
    @classmethod
    def _check_id(cls, text: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        return text if kind is None else parse_person_id(kind, text)


def _refuse_repeats(needs: tuple[Need, ...]) -> tuple[Need, ...]:
    if len(set(needs)) < len(needs):
        raise ValueError("needs.repeated")
    return needs


class EventData(_Strict):
    """What the data of every event may hold."""

    corrects: Token | None = Field(default=None, description="id of the event, by the same source, that this one replaces")


class AdmittedData(EventData):
    """Admission (inskrivning) of a patient who may need measures afterwards."""

    person: Person
    care_type: CareType
    needs: Annotated[tuple[Need, ...], Field(strict=False, max_length=3), AfterValidator(_refuse_repeats)] = ()
    outpatient_unit: HsaId | None = None
    planned_discharge_date: Day | None = None
    judged_at: Instant | None = Field(default=None, description="when the need was judged, if later than the admission")


class PlannedDischargeChangedData(EventData):
    """A new planned discharge date; null when it is no longer known."""

    planned_discharge_date: Day | None


class ReadyData(EventData):
    """Ready for discharge (utskrivningsklar), judged by the treating doctor."""

    compulsory: Compulsory = "none"
    secrecy_checked: bool | None = Field(default=None, description="3:1: that secrecy does not prevent the notice was checked")


class ReadyWithdrawnData(EventData):
    """The patient needs hospital care again."""

    reason: LongText


class DischargedData(EventData):
    """The patient left inpatient care."""

    discharged_to: DischargedTo | None = None
    secrecy_checked: bool | None = Field(default=None, description="3:2: that secrecy does not prevent the notice was checked")


class DeceasedData(EventData):
    """The patient died during the stay."""


class EventCancelledData(EventData):
    """An event was sent in error."""

    event: Token = Field(description="id of the event, by the same source, that is taken away")
    reason: LongText


class CloudEvent(_Strict):
    """The CloudEvents attributes that every ward event has."""

    specversion: Literal["1.0"]
    id: Token
    source: Source = Field(description="the ward: urn:hsa: and its HSA-id")
    subject: Token = Field(description="the sender's own id of the stay; never a person's number")
    time: Instant = Field(description="when it happened")
    datacontenttype: Annotated[str, Field(pattern=r"^application/json(; ?charset=[Uu][Tt][Ff]-8)?$")] | None = None
    traceparent: Annotated[str, Field(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None = None
    tracestate: Annotated[str, Field(pattern=r"^[ -~]{1,512}$")] | None = None
    sentat: Instant | None = Field(default=None, description="when it was sent; only from clients that import history")


class StayAdmitted(CloudEvent):
    """N1: the ward judged at admission that the patient may need measures afterwards."""

    type: Literal["stay.admitted"]
    data: AdmittedData


class StayPlannedDischargeChanged(CloudEvent):
    """N2: the planned discharge date changed."""

    type: Literal["stay.planned_discharge_changed"]
    data: PlannedDischargeChangedData


class StayReady(CloudEvent):
    """N5: the patient is ready for discharge."""

    type: Literal["stay.ready"]
    data: ReadyData


class StayReadyWithdrawn(CloudEvent):
    """The readiness is withdrawn."""

    type: Literal["stay.ready_withdrawn"]
    data: ReadyWithdrawnData


class StayDischarged(CloudEvent):
    """N6: the patient is discharged."""

    type: Literal["stay.discharged"]
    data: DischargedData


class StayDeceased(CloudEvent):
    """The patient died."""

    type: Literal["stay.deceased"]
    data: DeceasedData


class StayEventCancelled(CloudEvent):
    """An earlier event is taken away."""

    type: Literal["stay.event_cancelled"]
    data: EventCancelledData


WardEvent = Annotated[
    StayAdmitted | StayPlannedDischargeChanged | StayReady | StayReadyWithdrawn | StayDischarged | StayDeceased | StayEventCancelled,
    Field(discriminator="type"),
]
WARD_EVENT_TYPES: Final = (
    "stay.admitted",
    "stay.planned_discharge_changed",
    "stay.ready",
    "stay.ready_withdrawn",
    "stay.discharged",
    "stay.deceased",
    "stay.event_cancelled",
)

_ADAPTER: Final[TypeAdapter[WardEvent]] = TypeAdapter(WardEvent)
_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "literal_error": "not_allowed",
    "union_tag_not_found": "missing",
    "string_pattern_mismatch": "format",
    "string_unicode": "text.not_printable",
    "string_too_long": "too_long",
    "too_long": "too_long",
}
_FIELD_NAME: Final = re.compile(r"[a-z_]{1,40}")


def parse_ward_event(data: object) -> WardEvent:
    """Read one event of a ward.

    Raises:
        Malformed: `event.type_unknown`, or `event.invalid` with a pointer and a code for every field that is wrong.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False) if error.error_count() <= MOST_READ else []
    if not details:
        raise Malformed("event.invalid", errors=(FieldError("", "too_many_errors"),))
    if any(detail["type"] == "union_tag_invalid" for detail in details):
        raise Malformed("event.type_unknown", errors=(FieldError("/type", "not_allowed"),))
    raise Malformed("event.invalid", errors=tuple(_field_errors(details[:MOST_ERRORS])))


def _field_errors(details: Iterable[ErrorDetails]) -> Iterable[FieldError]:
    for detail in details:
        place = detail["loc"][1:] if detail["loc"] and detail["loc"][0] in WARD_EVENT_TYPES else detail["loc"]
        if detail["type"] == "union_tag_not_found":
            place = ("type",)
        if detail["type"] == "extra_forbidden" and not _FIELD_NAME.fullmatch(str(place[-1])):
            # A name that no interface would have may itself be a value that must not come back.
            place = place[:-1]
        yield FieldError("".join(f"/{step}" for step in place), _code(detail))


def _code(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return _CODES.get(detail["type"], "type")
