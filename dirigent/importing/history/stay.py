"""What one row becomes: the events its ward would have sent, and the commands of those who planned; nothing that the row does not say.

Every event has an id made of the stay's id and its column, so that telling a row again repeats it, and a row that says something else
under the same columns is refused and not taken for another stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dirigent.importing.history import cells
from dirigent.importing.history.columns import REQUIRED, TIMES, numbered
from dirigent.importing.history.happenings import HAPPENINGS, Happening
from dirigent.importing.history.reading import RowReader
from shared.dates import format_instant
from shared.errors import Malformed
from shared.events.fields import SOURCE_PREFIX
from shared.events.ward import parse_ward_event

CASE: Final = "{case}"
"""Stands in an address or a body for the case of the stay, which is known when its events have been taken in."""
PLAN: Final = "{plan}"
NOT_STATED: Final = "not stated"
_WITHOUT_CENTURY: Final = 10
_HOLDS_PERSON: Final = "holds_person_id"

_PERSON_PLACES: Final = {
    "/type": "person_type",
    "/id": "person_id",
    "/name/given": "given_name",
    "/name/family": "family_name",
    "/registered_address/street": "street",
    "/registered_address/postal_code": "postal_code",
    "/registered_address/city": "city",
    "/registered_municipality": "registered_municipality",
}
_ADMISSION_PLACES: Final = {f"/data/person{place}": column for place, column in _PERSON_PLACES.items()} | {
    "/source": "ward",
    "/subject": "stay_id",
    "/time": "admitted_at",
    "/sentat": "admission_notice_sent_at",
    "/data/care_type": "care_type",
    "/data/needs": "needs",
    "/data/outpatient_unit": "outpatient_unit",
    "/data/planned_discharge_date": "planned_discharge_date",
    "/data/judged_at": "judged_at",
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a row, and which column each of its members came from."""

    value: dict[str, Any]
    column: str
    places: Mapping[str, str]

    def column_of(self, pointer: str) -> str:
        """The column that a member came from."""
        while pointer:
            if pointer in self.places:
                return self.places[pointer]
            pointer = pointer.rpartition("/")[0]
        return self.column


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a row: `key` makes it the same command however often it is sent."""

    method: str
    path: str
    key: str
    column: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stay:
    """One row that can be taken in."""

    line: int
    events: tuple[Event, ...]
    commands: tuple[Command, ...]
    units: Mapping[str, str]
    """Every unit that it names, by column; those that were called to a SIP under `sip_called_units`."""
    called: tuple[str, ...] = ()


def stay_of(row: RowReader, line: int) -> Stay | None:
    """Read a row; what is wrong with it stands in the reader's problems afterwards, and then there is no stay."""
    for column in REQUIRED:
        row.required(column)
    if row.problems:
        return None
    _refuse_person_in_stay_ids(row)
    events = _events(row)
    called = tuple(row.read("sip_called_units", cells.units) or ())
    commands = (*_sip(row, called), *_declined(row), *_placement(row))
    _check(row, events)
    if row.problems:
        return None
    named = {column: row.text(column) for column in ("ward", "outpatient_unit", "sip_care_centre")}
    named |= {column: row.text(column) for column in (numbered("transfer_N_to_ward", time) for time in TIMES)}
    return Stay(line, events, commands, {column: unit for column, unit in named.items() if unit}, called)


def _refuse_person_in_stay_ids(row: RowReader) -> None:
    """A stay's id stands in addresses, logs and envelopes; the person's number, with or without century and hyphen, never may."""
    number = _digits(row.text("person_id"))[-_WITHOUT_CENTURY:]
    if len(number) == _WITHOUT_CENTURY:
        for column in ("stay_id", *(numbered("transfer_N_to_stay_id", time) for time in TIMES)):
            if number in _digits(row.text(column)):
                row.problem(column, _HOLDS_PERSON)


def _digits(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())


