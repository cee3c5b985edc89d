"""The second calculation of the demo, held against the worked examples of the rule book."""

import json
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from dirigent.demo.recompute import MonthSum, recompute

SOURCE = "urn:hsa:SE2321000131-E000000000101"
PRICES = {2019: 780_000, 2020: 820_000, 2022: 930_000}


def at(day: date, hour: int = 10) -> str:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat()


def event(subject: str, kind: str, day: date, data: dict[str, Any] | None = None, *, hour: int = 10, sent: str = "", name: str = "") -> str:
    time = at(day, hour)
    attributes = {
        "id": name or f"{subject}/{kind}",
        "source": SOURCE,
        "subject": subject,
        "type": kind,
        "time": time,
        "sentat": sent or time,
    }
    return json.dumps(attributes | {"data": data or {}})


def admission(subject: str, day: date, *, needs: tuple[str, ...] = ("municipal_social",), sent: str = "") -> str:
    data = {"person": {"registered_municipality": "1480"}, "needs": list(needs), "care_type": "somatic"}
    return event(subject, "stay.admitted", day, data, hour=6, sent=sent)


def stay(subject: str, discharged: date, days: int, *, needs: tuple[str, ...] = ("municipal_social",)) -> list[str]:
    ready = discharged - timedelta(days=days)
    return [
        admission(subject, ready - timedelta(days=2), needs=needs),
        event(subject, "stay.ready", ready, hour=9),
        event(subject, "stay.discharged", discharged, hour=12),
    ]


def settle(*stays: list[str], first: date = date(2020, 5, 1)) -> MonthSum:
    return recompute([line for lines in stays for line in lines], first, PRICES)["1480"]


def month_of(*days: int) -> MonthSum:
    return settle(*(stay(f"S{number}", date(2020, 5, 20), n) for number, n in enumerate(days)))


def test_an_average_of_2_80_is_free() -> None:
    month = month_of(0, 1, 3, 4, 6)
    assert (month.average, month.amount) == (Fraction(14, 5), 0)


def test_exactly_three_is_free() -> None:
    assert month_of(2, 3, 4).amount == 0


def test_days_over_three_are_charged_at_the_price_of_the_month() -> None:
    month = month_of(2, 5, 6, 7)
    assert (month.excess_days, month.amount) == (8, 6_560_000)


def test_a_long_stay_leaves_the_average_and_is_charged_from_day_four() -> None:
    month = month_of(0, 1, 2, 3, 12)
    assert (month.long_stays, month.individual_days, month.in_average, month.amount) == (1, 9, 4, 7_380_000)


def test_eight_days_are_long_and_seven_are_not() -> None:
    assert (month_of(8).individual_days, month_of(7).excess_days) == (5, 4)


def test_nights_over_new_year_have_the_price_of_their_own_year() -> None:
    month = settle(stay("S", date(2020, 1, 5), 8), first=date(2020, 1, 1))
    assert month.amount == 4_060_000


def test_an_open_long_stay_is_charged_at_the_end_of_the_month_and_the_rest_at_discharge() -> None:
    whole = stay("S", date(2022, 4, 15), 26)
    assert settle(whole[:2], first=date(2022, 3, 1)).amount == 8_370_000
    assert settle(whole, first=date(2022, 4, 1)).amount == 13_020_000


def test_a_long_stay_that_was_never_called_to_a_sip_is_not_charged() -> None:
    month = settle(stay("S", date(2020, 5, 20), 10, needs=("municipal_social", "outpatient")))
    assert (month.amount, [one.counted_as for one in month.cases.values()]) == (0, ["excluded"])


def test_a_short_stay_that_was_never_called_stays_in_the_average() -> None:
    month = settle(stay("S", date(2020, 5, 20), 3, needs=("municipal_social", "outpatient")))
    assert month.in_average == 1


def invitation(subject: str, sent: str) -> list[str]:
    case = {"$case": {"source": SOURCE, "subject": subject}}
    return [
        json.dumps({"command": "POST /v1/plans", "name": "plan-1", "body": {"case_id": case, "consent": "given"}}),
        json.dumps({"command": "POST /v1/plans/{plan-1.id}/invitations", "name": "call-1", "body": {"sent_at": sent}}),
    ]


def test_an_invitation_due_on_a_sunday_may_wait_until_monday() -> None:
    needs = ("municipal_social", "outpatient")
    ready_on_thursday = stay("S", date(2020, 5, 24), 10, needs=needs)
    assert date(2020, 5, 14).isoweekday() == 4
    monday, tuesday = at(date(2020, 5, 18)), at(date(2020, 5, 19))
    assert settle(ready_on_thursday, invitation("S", monday)).long_stays == 1
    late = settle(ready_on_thursday, invitation("S", tuesday))
    assert [one.counted_as for one in late.cases.values()] == ["review"]
    assert late.held


def test_a_late_admission_notice_holds_the_stay_but_blocks_only_when_the_amount_hangs_on_it() -> None:
    short = stay("S", date(2020, 5, 20), 2)
    short[0] = admission("S", date(2020, 5, 16), sent=at(date(2020, 5, 17), 8))
    month = settle(short)
    assert ([one.counted_as for one in month.cases.values()], month.held) == (["review"], False)
    long = stay("L", date(2020, 5, 20), 9)
    long[0] = admission("L", date(2020, 5, 9), sent=at(date(2020, 5, 10), 8))
    assert settle(long).held


def test_decided_reviews_charge_a_late_invitation_and_leave_out_a_late_admission_notice() -> None:
    late_call = stay("S", date(2020, 5, 24), 10, needs=("municipal_social", "outpatient")) + invitation("S", at(date(2020, 5, 20)))
    late_notice = stay("L", date(2020, 5, 20), 9)
    late_notice[0] = admission("L", date(2020, 5, 9), sent=at(date(2020, 5, 10), 8))
    lines = [*late_call, *late_notice]
    month = recompute(lines, date(2020, 5, 1), PRICES, decided={"1480"})["1480"]
    assert sorted(one.counted_as for one in month.cases.values()) == ["excluded", "long"]
    assert (month.individual_days, month.held) == (7, False)


def test_a_correction_keeps_the_sent_time_of_its_original() -> None:
    told = stay("S", date(2020, 5, 20), 5)
    told.append(event("S", "stay.ready", date(2020, 5, 12), {"corrects": "S/stay.ready"}, sent=at(date(2020, 5, 18)), name="c"))
    assert settle(told).sum_days == 5


def test_a_withdrawn_or_cancelled_readiness_does_not_count() -> None:
    withdrawn = stay("S", date(2020, 5, 20), 5)
    withdrawn.append(event("S", "stay.ready_withdrawn", date(2020, 5, 16), {"reason": "x"}))
    assert [one.counted_as for one in settle(withdrawn).cases.values()] == ["excluded"]
    again = [*withdrawn, event("S", "stay.ready", date(2020, 5, 18), name="again")]
    assert settle(again).sum_days == 2
    cancelled = [*again, event("S", "stay.event_cancelled", date(2020, 5, 19), {"event": "S/stay.ready_withdrawn", "reason": "x"})]
    assert settle(cancelled).sum_days == 5


def test_a_patient_who_died_is_not_counted() -> None:
    told = [*stay("S", date(2020, 5, 20), 9)[:2], event("S", "stay.deceased", date(2020, 5, 20))]
    assert settle(told).amount == 0
