"""A row of an older service's export: what it becomes, and why it is left out."""

import re
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dirigent.failure import CannotStart
from dirigent.importing.history import cells
from dirigent.importing.history.columns import NUMBERED, OPTIONAL, REQUIRED, known
from dirigent.importing.history.file import Encoding, Line, form_of, read_lines
from dirigent.importing.history.reading import Problem, RowReader
from dirigent.importing.history.stay import Stay, stay_of
from dirigent.importing.history.wording import in_words
from shared.events.ward import WARD_EVENT_TYPES, parse_ward_event
from tests.builders import CARE_CENTRE, OTHER_WARD, WARD, a_personnummer
from tests.older_service import told_twice

ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROW = {
    "ward": WARD,
    "stay_id": "OLD-1",
    "person_id": "18900101-9802",
    "given_name": "Test",
    "family_name": "Testsson",
    "registered_municipality": "1480",
    "care_type": "somatic",
    "needs": "municipal_social, outpatient",
    "outpatient_unit": CARE_CENTRE,
    "admitted_at": "2019-03-04 10:15",
    "admission_notice_sent_at": "2019-03-04 11:00",
}


def read(**more: str) -> tuple[Stay | None, list[Problem]]:
    row = RowReader({name: value for name, value in {**ROW, **more}.items() if value}, AT)
    return stay_of(row, 2), row.problems


def good(**more: str) -> Stay:
    stay, problems = read(**more)
    assert stay is not None, problems
    return stay


def events(stay: Stay) -> dict[str, dict[str, Any]]:
    return {event.value["id"].removeprefix("history.OLD-1."): event.value for event in stay.events}


def test_the_events_of_a_row_are_the_events_its_ward_would_have_sent() -> None:
    """Told twice, by the simulated ward and by the row of an older service: not one moment, sender or datum differs."""
    seen: set[str] = set()
    checked = withdrawn = 0
    for told in told_twice(11, "2025-10", 400):  # its stays cross the end of summer time
        row = RowReader({name: value for name, value in told.row.items() if value}, AT)
        stay = stay_of(row, 2)
        assert stay is not None, row.problems
        direct = [parse_ward_event(_plain(event)).model_dump(exclude={"id"}) for event in told.events]
        imported = [parse_ward_event(event.value).model_dump(exclude={"id"}) for event in stay.events]
        assert sorted(imported, key=_order) == sorted(direct, key=_order)
        assert [command.path.replace("{plan}", "x") for command in stay.commands] == [
            re.sub(r"\{.*\}", "x", command.command.partition(" ")[2]) for command in told.commands
        ]
        seen |= {event.type for event in told.events}
        withdrawn += any(event.type == "stay.ready_withdrawn" for event in told.events)
        checked += 1
    assert checked > 300
    assert withdrawn > 3
    assert seen >= {
        "stay.admitted",
        "stay.planned_discharge_changed",
        "stay.ready",
        "stay.ready_withdrawn",
        "stay.discharged",
        "stay.deceased",
    }


def _plain(event: Any) -> dict[str, Any]:
    told = {"id": event.id, "source": event.source, "subject": event.subject, "type": event.type, "data": event.data}
    return {"specversion": "1.0", "time": event.at.isoformat(), "sentat": event.sent_at.isoformat()} | told


