"""What the wards send: CloudEvents 1.0 in structured JSON mode, one strict model per type of event.

`parse_ward_event` takes JSON that `shared.http.strict_json` has already decoded strictly. Text must be printable and in Unicode NFC, so
that the stored form of an event is exactly what was sent.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from shared.dates import local_date
from shared.errors import FieldError, Malformed
from shared.events.fields import (
    BlockKind,
    CareType,
    Compulsory,
    Day,
    DischargedTo,
    HsaId,
    Instant,
    LongText,
    MunicipalityCode,
    Need,
    ShortText,
    Source,
    Strict,
    Token,
)
from shared.events.names import holds_person_number
from shared.identifiers import PersonIdType, parse_person_id
from shared.text import refuse_odd_text

MOST_ERRORS: Final = 10
"""Told of one event."""
MOST_READ: Final = 50
"""An event with more wrong than this was not made by mistake: telling it field by field would cost more than reading it."""


class PersonName(Strict):
    """A person's name as registered."""

    given: ShortText
    family: ShortText


class Address(Strict):
    """A registered address (folkbokföringsadress)."""

    street: ShortText
    postal_code: Annotated[str, Field(max_length=16), AfterValidator(refuse_odd_text)]
    city: ShortText


class Person(Strict):
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


class EventData(Strict):
    """What the data of every event may hold."""

    corrects: Token | None = Field(default=None, description="id of the event, by the same source, that this one replaces")


class NoticeData(EventData):
    """What the data of every event may hold whose notice can be given on paper while the service or the network is down."""

    given_on_paper_at: Instant | None = Field(
        default=None,
        description="when the notice was given on paper; it counts from then inside a recorded or confirmed outage, else a person decides",
    )


class AdmittedData(NoticeData):
    """Admission (inskrivning) of a patient who may need measures afterwards."""

    person: Person
    care_type: CareType
    needs: Annotated[tuple[Need, ...], Field(strict=False, max_length=3), AfterValidator(_refuse_repeats)] = ()
    outpatient_unit: HsaId | None = None
    planned_discharge_date: Day | None = None
    judged_at: Instant | None = Field(default=None, description="when the need was judged, if later than the admission")


class PlannedDischargeChangedData(NoticeData):
    """A new planned discharge date; null when it is no longer known."""

    planned_discharge_date: Day | None


class TransferredData(EventData):
    """A transfer to another ward or hospital: the same case, and the clock goes on."""

    to_unit: HsaId = Field(description="the receiving ward")
    to_subject: Token | None = Field(
        default=None, description="the receiver's own id of the stay; none when it keeps the sender's; never a person's number"
    )


class LeaveStartedData(EventData):
    """Leave (permission) from the ward."""

    expected_back_at: Instant | None = None


class LeaveEndedData(EventData):
    """The patient is back from leave."""


class OutpatientBlockStartedData(EventData):
    """From now on outpatient care measures that are missing or not clarified hold the discharge up (5 kap. 5 §)."""

    kind: BlockKind


class OutpatientBlockEndedData(EventData):
    """The outpatient care measures are there or clear."""

    contested: bool = Field(default=False, description="the region holds that nothing held the discharge up")


class PersonChangedData(EventData):
    """The person as now known; replaces the whole of what was stated before."""

    person: Person
    moved: bool = Field(default=False, description="the patient really moved at `time`; otherwise the earlier statement was wrong")


class ReadyData(NoticeData):
    """Ready for discharge (utskrivningsklar), judged by the treating doctor."""

    compulsory: Compulsory = "none"
    secrecy_checked: bool | None = Field(default=None, description="3:1: that secrecy does not prevent the notice was checked")


class ReadyWithdrawnData(NoticeData):
    """The patient needs hospital care again."""

    reason: LongText


class DischargedData(NoticeData):
    """The patient left inpatient care."""

    discharged_to: DischargedTo | None = None
    secrecy_checked: bool | None = Field(default=None, description="3:2: that secrecy does not prevent the notice was checked")


class DeceasedData(EventData):
    """The patient died during the stay."""


class EventCancelledData(EventData):
    """An event was sent in error."""

    event: Token = Field(description="id of the event, by the same source, that is taken away")
    reason: LongText


class CloudEvent(Strict):
    """The CloudEvents attributes that every ward event has."""

    specversion: Literal["1.0"]
    id: Token = Field(description="the sender's own id of the event; never a person's number")
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