def _events(row: RowReader) -> tuple[Event, ...]:
    """The admission and whatever happened afterwards; from a transfer on the receiving ward speaks."""
    person = _person(row)
    data: dict[str, Any] = {"person": person, "care_type": row.text("care_type")}
    told = {
        "needs": row.read("needs", cells.words),
        "outpatient_unit": row.text("outpatient_unit"),
        "planned_discharge_date": row.read("planned_discharge_date", cells.day),
    }
    data |= {member: value for member, value in told.items() if value}
    if judged := row.moment("judged_at"):
        data["judged_at"] = format_instant(judged)
    first = row.times("admitted_at", "admission_notice_sent_at", sent_required=True)
    moves = _moves(row)
    events = []
    if first is not None:
        value = _value(row, "admitted", "stay.admitted", first, data, moves=[])
        events.append(Event(value, "admitted_at", _ADMISSION_PLACES))
    for happening in HAPPENINGS:
        events += [event for time in happening.times if (event := _happened(row, happening, time, person, moves)) is not None]
    return tuple(events)


def _person(row: RowReader) -> dict[str, Any]:
    person: dict[str, Any] = {
        "type": row.text("person_type") or "personnummer",
        "id": row.read("person_id", cells.person_id),
        "name": {"given": row.text("given_name"), "family": row.text("family_name")},
    }
    address = {member: row.text(member) for member in ("street", "postal_code", "city") if row.text(member)}
    if address:
        person["registered_address"] = address
    if municipality := row.read("registered_municipality", cells.municipality):
        person["registered_municipality"] = municipality
    if (protected := row.read("protected", cells.truth)) is not None:
        person["protected"] = protected
    return person


@dataclass(frozen=True, slots=True)
class _Move:
    """From when on another ward speaks of the stay."""

    at: str
    ward: str
    subject: str


def _moves(row: RowReader) -> list[_Move]:
    moves: list[_Move] = []
    subject = row.text("stay_id")
    for time in TIMES:
        at = row.moment(numbered("transfer_N_at", time))
        if at is not None:
            subject = row.text(numbered("transfer_N_to_stay_id", time)) or subject
            moves.append(_Move(format_instant(at), row.text(numbered("transfer_N_to_ward", time)), subject))
    return sorted(moves, key=lambda move: move.at)


def _happened(row: RowReader, happening: Happening, time: str, person: dict[str, Any], moves: list[_Move]) -> Event | None:
    columns = {member: numbered(column, time) for member, column in happening.members.items()}
    at, sent = numbered(happening.at, time), numbered(happening.sent, time)
    if not any(row.text(column) for column in {at, sent, *columns.values()}):
        return None
    moments = row.times(at, sent, sent_required=happening.sent_required)
    data: dict[str, Any] = {
        member: value for member, column in columns.items() if (value := row.read(column, happening.reader(member))) is not None
    }
    for member in happening.required:
        row.required(columns[member])
    if moments is None:
        return None
    data = _finished(row, happening.type, data, person)
    passed = [move for move in moves if move.at < format_instant(moments[0]) or not happening.hands_over]
    value = _value(row, numbered(happening.name, time), happening.type, moments, data, moves=passed)
    places = {f"/data/{member}": column for member, column in columns.items()} | {"/time": at, "/sentat": sent}
    if happening.type == "stay.person_changed":
        places["/data/person/registered_municipality"] = columns["registered_municipality"]
    return Event(value, at, places)


def _finished(row: RowReader, kind: str, data: dict[str, Any], person: dict[str, Any]) -> dict[str, Any]:
    """The data of an event with what its own columns do not say."""
    match kind:
        case "stay.ready" if row.text("compulsory"):
            return data | {"compulsory": row.text("compulsory")}
        case "stay.ready_withdrawn":
            return {"reason": NOT_STATED} | data
        case "stay.planned_discharge_changed":
            return {"planned_discharge_date": None} | data
        case "stay.person_changed":
            known = {member: value for member, value in person.items() if member != "registered_address"}
            return {"person": known | data, "moved": True}
        case _:
            return data


def _value(row: RowReader, name: str, kind: str, moments: Any, data: dict[str, Any], *, moves: list[_Move]) -> dict[str, Any]:
    at = format_instant(moments[0])
    speaks = next((move for move in reversed(moves) if move.at <= at), None)
    stay_id = row.read("stay_id", cells.stay_id)
    return {
        "specversion": "1.0",
        "id": f"history.{stay_id}.{name}",
        "source": SOURCE_PREFIX + (speaks.ward if speaks else row.text("ward")),
        "type": kind,
        "subject": speaks.subject if speaks else stay_id,
        "time": at,
        "sentat": format_instant(moments[1]),
        "data": data,
    }