def _order(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["time"], event["sentat"], event["type"]


def test_every_kind_of_event_but_corrections_has_columns() -> None:
    stay = good(
        planned_1_date="2019-03-12",
        planned_1_sent_at="2019-03-05 08:00",
        moved_1_at="2019-03-05 09:00",
        moved_1_to_municipality="1401",
        transfer_1_at="2019-03-05 12:00",
        transfer_1_to_ward=OTHER_WARD,
        leave_1_started_at="2019-03-06 10:00",
        leave_1_ended_at="2019-03-06 18:00",
        block_1_started_at="2019-03-09 10:00",
        block_1_kind="missing",
        block_1_ended_at="2019-03-10 10:00",
        ready_1_at="2019-03-08 10:00",
        ready_1_sent_at="2019-03-08 10:05",
        withdrawn_1_at="2019-03-08 12:00",
        discharged_at="2019-03-12 12:00",
        deceased_at="2019-03-12 13:00",
    )
    assert {event.value["type"] for event in stay.events} == set(WARD_EVENT_TYPES) - {"stay.event_cancelled"}


def test_from_a_transfer_on_the_receiving_ward_speaks() -> None:
    stay = good(
        transfer_1_at="2019-03-05 12:00",
        transfer_1_to_ward=OTHER_WARD,
        transfer_1_to_stay_id="NEW-7",
        ready_1_at="2019-03-05 11:00",
        ready_1_sent_at="2019-03-05 11:00",
        discharged_at="2019-03-05 12:00",
    )
    speaks = {name: (value["source"], value["subject"]) for name, value in events(stay).items()}
    assert speaks == {
        "admitted": (f"urn:hsa:{WARD}", "OLD-1"),
        "transfer_1": (f"urn:hsa:{WARD}", "OLD-1"),
        "ready_1": (f"urn:hsa:{WARD}", "OLD-1"),
        "discharged": (f"urn:hsa:{OTHER_WARD}", "NEW-7"),
    }


def test_a_row_read_again_makes_the_same_events_to_the_byte() -> None:
    more = {"ready_1_at": "2019-03-08 10:00", "ready_1_sent_at": "2019-03-08 10:05", "sip_consent": "given"}
    assert good(**more) == good(**more)
    assert events(good(**more))["ready_1"] != events(good(**more | {"ready_1_sent_at": "2019-03-08 10:06"}))["ready_1"]


def test_what_is_not_told_has_no_sent_time_of_its_own() -> None:
    told = events(good(discharged_at="2019-03-12 12:00"))["discharged"]
    assert told["sentat"] == told["time"] == "2019-03-12T11:00:00.000000Z"


def test_a_moved_patient_keeps_her_name_and_number_but_not_her_old_address() -> None:
    stay = good(street="Testgatan 1", postal_code="999 99", city="Göteborg", moved_1_at="2019-03-05 09:00", moved_1_to_municipality="1401")
    data = events(stay)["moved_1"]["data"]
    assert data["moved"] is True
    assert data["person"]["registered_municipality"] == "1401"
    assert data["person"]["id"] == "189001019802"
    assert "registered_address" not in data["person"]


def test_a_plan_and_its_invitation_follow_each_other() -> None:
    stay = good(sip_consent="given", sip_invitation_sent_at="2019-03-09 10:00", sip_called_units=f"{OTHER_WARD} {CARE_CENTRE}")
    assert [command.path for command in stay.commands] == ["/v1/plans", "/v1/plans/{plan}/invitations"]
    assert stay.commands[1].body == {"units": [OTHER_WARD, CARE_CENTRE], "sent_at": "2019-03-09T09:00:00.000000Z"}
    assert stay.called == (OTHER_WARD, CARE_CENTRE)


@pytest.mark.parametrize(
    ("more", "column", "code"),
    [
        ({"ward": ""}, "ward", "missing"),
        ({"ward": "SE2321000131-Å1"}, "ward", "format"),
        ({"ward": "SE2321000132-E1"}, "ward", "hsa_id.check_digit"),
        ({"stay_id": "two words"}, "stay_id", "format"),
        ({"stay_id": "X" * 91}, "stay_id", "too_long"),
        ({"stay_id": "1,89001E+11"}, "stay_id", "spreadsheet_number"),
        ({"person_id": "1,89001E+11"}, "person_id", "spreadsheet_number"),
        ({"person_id": "18900101-9803"}, "person_id", "person_id.check_digit"),
        ({"person_id": "900101-9802"}, "person_id", "person_id.format"),
        ({"person_type": "passport"}, "person_type", "not_allowed"),
        ({"given_name": "Te\u200bst"}, "given_name", "text.not_printable"),
        ({"given_name": "A" * 121}, "given_name", "too_long"),
        ({"family_name": ""}, "family_name", "missing"),
        ({"street": "Testgatan 1"}, "postal_code", "missing"),
        ({"registered_municipality": "14800"}, "registered_municipality", "municipality_code.format"),
        ({"protected": "perhaps"}, "protected", "not_yes_or_no"),
        ({"care_type": "surgery"}, "care_type", "not_allowed"),
        ({"needs": "social"}, "needs", "not_allowed"),
        ({"needs": "outpatient outpatient"}, "needs", "needs.repeated"),
        ({"admitted_at": "4/3 2019"}, "admitted_at", "time.format"),
        ({"admitted_at": "2019-02-30 10:00"}, "admitted_at", "time.format"),
        ({"admitted_at": "2019-03-04 24:00"}, "admitted_at", "time.format"),
        ({"admitted_at": "2019-03-04"}, "admitted_at", "time.format"),
        ({"admitted_at": "2019-03-31 02:30", "admission_notice_sent_at": "2019-03-31 05:00"}, "admitted_at", "time.skipped"),
        ({"admission_notice_sent_at": ""}, "admission_notice_sent_at", "missing"),
        ({"admission_notice_sent_at": "2019-03-04 10:14"}, "admission_notice_sent_at", "before_it_happened"),
        ({"discharged_at": "2026-11-21 12:00"}, "discharged_at", "in_future"),
        ({"discharged_at": "2019-03-12 12:00", "discharged_sent_at": "2026-11-21 12:00"}, "discharged_sent_at", "in_future"),
        ({"discharged_to": "home"}, "discharged_at", "missing"),
        ({"discharged_at": "2019-03-12 12:00", "discharged_to": "mars"}, "discharged_to", "not_allowed"),
        ({"planned_discharge_date": "12 mars"}, "planned_discharge_date", "day.format"),
        ({"planned_1_date": "2019-03-12"}, "planned_1_sent_at", "missing"),
        ({"ready_1_at": "2019-03-08 10:00"}, "ready_1_sent_at", "missing"),
        ({"ready_2_sent_at": "2019-03-08 10:00"}, "ready_2_at", "missing"),
        ({"ready_1_at": "2019-03-08 10:00", "ready_1_sent_at": "x"}, "ready_1_sent_at", "time.format"),
        ({"ready_1_at": "2019-03-08 10:00", "ready_1_sent_at": "2019-03-08 10:00", "compulsory": "lpt"}, "ready_1_at", "not_allowed"),
        ({"transfer_1_at": "2019-03-08 10:00"}, "transfer_1_to_ward", "missing"),
        ({"transfer_1_at": "2019-03-08 10:00", "transfer_1_to_ward": "SE1"}, "transfer_1_to_ward", "format"),
        ({"block_1_started_at": "2019-03-08 10:00"}, "block_1_kind", "missing"),
        ({"moved_1_at": "2019-03-08 10:00"}, "moved_1_to_municipality", "missing"),
        ({"sip_invitation_sent_at": "2019-03-08 10:00", "sip_called_units": CARE_CENTRE}, "sip_consent", "missing"),
        ({"sip_consent": "given", "sip_invitation_sent_at": "2019-03-08 10:00"}, "sip_called_units", "missing"),
        ({"sip_consent": "given", "sip_called_units": CARE_CENTRE}, "sip_invitation_sent_at", "missing"),
        ({"sip_consent": "given", "sip_called_units": "the care centre"}, "sip_called_units", "hsa_id.format"),
        ({"sip_consent": "refused", "sip_invitation_sent_at": "2019-03-08 10:00"}, "sip_invitation_sent_at", "consent_refused"),
        ({"sip_consent": "given", "outpatient_unit": "", "needs": "municipal_social"}, "sip_care_centre", "missing"),
        ({"declined_measures": "municipal_social"}, "declined_at", "missing"),
        ({"placement_municipality": "1401"}, "placement_stated_at", "missing"),
    ],
)
def test_a_row_that_cannot_be_taken_in_says_where_and_why(more: dict[str, str], column: str, code: str) -> None:
    stay, problems = read(**more)
    assert stay is None
    assert Problem(column, code) in problems
    assert in_words(Problem(column, code)) != "cannot be taken in"


def test_a_row_tells_all_that_is_wrong_with_it_at_once() -> None:
    _, problems = read(protected="x", registered_municipality="y", ready_1_at="z")
    assert {problem.column for problem in problems} == {"protected", "registered_municipality", "ready_1_at", "ready_1_sent_at"}


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2019-03-04 10:15", "2019-03-04T09:15:00"),
        ("2019-03-04 9:15", "2019-03-04T08:15:00"),
        ("2019-03-04T10:15:30", "2019-03-04T09:15:30"),
        ("2019-07-04 10:15:00", "2019-07-04T08:15:00"),
        ("2019-10-27 02:30", "2019-10-27T00:30:00"),  # comes twice: the first
        ("2019-10-27 02:30+01:00", "2019-10-27T01:30:00"),
        ("2019-10-27 01:30Z", "2019-10-27T01:30:00"),
        ("2019-03-31 03:00", "2019-03-31T01:00:00"),
    ],
)
def test_a_time_without_offset_is_swedish(text: str, instant: str) -> None:
    assert cells.moment(text) == datetime.fromisoformat(f"{instant}+00:00")