class StayTransferred(CloudEvent):
    """The patient was moved to another ward, as stated by the one that had her."""

    type: Literal["stay.transferred"]
    data: TransferredData


class StayLeaveStarted(CloudEvent):
    """The patient went on leave."""

    type: Literal["stay.leave_started"]
    data: LeaveStartedData


class StayLeaveEnded(CloudEvent):
    """The patient came back from leave."""

    type: Literal["stay.leave_ended"]
    data: LeaveEndedData


class StayReady(CloudEvent):
    """N5: the patient is ready for discharge."""

    type: Literal["stay.ready"]
    data: ReadyData


class StayReadyWithdrawn(CloudEvent):
    """The readiness is withdrawn."""

    type: Literal["stay.ready_withdrawn"]
    data: ReadyWithdrawnData


class StayOutpatientBlockStarted(CloudEvent):
    """Outpatient care holds the discharge up."""

    type: Literal["stay.outpatient_block_started"]
    data: OutpatientBlockStartedData


class StayOutpatientBlockEnded(CloudEvent):
    """Outpatient care does not hold the discharge up any more."""

    type: Literal["stay.outpatient_block_ended"]
    data: OutpatientBlockEndedData


class StayDischarged(CloudEvent):
    """N6: the patient is discharged."""

    type: Literal["stay.discharged"]
    data: DischargedData


class StayDeceased(CloudEvent):
    """The patient died."""

    type: Literal["stay.deceased"]
    data: DeceasedData


class StayPersonChanged(CloudEvent):
    """What is known of the person changed."""

    type: Literal["stay.person_changed"]
    data: PersonChangedData


class StayEventCancelled(CloudEvent):
    """An earlier event is taken away."""

    type: Literal["stay.event_cancelled"]
    data: EventCancelledData


WardEvent = Annotated[
    StayAdmitted
    | StayPlannedDischargeChanged
    | StayTransferred
    | StayLeaveStarted
    | StayLeaveEnded
    | StayReady
    | StayReadyWithdrawn
    | StayOutpatientBlockStarted
    | StayOutpatientBlockEnded
    | StayDischarged
    | StayDeceased
    | StayPersonChanged
    | StayEventCancelled,
    Field(discriminator="type"),
]
WARD_EVENT_TYPES: Final = (
    "stay.admitted",
    "stay.planned_discharge_changed",
    "stay.transferred",
    "stay.leave_started",
    "stay.leave_ended",
    "stay.ready",
    "stay.ready_withdrawn",
    "stay.outpatient_block_started",
    "stay.outpatient_block_ended",
    "stay.discharged",
    "stay.deceased",
    "stay.person_changed",
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
        event = _ADAPTER.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False) if error.error_count() <= MOST_READ else []
    else:
        _refuse_numbers_in_names(event)
        return event
    if not details:
        raise Malformed("event.invalid", errors=(FieldError("", "too_many_errors"),))
    if any(detail["type"] == "union_tag_invalid" for detail in details):
        raise Malformed("event.type_unknown", errors=(FieldError("/type", "not_allowed"),))
    raise Malformed("event.invalid", errors=tuple(_field_errors(details[:MOST_ERRORS])))


def _refuse_numbers_in_names(event: WardEvent) -> None:
    """What the sender calls stay and event stands in clear and is shown to every party: no number of a person must be in it.

    The number of the person that the event is about is found in whatever form; of anybody else's, what is written as one.
    """
    data, on = event.data, local_date(event.time)
    own = data.person.id[2:] if isinstance(data, AdmittedData | PersonChangedData) else None
    wrong = [
        FieldError(pointer, code)
        for pointer, code, name in (
            ("/subject", "stay_id.is_person", event.subject),
            ("/data/to_subject", "stay_id.is_person", data.to_subject if isinstance(data, TransferredData) else None),
            ("/id", "event_id.is_person", event.id),
            ("/data/event", "event_id.is_person", data.event if isinstance(data, EventCancelledData) else None),
            ("/data/corrects", "event_id.is_person", data.corrects),
        )
        if name is not None and (holds_person_number(name, on) or (own is not None and own in re.sub("[^0-9A-Z]", "", name.upper())))
    ]
    if wrong:
        raise Malformed("event.invalid", errors=tuple(wrong))


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
