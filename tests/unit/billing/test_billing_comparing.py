"""A month of today's service against ours: what differs is told, with our rule; what changes no amount is not."""

import json
from collections.abc import Sequence
from fractions import Fraction
from uuid import UUID

import pytest

from services.billing.domain.comparing import Comparison, Kind, TheirStay, TheirTotal, compare, comparison_content
from services.billing.domain.identity import canonical_json
from services.billing.domain.stay import Stay
from shared.dates import Month
from shared.money import Money
from tests.unit.billing.builders import a_stay, kronor, month_of

MARCH = Month(2020, 3)
NOBODY = UUID(int=0xFFFF)


def theirs(
    stay: Stay | None, days: int, *, counted: bool = True, amount: Money | None = None, line: int = 2, code: str = "1480"
) -> TheirStay:
    return TheirStay(line, code, None if stay is None else stay.case_id, days, counted, amount)


def compared(
    stays: Sequence[Stay],
    listed: Sequence[TheirStay],
    total: tuple[int, int] | None = None,
    known: Sequence[Stay] = (),
) -> Comparison:
    """Göteborg's March 2020; its total is ours unless said."""
    basis = month_of(stays)
    assert basis.amount is not None
    days, amount = (basis.excess_days + basis.individual_days, basis.amount) if total is None else (Fraction(total[0]), kronor(total[1]))
    totals = [TheirTotal(9, "1480", days, amount)]
    return compare(MARCH, {"1480": basis}, listed, totals, {stay.case_id: stay for stay in known})


def kinds(found: Comparison) -> list[tuple[Kind, ...]]:
    return [one.kinds for one in found.differing_stays]


def codes(found: Comparison) -> list[str]:
    return [ground.code for one in found.differing_stays for ground in one.because]


def test_two_months_that_agree_do_not_differ() -> None:
    stays = [a_stay(days) for days in (2, 5, 6, 7)]
    found = compared(stays, [theirs(stay, days) for stay, days in zip(stays, (2, 5, 6, 7), strict=True)], (8, 65_600))
    assert (found.differing, found.stays, found.municipalities) == (0, 4, 1)


def test_other_waiting_days_are_a_difference_explained_by_the_rule_that_counted_the_stay() -> None:
    stay = a_stay(5)
    found = compared([stay], [theirs(stay, 6)])
    assert kinds(found) == [(Kind.DAYS,)]
    (ground,) = found.differing_stays[0].because
    assert ground.code == "average"
    assert "VGR agreement" in ground.source


def test_a_stay_that_we_exclude_and_they_count_is_explained_by_the_reason_against_it() -> None:
    stay = a_stay(10, sip_required=True)
    found = compared([stay], [theirs(stay, 10)])
    assert kinds(found) == [(Kind.COUNTED,)]
    assert codes(found)[0] == "no_sip_invitation"


def test_what_counts_for_nothing_on_either_side_is_no_difference() -> None:
    excluded = a_stay(10, sip_required=True)
    found = compared([excluded], [theirs(excluded, 4, counted=False), theirs(None, 3, counted=False, line=3)])
    assert found.differing == 0
    assert compared([excluded], []).differing == 0


def test_a_stay_of_its_own_amount_is_compared_only_where_they_state_one() -> None:
    long = a_stay(12)
    assert compared([long], [theirs(long, 12)]).differing == 0
    assert compared([long], [theirs(long, 12, amount=kronor(73_800))]).differing == 0
    assert kinds(compared([long], [theirs(long, 12, amount=kronor(73_801))])) == [(Kind.AMOUNT,)]


def test_a_stay_that_only_we_count_is_told() -> None:
    stay = a_stay(5)
    found = compared([stay], [])
    assert kinds(found) == [(Kind.ONLY_OURS,)]
    assert (found.differing_stays[0].case, found.differing_stays[0].theirs) == (stay.case_id, None)


@pytest.mark.parametrize(
    ("stay", "code"),
    [
        (a_stay(5, cancelled=True), "cancelled"),
        (a_stay(5, municipality="1481"), "other_municipality"),
        (a_stay(5, municipality=None), "no_registered_municipality"),
        (a_stay(ready="2020-03-10T09:00"), "still_in_hospital"),
        (a_stay(5, discharged="2020-04-02T11:00"), "other_month"),
        (a_stay(5, discharged="2020-02-27T11:00"), "other_month"),
        (a_stay(ready=(), judged=a_stay(5).need_judged_at, days=5), "never_ready"),
    ],
)
def test_a_stay_that_only_they_count_is_explained_by_what_we_know_of_it(stay: Stay, code: str) -> None:
    found = compared([], [theirs(stay, 5)], known=[stay])
    assert (kinds(found), codes(found)) == ([(Kind.ONLY_THEIRS,)], [code])