@pytest.mark.parametrize(("text", "code"), [("1480", "1480"), ("114", "0114"), ("0114", "0114")])
def test_a_code_gets_back_the_zero_that_a_spreadsheet_took(text: str, code: str) -> None:
    assert cells.municipality(text) == code


@pytest.mark.parametrize(("text", "meant"), [("ja", True), ("SANT", True), ("TRUE", True), ("1", True), ("nej", False), ("FALSKT", False)])
def test_yes_and_no_are_read_as_swedish_spreadsheets_write_them(text: str, meant: bool) -> None:
    assert cells.truth(text) is meant


HEADING = ";".join(ROW)
PLAIN = ";".join(ROW.values())


def lines_of(tmp_path: Path, content: bytes, encoding: Encoding = "utf-8", *, after: int = 0) -> list[Line]:
    file = tmp_path / "history.csv"
    file.write_bytes(content)
    return list(read_lines(file, form_of(file, encoding), after=after))


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-8", f"\ufeff{HEADING}\r\n{PLAIN.replace('Test;', 'Åsa;')}\r\n".encode()),
        ("utf-8", f"{HEADING}\n{PLAIN.replace('Test;', 'Åsa;')}".encode()),
        ("windows-1252", f"{HEADING}\r\n{PLAIN.replace('Test;', 'Åsa;')}\r\n".encode("windows-1252")),
        ("utf-8", (f"{HEADING}\r\n{PLAIN.replace('Test;', 'Åsa;')}\r\n".replace(", ", " ").replace(";", ",")).encode()),
        ("utf-8", f"{HEADING}\r\n{PLAIN.replace('Test;', 'Åsa;')}\r\n".replace(";", "\t").encode()),
    ],
    ids=["excel's utf-8", "no mark and no last line end", "windows-1252", "commas", "tabs"],
)
def test_a_file_is_read_as_a_spreadsheet_writes_it(tmp_path: Path, encoding: Encoding, content: bytes) -> None:
    (line,) = lines_of(tmp_path, content, encoding)
    assert (line.number, line.cells["given_name"], line.cells["stay_id"]) == (2, "Åsa", "OLD-1")


