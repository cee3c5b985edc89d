"""Ids as strict as promises.md asks; the libraries, which accept more, are the test oracle for what is right."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.se import orgnr, personnummer

from shared.identifiers import (
    PersonIdType,
    parse_hsa_id,
    parse_municipality_code,
    parse_organisation_number,
    parse_person_id,
    provider_of,
    uuid7,
)
from tests.builders import a_personnummer

TODAY = date(2026, 11, 22)
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def with_check_digit(stem: str, letter_value: str = "") -> str:
    counted = stem[2:] if not letter_value else stem[2:8] + letter_value + stem[9:]
    return stem + str(luhn.calc_check_digit(counted))


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ValueError, match=r"^[a-z_]+\.[a-z_]+$") as refusal:
        call()
    return str(refusal.value)


@given(st.integers(0, 20_000))
def test_every_number_of_the_test_series_is_a_personnummer(number: int) -> None:
    text = a_personnummer(number)
    assert parse_person_id("personnummer", text, today=TODAY) == text
    assert personnummer.is_valid(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("189001019803", "person_id.check_digit"),
        (with_check_digit("18900230980"), "person_id.date"),
        (with_check_digit("18901301980"), "person_id.date"),
        (with_check_digit("20261123238"), "person_id.date"),
        (with_check_digit("99990101980"), "person_id.date"),
        (with_check_digit("00000101980"), "person_id.date"),
        (with_check_digit("18900101000"), "person_id.birth_number"),
        (with_check_digit("18900161980"), "person_id.date"),
        ("189001019802".translate(FULL_WIDTH), "person_id.format"),
        ("189001019802".translate(ARABIC_INDIC), "person_id.format"),
        (" 189001019802", "person_id.format"),
        ("189001019802\n", "person_id.format"),
        ("18900101-9802", "person_id.format"),
        ("9001019802", "person_id.format"),
        ("", "person_id.format"),
    ],
)
def test_a_wrong_personnummer_is_refused_with_a_code(text: str, code: str) -> None:
    assert code_of(lambda: parse_person_id("personnummer", text, today=TODAY)) == code


def test_a_child_born_today_has_a_personnummer_and_one_born_tomorrow_has_not() -> None:
    parse_person_id("personnummer", with_check_digit("20261122238"), today=TODAY)
    assert code_of(lambda: parse_person_id("personnummer", with_check_digit("20261123238"), today=TODAY)) == "person_id.date"


def test_without_a_stated_day_the_present_one_counts() -> None:
    assert code_of(lambda: parse_person_id("personnummer", with_check_digit("21990101238"))) == "person_id.date"


def test_a_samordningsnummer_adds_sixty_to_the_day_and_is_nothing_else() -> None:
    text = with_check_digit("18900161980")
    assert parse_person_id("samordningsnummer", text, today=TODAY) == text
    assert code_of(lambda: parse_person_id("personnummer", text, today=TODAY)) == "person_id.date"
    assert code_of(lambda: parse_person_id("samordningsnummer", a_personnummer(), today=TODAY)) == "person_id.date"
    assert code_of(lambda: parse_person_id("samordningsnummer", with_check_digit("18900290980"), today=TODAY)) == "person_id.date"


@pytest.mark.parametrize(("letter", "value", "serial"), [("K", "5", "06"), ("M", "7", "79"), ("X", "8", "80"), ("X", "8", "89")])
def test_a_reservnummer_counts_its_letter_in_the_check_digit(letter: str, value: str, serial: str) -> None:
    text = with_check_digit(f"18900101{letter}{serial}", value)
    assert parse_person_id("reservnummer", text, today=TODAY) == text
    wrong = text[:-1] + str((int(text[-1]) + 1) % 10)
    assert code_of(lambda: parse_person_id("reservnummer", wrong, today=TODAY)) == "person_id.check_digit"


@pytest.mark.parametrize(("letter", "value", "serial"), [("K", "5", "05"), ("M", "7", "80"), ("X", "8", "79"), ("X", "8", "90")])
def test_the_serial_of_a_reservnummer_fits_its_letter(letter: str, value: str, serial: str) -> None:
    text = with_check_digit(f"18900101{letter}{serial}", value)
    assert code_of(lambda: parse_person_id("reservnummer", text, today=TODAY)) == "person_id.birth_number"


@pytest.mark.parametrize("text", ["18900101k061", "18900101A061", "189001019802", "18900230K061 ", "18900101Ｋ061"])
def test_a_reservnummer_of_another_form_is_refused(text: str) -> None:
    assert code_of(lambda: parse_person_id("reservnummer", text, today=TODAY)) == "person_id.format"


@given(st.sampled_from(["personnummer", "samordningsnummer", "reservnummer"]), st.text(max_size=14))
def test_any_text_is_read_or_refused_with_a_code_and_never_repeated(kind: PersonIdType, text: str) -> None:
    refusal: ValueError | None = None
    try:
        assert parse_person_id(kind, text, today=TODAY) == text
    except ValueError as error:
        refusal = error
    assert refusal is None or str(refusal).startswith("person_id.")


@pytest.mark.parametrize("text", ["SE2321000131-E000000000101", "SE2321000131-a", "SE2321000131-" + "Z" * 18])
def test_an_hsa_id_has_at_most_31_characters_after_its_organisation_number(text: str) -> None:
    assert parse_hsa_id(text) == text
    assert provider_of(text) == "2321000131"


@pytest.mark.parametrize(
    "text",
    [
        "SE2321000131-" + "Z" * 19,
        "SE2321000131-",
        "SE2321000131-Å1",
        "SE2321000131-ä1",
        "SE2321000131-ö1",
        "se2321000131-E1",
        "SE232100013-E1",
        "SE2321000131-E1\n",
        " SE2321000131-E1",
        "SE２321000131-E1",
        "SE2321000131_E1",
        "",
    ],
)
def test_an_hsa_id_of_another_form_is_refused(text: str) -> None:
    assert code_of(lambda: parse_hsa_id(text)) == "hsa_id.format"


def test_the_organisation_number_inside_an_hsa_id_is_checked() -> None:
    assert code_of(lambda: parse_hsa_id("SE2321000132-E1")) == "hsa_id.check_digit"


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_an_organisation_number_is_ten_digits_with_the_right_check_digit(text: str) -> None:
    if orgnr.is_valid(text):
        assert parse_organisation_number(text) == text
    else:
        assert code_of(lambda: parse_organisation_number(text)) == "organisation_number.check_digit"


@pytest.mark.parametrize("text", ["232100-0131", "232100013", " 2321000131", "2321000131\n", "2321000131".translate(FULL_WIDTH), ""])
def test_an_organisation_number_of_another_form_is_refused(text: str) -> None:
    assert code_of(lambda: parse_organisation_number(text)) == "organisation_number.format"


def test_a_municipality_code_is_four_ascii_digits() -> None:
    assert parse_municipality_code("1480") == "1480"
    for text in ("148", "14800", "148a", "1480\n", "１480", ""):
        assert code_of(lambda text=text: parse_municipality_code(text)) == "municipality_code.format"  # type: ignore[misc]


def test_new_ids_are_of_version_seven_and_sort_by_when_they_were_made() -> None:
    made = [uuid7() for _ in range(100)]
    assert all(type(one) is UUID and one.version == 7 for one in made)
    assert made == sorted(made)
