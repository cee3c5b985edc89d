"""The file of today's service: what is read, and that a row that cannot be is named by its line, never by what stands in it."""

from fractions import Fraction
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from dirigent.failure import CannotStart
from dirigent.shadow.command import stays_table
from dirigent.shadow.file import COLUMNS, MonthFile, StayRow, TotalRow, UnreadableRows, read_month
from dirigent.shadow.words import ROWS
from shared.dates import Month
from shared.money import Money

HEADING = ";".join(COLUMNS)
STAY = "1480;2026-03;2321000131;SU-1;5;ja;"
TOTAL = "1480;2026-03;;;8;;96000,00"


def read(tmp_path: Path, *lines: str, encoding: str = "utf-8", end: str = "\r\n", month: str | None = None) -> MonthFile:
    path = tmp_path / "today.csv"
    path.write_bytes(end.join(lines).encode(encoding))
    return read_month(path, None if month is None else Month.parse(month))


def faults(tmp_path: Path, *lines: str) -> list[tuple[int, str, str]]:
    with pytest.raises(UnreadableRows) as caught:
        read(tmp_path, HEADING, *lines)
    assert all(fault.code in ROWS for fault in caught.value.faults)
    return [(fault.line, fault.column, fault.code) for fault in caught.value.faults]


def test_a_row_is_a_stay_or_a_total(tmp_path: Path) -> None:
    found = read(tmp_path, HEADING, STAY, TOTAL)
    assert (found.month, found.rows) == (Month(2026, 3), 2)
    assert found.stays == [StayRow(2, "1480", "2321000131", "SU-1", 5, True, None)]
    assert found.totals == [TotalRow(3, "1480", Fraction(8), Money(9_600_000))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str, end: str) -> None:
    heading = "Kommun;Månad;Vårdgivare;Vårdtillfälle;Dagar;Räknas;Belopp"
    found = read(tmp_path, heading, STAY.replace("SU-1", "SÖS-1"), TOTAL, "", encoding=encoding, end=end)
    assert found.stays[0].stay == "SÖS-1"


@pytest.mark.parametrize("raw", ["abc".encode("utf-16"), b"kommun\0;", b"\x81\x8d"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "today.csv"
    path.write_bytes(raw)
    with pytest.raises(CannotStart, match="UTF-8"):
        read_month(path)


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    found = read(tmp_path, "belopp;" + ";".join(COLUMNS[:-1]), ";1480;2026-03;2321000131;SU-1;5;ja", "96000;1480;2026-03;;;8;")
    assert (found.stays[0].days, found.totals[0].amount) == (5, Money(9_600_000))


@pytest.mark.parametrize(
    "heading", [STAY, "", "kommun;manad", f"{HEADING};personnummer", f"{HEADING};kommun", HEADING.replace(";", ","), "189001019802;Test"]
)
def test_a_file_with_other_columns_is_refused_without_telling_what_stands_there(tmp_path: Path, heading: str) -> None:
    with pytest.raises(CannotStart) as caught:
        read(tmp_path, heading, STAY, TOTAL)
    assert "189001019802" not in str(caught.value)
    assert "SU-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "ore"),
    [
        ("0", 0),
        ("65600", 6_560_000),
        ("65600,5", 6_560_050),
        ("65600.50", 6_560_050),
        ("65 600,00", 6_560_000),
        ("1\u00a0234\u00a0567", 123_456_700),
    ],
)
def test_an_amount_has_a_decimal_comma_or_point_and_blanks_between_thousands(tmp_path: Path, told: str, ore: int) -> None:
    assert read(tmp_path, HEADING, f"1480;2026-03;;;8;;{told}").totals[0].amount == Money(ore)


@pytest.mark.parametrize("told", ["65.600,00", "65,600.00", "65.600", "-1", "1e3", "6 5600", "1,234", "kr 5", "NaN", "５", "=1+1"])
def test_an_amount_that_could_mean_two_things_is_refused(tmp_path: Path, told: str) -> None:
    assert faults(tmp_path, f"1480;2026-03;;;8;;{told}") == [(2, "belopp", "amount_format")]


@pytest.mark.parametrize(("word", "counted"), [("ja", True), ("JA", True), ("1", True), ("sant", True), ("nej", False), ("0", False)])
def test_a_stay_counts_or_not(tmp_path: Path, word: str, counted: bool) -> None:
    assert read(tmp_path, HEADING, STAY.replace(";ja;", f";{word};"), TOTAL).stays[0].counted is counted


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (STAY.replace("1480", "Göteborg"), ("kommun", "municipality_format")),
        (STAY.replace("1480", ""), ("kommun", "missing")),
        (STAY.replace("2026-03", "mars"), ("manad", "month_format")),
        (STAY.replace("2026-03", "2026-13"), ("manad", "month_format")),
        (STAY.replace("2026-03", ""), ("manad", "missing")),
        (STAY.replace("2321000131", ""), ("vardgivare", "missing")),
        (STAY.replace("2321000131", "a b"), ("vardgivare", "provider_format")),
        (STAY.replace("SU-1", ""), ("vardtillfalle", "missing")),
        (STAY.replace(";5;", ";;"), ("dagar", "missing")),
        (STAY.replace(";5;", ";-5;"), ("dagar", "days_format")),
        (STAY.replace(";5;", ";4,5;"), ("dagar", "days_fraction")),
        (STAY.replace(";ja;", ";kanske;"), ("raknas", "yes_or_no")),
        (STAY.replace(";ja;", ";;"), ("raknas", "missing")),
        (STAY + ";x;y", ("", "too_many_cells")),
        (STAY.replace("SU-1", '"SU-1'), ("", "quotation")),
        (STAY.replace("SU-1", "S" * 5_000), ("", "too_long")),
        ("1480;2026-03;;;8;ja;1", ("raknas", "counts_unexpected")),
        ("1480;2026-03;;;8;;", ("belopp", "missing")),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_its_line_and_column(tmp_path: Path, row: str, fault: tuple[str, str]) -> None:
    assert faults(tmp_path, TOTAL, STAY.replace("SU-1", "SU-0"), row) == [(4, *fault)]


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, STAY.replace(";5;", ";x;"), TOTAL, STAY.replace(";ja;", ";x;"))
    assert found == [(2, "dagar", "days_format"), (4, "raknas", "yes_or_no")]


