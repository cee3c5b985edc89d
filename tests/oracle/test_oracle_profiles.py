"""The other rule sets, the mixed months of 2018, and disputes: product and night-by-night implementation agree to the öre (promise P9)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest

from services.billing.agreements import load_tariffs
from services.billing.domain.contested import Claim, Standing
from services.billing.domain.month import RuleBook, settle_month
from services.billing.domain.stay import CareType, Stay
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Agreement, Charging, FreeDays, Period
from shared.dates import Month
from shared.money import Money
from tests.oracle.histories import EDGE_DAYS, EDGES_OF_2018, EDGES_OF_STEPS, contested, history
from tests.oracle.night_by_night import MADE_UP, Bill, Contest, Notice, Patient, bill_average_model, bill_statute
from tests.oracle.other_models import Biller, bill_2018, bill_disputed, bill_next_month, bill_plain_average, bill_stockholm
from tests.oracle.test_oracle_agreement import AGREEMENTS, HISTORIES, MUNICIPALITY, SEED, as_stay

ENTERED = (
    DayPrice(Period(date(2018, 9, 25), date(2018, 12, 31)), Money.of_kronor(MADE_UP[2018]), "made up"),
    DayPrice(Period(date(2021, 1, 1), date(2021, 12, 31)), Money.of_kronor(MADE_UP[2021]), "made up"),
)
BOOK = RuleBook(tuple(AGREEMENTS.values()), Tariffs(load_tariffs().prices + ENTERED), "2321000131")
STATUTES = tuple(one for one in BOOK.agreements if one.parties is None)
STANDINGS = {"won": Standing.UPHELD, "lost": Standing.REJECTED, "open": Standing.UNDECIDED}
SAMPLE = HISTORIES // 2
KEPT = min(SAMPLE, 300)  # cases held in memory for the mutants


@dataclass(frozen=True)
class Case:
    """One random history, what is contested in it, and what the second implementation says of it."""

    seed: int
    stays: list[Stay]
    claims: list[Claim]
    bills: dict[tuple[int, int], Bill]


@dataclass(frozen=True)
class Model:
    """A rule set as both implementations have it, and the days around which it is tried."""

    book: RuleBook
    bill: Biller
    edges: Sequence[date]
    disputes: bool = False


def claims_of(patients: Sequence[Patient]) -> list[Claim]:
    return [
        Claim(
            UUID(int=1000 * patient.number + index),
            UUID(int=patient.number),
            None if one.nights is None else frozenset(one.nights),
            STANDINGS[one.outcome],
        )
        for patient in patients
        for index, one in enumerate(patient.contests)
    ]


def cases(model: Model, count: int) -> Iterator[Case]:
    for seed in range(SEED, SEED + count):
        random = Random(seed)
        patients, until = history(random, model.edges)
        if model.disputes:
            patients = contested(random, patients)
        bills = (bill_disputed(model.bill) if model.disputes else model.bill)(patients, until)  # type: ignore[call-arg]
        yield Case(seed, [as_stay(patient) for patient in patients], claims_of(patients), bills)


def differences(some: Sequence[Case] | Iterator[Case], book: RuleBook) -> Iterator[str]:
    """Every month in which the two do not say the same."""
    for case in some:
        for (year, number), bill in case.bills.items():
            if year >= 2018:
                basis = settle_month(case.stays, book, MUNICIPALITY, Month(year, number), claims=case.claims)
                ours = (basis.amount, basis.stays, basis.in_average, basis.sum_days, basis.excess_days, basis.individual_days)
                kronor, excess = Money.of_kronor(bill.kronor), Fraction(bill.excess)
                theirs = (kronor, bill.stays, bill.in_average, bill.sum_days, excess, bill.individual)
                if ours != theirs:
                    yield f"seed {case.seed}, {year}-{number:02d}: product {ours}, night by night {theirs}"


def trying(name: str) -> RuleBook:
    return BOOK.as_if(AGREEMENTS[name])


BOTH = (*EDGE_DAYS, *EDGES_OF_STEPS)
MODELS = {
    "2018, by the rules in force": Model(BOOK, bill_2018, EDGES_OF_2018),
    "the statute in 2018": Model(
        RuleBook(tuple(one for one in AGREEMENTS.values() if one.parties is None), BOOK.tariffs, BOOK.region),
        bill_statute,
        EDGES_OF_2018[1:],
    ),
    "Stockholm": Model(trying("stockholm-2020"), bill_stockholm, BOTH),
    "the plain average": Model(trying("average3-generic"), bill_plain_average, BOTH),
    "the next month": Model(trying("next-month-trigger"), bill_next_month, BOTH),
}
DISPUTED = {
    "VGR": Model(BOOK, bill_average_model, EDGE_DAYS, disputes=True),
    **{name: replace(model, disputes=True) for name, model in MODELS.items()},
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_every_profile_agrees_to_the_ore(model: Model) -> None:
    assert list(differences(cases(model, SAMPLE), model.book)) == []


@pytest.mark.parametrize("model", DISPUTED.values(), ids=DISPUTED.keys())
def test_disputes_agree_to_the_ore(model: Model) -> None:
    assert list(differences(cases(model, SAMPLE // 2), model.book)) == []


@pytest.fixture(scope="module")
def known() -> dict[str, list[Case]]:
    return {name: list(cases(model, KEPT)) for name, model in MODELS.items()}


@pytest.fixture(scope="module")
def disputed() -> list[Case]:
    return list(cases(DISPUTED["VGR"], KEPT))


def test_the_histories_really_reach_what_they_are_meant_to_test(known: dict[str, list[Case]], disputed: list[Case]) -> None:
    for name, found in known.items():
        assert sum(bill.kronor > 0 for case in found for bill in case.bills.values()) > KEPT // 10, name
    bases = [settle_month(case.stays, BOOK, MUNICIPALITY, Month(*month), claims=case.claims) for case in disputed for month in case.bills]
    waiting = [basis.disputed for basis in bases if basis.disputed is not None]
    lower = [one for one in waiting if one.counted is not None and one.left_out is not None and one.left_out < one.counted]
    higher = [one for one in waiting if one.counted is not None and one.left_out is not None and one.left_out > one.counted]
    assert len(lower) > KEPT // 10
    assert higher
    assert any(0 < len(one.claims_left_out) < len(one.claims) for one in waiting)


def test_both_find_that_one_more_dispute_costs_the_debtor_nothing() -> None:
    """Four stays of 0, 7, 7 and 12 days: the long one contested alone, and the one of no days as well."""
    noon, until = datetime(2020, 3, 20, 11, tzinfo=UTC), date(2020, 3, 31)
    patients = [
        Patient(number, False, ready, ready, (Notice(ready),), left=noon)
        for number, days in enumerate((0, 7, 7, 12), start=1)
        for ready in (noon - timedelta(days=days, hours=2),)
    ]
    for about in ({4}, {1, 4}):
        told = [replace(one, contests=(Contest("open"),) if one.number in about else ()) for one in patients]
        assert bill_disputed(bill_average_model)(told, until)[2020, 3].kronor == 41_000  # type: ignore[call-arg]
        basis = settle_month([as_stay(one) for one in told], BOOK, MUNICIPALITY, Month(2020, 3), claims=claims_of(told))
        assert basis.amount == Money.of_kronor(41_000)


def changed(name: str, change: Callable[[Agreement], Agreement]) -> RuleBook:
    """The book of a model, with one rule set of it changed."""
    book = MODELS[name].book
    return replace(book, agreements=tuple(change(agreement) for agreement in book.agreements))


def average(**values: object) -> Callable[[Agreement], Agreement]:
    return lambda agreement: replace(agreement, average=tuple(replace(terms, **values) for terms in agreement.average))  # type: ignore[arg-type]


def step(threshold: int, becomes: int, care_type: CareType) -> Callable[[Agreement], Agreement]:
    def of(agreement: Agreement) -> Agreement:
        return replace(
            agreement,
            average=tuple(
                replace(terms, threshold=Fraction(becomes)) if terms.threshold == threshold and terms.covers(care_type) else terms
                for terms in agreement.average
            ),
        )

    return of


def interim(**values: object) -> Callable[[Agreement], Agreement]:
    def of(agreement: Agreement) -> Agreement:
        if agreement.name != "vgr-interim-2018":
            return agreement
        return replace(agreement, care=tuple(replace(terms, **values) if terms.free_days == 5 else terms for terms in agreement.care))  # type: ignore[arg-type]

    return of


def without_started_days(agreement: Agreement) -> Agreement:
    return replace(agreement, switches=tuple(replace(switches, count_discharge_day=False) for switches in agreement.switches))


def one_day_longer(agreement: Agreement) -> Agreement:
    if agreement.name != "vgr-interim-2018":
        return replace(agreement, period=Period(date(2018, 9, 26))) if agreement.name == "vgr-2018" else agreement
    return replace(agreement, period=Period(agreement.period.first, date(2018, 9, 25)))


def psychiatry_31_days(agreement: Agreement) -> Agreement:
    return replace(agreement, care=tuple(replace(terms, free_days=31) if terms.free_days == 30 else terms for terms in agreement.care))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("2018, by the rules in force", interim(free_days=4), id="five weekdays become four"),
        pytest.param("2018, by the rules in force", interim(free_days=6), id="five weekdays become six"),
        pytest.param("2018, by the rules in force", interim(free_days_are=FreeDays.CALENDAR), id="weekdays become calendar days"),
        pytest.param("2018, by the rules in force", without_started_days, id="the day of discharge is free"),
        pytest.param("2018, by the rules in force", one_day_longer, id="the interim agreement a day longer"),
        pytest.param("2018, by the rules in force", psychiatry_31_days, id="31 free days in psychiatry"),
        pytest.param("the statute in 2018", psychiatry_31_days, id="31 free days in psychiatry by the statute"),
        pytest.param("Stockholm", step(5, 6, CareType.SOMATIC), id="the first step"),
        pytest.param("Stockholm", step(4, 3, CareType.SOMATIC), id="the second step"),
        pytest.param("Stockholm", step(3, 4, CareType.SOMATIC), id="the third step"),
        pytest.param("Stockholm", step(5, 4, CareType.PSYCHIATRIC), id="five days in psychiatry"),
        pytest.param("Stockholm", average(cut_off=None), id="no noon"),
        pytest.param("Stockholm", average(cut_off=time(12, 0, 1)), id="noon a second later"),
        pytest.param("Stockholm", average(long_over=7), id="long stays by themselves in Stockholm"),
        pytest.param("the plain average", average(threshold=Fraction("2.9")), id="3.0 becomes 2.9"),
        pytest.param("the plain average", average(threshold=Fraction("3.1")), id="3.0 becomes 3.1"),
        pytest.param("the plain average", average(long_over=7), id="long stays by themselves"),
        pytest.param("the plain average", average(care_types=frozenset({CareType.SOMATIC})), id="no psychiatry in the average"),
        pytest.param("the plain average", average(smallest_number=2), id="two stays for an average"),
        pytest.param("the next month", average(threshold=Fraction("2.9")), id="2.9 triggers the next month"),
        pytest.param("the next month", average(threshold=Fraction("3.9")), id="only 3.9 triggers the next month"),
        pytest.param("the next month", average(bill_from_day=5), id="from day five"),
        pytest.param("the next month", average(charges=Charging.EXCESS), id="the excess instead of the next month"),
    ],
)
def test_moving_a_number_of_a_profile_is_noticed(known: dict[str, list[Case]], name: str, change: Callable[[Agreement], Agreement]) -> None:
    assert any(differences(known[name], changed(name, change)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda claim: replace(claim, standing=Standing.REJECTED), id="every dispute is lost"),
        pytest.param(lambda claim: replace(claim, standing=Standing.UPHELD), id="every dispute is won"),
        pytest.param(lambda claim: replace(claim, days=None), id="every dispute is about the whole stay"),
        pytest.param(lambda claim: replace(claim, days=claim.days and frozenset(sorted(claim.days)[1:])), id="a day less"),
        pytest.param(
            lambda claim: replace(claim, standing=Standing.UPHELD if claim.standing is Standing.UNDECIDED else claim.standing),
            id="what is open is won",
        ),
        pytest.param(
            lambda claim: replace(claim, standing=Standing.REJECTED if claim.standing is Standing.UNDECIDED else claim.standing),
            id="what is open is lost",
        ),
    ],
)
def test_taking_a_dispute_for_another_is_noticed(disputed: list[Case], change: Callable[[Claim], Claim]) -> None:
    taken_wrong = [replace(case, claims=[change(claim) for claim in case.claims]) for case in disputed]
    assert any(differences(taken_wrong, BOOK))
