"""Whose stay it is when the patient moved or was placed, and how planning's words for it are read (domain 2.2, 3.1, 3.7)."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from services.billing.domain.liability import Notified, Registration, liable
from services.billing.domain.stay import Readiness
from services.billing.domain.terms import ChangedRegistration, Period
from services.billing.translation import party_of, stay_of
from shared.events.facts import StayChanged
from tests.unit.billing.builders import LAW_2018, VGR_2018, local

CASE = "01890a5d-ac96-774b-bcce-b302099a8057"
N5_THERE = "2020-03-12T09:00:00+01:00"


def notified(code: str | None, admission_notice: str | None, ready: str) -> Notified:
    return Notified(code, None if admission_notice is None else local(admission_notice), (Readiness(local(ready)),))


HERE = notified("1480", "2020-03-01T10:00", "2020-03-08T09:00")
THERE = notified("1481", "2020-03-12T08:00", "2020-03-12T09:00")
MOVED = (Registration("1480"), Registration("1481", local("2020-03-12T08:00")))


def chosen(
    rule: ChangedRegistration,
    *,
    ended: str | None = "2020-03-20T11:00",
    placed_by: frozenset[str] = frozenset(),
    others: tuple[Notified, ...] = (THERE,),
    registrations: tuple[Registration, ...] = MOVED,
) -> Notified:
    ended_at: datetime | None = None if ended is None else local(ended)
    return liable(HERE, others, registrations, placed_by=placed_by, ended_at=ended_at, rule=rule)


def test_after_a_real_move_the_switch_says_which_municipality_pays_with_the_notices_that_went_to_it() -> None:
    assert chosen(ChangedRegistration.AT_READY_NOTICE) is HERE
    assert chosen(ChangedRegistration.AT_DISCHARGE) is THERE
    assert chosen(ChangedRegistration.AT_DISCHARGE, ended=None) is THERE


@pytest.mark.parametrize(("ended", "code"), [("2020-03-12T08:00", "1481"), ("2020-03-12T07:59:59", "1480")])
def test_a_move_after_the_stay_had_ended_is_no_move_during_it(ended: str, code: str) -> None:
    assert chosen(ChangedRegistration.AT_DISCHARGE, ended=ended).municipality == code


def test_a_placing_municipality_stays_liable_wherever_the_patient_moves_unless_it_is_disputed() -> None:
    assert chosen(ChangedRegistration.AT_DISCHARGE, placed_by=frozenset({"1480"})) is HERE
    assert chosen(ChangedRegistration.AT_DISCHARGE, placed_by=frozenset({"1480", "1490"})) is THERE


def test_a_municipality_that_got_no_notice_stands_without_admission_notice() -> None:
    assert chosen(ChangedRegistration.AT_DISCHARGE, others=()) == Notified("1481", None, HERE.ready)


def test_a_patient_who_moved_abroad_makes_nobody_liable_at_discharge() -> None:
    abroad = (Registration("1480"), Registration(None, local("2020-03-12T08:00")))
    assert chosen(ChangedRegistration.AT_DISCHARGE, registrations=abroad).municipality is None


def a_fact(**values: Any) -> StayChanged:
    told: dict[str, Any] = {"case_id": CASE, "case_version": 1, "provider": "2321000131", "ward": "SE2321000131-E1", "care_type": "somatic"}
    told |= {"municipality": "1480", "admitted_at": "2020-03-01T10:00:00+01:00", "admission_notice_sent_at": "2020-03-01T11:00:00+01:00"}
    told |= {"ready": ({"notice_sent_at": "2020-03-08T09:00:00+01:00", "ready_at": "2020-03-08T09:00:00+01:00"},)}
    return StayChanged.model_validate(told | values)


def a_moved_patient(**values: Any) -> StayChanged:
    return a_fact(
        residences=({"municipality": "1480"}, {"municipality": "1481", "since": N5_THERE}),
        other_municipalities=(
            {
                "municipality": "1481",
                "admission_notice_sent_at": N5_THERE,
                "ready": ({"notice_sent_at": N5_THERE, "ready_at": "2020-03-08T09:00:00+01:00"},),
            },
        ),
        **values,
    )


def test_the_default_leaves_a_moved_patient_with_the_municipality_at_the_ready_notice() -> None:
    assert stay_of(a_moved_patient()) == stay_of(a_fact())


def test_the_switch_of_the_agreement_in_force_at_the_end_of_the_stay_decides() -> None:
    (shipped,) = VGR_2018.switches
    until = replace(shipped, period=Period(shipped.period.first, date(2020, 3, 19)))
    since = replace(shipped, period=Period(date(2020, 3, 20)), changed_registration=ChangedRegistration.AT_DISCHARGE)
    agreements = (LAW_2018, replace(VGR_2018, switches=(until, since)))
    before = party_of(a_moved_patient(discharged_at="2020-03-19T23:59:59+01:00"), agreements)
    after = party_of(a_moved_patient(discharged_at="2020-03-20T00:00:00+01:00"), agreements)
    assert (before.municipality, after.municipality) == ("1480", "1481")
    assert [notice.sent_at for notice in after.ready] == [after.admission_notice_sent_at] == [local("2020-03-12T09:00")]
    nothing_needed = a_moved_patient(municipality=None, discharged_at="2020-03-20T00:00:00+01:00")
    assert party_of(nothing_needed, agreements).municipality is None


def test_what_planning_tells_of_a_stay_is_read_whole() -> None:
    at, later = "2020-03-10T09:00:00+01:00", "2020-03-11T09:00:00+01:00"
    block = {"started_at": at, "ended_at": later, "block": "missing", "stated_at": at, "stated_by": "SE2321000131-E1", "contested": True}
    stay = stay_of(
        a_fact(
            outpatient_blocks=(block,),
            leaves=({"started_at": at},),
            transfers=({"transferred_at": at, "from_ward": "SE2321000131-E1", "to_ward": "SE2321000131-E2"},),
            placements=({"municipality": "1490", "decision_date": "2020-01-01", "stated_at": at, "stated_by": "1480"},),
            municipal_needs=("municipal_social",),
            admission_notice_paper="unconfirmed",
            admission_notice_given_on_paper_at="2020-03-01T10:30:00+01:00",
            ready=(
                {"notice_sent_at": at, "ready_at": at, "paper": "unconfirmed", "given_on_paper_at": "2020-03-09T09:00:00+01:00"},
                {"notice_sent_at": later, "ready_at": at, "paper": "counted", "given_on_paper_at": later},
            ),
        )
    )
    assert [(one.started_at, one.ended_at, one.contested) for one in stay.blocks] == [
        (local("2020-03-10T09:00"), local("2020-03-11T09:00"), True)
    ]
    assert [(one.started_at, one.ended_at) for one in stay.leaves] == [(local("2020-03-10T09:00"), None)]
    assert stay.transfers == (local("2020-03-10T09:00"),)
    assert (stay.placed_by, stay.municipal_needs) == (frozenset({"1490"}), frozenset({"municipal_social"}))
    assert stay.admission_notice_claimed_at == local("2020-03-01T10:30")
    assert [notice.claimed_at for notice in stay.ready] == [local("2020-03-09T09:00"), None]
