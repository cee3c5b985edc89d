"""The data files: what is shipped, and what a broken file is told."""

import tomllib
from datetime import date, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from services.billing.agreements import AGREEMENTS_FOLDER, BILLING_FOLDER, DataFileError, load_agreement, load_statute, load_tariff_file
from services.billing.domain.stay import CareType
from services.billing.domain.terms import Agreement, NoRuleInForce, agreement_for
from tests.unit.billing.builders import LAW_2018, TARIFFS, VGR_2018, kronor

STATUTE = load_statute(BILLING_FOLDER / "statute.toml")


def test_the_numbers_of_the_law_are_those_of_the_rule_book() -> None:
    terms = LAW_2018.care_on(CareType.SOMATIC, date(2020, 3, 2))
    assert terms is not None
    assert (terms.free_days, terms.cut_off) == (3, time(12))
    assert (STATUTE.admission_notice_within, STATUTE.invitation_within_days) == (timedelta(hours=24), 3)


def test_the_numbers_of_the_vgr_agreement_are_those_of_the_rule_book() -> None:
    terms = VGR_2018.average_on(date(2020, 3, 2))
    assert terms is not None
    assert (terms.threshold, terms.long_over, terms.bill_from_day, terms.smallest_number) == (Fraction(3), 7, 4, 1)
    assert VGR_2018.parties is not None
    assert len(VGR_2018.parties) == 49


@pytest.mark.parametrize(
    ("day", "price"),
    [
        (date(2018, 9, 24), 4277),
        (date(2018, 9, 25), None),
        (date(2019, 12, 31), 7800),
        (date(2020, 1, 1), 8200),
        (date(2021, 6, 1), None),
        (date(2022, 6, 1), 9300),
        (date(2023, 6, 1), 10_500),
        (date(2024, 6, 1), 11_600),
        (date(2025, 6, 1), None),
        (date(2026, 6, 1), None),
        (date(2031, 6, 1), None),
    ],
)
def test_the_price_of_a_day_is_the_published_one_or_missing(day: date, price: int | None) -> None:
    entry = TARIFFS.on(day)
    assert (None if entry is None else entry.price) == (None if price is None else kronor(price))


def test_a_municipality_of_the_region_is_bound_by_the_agreement_and_any_other_by_the_statute() -> None:
    agreements = (LAW_2018, VGR_2018)
    assert agreement_for(agreements, "1480", date(2020, 3, 1)) is VGR_2018
    assert agreement_for(agreements, "0180", date(2020, 3, 1)) is LAW_2018
    assert agreement_for(agreements, "1480", date(2018, 9, 24)) is LAW_2018
    with pytest.raises(NoRuleInForce):
        agreement_for(agreements, "1480", date(2017, 12, 31))


def test_holidays_on_weekdays_are_listed_for_every_year_and_weekends_never() -> None:
    years = {day.year for day in STATUTE.holidays}
    assert years == set(range(2018, 2051))
    assert all(day.weekday() < 5 for day in STATUTE.holidays)
    assert {date(2026, 4, 3), date(2026, 6, 19), date(2026, 12, 24)} <= STATUTE.holidays


@pytest.mark.parametrize(
    "path", [*sorted(AGREEMENTS_FOLDER.glob("*.toml")), BILLING_FOLDER / "tariffs.toml", BILLING_FOLDER / "statute.toml"]
)
def test_every_value_in_the_data_files_has_unit_source_and_mark(path: Path) -> None:
    def walk(value: Any) -> int:
        if isinstance(value, list):
            return sum(walk(item) for item in value)
        if not isinstance(value, dict):
            return 0
        if "value" in value:
            assert set(value) == {"value", "unit", "mark", "source"}
            assert value["mark"] in {"L", "A", "D"}
            return 1
        return sum(walk(item) for item in value.values())

    assert walk(tomllib.loads(path.read_text(encoding="utf-8"))) > 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('value = "3.0"', "value = 3.0", "average.0.threshold.value"),
        ("value = 7,", 'value = "7",', "average.0.long_over.value"),
        ('mark = "A"', 'mark = "B"', "mark"),
        ("first = 2018-09-25\nrule_set_by", "rule_set_by", "first"),
        ("last = 2019-12-31", "last = 2020-01-15", "periods_overlap"),
        ("last = 2019-12-31", "last = 2018-01-01", "period_reversed"),
        ('name = "vgr-2018"', 'name = "vgr-2019"', "must be the name of the file"),
        ('title = "', 'unknown = 1\ntitle = "', "unknown"),
        ('"1401"', '"14O1"', "parties.0"),
        ("smallest_number = { value = 1", "smallest_number = { value = 0", "smallest_number"),
        ('value = "review"', 'value = "perhaps"', "switches.0.late_admission_notice"),
        ('sip_refused = { value = "not_required"', 'sip_refused = { value = "required"', "switches.0.sip_refused"),
        ('value = "whole_stay"', 'value = "half"', "switches.0.outpatient_block"),
        ('declined_measures = { value = "excluded"', 'declined_measures = { value = "yes"', "switches.0.declined_measures"),
        ('leave_days = { value = "counted"', "leave_days = { value = true", "switches.0.leave_days"),
        ('value = "goes_on"', 'value = "on"', "switches.0.transfer_clock"),
        ('value = "at_ready_notice"', 'value = "at_admission"', "switches.0.changed_registration"),
        ('leave_days = { value = "counted", unit = "choice", mark = "D"', 'leave_days = { value = "counted"', "switches.0.leave_days"),
        ("transfer_clock = ", "transfer_time = ", "switches.0.transfer_clock"),
    ],
)
def test_a_broken_file_is_refused_with_its_name_and_the_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (AGREEMENTS_FOLDER / "vgr-2018.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "vgr-2018.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"vgr-2018\.toml: .*{told}"):
        load_agreement(path, STATUTE)


@pytest.mark.parametrize("text", ["= nonsense", "[[price]]\nfirst = 2020-01-01\n", "[[price]]\nfirst = 2020-01-01\nmissing = ' '\n"])
def test_a_tariff_is_a_price_or_an_open_statement_that_it_is_missing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tariffs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match=r"tariffs\.toml"):
        load_tariff_file(path)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(DataFileError, match="nowhere"):
        load_tariff_file(Path("nowhere.toml"))


@pytest.mark.parametrize("agreement", [LAW_2018, VGR_2018])
def test_every_open_question_has_the_default_of_the_rule_book(agreement: Agreement) -> None:
    (switches,) = agreement.switches
    assert (switches.sip_refused, switches.outpatient_block, switches.declined_measures) == ("not_required", "whole_stay", "excluded")
    assert (switches.leave_days, switches.transfer_clock, switches.changed_registration) == ("counted", "goes_on", "at_ready_notice")


def test_a_switch_may_change_from_a_day_on(tmp_path: Path) -> None:
    text = (AGREEMENTS_FOLDER / "vgr-2018.toml").read_text(encoding="utf-8")
    head, switches = text.split("[[switches]]")
    until = switches.replace("first = 2018-09-25", "first = 2018-09-25\nlast = 2022-12-31")
    since = switches.replace("first = 2018-09-25", "first = 2023-01-01").replace('"whole_stay"', '"blocked_days"')
    path = tmp_path / "vgr-2018.toml"
    path.write_text(f"{head}[[switches]]{until}[[switches]]{since}", encoding="utf-8")
    loaded = load_agreement(path, STATUTE)
    on = [loaded.switches_on(day).outpatient_block.value for day in (date(2022, 12, 31), date(2023, 1, 1))]
    assert on == ["whole_stay", "blocked_days"]
