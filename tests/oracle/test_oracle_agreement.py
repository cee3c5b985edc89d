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
from services.billing.domain.stay import (
    CareType,
    Compulsory,
    ConsentAnswer,
    Declined,
    Invitation,
    Leave,
    OutpatientBlock,
    Readiness,
    Stay,
)
from services.billing.domain.terms import Agreement, BlockedBy, DeclinedMeasures, LeaveDays, Model, SipRefused, TransferClock
from shared.dates import Month
from shared.money import Money
from tests.oracle.histories import history
from tests.oracle.night_by_night import OURS, Bill, House, Patient, bill_average_model, bill_statute

HISTORIES = int(os.environ.get("DIRIGENT_ORACLE_HISTORIES", "600"))
SEED = int(os.environ.get("DIRIGENT_ORACLE_SEED", "20200401"))
MUNICIPALITY = "1480"
STRANGER = "1490"
MEASURES = {"s": "municipal_social", "h": "municipal_health", "o": "outpatient"}
AGREEMENTS = {agreement.name: agreement for agreement in load_agreements()}
LAW_2018, VGR_2018 = AGREEMENTS["law-2018"], AGREEMENTS["vgr-2018"]


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
            Readiness(
                notice.sent,
                notice.withdrawn,
                Compulsory.OPT if notice.compulsory else Compulsory.NONE,
                notice.sent - timedelta(hours=30) if notice.claimed else None,
            )
            for notice in patient.notices
        ),
        patient.plan_needed,
        tuple(Invitation(call.sent, frozenset({MUNICIPALITY if call.to_the_debtor else STRANGER})) for call in patient.called),
        patient.left,
        patient.died,
        blocks=tuple(OutpatientBlock(hold.begins, hold.ends, hold.denied) for hold in patient.holds),
        leaves=tuple(Leave(away.begins, away.ends) for away in patient.away),
        transfers=patient.transfers,
        consents=tuple(ConsentAnswer(UUID(int=word.plan), word.yes, word.said) for word in patient.words),
        declined=tuple(Declined(frozenset(MEASURES[thing] for thing in no.things), no.said) for no in patient.noes),
        placed_by=frozenset(patient.placers),
        municipal_needs=frozenset(MEASURES[thing] for thing in patient.asked),
    )


Biller = Callable[[list[Patient], date, House], dict[tuple[int, int], Bill]]


def cases(bill: Biller, count: int, house: House = OURS) -> list[Case]:
    found = []
    for seed in range(SEED, SEED + count):
        patients, until = history(Random(seed))
        found.append(Case(seed, [as_stay(patient) for patient in patients], bill(patients, until, house)))
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


def switched(agreement: Agreement, **values: object) -> Agreement:
    return replace(agreement, switches=tuple(replace(switches, **values) for switches in agreement.switches))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("house", "switches"),
    [
        pytest.param(House(block="nights"), {"outpatient_block": BlockedBy.BLOCKED_DAYS}, id="only the blocked days"),
        pytest.param(House(block="after"), {"outpatient_block": BlockedBy.CLOCK_STARTS_AFTER}, id="the clock starts after the block"),
        pytest.param(House(leave_is_waiting=False), {"leave_days": LeaveDays.SKIPPED}, id="leave is skipped"),
        pytest.param(House(transfer_starts_anew=True), {"transfer_clock": TransferClock.RESTARTS}, id="a transfer starts the clock anew"),
        pytest.param(House(no_to_plan_needs_judge=True), {"sip_refused": SipRefused.REVIEW}, id="a refused SIP is reviewed"),
        pytest.param(House(no_to_help_counts=True), {"declined_measures": DeclinedMeasures.COUNTED}, id="declined measures count"),
        pytest.param(
            House("after", leave_is_waiting=False, transfer_starts_anew=True, no_to_help_counts=True),
            {
                "outpatient_block": BlockedBy.CLOCK_STARTS_AFTER,
                "leave_days": LeaveDays.SKIPPED,
                "transfer_clock": TransferClock.RESTARTS,
                "declined_measures": DeclinedMeasures.COUNTED,
            },
            id="several at once",
        ),
    ],
)
@pytest.mark.parametrize(("bill", "agreement"), [(bill_average_model, VGR_2018), (bill_statute, LAW_2018)])
def test_every_answer_to_an_open_question_agrees_and_is_told_from_the_default(
    bill: Biller, agreement: Agreement, house: House, switches: dict[str, object]
) -> None:
    found = cases(bill, HISTORIES // 4, house)
    assert list(differences(found, switched(agreement, **switches))) == []
    assert any(differences(found, agreement))


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


DAY = timedelta(days=1)
MOVED: dict[str, Callable[[Stay], Stay]] = {
    "blocks begin a day later": lambda stay: replace(
        stay, blocks=tuple(replace(block, started_at=block.started_at + DAY) for block in stay.blocks)
    ),
    "blocks end a day later": lambda stay: replace(
        stay, blocks=tuple(replace(block, ended_at=block.ended_at and block.ended_at + DAY) for block in stay.blocks)
    ),
    "no block is contested": lambda stay: replace(stay, blocks=tuple(replace(block, contested=False) for block in stay.blocks)),
    "no block is answered": lambda stay: replace(stay, blocks=tuple(replace(block, ended_at=None) for block in stay.blocks)),
    "answers a day later": lambda stay: replace(
        stay, consents=tuple(replace(answer, changed_at=answer.changed_at + DAY) for answer in stay.consents)
    ),
    "every answer is yes": lambda stay: replace(stay, consents=tuple(replace(answer, given=True) for answer in stay.consents)),
    "one plan for all answers": lambda stay: replace(stay, consents=tuple(replace(answer, plan=UUID(int=1)) for answer in stay.consents)),
    "declined a day later": lambda stay: replace(
        stay, declined=tuple(replace(one, declined_at=one.declined_at + DAY) for one in stay.declined)
    ),
    "everything was asked of the municipality": lambda stay: replace(stay, municipal_needs=frozenset()),
    "nothing was given on paper": lambda stay: replace(stay, ready=tuple(replace(one, claimed_at=None) for one in stay.ready)),
    "nobody placed the patient": lambda stay: replace(stay, placed_by=frozenset()),
}


@pytest.mark.parametrize("change", MOVED.values(), ids=MOVED.keys())
def test_moving_what_happened_in_a_stay_is_noticed(average_cases: list[Case], change: Callable[[Stay], Stay]) -> None:
    moved = [replace(case, stays=[change(stay) for stay in case.stays]) for case in average_cases]
    assert any(differences(moved, VGR_2018))


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
