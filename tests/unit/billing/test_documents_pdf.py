"""The printed document: PDF/UA-1 and PDF/A-3a with the electronic invoice embedded, in Swedish, the same bytes every time."""

import json
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from services.billing.documents.account import read_calculation
from services.billing.documents.pdf import DRAWN, NOT_DRAWN, pdf
from services.billing.documents.reading import read_document
from services.billing.documents.ubl import ubl
from services.billing.documents.words import COUNTED_AS, KINDS
from services.billing.domain.basis import CountedAs
from services.billing.domain.correcting import DocumentKind
from services.billing.domain.identity import canonical
from tests.unit.billing.documents_of import BARE_SIDES, a_credit_note, a_supplementary_invoice, an_invoice, every_kind, month
from tests.unit.billing.test_documents_electronic import changed, read


def text_of(made: bytes) -> str:
    """Everything that is printed, blanks of every kind made plain."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(made)).pages).split())


def test_it_says_of_itself_what_it_is() -> None:
    made = PdfReader(BytesIO(pdf(read(an_invoice()))))
    root: Any = made.root_object
    assert root["/Lang"] == "sv-SE"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert made.metadata is not None
    assert made.metadata.title == "Faktura 2026-000017"
    described = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in described
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in described
    assert "<pdfuaid:part>1</pdfuaid:part>" in described


def test_the_electronic_invoice_lies_in_it() -> None:
    for content in every_kind():
        document = read(content)
        attached = PdfReader(BytesIO(pdf(document))).attachments
        assert attached == {f"{document.number}.xml": [ubl(document)]}


def test_equal_documents_give_equal_bytes() -> None:
    calculation = read_calculation(canonical(month(2, 5, 6, 7, 12)), ["Ett steg."])
    assert pdf(read(an_invoice()), calculation) == pdf(read(an_invoice()), calculation)


def test_the_first_page_tells_a_clerk_what_to_pay_where_and_by_when() -> None:
    first = PdfReader(BytesIO(pdf(read(an_invoice())))).pages[0].extract_text().replace("\u00a0", " ")
    for told in ("139 400,00 kr", "991-2346", "202600001721", "2026-05-15", "2026-04-15", "ZZ1480", "Göteborgs kommun", "F-skatt"):
        assert told in first


def test_the_pages_behind_tell_every_step_and_every_stay() -> None:
    told = text_of(pdf(read(an_invoice()), read_calculation(canonical(month(2, 5, 6, 7, 12)), ["Genomsnittet är 5.", "Alltså 8 dagar."])))
    assert "Genomsnittet är 5." in told
    assert told.index("Väntedagar är kalenderdagar") < told.index("Ingår i genomsnittet (")
    assert "1 vårdtillfälle debiteras för sig: 9 betalningsdagar, 73 800,00 kr." in told
    assert told.index("debiteras för sig:") < told.index("Alltså 8 dagar.")
    for number in range(1, 6):
        assert f"00000000-0000-0000-0000-{number:012d}" in told
    assert "2020-03-08 09:00" in told


def test_a_stay_that_was_left_out_is_there_with_its_reason() -> None:
    calculation = json.loads(canonical(month(2, 5, 6, 7, 12)))
    left_out = calculation["lines"][0] | {
        "counted_as": "excluded",
        "reasons": [{"reason": "no_sip_invitation", "source": "Lag (2017:612) 5 kap. 3 §"}],
    }
    told = text_of(pdf(read(an_invoice()), read_calculation(json.dumps(calculation | {"lines": [left_out]}))))
    assert "Debiteras inte (1)" in told
    assert "Ingen kallelse till SIP (Lag (2017:612) 5 kap. 3 §)" in told


def test_a_credit_note_asks_for_nothing_and_names_what_it_credits() -> None:
    told = text_of(pdf(read(a_credit_note())))
    assert "Kreditfaktura" in told
    assert "Att kreditera 32 800,00 kr" in told
    assert "Krediterar faktura 2026-000017" in told
    assert "Oss tillhanda" not in told
    assert "202600004220" not in told


def test_a_supplementary_invoice_tells_what_was_billed_before() -> None:
    told = text_of(pdf(read(a_supplementary_invoice())))
    assert "Tidigare fakturerat, efter krediteringar: 139 400,00 kr (2026-000017). Skillnad: 131 200,00 kr." in told


def test_a_debtor_of_whom_little_is_known_gets_a_whole_document_too() -> None:
    assert "Göteborgs kommun" in text_of(pdf(read(an_invoice(sides=BARE_SIDES))))


@pytest.mark.parametrize("name", ["東京 kommun", "kommun 🙂", "#set text(red) *x* _y_ $z$ @w <l> \\ [", "\u0600 \u0900"])
def test_any_name_can_be_printed_and_none_is_taken_for_an_instruction(name: str) -> None:
    told = text_of(pdf(read(changed(an_invoice(), debtor={"name": name}))))
    drawn = "".join(sign if any(ord(sign) in part for part in DRAWN) else NOT_DRAWN for sign in name)
    assert " ".join(drawn.split()) in told


def test_every_sign_that_is_let_through_has_a_font() -> None:
    signs = "".join(chr(code) for part in DRAWN for code in part if chr(code).isprintable())
    pdf(read(changed(an_invoice(), debtor={"name": signs})))


def test_every_kind_of_document_and_every_way_of_counting_has_a_word() -> None:
    assert set(KINDS) == set(DocumentKind)
    assert set(COUNTED_AS) == set(CountedAs)


def test_a_long_month_runs_over_many_pages_and_every_page_is_numbered() -> None:
    basis = month(*([0, 2, 3, 5, 6, 4, 3] * 20 + [9, 12, 15]))
    made = pdf(read_document(json.dumps(an_invoice(basis))), read_calculation(canonical(basis)))
    pages = PdfReader(BytesIO(made)).pages
    assert len(pages) > 4
    assert [f"sida {number} av {len(pages)}" in page.extract_text() for number, page in enumerate(pages, start=1)] == [True] * len(pages)
