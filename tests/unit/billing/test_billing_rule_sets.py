"""Which rule set a stay falls under: region, municipality, date and care type, stay by stay."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.billing.domain.identity import content, fingerprint
from services.billing.domain.month import RuleBook
from services.billing.domain.rulesets import as_if_in_force, overlaps
from services.billing.domain.stay import CareType
from services.billing.domain.terms import Agreement, NoRuleInForce, Period, agreement_for
from shared.dates import Month
from shared.money import ZERO
from tests.unit.billing.builders import (
    AGREEMENTS,
    BOOK,
    LAW_2018,
    TARIFFS,
    VGR_2018,
    a_stay,
    by_book,
    counted_as,
    kronor,
    line_of,
    month_of,
    reasons,
    tried,
)

STOCKHOLM = "0180"


def test_each_stay_of_a_month_falls_under_the_rule_set_of_its_own_date() -> None:
    before = a_stay(ready="2018-09-03T09:00", discharged="2018-09-24T10:00")
    after = a_stay(ready="2018-09-20T09:00", discharged="2018-09-25T10:00")
    basis = by_book([before, after], "2018-09")
    assert basis.agreement == "vgr-interim-2018 + vgr-2018"
    assert [(line.agreement, line.counted_as) for line in basis.lines] == [("vgr-interim-2018", "individual"), ("vgr-2018", "average")]
    assert [(group.agreement, group.stays) for group in basis.groups] == [("vgr-2018", (after.case_id,))]
    assert (basis.groups[0].excess.first, basis.groups[0].excess.last) == (date(2018, 9, 25), date(2018, 9, 30))


def test_a_line_names_its_rule_set_in_the_canonical_text_only_where_there_are_several() -> None:
    before = a_stay(ready="2018-09-03T09:00", discharged="2018-09-24T10:00")
    after = a_stay(ready="2018-09-20T09:00", discharged="2018-09-25T10:00")
    mixed, plain = content(by_book([before, after], "2018-09")), content(by_book([a_stay(5), a_stay(12)]))
    assert [line["agreement"] for line in mixed["lines"]] == ["vgr-interim-2018", "vgr-2018"]  # type: ignore[index,union-attr,call-overload]
    assert "agreement" not in plain["lines"][0]  # type: ignore[index,operator]
    assert not {"groups", "disputed"} & set(plain)


def test_a_month_under_one_rule_set_is_the_calculation_it_always_was() -> None:
    stays = [a_stay(5, number=1), a_stay(12, number=2), a_stay(3, number=3, admission_notice=None)]
    assert fingerprint(by_book(stays)) == fingerprint(month_of(stays, VGR_2018))
    assert fingerprint(by_book(stays)) == "83a983b9270f8456e03f02fd6fb367d66d696144c0154ed8326cfd684bc0831b"


def test_a_patient_from_another_region_falls_under_the_statute_also_where_that_region_has_an_agreement() -> None:
    stay = a_stay(12, municipality=STOCKHOLM)
    basis = by_book([stay], municipality=STOCKHOLM)
    assert (basis.agreement, counted_as(basis, stay), basis.individual_days) == ("law-2018", "individual", 9)
    theirs = RuleBook(BOOK.agreements, TARIFFS, "2321000016")
    assert by_book([stay], municipality=STOCKHOLM, book=theirs).agreement == "stockholm-2020"
    assert by_book([a_stay(12)], book=theirs).agreement == "law-2018"


@pytest.mark.parametrize(
    ("sent", "rule_set", "days"), [("2018-12-31", "law-2018-psychiatry-transition", 2), ("2019-01-01", "law-2018", 28)]
)
def test_the_statute_is_the_one_in_force_when_the_ready_notice_was_sent_and_tells_care_types_apart(
    sent: str, rule_set: str, days: int
) -> None:
    end = "2019-02-01T10:00"
    psychiatric = a_stay(ready=f"{sent}T09:00", discharged=end, municipality=STOCKHOLM, care_type=CareType.PSYCHIATRIC, number=1)
    somatic = a_stay(ready=f"{sent}T09:00", discharged=end, municipality=STOCKHOLM, number=2)
    basis = by_book([psychiatric, somatic], "2019-02", municipality=STOCKHOLM)
    assert [line.agreement for line in basis.lines] == [rule_set, "law-2018"]
    assert line_of(basis, psychiatric).chargeable_days == days
    assert line_of(basis, somatic).chargeable_days == (29 if sent.startswith("2018") else 28)


def test_the_statute_says_the_same_of_psychiatry_in_2018_by_itself_and_with_its_transition() -> None:
    stay = a_stay(ready="2018-05-02T13:00", discharged="2018-06-20T10:00", municipality=STOCKHOLM, care_type=CareType.PSYCHIATRIC, number=1)
    both = by_book([stay], "2018-06", municipality=STOCKHOLM)
    alone = month_of([stay], LAW_2018, "2018-06", municipality=STOCKHOLM)
    assert line_of(both, stay).charges == line_of(alone, stay).charges
    assert both.individual_days == 19


def test_a_long_stay_over_a_change_of_rule_sets_is_charged_each_day_once() -> None:
    stay = a_stay(ready="2018-09-10T09:00", discharged="2018-11-10T10:00")
    months = ("2018-09", "2018-10", "2018-11")
    days = [by_book([stay], name).individual_days for name in months]
    assert days == [18, 31, 9]
    assert sum(days) == (date(2018, 11, 10) - date(2018, 9, 10)).days - 3


def test_what_an_earlier_rule_set_never_charged_is_charged_at_discharge() -> None:
    """The agreement that ends charges nothing at month ends, and the one that follows charges every month."""
    first = replace(as_if_in_force(AGREEMENTS["average3-generic"]), name="first", parties=frozenset({"1480"}))
    first = replace(first, period=Period(date(2020, 1, 1), date(2020, 3, 31)))
    second = replace(VGR_2018, name="second", period=Period(date(2020, 4, 1)))
    book = RuleBook((LAW_2018, first, second), TARIFFS, BOOK.region)
    stay = a_stay(ready="2020-03-10T09:00", discharged="2020-05-10T10:00")
    assert [by_book([stay], name, book=book).individual_days for name in ("2020-03", "2020-04", "2020-05")] == [0, 49, 9]


def test_two_averages_in_one_month_are_taken_each_over_its_own_stays() -> None:
    first = replace(VGR_2018, name="first", period=Period(date(2020, 1, 1), date(2020, 3, 15)))
    second = replace(VGR_2018, name="second", period=Period(date(2020, 3, 16)))
    book = RuleBook((LAW_2018, first, second), TARIFFS, BOOK.region)
    early, late = a_stay(7, discharged="2020-03-10T10:00"), a_stay(1, discharged="2020-03-20T10:00")
    basis = by_book([early, late], book=book)
    assert [(group.agreement, group.average, int(group.excess.days)) for group in basis.groups] == [
        ("first", Fraction(7), 4),
        ("second", Fraction(1), 0),
    ]
    assert (basis.excess, basis.excess_days, basis.amount, basis.in_average) == (None, Fraction(4), kronor(4 * 8200), 2)
    assert (basis.groups[0].excess.first, basis.groups[0].excess.last) == (date(2020, 3, 1), date(2020, 3, 15))
    assert [group["stays"] for group in content(basis)["groups"]] == [[str(early.case_id)], [str(late.case_id)]]  # type: ignore[index,union-attr,call-overload]
    assert not book.adds_up("1480", Month(2020, 3))
    assert book.adds_up("1480", Month(2020, 4))


def test_a_stay_that_no_rule_set_ever_covered_stands_under_the_one_of_the_month_and_says_so() -> None:
    stay = a_stay(ready="2017-12-28T09:00", discharged="2018-01-05T10:00", municipality=STOCKHOLM)
    basis = by_book([stay], "2018-01", municipality=STOCKHOLM)
    assert (basis.agreement, reasons(basis, stay), basis.amount) == ("law-2018", ["agreement_not_in_force"], ZERO)


def test_a_month_before_any_rule_set_has_no_calculation() -> None:
    assert BOOK.agreement("1480", Month(2017, 12)) is None
    with pytest.raises(NoRuleInForce):
        by_book([], "2017-12")


def test_what_is_only_for_simulation_binds_nobody_until_it_is_tried() -> None:
    binding = {BOOK.agreement(code, month) for code in ("1480", STOCKHOLM) for month in (Month(2018, 3), Month(2020, 3), Month(2026, 3))}
    assert {one.name for one in binding if one is not None} == {"law-2018", "vgr-interim-2018", "vgr-2018"}
    assert by_book([a_stay(5)], book=tried("average3-generic")).agreement == "average3-generic"


@pytest.mark.parametrize("name", AGREEMENTS)
@pytest.mark.parametrize("month", ["2017-05", "2018-09", "2026-05"])
@pytest.mark.parametrize("municipality", ["1480", STOCKHOLM])
def test_a_profile_that_is_tried_binds_everybody_at_every_time(name: str, month: str, municipality: str) -> None:
    stays = [
        a_stay(days, discharged=f"{month}-20T10:00", municipality=municipality, care_type=care_type)
        for days in (2, 40)
        for care_type in CareType
    ]
    basis = by_book(stays, month, municipality=municipality, book=tried(name))
    assert not [line for line in basis.lines if any(ground.reason == "agreement_not_in_force" for ground in line.reasons)]
    assert name in {line.agreement for line in basis.lines}


def test_no_two_rule_sets_that_are_shipped_answer_for_the_same_stay() -> None:
    assert overlaps(BOOK.agreements) == ()


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (replace(VGR_2018, name="other"), [("1401", CareType.SOMATIC), ("1401", CareType.PSYCHIATRIC)]),
        (
            replace(VGR_2018, name="other", parties=frozenset({"1499", "1480"})),
            [("1480", CareType.SOMATIC), ("1480", CareType.PSYCHIATRIC)],
        ),
        (replace(VGR_2018, name="other", care_types=frozenset({CareType.PSYCHIATRIC})), [("1401", CareType.PSYCHIATRIC)]),
        (replace(VGR_2018, name="other", region="2321000016"), []),
        (replace(VGR_2018, name="other", parties=frozenset({STOCKHOLM})), []),
        (replace(VGR_2018, name="other", only_for_simulation=True), []),
        (replace(VGR_2018, name="other", parties=None), [(None, CareType.SOMATIC), (None, CareType.PSYCHIATRIC)]),
    ],
)
def test_two_rule_sets_for_the_same_municipality_care_and_day_overlap(other: Agreement, found: list[tuple[str | None, CareType]]) -> None:
    told = overlaps([*BOOK.agreements, other])
    assert [(one.municipality, one.care_type) for one in told] == found
    assert all("other" in {one.first, one.second} for one in told)


def test_rule_sets_that_follow_each_other_do_not_overlap_and_one_day_too_long_does() -> None:
    interim = AGREEMENTS["vgr-interim-2018"]
    longer = replace(interim, period=Period(interim.period.first, date(2018, 9, 25)))
    assert [(one.first, one.second, one.day) for one in overlaps([longer, VGR_2018])] == [
        ("vgr-interim-2018", "vgr-2018", date(2018, 9, 25))
    ] * 2


def test_the_rule_set_of_a_day_is_the_agreement_before_the_statute_and_the_narrow_before_the_wide() -> None:
    names = {
        (code, care_type): agreement_for(BOOK.agreements, BOOK.region, code, date(2018, 5, 1), care_type).name
        for code in ("1480", STOCKHOLM)
        for care_type in (None, *CareType)
    }
    assert names == {
        ("1480", None): "vgr-interim-2018",
        ("1480", CareType.SOMATIC): "vgr-interim-2018",
        ("1480", CareType.PSYCHIATRIC): "vgr-interim-2018",
        (STOCKHOLM, None): "law-2018",
        (STOCKHOLM, CareType.SOMATIC): "law-2018",
        (STOCKHOLM, CareType.PSYCHIATRIC): "law-2018-psychiatry-transition",
    }
