"""Days are counted in the follow-up and in billing, for no service imports another: of the same fact they are the same."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.billing.agreements import load_agreements
from services.billing.domain.stay import Stay
from services.billing.domain.waiting import wait_until
from services.billing.translation import stay_of
from services.planning.domain.measures import days_ready
from services.planning.usecases.measuring import stay_told
from shared.events.facts import StayChanged
from shared.events.stay_parts import ReadyNotice

BEGIN = datetime(2026, 10, 20, tzinfo=UTC)  # the clock changes on the 25th
SWITCHES = next(one for one in load_agreements() if one.name == "vgr-2018").switches_on(date(2026, 10, 31))


def instants() -> st.SearchStrategy[datetime]:
    """Mostly by the half hour, so that midnights and the changed hour are met."""
    return st.integers(0, 15 * 48).map(lambda half_hours: BEGIN + timedelta(minutes=30 * half_hours))


@st.composite
def facts(draw: st.DrawFn) -> StayChanged:
    """One stay as planning tells it: up to three readinesses, some withdrawn, ended by discharge, death or both."""
    sent = sorted(draw(st.lists(instants(), max_size=3)))
    ready = tuple(
        ReadyNotice(notice_sent_at=at, ready_at=at, withdrawn_at=at + timedelta(hours=5) if draw(st.booleans()) else None) for at in sent
    )
    discharged, died = draw(st.none() | instants()), draw(st.none() | instants())
    return StayChanged(
        case_id=UUID(int=1),
        case_version=1,
        provider="2321000131",
        ward="SE2321000131-E000000000101",
        care_type="somatic",
        admitted_at=BEGIN,
        municipality="1480",
        ready=ready,
        discharged_at=discharged,
        deceased_at=died,
    )


def billed(stay: Stay) -> int | None:
    waiting = None if stay.ended_on is None else wait_until(stay, stay.ended_on, SWITCHES)
    return None if waiting is None else waiting.n


def over_the_clock_change() -> StayChanged:
    sent = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
    return StayChanged(
        case_id=UUID(int=1),
        case_version=1,
        provider="2321000131",
        ward="SE2321000131-E000000000101",
        care_type="somatic",
        ready=(ReadyNotice(notice_sent_at=sent, ready_at=sent),),
        discharged_at=datetime(2026, 10, 25, 23, 30, tzinfo=UTC),
    )


@settings(max_examples=500, deadline=None)
@given(facts())
@example(over_the_clock_change())
def test_the_follow_up_counts_the_days_that_billing_counts(fact: StayChanged) -> None:
    told, stay = stay_told(fact), stay_of(fact)
    assert (told.ended_on, told.died) == (stay.ended_on, stay.died_in_care)
    assert days_ready(told) == billed(stay)


def test_the_comparison_sees_days_at_all() -> None:
    assert days_ready(stay_told(over_the_clock_change())) == billed(stay_of(over_the_clock_change())) == 2
