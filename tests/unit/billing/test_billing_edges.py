"""Edges of the calculation that a small slip would move without any other test noticing it."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from uuid import UUID

from services.billing.domain.charge import average_day, last_day
from services.billing.domain.contested import Claim, Standing, conceded
from services.billing.domain.correcting import Document, DocumentKind
from services.billing.domain.interest import interest_on
from services.billing.domain.owed import Payment, payable
from services.billing.domain.pricing import days_above, excess_of
from services.billing.domain.tariff import DayPrice, Tariffs
from services.billing.domain.terms import Period
from services.billing.finance import load_interest
from shared.dates import Month
from shared.money import ZERO, Money
from tests.unit.billing.builders import BOOK, GOTEBORG, VGR_2018, a_stay, by_book, line_of, month_of, tried

STAY = UUID(int=7)
FIRST, SECOND = date(2020, 3, 10), date(2020, 3, 11)


def test_two_disputes_about_different_days_of_a_stay_take_the_days_of_both() -> None:
    claims = [Claim(UUID(int=number), STAY, frozenset({day}), Standing.UPHELD) for number, day in enumerate((FIRST, SECOND))]
    assert conceded(claims)[STAY].days == {FIRST, SECOND}


def test_a_dispute_that_was_rejected_does_not_hide_one_on_the_same_stay_that_waits() -> None:
    waiting = Claim(UUID(int=1), STAY, None, Standing.UNDECIDED)
    rejected = Claim(UUID(int=2), STAY, None, Standing.REJECTED)
    for claims in ([waiting, rejected], [rejected, waiting]):
        assert conceded(claims)[STAY].undecided


def test_a_patient_who_is_ready_on_the_last_day_of_a_month_is_open_in_it() -> None:
    assert month_of([a_stay(ready="2020-03-31T09:00")]).open_stays == 1


def test_a_patient_who_is_not_ready_yet_on_the_day_a_running_month_is_seen_is_not_open() -> None:
    stay = a_stay(ready="2020-03-20T09:00")
    assert [month_of([stay], as_of=date(2020, 3, day)).open_stays for day in (19, 20)] == [0, 1]


def test_nobody_is_missed_in_a_month_that_still_runs() -> None:
    stay = a_stay(ready="2020-02-20T09:00", sign_of_life="2020-02-20T09:00")
    assert [finding.code.value for finding in month_of([stay], as_of=date(2020, 3, 31)).findings] == []
    assert [finding.code.value for finding in month_of([stay], as_of=date(2020, 4, 1)).findings] == ["no_sign_of_life"]


def test_next_month_trigger_a_patient_who_is_still_there_costs_nothing_before_she_leaves() -> None:
    before, stay = a_stay(5, discharged="2020-02-20T10:00"), a_stay(ready="2020-03-02T09:00")
    assert by_book([before, stay], book=tried("next-month-trigger")).amount == ZERO
    gone = replace(stay, discharged_at=a_stay(1).discharged_at)
    assert line_of(by_book([before, gone], book=tried("next-month-trigger")), gone).chargeable_days == 15


def test_the_average_of_a_month_is_chosen_by_its_last_day_unless_the_agreement_ended_before() -> None:
    last = last_day(Month(2020, 3))
    for end, day in ((None, last), (date(2020, 3, 10), date(2020, 3, 10)), (date(2020, 12, 31), last)):
        assert average_day(replace(VGR_2018, period=Period(VGR_2018.period.first, end)), last) == day


def test_money_that_was_paid_before_it_was_credited_gives_no_interest_back() -> None:
    document = Document("1", DocumentKind.INVOICE, Money.of_kronor(36_500), date(2024, 2, 1), date(2024, 3, 1))
    paid = Payment("1", Money.of_kronor(36_500), date(2024, 3, 11))
    assert interest_on(document, Money.of_kronor(18_250), [paid], date(2024, 4, 1), load_interest()).amount == Money.of_kronor(60)


def test_a_price_that_changes_within_a_month_is_that_of_its_last_day_for_the_excess() -> None:
    halves = ((date(2020, 3, 1), date(2020, 3, 15), 100), (date(2020, 3, 16), date(2020, 3, 31), 200))
    tariffs = Tariffs(tuple(DayPrice(Period(first, last), Money.of_kronor(price), "Made up") for first, last, price in halves))
    found = excess_of(10, 2, VGR_2018.average[0], tariffs, Month(2020, 3))
    assert (found.days, found.price) == (Fraction(4), Money.of_kronor(200))


def test_half_of_the_last_decimal_of_the_excess_is_rounded_upwards() -> None:
    terms = replace(VGR_2018.average[0], threshold=Fraction(5, 2), excess_decimals=0)
    assert [days_above(days, 1, terms) for days in (3, 5)] == [1, 3]


def test_of_two_credit_notes_on_a_paid_invoice_each_is_paid_out_up_to_its_own_amount() -> None:
    issued, due = date(2024, 2, 1), date(2024, 3, 1)
    notes = [Document(number, DocumentKind.CREDIT_NOTE, Money.of_kronor(300), issued, due, "1") for number in ("2", "3")]
    documents = [Document("1", DocumentKind.INVOICE, Money.of_kronor(1000), issued, due), *notes]
    paid = Payment("1", Money.of_kronor(1000), due)
    assert [payable(one, documents, [paid]) for one in notes] == [Money.of_kronor(300)] * 2
    assert payable(notes[0], documents, [paid, Payment("2", Money.of_kronor(300), due)]) == ZERO


def test_a_rule_set_chosen_by_the_ready_notice_may_answer_for_a_stay_of_a_month_after_its_time() -> None:
    names = {one.name for one in BOOK.agreements_in(GOTEBORG, Month(2019, 3))}
    assert "law-2018-psychiatry-transition" in names