def test_one_spoilt_line_spoils_no_other(tmp_path: Path) -> None:
    spoilt = [PLAIN.replace("Testsson", '"Testsson'), "x" * 70_000, PLAIN + ";more", "", PLAIN.replace("Testsson", "T\xe5")]
    content = "\n".join([HEADING, *spoilt, PLAIN]).encode("latin-1")
    assert [(line.number, line.fault) for line in lines_of(tmp_path, content)] == [
        (2, "quotation"),
        (3, "line_too_long"),
        (4, "too_many_columns"),
        (6, "encoding"),
        (7, ""),
    ]


def test_reading_goes_on_behind_a_line(tmp_path: Path) -> None:
    content = f"{HEADING}\n{PLAIN}\n{PLAIN}\n{PLAIN}".encode()
    assert [line.number for line in lines_of(tmp_path, content, after=3)] == [4]


def test_a_file_is_never_held_whole(tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_text(f"{HEADING}\n" + f"{PLAIN}\n" * 25_000, encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_lines(file, form_of(file, "utf-8"))) == 25_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert file.stat().st_size > 4_000_000
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        (HEADING.replace("stay_id;", ""), "columns missing: stay_id"),
        (HEADING + ";hospital;ready_0_at;ready_10_at", "no such columns: number 12, 13, 14"),
        (HEADING + ";ward", "a column stands twice"),
        ("\x00\x01", "columns missing"),
    ],
)
def test_a_file_with_other_columns_is_refused(tmp_path: Path, heading: str, told: str) -> None:
    with pytest.raises(CannotStart, match=told):
        lines_of(tmp_path, f"{heading}\n{PLAIN}\n".encode())


def test_a_file_without_a_heading_shows_nobody(tmp_path: Path) -> None:
    with pytest.raises(CannotStart) as refused:
        lines_of(tmp_path, f"{PLAIN}\n".encode())
    assert "Test" not in str(refused.value)


def test_every_column_is_documented_and_every_documented_column_exists() -> None:
    text = (ROOT / "docs" / "history.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \| ", text, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`([A-Za-z_]+)`", row)]
    assert sorted(documented) == sorted([*REQUIRED, *OPTIONAL, *NUMBERED])


def test_the_example_is_good_and_of_made_up_persons() -> None:
    file = ROOT / "examples" / "history.csv"
    form = form_of(file, "utf-8")
    rows = [(RowReader(line.cells, AT), line) for line in read_lines(file, form)]
    stays = [stay_of(row, line.number) for row, line in rows]
    assert [row.problems for row, _ in rows] == [[]] * 7
    assert sum(len(stay.events) for stay in stays if stay) == 29
    assert all(known(name) for name in form.columns)


@pytest.mark.parametrize("stay_id", ["OLD-189001019802", "900101-9802", "x9001019802/2", "18900101-9802"])
def test_a_stay_id_that_holds_the_persons_number_is_refused(stay_id: str) -> None:
    assert read(stay_id=stay_id) == (None, [Problem("stay_id", "holds_person_id")])
    assert "number" in in_words(Problem("stay_id", "holds_person_id"))
    moved = {"transfer_1_at": "2019-03-05 10:00", "transfer_1_to_ward": OTHER_WARD, "transfer_1_to_stay_id": stay_id}
    assert read(**moved)[1] == [Problem("transfer_1_to_stay_id", "holds_person_id")]


def test_nor_may_it_hold_the_number_of_another_person() -> None:
    assert read(stay_id=f"OLD-{a_personnummer(9)}") == (None, [Problem("stay_id", "holds_person_id")])
