"""The identity of a calculation: the same law and facts give the same fingerprint, anything charged differently another one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations

import pytest
import rfc8785

from services.billing.domain.identity import canonical, content, decimal_text, fingerprint
from tests.unit.billing.builders import a_stay, month_of


def test_the_order_of_the_stays_does_not_matter() -> None:
    stays = [a_stay(2), a_stay(9), a_stay(5, admission_notice=None)]
    assert len({fingerprint(month_of(order)) for order in permutations(stays)}) == 1


def test_a_notice_a_second_later_is_another_calculation_even_when_the_amount_is_the_same() -> None:
    stay = a_stay(5)
    later = replace(stay, ready=tuple(replace(notice, sent_at=notice.sent_at + timedelta(seconds=1)) for notice in stay.ready))
    assert fingerprint(month_of([stay])) != fingerprint(month_of([later]))


def test_what_a_month_still_open_becomes_later_is_no_part_of_an_earlier_month() -> None:
    waiting = a_stay(ready="2020-03-10T09:00", number=4711, sign_of_life="2020-03-28T09:00")
    gone = replace(waiting, discharged_at=datetime(2020, 4, 20, 9, tzinfo=UTC), last_sign_of_life_at=datetime(2020, 4, 20, 9, tzinfo=UTC))
    assert fingerprint(month_of([waiting])) == fingerprint(month_of([gone]))


def test_a_patient_who_is_still_waiting_but_costs_nothing_yet_leaves_the_calculation_alone() -> None:
    assert fingerprint(month_of([a_stay(5, number=4712)])) == fingerprint(
        month_of([a_stay(5, number=4712), a_stay(ready="2020-03-29T09:00")])
    )


def test_the_canonical_text_is_rfc_8785() -> None:
    basis = month_of([a_stay(5, admission_notice=None), a_stay(12), a_stay(7)])
    assert canonical(basis).encode() == rfc8785.dumps(content(basis))


def test_no_number_in_the_canonical_text_is_floating() -> None:
    basis = month_of([a_stay(2), a_stay(5)])
    json.loads(canonical(basis), parse_float=lambda text: pytest.fail(f"a floating number: {text}"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(14, 5), "2.800000"), (Fraction(13, 3), "4.333333"), (Fraction(20, 3), "6.666667"), (Fraction(0), "0.000000")],
)
def test_an_average_is_shown_with_six_decimals(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text
