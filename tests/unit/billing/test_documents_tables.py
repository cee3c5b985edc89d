"""The document as a table for Swedish Excel, and the ledger as vouchers for any Swedish accounting system."""

import csv
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest

from services.billing.documents.account import read_calculation
from services.billing.documents.sie import Company, Voucher, sie
from services.billing.documents.spreadsheet import COLUMNS, FORMULA, safe, spreadsheet
from services.billing.domain.identity import canonical
from shared.money import Money
from tests.unit.billing.documents_of import a_credit_note, an_invoice, month
from tests.unit.billing.test_documents_electronic import changed, read

REGION = Company("2321000131", "Västra Götalandsregionen")
DAY = date(2026, 4, 15)


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(table.decode("utf-8-sig"), newline=""), delimiter=";"))


def number(cell: str) -> Decimal:
    return Decimal(cell.replace(",", "."))


def test_excel_opens_the_table_without_being_asked_anything() -> None:
    table = spreadsheet(read(an_invoice()))
    assert table.startswith(b"\xef\xbb\xbf")
    assert table.count(b"\r\n") == table.count(b"\n") == len(rows_of(table)) + 1
    assert table.decode("utf-8-sig").split("\r\n")[0] == ";".join(COLUMNS)
    assert b";73800,00;" in table


def test_every_line_and_every_stay_has_a_row() -> None:
    rows = rows_of(spreadsheet(read(an_invoice()), read_calculation(canonical(month(2, 5, 6, 7, 12, 0)))))
    assert [row["Radtyp"] for row in rows] == ["Fakturarad"] * 2 + ["Vårdtillfälle"] * 6
    assert sum(number(row["Belopp"]) for row in rows if row["Belopp"]) == 139400
    assert {row["Nummer"] for row in rows} == {"2026-000017"}
    long_stay = next(row for row in rows if row["Radtyp"] == "Vårdtillfälle" and row["Väntedagar"] == "12")
    assert (long_stay["Betalningsdagar"], long_stay["Varav vårdtillfället"], long_stay["Utskrivningsklar"]) == (
        "9",
        "73800,00",
        "2020-03-08 09:00",
    )


def test_a_credit_note_names_what_it_corrects_and_adds_up_to_its_own_amount() -> None:
    rows = rows_of(spreadsheet(read(a_credit_note())))
    assert {(row["Slag"], row["Rättar"]) for row in rows} == {("Kreditfaktura", "2026-000017")}
    assert [number(row["Belopp"]) for row in rows if row["Belopp"]] == [139400, -106600]


@pytest.mark.parametrize("sign", sorted(FORMULA))
def test_no_text_of_others_becomes_a_formula(sign: str) -> None:
    content = an_invoice()
    content["lines"][0] |= {"text": f"{sign}cmd|' /C calc'!A0", "price_source": f" {sign}1+1", "rule": f"{sign}HYPERLINK()"}
    row = rows_of(spreadsheet(read(content)))[0]
    assert all(row[column].startswith("'") for column in ("Beskrivning", "Pris enligt", "Regel"))


def test_a_text_with_quotes_semicolons_and_line_breaks_stays_in_its_cell() -> None:
    content = an_invoice()
    content["lines"][0] |= {"text": 'a;"b"\r\nc'}
    assert rows_of(spreadsheet(read(content)))[0]["Beskrivning"] == 'a;"b"\r\nc'
    assert safe("5 dagar") == "5 dagar"


def test_vouchers_are_what_sie_4_wants() -> None:
    voucher = Voucher(DAY, "Faktura 2026-000017, kommun 1480, 2026-03", (("1510", Money(13940000)), ("3190", Money(-13940000))))
    assert sie(REGION, [voucher], {"1510": "Kundfordringar"}, date(2026, 5, 1)).decode("cp437").split("\r\n") == [
        "#FLAGGA 0",
        '#PROGRAM "Dirigent" 1',
        "#FORMAT PC8",
        "#GEN 20260501",
        "#SIETYP 4",
        "#ORGNR 232100-0131",
        '#FNAMN "Västra Götalandsregionen"',
        '#KONTO 1510 "Kundfordringar"',
        '#KONTO 3190 "Konto 3190"',
        '#VER D "" 20260415 "Faktura 2026-000017, kommun 1480, 2026-03"',
        "{",
        '#TRANS 1510 {} 139400.00 20260415 "Faktura 2026-000017, kommun 1480, 2026-03"',
        '#TRANS 3190 {} -139400.00 20260415 "Faktura 2026-000017, kommun 1480, 2026-03"',
        "}",
        "",
    ]


def test_swedish_letters_are_written_as_the_code_page_has_them() -> None:
    assert "Västra".encode("cp437") == b"V\x84stra"
    assert b"V\x84stra G\x94talandsregionen" in sie(REGION, [], {}, DAY)


def test_a_sign_that_the_code_page_lacks_is_seen_and_none_ends_a_field_or_a_line() -> None:
    written = sie(Company("2321000131", 'A \u2013 "B" \\ \u6771\r\n#VER\x00'), [], {}, DAY).decode("cp437").split("\r\n")
    assert written[6] == r'#FNAMN "A ? \"B\" \\ ???#VER?"'
    assert len(written) == 8


def test_a_voucher_that_does_not_balance_is_never_written() -> None:
    with pytest.raises(ValueError, match="balances"):
        sie(REGION, [Voucher(DAY, "", (("1510", Money(1)),))], {}, DAY)


def test_a_month_in_which_nothing_was_booked_is_a_file_of_no_vouchers() -> None:
    assert b"#VER" not in sie(REGION, [], {}, DAY)


def test_old_members_are_no_part_of_a_table() -> None:
    assert spreadsheet(read(changed(an_invoice(), approved_by="=1"))) == spreadsheet(read(an_invoice()))
