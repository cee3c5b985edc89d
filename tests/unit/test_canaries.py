"""The search for persons: what it finds, however it is written, and what it passes by."""

from datetime import date

import pytest

from dirigent.simulate.persons import personnummer
from tests.adt import a_reservnummer
from tests.canaries import Canaries

NUMBER, RESERVE, CHILD = "189001029801", a_reservnummer(3), personnummer(date(2012, 5, 17), "238")
SEEN = Canaries(frozenset({NUMBER, RESERVE, CHILD}), frozenset({"Dolda gränden", "Testsson"}))


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        NUMBER[2:],
        f"{NUMBER[:8]}-{NUMBER[8:]}",
        f"{NUMBER[2:8]}-{NUMBER[8:]}",
        f"{NUMBER[2:8]}+{NUMBER[8:]}",
        f"SU-{NUMBER}-7",
        f"20261122{NUMBER}",
        f"/v1/cases/{NUMBER}?after=0",
        RESERVE,
        f"{RESERVE[:8]}-{RESERVE[8:]}",
        f"{CHILD[2:8]}-{CHILD[8:]}",
        "DOLDA GRäNDEN 7",
        '{"street": "Dolda gr\\u00e4nden 7"}',
        "(1,\\\\x" + NUMBER.encode().hex() + ",)",
    ],
)
def test_a_person_is_found_however_she_is_written(written: str) -> None:
    assert len(SEEN.within(b"before " + written.encode() + b" after")) == 1


def test_a_name_is_found_in_latin_1() -> None:
    assert SEEN.within("Dolda gränden".encode("latin-1")) == {"Dolda gränden"}


def test_a_number_of_the_test_series_is_found_without_being_known() -> None:
    assert Canaries(frozenset(), frozenset()).within(b"id=18900101-9802;") == {"189001019802"}


@pytest.mark.parametrize(
    "written",
    ["2120001355", "SE2321000131-E000000000101", "18900101-9803", "2026-11-22T10:29:50.123Z", "9001029802", "Anna Test", "18900102"],
)
def test_what_is_no_person_is_passed_by(written: str) -> None:
    assert SEEN.within(written.encode()) == set()
