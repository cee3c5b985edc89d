"""What a Swedish reader is shown: no English sentence in a Swedish one, and one word for one thing."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.billing.agreements import BILLING_FOLDER, agreement_files, load_agreements, load_tariffs
from services.billing.agreements.schema import AgreementFile
from services.billing.documents.account import Calculated, CountedStay, Ground, account_of
from services.billing.documents.pdf import view
from services.billing.documents.reading import read_document
from services.billing.documents.spreadsheet import spreadsheet
from services.billing.documents.ubl import ubl
from services.billing.domain.explained_steps import steps_of
from services.billing.domain.identity import Json, canonical_json, fingerprint
from services.billing.domain.invoice import Issue, Issuer, Party, Sides, invoice_content
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.tariff import Tariffs
from services.billing.domain.terms import Agreement
from services.billing.domain.wording import COUNTED_AS, REASONS, RULES
from shared.dates import Month, parse_instant
from tests.unit.billing.builders import a_stay

ROOT = Path(__file__).parents[3]
# A bare reference to a regulation reads the same in both languages.
REFERENCE = re.compile(r"(Lag|HSLF-FS|SOSFS) ?\(?\d{4}:\d+\)?( \d+ kap\. [\d–]+ §+)?")
OTHER_WORDS = ("medelvärde", "kreditnot", "debitnot", "tilläggsnota")


def month_of_2020() -> MonthInputs:
    book = RuleBook(load_agreements(), load_tariffs(), "2321000131")
    stays = (*(a_stay(days) for days in (2, 5, 6, 7, 12)), a_stay(1, sip_required=True))
    return MonthInputs("1480", Month(2020, 3), stays, (), (), book, date(2026, 11, 2))


def untold(inputs: MonthInputs) -> MonthInputs:
    """The same without any Swedish text in the rules."""

    def bare(agreement: Agreement) -> Agreement:
        average = tuple(replace(one, source_sv="") for one in agreement.average)
        care = tuple(replace(one, source_sv="") for one in agreement.care)
        return replace(agreement, title_sv="", average=average, care=care)

    prices = tuple(replace(one, source_sv="") for one in inputs.book.tariffs.prices)
    return replace(inputs, book=replace(inputs.book, agreements=tuple(map(bare, inputs.book.agreements)), tariffs=Tariffs(prices)))


def issued(inputs: MonthInputs) -> dict[str, Json]:
    issue = Issue("2026-000001", parse_instant("2026-11-02T09:00:00Z"), 1, "0" * 64, "Atle Attestant", "", inputs.book.in_swedish())
    return invoice_content(inputs.basis(), issue, Sides(Issuer("2321000131", "Regionen", 30), Party("1480", "Göteborg", "2120001355")))


@pytest.mark.parametrize("file", agreement_files(), ids=lambda file: file.name)
def test_every_title_and_clause_that_is_printed_has_a_swedish_text(file: AgreementFile) -> None:
    told = file.model_dump()
    assert told["title_sv"]
    for table in (*told["average"], *told["care"]):
        assert table["source_sv"] or REFERENCE.fullmatch(table["source"])


def test_every_price_that_is_printed_has_a_swedish_source() -> None:
    prices = [one for one in tomllib.loads((BILLING_FOLDER / "tariffs.toml").read_text(encoding="utf-8"))["price"] if "price" in one]
    assert prices
    assert all("source_sv" in one or REFERENCE.fullmatch(one["price"]["source"]) for one in prices)


def test_a_swedish_text_changes_no_calculation() -> None:
    inputs = month_of_2020()
    assert fingerprint(inputs.basis()) == fingerprint(untold(inputs).basis())
    assert inputs.book.in_swedish()
    assert not untold(inputs).book.in_swedish()


def test_the_document_carries_rule_and_price_in_swedish_and_every_form_prints_them() -> None:
    content = issued(month_of_2020())
    lines = content["lines"]
    assert isinstance(lines, list)
    rule, price = "Överenskommelsen i Västra Götaland från 2018-09-25", "Publicerat belopp för 2020"
    for line in lines:
        assert isinstance(line, dict)
        assert str(line["rule_sv"]).startswith(rule)
        assert str(line["price_source_sv"]).startswith(price)
        assert str(line["rule"]).startswith("VGR agreement")
    document = read_document(canonical_json(content))
    printed = (
        json.dumps(view(document, account_of(document, None)), ensure_ascii=False),
        spreadsheet(document).decode("utf-8-sig"),
        ubl(document).decode(),
    )
    for text in printed:
        assert rule in text
        assert price in text
        assert "agreement 2018" not in text
        assert "Published" not in text


def test_where_nobody_has_entered_a_swedish_text_the_document_says_what_was_entered() -> None:
    content = issued(untold(month_of_2020()))
    assert "_sv" not in canonical_json(content)
    document = read_document(canonical_json(content))
    assert "VGR agreement 2018-09-25" in json.dumps(view(document, account_of(document, None)))


def test_the_steps_are_swedish_in_swedish_and_english_in_english() -> None:
    inputs = month_of_2020()
    steps = [step for step in steps_of(inputs, inputs.basis()) if isinstance(step, dict)]
    swedish, english = (" ".join(str(step[language]) for step in steps) for language in ("sv", "en"))
    assert "Västra Götalandsregionen och dess kommuner" in swedish
    assert "Publicerat belopp för 2020" in swedish
    assert not re.search(r"\b(and|the|average|published)\b", swedish, re.IGNORECASE)
    assert "Published amount for 2020" in english
    assert "genomsnitt" not in english


def test_one_stay_is_told_in_the_singular() -> None:
    inputs = replace(month_of_2020(), stays=(a_stay(8),))
    told = [str(step["sv"]) for step in steps_of(inputs, inputs.basis()) if isinstance(step, dict)]
    assert told[1] == "1 vårdtillfälle som avslutades i månaden räknas."


@pytest.mark.parametrize(("days", "told"), [((1, 2, 4, 4, 5, 2, 4, 3), "25/8 = 3,125."), ((2, 5, 6), "13/3 ≈ 4,333333.")])
def test_an_average_is_called_near_only_where_it_is_not_exact(days: tuple[int, ...], told: str) -> None:
    inputs = replace(month_of_2020(), stays=tuple(a_stay(one) for one in days))
    assert any(str(step["sv"]).endswith(f"genomsnittet är {told}") for step in steps_of(inputs, inputs.basis()) if isinstance(step, dict))


def test_one_day_of_payment_is_told_in_the_singular() -> None:
    stay = a_stay(ready="2019-12-28T10:00", discharged="2020-01-05T11:00")
    inputs = replace(month_of_2020(), month=Month(2020, 1), stays=(stay,))
    document = read_document(canonical_json(issued(inputs)))
    (told,) = account_of(document, None).groups[0].stays
    assert told.remark.startswith("1 dag 2019-12-31 till 2019-12-31")
    assert "4 dagar 2020-01-01 till 2020-01-04" in told.remark


def test_one_word_stands_for_one_thing() -> None:
    inputs = month_of_2020()
    words = [one.sv for one in (*COUNTED_AS.values(), *REASONS.values(), *(rule.words for rule in RULES))]
    words += [str(step["sv"]) for step in steps_of(inputs, inputs.basis()) if isinstance(step, dict)]
    problems = tomllib.loads((ROOT / "shared/http/problems.toml").read_text(encoding="utf-8"))
    text = " ".join([*words, json.dumps(problems, ensure_ascii=False, default=str), canonical_json(issued(inputs))]).lower()
    assert [word for word in OTHER_WORDS if word in text] == []


@pytest.mark.parametrize(
    ("reason", "source", "rests_on"),
    [
        ("late_sip_invitation", "Lag (2017:612) 4 kap. 1 §; VGR agreement", "(Lag (2017:612) 4 kap. 1 §)"),
        ("leave_days_skipped", "VGR agreement", "(enligt överenskommelsen)"),
        ("dispute_upheld", "Dispute (domain rule 3.8)", "(enligt beslut)"),
        ("disputed_days", "Dispute (domain rule 3.8)", "(enligt beslut)"),
        (
            "dispute_undecided",
            "Dispute (domain rule 3.8): the lower amount until it is decided",
            "(lägre belopp tills vidare)",
        ),
    ],
)
def test_a_reason_says_whether_it_rests_on_the_law_the_agreement_or_a_decision(reason: str, source: str, rests_on: str) -> None:
    document = read_document(canonical_json(issued(month_of_2020())))
    stay = CountedStay("7f", "excluded", 4, (Ground(reason, source),))
    (group,) = account_of(document, Calculated((stay,))).groups
    assert group.stays[0].remark.endswith(rests_on)
