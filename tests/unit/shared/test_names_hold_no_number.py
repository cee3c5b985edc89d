"""What senders call stays and events stands in clear: never by a person's number, in any field of any type of event."""

from datetime import date, timedelta
from random import Random
from typing import Any, Final
from uuid import uuid4

import pytest
from stdnum import luhn

from shared.errors import FieldError, Malformed
from shared.events.names import holds_person_number
from shared.events.ward import WARD_EVENT_TYPES, parse_ward_event
from tests.adt import a_reservnummer
from tests.builders import a_personnummer, a_ward_event

DAY: Final = date(2026, 11, 3)
PERSONNUMMER: Final = a_personnummer(7)
SAMORDNINGSNUMMER: Final = next(
    f"{stem}{luhn.calc_check_digit(stem[2:])}" for stem in [f"{PERSONNUMMER[:6]}{int(PERSONNUMMER[6:8]) + 60}{PERSONNUMMER[8:11]}"]
)
RESERVNUMMER: Final = a_reservnummer(7)
NUMBERS: Final = {"personnummer": PERSONNUMMER, "samordningsnummer": SAMORDNINGSNUMMER, "reservnummer": RESERVNUMMER}
FIELDS: Final = {
    "/subject": "stay_id.is_person",
    "/id": "event_id.is_person",
    "/data/corrects": "event_id.is_person",
    "/data/to_subject": "stay_id.is_person",
    "/data/event": "event_id.is_person",
}


def of_type(kind: str, pointer: str, value: str) -> dict[str, Any]:
    """An event with a value in one field."""
    event = a_ward_event(kind)
    *way, name = pointer.strip("/").split("/")
    if way:
        return event | {"data": event["data"] | {name: value}}
    return event | {name: value}


def said_of(kind: str, pointer: str) -> bool:
    own = {"/data/to_subject": "stay.transferred", "/data/event": "stay.event_cancelled"}
    return own.get(pointer, kind) == kind


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize(
    ("kind", "pointer"), [(kind, pointer) for kind in WARD_EVENT_TYPES for pointer in FIELDS if said_of(kind, pointer)]
)
def test_no_field_of_any_type_takes_a_number_for_a_name(kind: str, pointer: str, number: str) -> None:
    assert parse_ward_event(of_type(kind, pointer, "SU-2026-000917")).type == kind, "the control: another name is taken"
    with pytest.raises(Malformed) as refusal:
        parse_ward_event(of_type(kind, pointer, number))
    assert (refusal.value.code, refusal.value.errors) == ("event.invalid", (FieldError(pointer, FIELDS[pointer]),))


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_seen_however_it_is_written_and_whatever_stands_around_it(number: str) -> None:
    short = number[2:8]
    forms = [number, f"{number[:8]}-{number[8:]}", f"{number[:8]}_{number[8:]}", f"{short}-{number[8:]}", f"{short}+{number[8:]}"]
    for form in [*forms, *(f"SU/{form}" for form in forms), *(f"{form}.1" for form in forms), f"SU{number}", number.lower()]:
        assert holds_person_number(form, DAY), form


@pytest.mark.parametrize(
    "name",
    [
        "SU-2026-11-03-000917",
        "SU-2026-000123",
        "MILLENNIUM:20261103140512",
        f"{PERSONNUMMER[:11]}{(int(PERSONNUMMER[11]) + 1) % 10}",
        "990231-1234",
        PERSONNUMMER + "7",
        "V1",
    ],
    ids=["example", "stay", "control id", "wrong check digit", "no date", "longer number", "short"],
)
def test_what_is_no_number_is_a_name(name: str) -> None:
    assert not holds_person_number(name, DAY)


def test_a_day_and_a_running_number_are_a_name_though_every_tenth_has_a_right_check_digit() -> None:
    """Else one event in ten of a sender that names them so would be refused, the cancellation of an old one among them."""
    for days in range(0, 700, 7):
        day = DAY - timedelta(days=days)
        assert not any(holds_person_number(f"{day:%Y%m%d}-{serial:04d}", DAY) for serial in range(0, 10_000, 97))
        assert not any(holds_person_number(f"{day:%y%m%d}-{serial:04d}", DAY) for serial in range(0, 10_000, 97))


def test_ids_that_machines_make_are_not_taken_for_numbers() -> None:
    random = Random(6)
    assert not any(holds_person_number(str(uuid4()), DAY) for _ in range(5_000))
    assert not any(holds_person_number(f"{random.randrange(10**10):010d}", DAY) for _ in range(5_000))
