"""The CSV form of the directory: what a row says, and why one is left out."""

from datetime import date
from pathlib import Path

import pytest

from dirigent.failure import CannotStart
from dirigent.importing.directory_file import COLUMNS, HEADER, Row, read_rows
from dirigent.importing.directory_words import in_words
from services.planning.usecases.register import CalendarBody, OrganisationBody, RuleBody

ROOT = Path(__file__).resolve().parents[3]


def read(tmp_path: Path, *lines: str, header: str = ",".join(HEADER)) -> list[Row]:
    file = tmp_path / "directory.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return read_rows(file)


def one(tmp_path: Path, columns: str, values: str) -> Row:
    (row,) = read(tmp_path, values, header=columns)
    return row


def test_an_organisation_is_read_with_its_days(tmp_path: Path) -> None:
    row = one(tmp_path, "record,id,name,municipality,valid_from", "organisation,2120001355,Göteborg,1480,2026-01-01")
    assert row.entry is not None
    assert row.entry.body == OrganisationBody(name="Göteborg", municipality="1480", valid_from=date(2026, 1, 1))


def test_a_rule_is_read_with_its_recipient(tmp_path: Path) -> None:
    row = one(tmp_path, "record,id,function,need,valid_from", "addressing,municipality:1480,social_services,municipal_social,2026-01-01")
    assert row.entry is not None
    assert row.entry.key == ("municipality:1480",)
    assert row.entry.body == RuleBody(function="social_services", need="municipal_social", valid_from=date(2026, 1, 1))


def test_the_hours_of_a_duty_calendar_are_read_day_by_day(tmp_path: Path) -> None:
    told = 'duty_calendar,municipality:1480,social_services,"mon 08:00-12:00 13:00-16:30, fri 08:00-24:00",2026-12-23 2026-12-28,on_call'
    row = one(tmp_path, "record,id,function,hours,closed,outside", told)
    assert row.entry is not None
    assert isinstance(row.entry.body, CalendarBody)
    assert [(hours.start, hours.end) for hours in row.entry.body.weekly.mon] == [("08:00", "12:00"), ("13:00", "16:30")]
    assert row.entry.body.weekly.fri[0].end == "24:00"
    assert row.entry.body.weekly.tue == ()
    assert row.entry.body.closed == (date(2026, 12, 23), date(2026, 12, 28))
    assert row.entry.key == ("municipality:1480", "social_services", "")


@pytest.mark.parametrize(
    ("columns", "values", "reason"),
    [
        ("record,id,name", "hospital,1,X", "record_unknown"),
        ("record,id,name", "organisation,2120001350,X", "organisation_number.check_digit"),
        ("record,id,name", "organisation,2120001355,", "name: missing"),
        ("record,id,name,municipality", "organisation,2120001355,X,14800", "municipality: municipality_code.format"),
        ("record,id,name,valid_from,valid_to", "organisation,2120001355,X,2026-02-01,2026-01-01", "period_reversed"),
        ("record,id,name,valid_from", "organisation,2120001355,X,1 jan", "valid_from: day.format"),
        ("record,id,name,need", "organisation,2120001355,X,outpatient", "need: unexpected"),
        ("record,id,function", "mailbox,SE2120001355-E1,district", "district_missing"),
        ("record,id,function,district", "mailbox,SE2120001355-E1,ward,Norr", "district_unexpected"),
        ("record,id,function,hours", "duty_calendar,municipality:1480,on_call,monday 8-16", "hours: format"),
        ("record,id,function,hours", "duty_calendar,municipality:1480,on_call,mon 16:00-08:00", "weekly/mon/0: period_reversed"),
        ("record,id,name", "organisation,2120001355,X,too,much", "too_many_columns"),
    ],
)
def test_a_row_that_cannot_be_entered_says_where_and_why_and_never_the_value(
    tmp_path: Path, columns: str, values: str, reason: str
) -> None:
    row = one(tmp_path, columns, values)
    assert (row.line, row.entry, row.reason) == (2, None, reason)


def test_empty_lines_and_a_byte_order_mark_are_nothing(tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    file.write_text("record,id,name\n\n,,\norganisation,2120001355,Göteborg\n", encoding="utf-8-sig")
    assert [(row.line, row.reason) for row in read_rows(file)] == [(4, "")]


@pytest.mark.parametrize("header", ["id,name", "record,id,shoe_size", ""])
def test_a_file_with_other_columns_is_refused_whole(tmp_path: Path, header: str) -> None:
    with pytest.raises(CannotStart, match="columns"):
        read(tmp_path, header=header)


def test_a_file_in_another_encoding_is_refused_whole(tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    file.write_bytes("record,id,name\norganisation,2120001355,Göteborg\n".encode("latin-1"))
    with pytest.raises(CannotStart, match="UTF-8"):
        read_rows(file)


def test_every_column_stands_in_the_documentation() -> None:
    told = (ROOT / "docs" / "directory.md").read_text(encoding="utf-8")
    assert [column for columns in COLUMNS.values() for column in columns if column != "id" and f"`{column}`" not in told] == []


def test_a_file_as_a_swedish_spreadsheet_saves_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "directory.csv"
    file.write_bytes("record;id;name;hours\r\norganisation;2120001355;Göteborg, Stad;\r\n".encode("windows-1252"))
    (row,) = read_rows(file, "windows-1252")
    assert row.entry is not None
    assert row.entry.body == OrganisationBody(name="Göteborg, Stad")
    with pytest.raises(CannotStart, match="--encoding"):
        read_rows(file)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("name: missing", "name: a value is needed here"),
        ("directory.stay_space_taken", "The stay space is another organisation's"),
        ("record_unknown", "the first column names no kind of row that there is"),
        ("nobody knows", "cannot be entered"),
    ],
)
def test_a_row_that_is_left_out_is_told_in_words(reason: str, words: str) -> None:
    assert in_words(reason) == words
