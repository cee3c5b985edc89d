"""The product and the night-by-night implementation agree to the öre, and would not if a boundary of the law moved (promise P9)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.settlement import settle
from services.billing.domain.stay import CareType, Compulsory, Invitation, Readiness, Stay
from services.billing.domain.terms import Agreement, Model
from shared.dates import Month
from shared.money import Money
from tests.oracle.histories import history
from tests.oracle.night_by_night import Bill, Patient, bill_average_model, bill_statute

HISTORIES = int(os.environ.get("DIRIGENT_ORACLE_HISTORIES", "600"))
SEED = int(os.environ.get("DIRIGENT_ORACLE_SEED", "20200401"))
MUNICIPALITY = "1480"
STRANGER = "1490"
LAW_2018, VGR_2018 = load_agreements()


@dataclass(frozen=True)
class Case:
    """One random history and what the second implementation says of it."""

    seed: int
    stays: list[Stay]
    bills: dict[tuple[int, int], Bill]


def as_stay(patient: Patient) -> Stay:
    return Stay(
        UUID(int=patient.number),
        CareType.PSYCHIATRIC if patient.psychiatric else CareType.SOMATIC,
        MUNICIPALITY,
        "",
        patient.judged,
        patient.told,
        tuple(
            Readiness(notice.sent, notice.withdrawn, Compulsory.OPT if notice.compulsory else Compulsory.NONE) for notice in patient.notices
        ),
        patient.plan_needed,
        tuple(Invitation(call.sent, frozenset({MUNICIPALITY if call.to_the_debtor else STRANGER})) for call in patient.called),
        patient.left,
        patient.died,
    )


def cases(bill: Callable[[list[Patient], date], dict[tuple[int, int], Bill]], count: int) -> list[Case]:
    found = []
    for seed in range(SEED, SEED + count):
        patients, until = history(Random(seed))
        found.append(Case(seed, [as_stay(patient) for patient in patients], bill(patients, until)))
    return found


def differences(some: list[Case], agreement: Agreement) -> Iterator[str]:
    """Every month in which the two do not say the same."""
    for case in some:
        for (year, number), bill in case.bills.items():
            basis = settle(case.stays, agreement, load_tariffs(), MUNICIPALITY, Month(year, number))
            ours = (basis.amount, basis.stays, basis.in_average, basis.sum_days, basis.excess_days, basis.individual_days)
            theirs = (
                Money.of_kronor(bill.kronor),
                bill.stays,
                bill.in_average,
                bill.sum_days,
                Fraction(bill.excess),
                bill.individual,
            )
            if ours != theirs:
                yield f"seed {case.seed}, {year}-{number:02d}: product {ours}, night by night {theirs}"


@pytest.fixture(scope="module")
def average_cases() -> list[Case]:
    return cases(bill_average_model, HISTORIES)


@pytest.fixture(scope="module")
def statute_cases() -> list[Case]:
    return cases(bill_statute, HISTORIES)


def test_the_average_model_agrees_to_the_ore(average_cases: list[Case]) -> None:
    assert list(differences(average_cases, VGR_2018)) == []


def test_the_statutory_model_agrees_to_the_ore(statute_cases: list[Case]) -> None:
    assert list(differences(statute_cases, LAW_2018)) == []


def test_the_histories_really_reach_what_they_are_meant_to_test(average_cases: list[Case], statute_cases: list[Case]) -> None:
    bills = [bill for case in average_cases for bill in case.bills.values()]
    assert sum(bill.excess > 0 for bill in bills) > HISTORIES // 20
    assert sum(bill.individual > 0 for bill in bills) > HISTORIES // 20
    assert sum(bill.in_average > 1 for bill in bills) > HISTORIES // 10
    assert sum(bill.individual > 0 for case in statute_cases for bill in case.bills.values()) > HISTORIES // 5


def with_average(**values: object) -> Agreement:
    return replace(VGR_2018, average=tuple(replace(terms, **values) for terms in VGR_2018.average))  # type: ignore[arg-type]


def with_care(agreement: Agreement, free_days: dict[int, int], cut_off: time | None = time(12)) -> Agreement:
    return replace(
        agreement,
        care=tuple(
            replace(terms, free_days=free_days.get(terms.free_days, terms.free_days), cut_off=terms.cut_off and cut_off)
            if terms.model is Model.INDIVIDUAL
            else terms
            for terms in agreement.care
        ),
    )


def with_statute(**values: object) -> Agreement:
    return replace(VGR_2018, statute=replace(VGR_2018.statute, **values))  # type: ignore[arg-type]


def with_uninvited_up_to(days: int) -> Agreement:
    return replace(VGR_2018, switches=tuple(replace(switches, uninvited_counts_up_to_days=days) for switches in VGR_2018.switches))


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(with_average(long_over=6), id="7 becomes 6"),
        pytest.param(with_average(long_over=8), id="7 becomes 8"),
        pytest.param(with_average(threshold=Fraction("2.9")), id="3.0 becomes 2.9"),
        pytest.param(with_average(threshold=Fraction("3.1")), id="3.0 becomes 3.1"),
        pytest.param(with_average(bill_from_day=3), id="day four becomes day three"),
        pytest.param(with_average(bill_from_day=5), id="day four becomes day five"),
        pytest.param(with_care(VGR_2018, {30: 29}), id="30 free days become 29"),
        pytest.param(with_care(VGR_2018, {7: 8}), id="7 free days become 8"),
        pytest.param(with_statute(invitation_within_days=2), id="the SIP invitation in 2 days"),
        pytest.param(with_statute(invitation_within_days=4), id="the SIP invitation in 4 days"),
        pytest.param(with_statute(admission_notice_within=timedelta(hours=24, seconds=1)), id="a second more than 24 hours"),
        pytest.param(with_statute(admission_notice_within=timedelta(hours=24) - timedelta(seconds=1)), id="a second less than 24 hours"),
        pytest.param(with_statute(holidays=frozenset()), id="no holidays"),
        pytest.param(with_uninvited_up_to(2), id="uninvited stays count up to 2 days"),
        pytest.param(with_uninvited_up_to(4), id="uninvited stays count up to 4 days"),
    ],
)
def test_moving_a_number_of_the_agreement_is_noticed(average_cases: list[Case], mutant: Agreement) -> None:
    assert any(differences(average_cases, mutant))


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(with_care(LAW_2018, {}, time(11, 59, 59)), id="noon a second earlier"),
        pytest.param(with_care(LAW_2018, {}, time(12, 0, 1)), id="noon a second later"),
        pytest.param(with_care(LAW_2018, {}, None), id="no noon"),
        pytest.param(with_care(LAW_2018, {3: 2}), id="two free days"),
        pytest.param(with_care(LAW_2018, {3: 4}), id="four free days"),
    ],
)
def test_moving_a_number_of_the_statute_is_noticed(statute_cases: list[Case], mutant: Agreement) -> None:
    assert any(differences(statute_cases, mutant))


def test_taking_a_call_to_somebody_else_for_one_to_the_debtor_is_noticed(average_cases: list[Case]) -> None:
    def deaf(stay: Stay) -> Stay:
        everybody = frozenset({MUNICIPALITY, STRANGER})
        return replace(stay, invitations=tuple(replace(call, municipalities=everybody) for call in stay.invitations))

    taken_wrong = [replace(case, stays=[deaf(stay) for stay in case.stays]) for case in average_cases]
    assert any(differences(taken_wrong, VGR_2018))


@pytest.mark.parametrize("length", [0, 3, 4, 7, 8, 40])
def test_no_chargeable_day_of_a_single_stay_is_billed_twice_or_forgotten(average_cases: list[Case], length: int) -> None:
    """Whatever the months, the days of a long stay add up to its waiting days less the three free ones."""
    for case in average_cases[:50]:
        start = case.stays[0].ready[0].sent_at
        stay = Stay(
            UUID(int=1),
            CareType.SOMATIC,
            MUNICIPALITY,
            need_judged_at=start,
            admission_notice_sent_at=start,
            ready=(Readiness(start),),
            discharged_at=start + timedelta(days=length),
        )
        month, days = Month.of(stay.ready[0].sent_on), 0
        assert stay.ended_on is not None
        waited = (stay.ended_on - stay.ready[0].sent_on).days
        while month <= Month.of(stay.ended_on):
            days += settle([stay], VGR_2018, load_tariffs(), MUNICIPALITY, month).individual_days
            month = month.next
        assert days == (waited - 3 if waited > 7 else 0)
