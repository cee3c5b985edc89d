"""What the wards may send, and that a refusal says where and what, never the value."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.planning.domain.events import EventType
from shared.errors import FieldError, Malformed
from shared.events.ward import MOST_ERRORS, WARD_EVENT_TYPES, StayAdmitted, StayReady, WardEvent, parse_ward_event
from tests.builders import a_person, a_ward_event, admission_data


def refusal_of(event: object) -> tuple[str, tuple[FieldError, ...]]:
    with pytest.raises(Malformed) as refusal:
        parse_ward_event(event)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None
    return refusal.value.code, refusal.value.errors


def refused(pointer: str, code: str) -> tuple[str, tuple[FieldError, ...]]:
    return "event.invalid", (FieldError(pointer, code),)


def with_value(path: str, value: object) -> dict[str, Any]:
    event = deepcopy(a_ward_event())
    *way, last = path.split(".")
    place = event
    for step in way:
        place = place[step]
    place[last] = value
    return event


@pytest.mark.parametrize("kind", WARD_EVENT_TYPES)
def test_every_type_of_the_public_interface_is_read(kind: str) -> None:
    assert parse_ward_event(a_ward_event(kind)).type == kind


def test_the_domain_knows_exactly_the_types_that_are_read() -> None:
    models = get_args(get_args(WardEvent)[0])
    assert (
        set(WARD_EVENT_TYPES)
        == {kind.value for kind in EventType if kind.startswith("stay.")}
        == {get_args(model.model_fields["type"].annotation)[0] for model in models}
    )


def test_an_event_is_read_with_its_types() -> None:
    event = parse_ward_event(a_ward_event(sentat="2026-11-03T14:06:00+01:00"))
    assert isinstance(event, StayAdmitted)
    assert event.time == datetime(2026, 11, 3, 13, 5, tzinfo=UTC)
    assert event.sentat == datetime(2026, 11, 3, 13, 6, tzinfo=UTC)
    assert event.data.planned_discharge_date == date(2026, 11, 9)
    assert event.data.person.registered_municipality == "1480"


def test_what_nobody_can_know_yet_may_be_missing() -> None:
    person = a_person(registered_address=None, registered_municipality=None)
    data = admission_data(person=person, planned_discharge_date=None, outpatient_unit=None, needs=[])
    assert parse_ward_event(a_ward_event(data=data)).data.corrects is None


def test_any_event_may_correct_another() -> None:
    for kind in WARD_EVENT_TYPES:
        event = a_ward_event(kind)
        event["data"]["corrects"] = "SU-0"
        assert parse_ward_event(event).data.corrects == "SU-0"


def test_readiness_is_voluntary_care_unless_said() -> None:
    event = parse_ward_event(a_ward_event("stay.ready"))
    assert isinstance(event, StayReady)
    assert event.data.compulsory == "none"


@pytest.mark.parametrize("kind", ["stay.transferred_to_mars", "", "STAY.READY", "stay.ready ", 7, None, True])
def test_an_unknown_type_has_a_code_of_its_own(kind: object) -> None:
    assert refusal_of(a_ward_event() | {"type": kind})[0] == "event.type_unknown"


@pytest.mark.parametrize("event", [None, [], [a_ward_event()], "stay.ready", 1, True, {}])
def test_what_is_no_event_at_all_is_refused(event: object) -> None:
    assert refusal_of(event)[0] == "event.invalid"


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        ("time", 1762175100, "/time", "time.format"),
        ("time", "1762175100", "/time", "time.format"),
        ("time", True, "/time", "time.format"),
        ("time", "2026-11-03T14:05:00", "/time", "time.format"),
        ("time", "2026-11-03", "/time", "time.format"),
        ("time", "0001-01-01T00:00:00+14:00", "/time", "time.format"),
        ("time", "9999-12-31T23:59:59-12:00", "/time", "time.format"),
        ("time", "2026-02-30T00:00:00Z", "/time", "time.format"),
        ("time", "2026-11-03T24:30:00Z", "/time", "time.format"),
        ("time", "２026-11-03T14:05:00Z", "/time", "time.format"),
        ("time", "2026-11-03T14:05:00+01:00\n", "/time", "time.format"),
        ("time", "2026-11-03T14:05:00+99:99", "/time", "time.format"),
        ("sentat", 7, "/sentat", "time.format"),
        ("id", "", "/id", "format"),
        ("id", "a b", "/id", "format"),
        ("id", "a\u0000", "/id", "format"),
        ("id", "å", "/id", "format"),
        ("id", "x" * 129, "/id", "format"),
        ("id", 7, "/id", "type"),
        ("subject", "x\n", "/subject", "format"),
        ("specversion", "0.3", "/specversion", "not_allowed"),
        ("source", "SE2321000131-E000000000101", "/source", "format"),
        ("source", "urn:hsa:se2321000131-E000000000101", "/source", "format"),
        ("source", "urn:hsa:SE2321000131-" + "E" * 19, "/source", "format"),
        ("source", "urn:hsa:SE2321000132-E1", "/source", "hsa_id.check_digit"),
        ("datacontenttype", "text/xml", "/datacontenttype", "format"),
        ("traceparent", "00-zz-01", "/traceparent", "format"),
        ("tracestate", "a=\u202e", "/tracestate", "format"),
        ("partitionkey", "x", "/partitionkey", "unknown_field"),
        ("data.bed", "x", "/data/bed", "unknown_field"),
        ("data", None, "/data", "type"),
        ("data.care_type", "other", "/data/care_type", "not_allowed"),
        ("data.needs", "outpatient", "/data/needs", "type"),
        ("data.needs", {"outpatient": True}, "/data/needs", "type"),
        ("data.needs", ["outpatient", 1], "/data/needs/1", "not_allowed"),
        ("data.needs", ["outpatient", "outpatient"], "/data/needs", "needs.repeated"),
        ("data.needs", ["outpatient"] * 4, "/data/needs", "too_long"),
        ("data.outpatient_unit", "SE2321000131-å", "/data/outpatient_unit", "format"),
        ("data.outpatient_unit", "SE2321000131-E1\n", "/data/outpatient_unit", "format"),
        ("data.planned_discharge_date", "2026-11-31", "/data/planned_discharge_date", "day.format"),
        ("data.planned_discharge_date", "9999-12-31", "/data/planned_discharge_date", "day.format"),
        ("data.planned_discharge_date", "20261109", "/data/planned_discharge_date", "day.format"),
        ("data.planned_discharge_date", 20261109, "/data/planned_discharge_date", "day.format"),
        ("data.person.protected", "true", "/data/person/protected", "type"),
        ("data.person.protected", 1, "/data/person/protected", "type"),
        ("data.person.registered_municipality", "148", "/data/person/registered_municipality", "format"),
        ("data.person.registered_municipality", 1480, "/data/person/registered_municipality", "type"),
        ("data.person.id", "189001019803", "/data/person/id", "person_id.check_digit"),
        ("data.person.id", "189001019802\n", "/data/person/id", "too_long"),
        ("data.person.id", "１８９００１０１９８０２", "/data/person/id", "person_id.format"),
        ("data.person.id", 189001019802, "/data/person/id", "type"),
        ("data.person.type", "samordningsnummer", "/data/person/id", "person_id.date"),
        ("data.person.type", "passport", "/data/person/type", "not_allowed"),
        ("data.person.name.given", "Te\u0000st", "/data/person/name/given", "text.not_printable"),
        ("data.person.name.given", "Te\nst", "/data/person/name/given", "text.not_printable"),
        ("data.person.name.given", "Te\u202est", "/data/person/name/given", "text.not_printable"),
        ("data.person.name.given", "Te\u2066st", "/data/person/name/given", "text.not_printable"),
        ("data.person.name.given", "Te\ud800st", "/data/person/name/given", "text.not_printable"),
        ("data.person.name.given", "Go\u0308ran", "/data/person/name/given", "text.not_nfc"),
        ("data.person.name.given", "  ", "/data/person/name/given", "text.blank"),
        ("data.person.name.given", "", "/data/person/name/given", "text.blank"),
        ("data.person.name.given", "x" * 121, "/data/person/name/given", "too_long"),
        ("data.person.name.given", None, "/data/person/name/given", "type"),
    ],
)
def test_each_bad_field_is_refused_with_where_and_what(path: str, value: object, pointer: str, code: str) -> None:
    assert refusal_of(with_value(path, value)) == refused(pointer, code)


def test_a_name_that_no_field_has_is_not_repeated_because_it_may_be_a_value() -> None:
    assert refusal_of(with_value("data.person.189001019802", 1)) == refused("/data/person", "unknown_field")


def test_missing_fields_are_all_named() -> None:
    event = a_ward_event()
    del event["subject"], event["data"]["person"]["name"]
    assert refusal_of(event)[1] == (FieldError("/subject", "missing"), FieldError("/data/person/name", "missing"))
    untyped = a_ward_event()
    del untyped["type"]
    assert refusal_of(untyped) == refused("/type", "missing")


def test_a_flood_of_unknown_fields_gives_a_bounded_answer() -> None:
    assert refusal_of(a_ward_event() | {f"x_{'a' * n}": 1 for n in range(1, 1000)}) == (
        "event.invalid",
        (FieldError("", "too_many_errors"),),
    )
    assert len(refusal_of(a_ward_event() | {f"x_{'a' * n}": 1 for n in range(1, 30)})[1]) == MOST_ERRORS


@pytest.mark.parametrize(
    "time", ["2026-03-29T02:30:00+01:00", "2026-10-25T02:30:00+02:00", "2026-11-03T13:05:00z", "2026-11-03t13:05:00.123456Z"]
)
def test_a_time_with_a_valid_offset_is_fine_even_inside_the_clock_change(time: str) -> None:
    assert parse_ward_event(a_ward_event(time=time)).time.tzinfo is UTC


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
    )
)
def test_no_value_anywhere_makes_anything_but_a_refusal(value: object) -> None:
    mutations: list[Callable[[], dict[str, Any]]] = [
        lambda: with_value("data", value),
        lambda: with_value("data.person", value),
        lambda: with_value("data.needs", value),
        lambda: with_value("time", value),
        lambda: with_value("corrects", value),
    ]
    for mutated in mutations:
        with suppress(Malformed):
            parse_ward_event(mutated())
