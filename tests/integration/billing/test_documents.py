"""An issued document in every form over HTTP, and the vouchers of a month."""

import json
from decimal import Decimal
from io import BytesIO

import pytest
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import text

from tests.integration.billing.parts import Billing, a_stay_fact
from tests.unit.billing.official_rules import broken_rules, schema_faults
from tests.unit.billing.test_documents_electronic import NAMES
from tests.unit.billing.test_documents_tables import number, rows_of

FORMS = {"xml": "application/xml", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
DAYS = (2, 5, 6, 7, 12)


@pytest.fixture
async def issued(billing: Billing) -> str:
    await billing.price()
    await billing.tell(*(a_stay_fact(days) for days in DAYS))
    number: str = (await billing.close_month()).json()["invoice"]
    return number


def told(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


async def test_every_form_says_the_amount_of_the_document(billing: Billing, issued: str) -> None:
    document = (await billing.get(f"/v1/invoices/{issued}", billing.finance())).json()
    amount = Decimal(document["amount"]["amount"])
    answers = {form: await billing.get(f"/v1/invoices/{issued}.{form}", billing.finance()) for form in FORMS}
    assert [(answer.status_code, answer.headers["content-type"]) for answer in answers.values()] == [
        (200, media) for media in FORMS.values()
    ]
    invoice = etree.fromstring(answers["xml"].content)
    assert Decimal(invoice.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", "", NAMES)) == amount
    assert sum(number(row["Belopp"]) for row in rows_of(answers["csv"].content) if row["Belopp"]) == amount
    assert f"{amount:,.2f}".replace(",", " ").replace(".", ",") in told(answers["pdf"].content)
    assert (schema_faults(answers["xml"].content), broken_rules(answers["xml"].content)) == ([], [])
    assert PdfReader(BytesIO(answers["pdf"].content)).attachments == {f"{issued}.xml": [answers["xml"].content]}


async def test_the_pages_behind_tell_how_the_amount_comes_about_and_every_stay(billing: Billing, issued: str) -> None:
    month = (await billing.get("/v1/months/2026-03/1480", billing.finance())).json()
    pages = told((await billing.get(f"/v1/invoices/{issued}.pdf", billing.finance())).content)
    for line in month["lines"]:
        assert line["case"] in pages
    assert "Månadens belopp" in pages
    assert "20 − 3 × 4" in pages


async def test_a_reader_that_has_a_form_already_gets_304(billing: Billing, issued: str) -> None:
    for form in FORMS:
        first = await billing.get(f"/v1/invoices/{issued}.{form}", billing.finance())
        assert first.headers["content-disposition"] == f'attachment; filename="{issued}.{form}"'
        headers = billing.finance() | {"If-None-Match": first.headers["etag"]}
        again = await billing.http.get(f"/v1/invoices/{issued}.{form}", headers=headers)
        assert (again.status_code, again.content) == (304, b"")


async def test_a_reader_that_has_the_document_itself_already_gets_304_too(billing: Billing, issued: str) -> None:
    first = await billing.get(f"/v1/invoices/{issued}", billing.finance())
    again = await billing.http.get(f"/v1/invoices/{issued}", headers=billing.finance() | {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_debtor_reads_its_own_and_what_is_unknown_looks_like_what_is_another_s(billing: Billing, issued: str) -> None:
    for form in ("", *(f".{form}" for form in FORMS)):
        own = await billing.get(f"/v1/invoices/{issued}{form}", billing.municipality())
        foreign = await billing.get(f"/v1/invoices/{issued}{form}", billing.municipality("1481"))
        unknown = await billing.get(f"/v1/invoices/2026-999999{form}", billing.municipality("1481"))
        assert (own.status_code, foreign.status_code, unknown.status_code) == (200, 404, 404)
        alike = [
            {name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}}
            for answer in (foreign, unknown)
        ]
        assert alike[0] == alike[1]


async def test_a_number_with_an_ending_of_no_form_is_unknown(billing: Billing, issued: str) -> None:
    for name in (f"{issued}.doc", f"{issued}.xml.pdf", ".pdf"):
        assert (await billing.get(f"/v1/invoices/{name}", billing.finance())).status_code == 404


async def test_each_reading_is_in_the_access_log_with_the_cases_it_showed(billing: Billing, issued: str) -> None:
    for form in FORMS:
        await billing.get(f"/v1/invoices/{issued}.{form}", billing.finance())
    await billing.number()
    async with billing.database.transaction() as work:
        rows = (await work.connection.execute(text("SELECT kind, body FROM feed_entries WHERE feed = 'access' ORDER BY position"))).all()
    read = {row.kind: json.loads(row.body) for row in rows}
    for form in FORMS:
        assert len(read[f"invoice.{form}_read"]["cases"]) == len(DAYS)


async def test_a_document_is_printed_the_same_after_the_facts_have_moved(billing: Billing, issued: str) -> None:
    before = {form: (await billing.get(f"/v1/invoices/{issued}.{form}", billing.finance())).content for form in FORMS}
    await billing.tell(a_stay_fact(20))
    after = {form: (await billing.get(f"/v1/invoices/{issued}.{form}", billing.finance())).content for form in FORMS}
    assert after == before


async def test_the_vouchers_of_a_month_balance_and_tell_every_document(billing: Billing, issued: str) -> None:
    document = (await billing.get(f"/v1/invoices/{issued}", billing.finance())).json()
    month = document["issued_on"][:7]
    answer = await billing.get("/v1/exports/sie", billing.finance(), month=month)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=IBM437")
    assert answer.headers["content-disposition"] == f'attachment; filename="verifikationer-{month}.si"'
    lines = answer.content.decode("cp437").split("\r\n")
    assert lines[0] == "#FLAGGA 0"
    assert '#FNAMN "Västra Götalandsregionen"' in lines
    postings = [Decimal(line.split()[3]) for line in lines if line.startswith("#TRANS")]
    assert sorted(postings) == [-Decimal(document["amount"]["amount"]), Decimal(document["amount"]["amount"])]
    assert any(f"Faktura {issued}, kommun 1480, 2026-03" in line for line in lines if line.startswith("#VER"))
    for without_accounts_or_entries in ("2020-01", "1900-01"):
        empty = await billing.get("/v1/exports/sie", billing.finance(), month=without_accounts_or_entries)
        assert (empty.status_code, b"#VER" in empty.content) == (200, False)


async def test_whatever_stands_in_the_place_of_a_number_is_no_document_of_ours(billing: Billing) -> None:
    for told in ("%00", "2026-000001%00", "2026-000001%0a", "%2e%2e", "2026-000001.xml", "x" * 20):
        for form in ("", *(f".{form}" for form in FORMS)):
            found = await billing.get(f"/v1/invoices/{told}{form}", billing.finance())
            assert (found.status_code, found.json()["code"]) == (404, "not_found"), (told, form)
        answer = await billing.post(f"/v1/invoices/{told}/status", billing.finance(), {"status": "booked"})
        assert (answer.status_code, answer.json()["code"]) == (404, "invoice.unknown"), told


async def test_the_vouchers_are_the_region_s_alone_and_a_month_is_a_month(billing: Billing) -> None:
    assert (await billing.get("/v1/exports/sie", billing.municipality(), month="2026-03")).status_code == 403
    for month in ("2026-13", "2026-3", "", "0001-01"):
        assert (await billing.get("/v1/exports/sie", billing.finance(), month=month)).status_code in {400, 422}
    assert (await billing.get("/v1/exports/sie", billing.finance())).status_code in {400, 422}
