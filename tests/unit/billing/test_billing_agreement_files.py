"""The data files: what is shipped, and what a broken file is told."""

import json
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from services.billing.agreements import (
    AGREEMENTS_FOLDER,
    BILLING_FOLDER,
    DataFileError,
    load_agreement,
    load_statute,
    load_tariff_file,
    parse_agreement,
)
from services.billing.domain.stay import CareType
from services.billing.domain.terms import Agreement, NoRuleInForce, agreement_for
from tests.unit.billing.builders import AGREEMENTS, LAW_2018, TARIFFS, VGR_2018, kronor

REGION = "2321000131"
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
    assert agreement_for(agreements, REGION, "1480", date(2020, 3, 1)) is VGR_2018
    assert agreement_for(agreements, REGION, "0180", date(2020, 3, 1)) is LAW_2018
    assert agreement_for(agreements, REGION, "1480", date(2018, 9, 24)) is LAW_2018
    with pytest.raises(NoRuleInForce):
        agreement_for(agreements, REGION, "1480", date(2017, 12, 31))


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
        ('value = "3.0", unit', 'value = "0.0", unit', "average.0.threshold.value"),
        ('value = "3.0", unit', 'value = "-3.0", unit', "average.0.threshold.value"),
        ("value = 7,", "value = 0,", "average.0.long_over.value"),
        ("value = 7,", 'value = "never",', "average.0.long_over.value"),
        ("value = 4,", "value = 0,", "average.0.bill_from_day.value"),
        ("free_days = { value = 30", "free_days = { value = 0", "care.1.free_days.value"),
        ("free_days = { value = 30", "free_days = { value = -1", "care.1.free_days.value"),
        ('excess_decimals = { value = "none"', "excess_decimals = { value = 3", "average.0.excess_decimals.value"),
        ('open_long_stay = { value = "monthly"', 'open_long_stay = { value = "weekly"', "average.0.open_long_stay"),
        ('["2.5", "3.0"]', '["2.5", "x"]', "average.0.alert_above.value.1"),
        ('value = "new_case"', 'value = "same_case"', "switches.0.readmission"),
        ('value = "not_liable"', 'value = "liable"', "switches.0.no_registered_municipality"),
        ('region = "2321000131"', 'region = "2321000132"', "region"),
        ('"1401", "1402"', '"1401", "1401"', "parties"),
        ("first = 2018-09-25\nrule_set_by", "first = 20180925\nrule_set_by", "first"),
        ("[[average]]\nfirst = 2018-09-25", "[[average]]\nfirst = 2018-09-26", "average_terms_missing"),
        ("[[average]]\nfirst", '[[average]]\ncare_types = ["somatic"]\nfirst', "average_terms_missing"),
        ('region = "2321000131"', 'care_types = ["somatic"]', "care_types_differ"),
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


def as_entered(name: str) -> dict[str, Any]:
    """A file that is shipped, as somebody would enter it: JSON has no dates."""
    raw = tomllib.loads((AGREEMENTS_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    entered: dict[str, Any] = json.loads(json.dumps(raw, default=str))
    return entered


@pytest.mark.parametrize("name", AGREEMENTS)
def test_an_agreement_that_is_entered_is_the_one_its_file_would_be(name: str) -> None:
    assert parse_agreement(as_entered(name), STATUTE) == AGREEMENTS[name]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"first": 1_600_000_000}, "first"),
        ({"first": "2018-9-25"}, "first"),
        ({"first": "2018-09-25T00:00:00"}, "first"),
        ({"first": datetime(2018, 9, 25, tzinfo=UTC)}, "first"),
        ({"last": "2018-01-01"}, ""),
        ({"name": "../vgr"}, "name"),
        ({"parties": []}, "parties"),
        ({"rule_set_by": "discharge"}, "rule_set_by"),
        ({"care": []}, "care"),
        ({"anything": 1}, "anything"),
    ],
)
def test_an_agreement_that_is_entered_wrong_is_told_the_place(change: dict[str, object], place: str) -> None:
    with pytest.raises(DataFileError) as told:
        parse_agreement({**as_entered("vgr-2018"), **change}, STATUTE)
    assert told.value.place == place
    assert told.value.fault


def test_an_average_may_be_missing_where_the_agreement_itself_is_not_in_force() -> None:
    entered = as_entered("vgr-2018")
    entered["first"] = entered["average"][0]["first"] = "2019-01-01"
    assert parse_agreement(entered, STATUTE).averages_on(date(2018, 12, 31)) == ()


@pytest.mark.parametrize(
    ("name", "switch", "choices"),
    [
        ("late_admission_notice", "late_admission_notice", ["review", "exclude", "accept"]),
        ("late_sip_invitation", "late_sip_invitation", ["review", "exclude", "accept"]),
        ("withdrawn_readiness", "withdrawn_readiness", ["last_valid", "sum_of_periods", "first_notice"]),
        ("death_while_ready", "death_while_ready", ["excluded", "until_death"]),
        ("missing_sip_invitation", "missing_sip_invitation", ["short_stays_count", "exclude_all"]),
        ("sip_refused", "sip_refused", ["not_required", "review"]),
        ("outpatient_block", "outpatient_block", ["whole_stay", "blocked_days", "clock_starts_after"]),
        ("declined_measures", "declined_measures", ["excluded", "counted"]),
        ("leave_days", "leave_days", ["counted", "skipped"]),
        ("transfer_clock", "transfer_clock", ["goes_on", "restarts"]),
        ("changed_registration", "changed_registration", ["at_ready_notice", "at_discharge"]),
        ("statutory_sunday_rule", "statutory_sunday_rule", ["n8", "n1_and_n8", "off"]),
        ("no_registered_municipality", "no_registered_municipality", ["not_liable"]),
        ("readmission", "readmission", ["new_case"]),
        ("count_discharge_day", "count_discharge_day", [True, False]),
    ],
)
def test_every_alternative_of_every_open_question_can_be_entered_and_no_other(name: str, switch: str, choices: list[object]) -> None:
    entered = as_entered("vgr-2018")
    for choice in choices:
        entered["switches"][0][name]["value"] = choice
        assert getattr(parse_agreement(entered, STATUTE).switches[0], switch) == choice
    entered["switches"][0][name]["value"] = "something else"
    with pytest.raises(DataFileError, match=rf"switches\.0\.{name}"):
        parse_agreement(entered, STATUTE)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bill_from_day", [4, 8]),
        ("excess_decimals", ["none", 1, 2]),
        ("smallest_number", [1, 5]),
        ("open_long_stay", ["monthly", "at_discharge"]),
        ("long_over", ["none", 7]),
    ],
)
def test_every_alternative_of_the_average_can_be_entered(name: str, values: list[object]) -> None:
    for value in values:
        entered = as_entered("vgr-2018")
        entered["average"][0][name]["value"] = value
        assert getattr(parse_agreement(entered, STATUTE).average[0], name) == (None if value == "none" else value)
