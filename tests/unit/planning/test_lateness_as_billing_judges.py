"""Whether a notice came late is judged in the follow-up and in billing, for no service imports another: by the same dates, the same."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.billing.domain import deadlines
from services.billing.domain.terms import SundayRule as BillingRule
from services.planning.domain.limits import (
    Statute,
    SundayRule,
    admission_notice_is_late,
    sip_invitation_due,
    sip_invitation_late_from,
)
from services.planning.statute import load_statute
from shared.dates import start_of_day
from tests.unit.billing.builders import VGR_2018, a_ready_notice, a_stay

STATUTE, BILLING = load_statute(), VGR_2018.statute
YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def under(rule: SundayRule) -> Statute:
    return replace(STATUTE, sets=tuple(replace(one, sunday_rule=rule) for one in STATUTE.sets))


def noon(day: date) -> datetime:
    return start_of_day(day) + timedelta(hours=12)


def test_both_services_know_the_same_holidays() -> None:
    assert STATUTE.holidays == BILLING.holidays


@pytest.mark.parametrize("rule", list(SundayRule))
def test_over_a_year_the_call_to_sip_is_late_on_the_same_day_as_in_billing(rule: SundayRule) -> None:
    for day in YEAR:
        ready = a_ready_notice(f"{day.isoformat()}T09:00")
        last_day = deadlines.last_day_to_invite(ready, BILLING, BillingRule(rule.value))
        assert sip_invitation_late_from(ready.sent_at, under(rule)) == start_of_day(last_day + timedelta(days=1)), day


@pytest.mark.parametrize("rule", list(SundayRule))
def test_over_a_year_the_admission_notice_is_late_when_it_is_in_billing(rule: SundayRule) -> None:
    for day in YEAR:
        for hours_after in (24, 24.5, 60, 72, 100, 130):
            need = noon(day)
            sent = need + timedelta(hours=hours_after)
            stay = replace(a_stay(3, judged=need), admission_notice_sent_at=sent)
            judged = deadlines.admission_notice_is_late(stay, BILLING, BillingRule(rule.value))
            assert admission_notice_is_late(sent, need, None, under(rule)) is judged, (day, hours_after)


def test_the_day_that_is_shown_stays_the_statutory_one() -> None:
    thursday = noon(date(2026, 11, 5))
    assert sip_invitation_due(thursday, STATUTE) == start_of_day(date(2026, 11, 9))
    assert sip_invitation_late_from(thursday, STATUTE) == start_of_day(date(2026, 11, 10))
    assert sip_invitation_late_from(thursday, under(SundayRule.OFF)) == start_of_day(date(2026, 11, 9))