def _check(row: RowReader, events: tuple[Event, ...]) -> None:
    """Read every event as the interface will; of a cell that could not be read enough has been said."""
    unreadable = {problem.column for problem in row.problems}
    for event in events:
        try:
            parse_ward_event(event.value)
        except Malformed as refused:
            for error in refused.errors or ():
                # The events of a row are named after its stay: what is wrong with their names is wrong with its id.
                column = "stay_id" if error.code == "event_id.is_person" else event.column_of(error.pointer)
                if column not in unreadable:
                    row.problem(column, _HOLDS_PERSON if error.code.endswith(".is_person") else error.code)


def _key(row: RowReader, name: str) -> str:
    return f"history.{row.text('ward')}.{row.text('stay_id')}.{name}"


def _sip(row: RowReader, called: tuple[str, ...]) -> list[Command]:
    """The plan with what the patient answered, and the invitation to it."""
    columns = ("sip_consent", "sip_invitation_sent_at", "sip_called_units", "sip_meeting_at", "sip_meeting_place", "sip_care_centre")
    if not any(row.text(column) for column in columns):
        return []
    consent = row.read("sip_consent", cells.one_of("given", "refused"))
    row.required("sip_consent")
    body: dict[str, Any] = {"case_id": CASE, "consent": consent}
    if row.text("sip_care_centre"):
        body["care_centre"] = row.text("sip_care_centre")
    elif not row.text("outpatient_unit"):
        row.problem("sip_care_centre", "missing")
    plan = Command("POST", "/v1/plans", _key(row, "plan"), "sip_consent", body)
    invited = row.moment("sip_invitation_sent_at")
    if not any(row.text(column) for column in columns if column.startswith(("sip_inv", "sip_call", "sip_meet"))):
        return [plan]
    row.required("sip_invitation_sent_at")
    row.required("sip_called_units")
    if consent == "refused":
        row.problem("sip_invitation_sent_at", "consent_refused")
    call: dict[str, Any] = {"units": list(called), "sent_at": None if invited is None else format_instant(invited)}
    if meeting := row.moment("sip_meeting_at", may_lie_ahead=True):
        place = row.text("sip_meeting_place")
        call["meeting"] = {"at": format_instant(meeting)} | ({"place": place} if place else {})
    elif row.text("sip_meeting_place"):
        row.required("sip_meeting_at")
    return [plan, Command("POST", f"/v1/plans/{PLAN}/invitations", _key(row, "invitation"), "sip_invitation_sent_at", call)]


def _declined(row: RowReader) -> list[Command]:
    columns = ("declined_measures", "declined_at", "declined_recorded_by")
    if not any(row.text(column) for column in columns):
        return []
    for column in columns:
        row.required(column)
    at = row.moment("declined_at")
    body = {
        "unit": row.text("ward"),
        "measures": row.read("declined_measures", cells.words),
        "declined_at": None if at is None else format_instant(at),
        "recorded_by": row.text("declined_recorded_by"),
    }
    return [Command("POST", f"/v1/cases/{CASE}/declined", _key(row, "declined"), "declined_measures", body)]


def _placement(row: RowReader) -> list[Command]:
    columns = {
        "municipality": "placement_municipality",
        "decision_date": "placement_decision_date",
        "reference": "placement_reference",
        "stated_by": "placement_stated_by",
        "stated_at": "placement_stated_at",
    }
    if not any(row.text(column) for column in columns.values()):
        return []
    for column in columns.values():
        row.required(column)
    stated = row.moment("placement_stated_at")
    body = {
        "municipality": row.read("placement_municipality", cells.municipality),
        "decision_date": row.read("placement_decision_date", cells.day),
        "reference": row.text("placement_reference"),
        "stated_by": row.read("placement_stated_by", cells.municipality),
        "stated_at": None if stated is None else format_instant(stated),
        "unit": row.text("ward"),
    }
    return [Command("PUT", f"/v1/cases/{CASE}/liable-municipality", "", "placement_municipality", body)]