def test_days_of_a_stay_may_be_written_with_empty_decimals(tmp_path: Path) -> None:
    assert read(tmp_path, HEADING, STAY.replace(";5;", ";5,00;"), TOTAL).stays[0].days == 5


def test_a_stay_or_total_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, STAY, STAY, TOTAL, TOTAL) == [(3, "vardtillfalle", "repeated"), (5, "kommun", "repeated")]


def test_stays_without_a_total_are_refused_once_a_municipality(tmp_path: Path) -> None:
    other = [STAY.replace("1480", "1481").replace("SU-1", f"SU-{number}") for number in (2, 3)]
    assert faults(tmp_path, STAY, *other, TOTAL) == [(3, "kommun", "total_missing")]


def test_rows_of_two_months_are_refused_unless_one_is_picked(tmp_path: Path) -> None:
    april = [STAY.replace("-03", "-04").replace("SU-1", "SU-2"), TOTAL.replace("-03", "-04")]
    assert faults(tmp_path, STAY, TOTAL, *april) == [(4, "manad", "month_other"), (5, "manad", "month_other")]
    picked = read(tmp_path, HEADING, STAY, TOTAL, *april, month="2026-04")
    assert (picked.month, [row.stay for row in picked.stays]) == (Month(2026, 4), ["SU-2"])


@pytest.mark.parametrize("month", [None, "2026-04"])
def test_a_file_without_rows_is_refused(tmp_path: Path, month: str | None) -> None:
    with pytest.raises(CannotStart, match="no rows"):
        read(tmp_path, HEADING, *([STAY, TOTAL] if month else []), month=month)


def test_a_municipality_that_lost_its_zero_gets_it_back(tmp_path: Path) -> None:
    assert read(tmp_path, HEADING, TOTAL.replace("1480", "180")).totals[0].municipality == "0180"


def test_the_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    one, same, other = (read(tmp_path, HEADING, total).sha256 for total in (TOTAL, TOTAL, TOTAL.replace("8", "9")))
    assert one == same != other


def test_the_table_of_stays_never_cuts_a_case_off() -> None:
    case = "01890a5d-ac96-774b-bcce-b302099a8057"
    because = [
        {"code": "average", "source": "VGR agreement 2018-09-25: monthly average per municipality, longer than seven days individually"}
    ]
    ours = {"days": 1, "counted_as": "average", "amount": "0.00"}
    row = {"municipality": "1441", "case": case, "differs": ["only_ours"], "theirs": None, "ours": ours, "because": because}
    console = Console(width=150, record=True, file=StringIO())
    console.print(stays_table([row]))
    told = console.export_text()
    assert case in told
    assert "1 day, average" in told