def test_a_stay_no_ward_has_told_of_is_named_by_its_line_only() -> None:
    found = compared([], [theirs(None, 5, line=17)])
    (one,) = found.differing_stays
    assert (one.case, one.kinds, one.theirs and one.theirs.line) == (None, (Kind.ONLY_THEIRS,), 17)
    assert codes(found) == ["unknown_stay"]


def test_two_of_their_stays_that_are_one_of_ours_leave_one_over() -> None:
    stay = a_stay(5)
    found = compared([stay], [theirs(stay, 5), theirs(stay, 2, line=3)])
    assert (kinds(found), codes(found)) == ([(Kind.ONLY_THEIRS,)], ["same_stay"])


def test_a_stay_that_they_list_under_another_municipality_is_one_difference() -> None:
    stay = a_stay(5)
    found = compare(MARCH, {"1480": month_of([stay]), "1481": month_of([], municipality="1481")}, [theirs(stay, 5, code="1481")], [], {})
    assert kinds(found) == [(Kind.MUNICIPALITY,)]
    assert codes(found)[0] == "other_municipality"
    assert found.differing_stays[0].municipality == "1481"


@pytest.mark.parametrize(
    ("total", "differs"),
    [((8, 65_600), ()), ((9, 65_600), (Kind.DAYS,)), ((8, 65_601), (Kind.AMOUNT,)), ((9, 1), (Kind.DAYS, Kind.AMOUNT))],
)
def test_a_municipality_differs_by_its_days_or_its_amount(total: tuple[int, int], differs: tuple[Kind, ...]) -> None:
    stays = [a_stay(days) for days in (2, 5, 6, 7)]
    found = compared(stays, [theirs(stay, days) for stay, days in zip(stays, (2, 5, 6, 7), strict=True)], total)
    assert [one.kinds for one in found.differing_months] == ([differs] if differs else [])


def test_a_municipality_that_only_one_side_charges_differs() -> None:
    charged, free = month_of([a_stay(days) for days in (2, 5, 6, 7)]), month_of([a_stay(2, municipality="1481")], municipality="1481")
    found = compare(MARCH, {"1480": charged, "1481": free}, [], [TheirTotal(3, "1490", Fraction(2), kronor(1))], {})
    assert [(one.municipality, one.kinds) for one in found.differing_months] == [
        ("1480", (Kind.ONLY_OURS,)),
        ("1490", (Kind.ONLY_THEIRS,)),
    ]


def test_an_amount_that_we_do_not_know_is_never_equal_to_theirs() -> None:
    stays = [a_stay(days, discharged="2021-03-20T11:00") for days in (2, 5, 6, 7)]
    basis = month_of(stays, month="2021-03")
    assert basis.amount is None
    listed = [theirs(stay, days) for stay, days in zip(stays, (2, 5, 6, 7), strict=True)]
    found = compare(Month(2021, 3), {"1480": basis}, listed, [TheirTotal(6, "1480", Fraction(8), kronor(0))], {})
    assert [one.kinds for one in found.differing_months] == [(Kind.AMOUNT,)]


def test_what_is_kept_names_cases_and_lines_and_nothing_else_of_a_stay() -> None:
    stay = a_stay(5)
    told = json.loads(canonical_json(comparison_content(compared([stay], [theirs(stay, 6), theirs(None, 1, line=3)], (3, 1)))))
    assert told["format"] == "dirigent-comparison/1"
    first, second = told["differing_stays"]
    assert (first["case"], first["theirs"]["line"], first["ours"]["days"]) == (str(stay.case_id), 2, 5)
    assert (second["case"], second["ours"]) == (None, None)


def test_the_order_of_the_file_changes_nothing() -> None:
    stays = [a_stay(days) for days in (2, 5, 6, 7)]
    listed = [theirs(stay, 1, line=line) for line, stay in enumerate(stays, start=2)]
    assert compared(stays, listed) == compared(stays[::-1], listed[::-1])
