"""What one stay contributes to the follow-up: one worked example for each measure."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.planning.domain.figures import median, quotient
from services.planning.domain.measures import (
    Aspect,
    Beside,
    Handled,
    Label,
    Measures,
    NoticeTaken,
    ReadySpan,
    StayTold,
    days_ready,
    measure,
)
from services.planning.indicator_terms import load_indicator_terms
from services.planning.statute import load_statute
from shared.dates import parse_instant

TERMS = load_indicator_terms()


def at(text: str) -> datetime:
    return parse_instant(f"{text}+01:00")


ADMITTED, READY, LEFT = at("2026-11-02T08:00:00"), at("2026-11-05T10:00:00"), at("2026-11-09T13:00:00")
STAY = StayTold(
    care_type="somatic",
    ward="SE2321000131-E000000000101",
    municipality="1480",
    need_judged_at=ADMITTED,
    admission_notice_sent_at=ADMITTED + timedelta(hours=2),
    ready=(ReadySpan(READY),),
    sip_required=True,
    discharged_at=LEFT,
)
CARE = Beside(outpatient_unit="SE2321000131-E000000000901")


def measured(stay: StayTold = STAY, beside: Beside = CARE) -> Measures:
    return measure(stay, beside, load_statute(), TERMS)


def label(aspect: Aspect, stay: StayTold = STAY, beside: Beside = CARE) -> Label:
    return measured(stay, beside).labels[aspect]


def ready_on(day: str) -> StayTold:
    return replace(STAY, ready=(ReadySpan(at(f"{day}T10:00:00")),))


def test_a_stay_waits_from_the_date_its_notice_was_sent_to_the_date_it_ended() -> None:
    assert (measured().days, measured().ended_on) == (4, date(2026, 11, 9))


@pytest.mark.parametrize(
    ("day", "days", "found"),
    [
        ("2026-11-09", 0, Label.ZERO_DAYS),
        ("2026-11-08", 1, Label.SOME_DAYS),
        ("2026-11-02", 7, Label.SOME_DAYS),
        ("2026-11-01", 8, Label.LONG),
    ],
)
def test_more_than_seven_days_are_a_long_wait_and_none_a_zero_day_stay(day: str, days: int, found: Label) -> None:
    assert (measured(ready_on(day)).days, label(Aspect.WAITING, ready_on(day))) == (days, found)


def test_a_night_in_which_the_clock_changes_is_one_day() -> None:
    stay = replace(STAY, ready=(ReadySpan(parse_instant("2026-10-24T23:30:00+02:00")),), discharged_at=at("2026-10-25T00:30:00"))
    assert days_ready(stay) == 1
    assert days_ready(replace(stay, discharged_at=at("2026-10-26T00:30:00"))) == 2


def test_a_withdrawn_readiness_does_not_count_and_the_last_standing_one_does() -> None:
    gone = ReadySpan(at("2026-11-03T10:00:00"), withdrawn_at=at("2026-11-04T10:00:00"))
    assert measured(replace(STAY, ready=(gone, ReadySpan(READY)))).days == 4
    assert label(Aspect.WAITING, replace(STAY, ready=(gone,))) is Label.NOT_READY


def test_a_ready_notice_sent_after_the_day_of_discharge_is_none() -> None:
    assert label(Aspect.WAITING, ready_on("2026-11-10")) is Label.NOT_READY
    assert measured(ready_on("2026-11-10")).days is None


def test_a_patient_who_died_is_in_no_wait_and_no_readmission() -> None:
    stay = replace(STAY, deceased_at=LEFT)
    assert {label(aspect, stay) for aspect in (Aspect.WAITING, Aspect.OUTCOME, Aspect.SIP_CALLED, Aspect.READY_FROM, Aspect.PLANNED)} == {
        Label.DECEASED
    }
    assert measured(stay).days is None


def test_a_stay_that_has_not_ended_counts_in_no_period() -> None:
    there = measured(replace(STAY, discharged_at=None))
    assert (there.labels, there.ended_on) == ({Aspect.WAITING: Label.STILL_WAITING}, None)
    assert measured(replace(STAY, discharged_at=None, ready=())).labels == {Aspect.WAITING: Label.STILL_THERE}


@pytest.mark.parametrize(("after", "found"), [(24.0, Label.IN_TIME), (24.001, Label.LATE), (None, Label.MISSING)])
def test_the_admission_notice_is_in_time_for_24_hours(after: float | None, found: Label) -> None:
    sent = None if after is None else ADMITTED + timedelta(hours=after)
    assert label(Aspect.ADMISSION_NOTICE, replace(STAY, admission_notice_sent_at=sent)) is found


def test_an_admission_notice_that_came_with_the_ready_notice_did_not_come_before_it() -> None:
    assert label(Aspect.NOTICE_ORDER) is Label.BEFORE
    assert label(Aspect.NOTICE_ORDER, replace(STAY, admission_notice_sent_at=READY)) is Label.AFTER
    assert label(Aspect.NOTICE_ORDER, replace(STAY, admission_notice_sent_at=None)) is Label.MISSING


@pytest.mark.parametrize(("appointed", "found"), [(LEFT, Label.BEFORE), (LEFT + timedelta(seconds=1), Label.AFTER), (None, Label.MISSING)])
def test_the_care_contact_is_appointed_before_the_discharge(appointed: datetime | None, found: Label) -> None:
    assert label(Aspect.CARE_CONTACT, beside=replace(CARE, care_contact_at=appointed)) is found
    assert label(Aspect.CARE_CONTACT, beside=Beside(care_contact_at=appointed)) is Label.NOT_CONCERNED


@pytest.mark.parametrize(
    ("called", "found", "days"),
    [
        (at("2026-11-08T23:59:59"), Label.IN_TIME, 3),
        (at("2026-11-09T23:59:59"), Label.IN_TIME, 4),  # the third day is a Sunday: lag (1930:173) 2 §
        (at("2026-11-10T00:00:00"), Label.LATE, 5),
        (at("2026-11-04T09:00:00"), Label.IN_TIME, 0),
        (None, Label.NOT_CALLED, None),
    ],
)
def test_a_sip_is_called_in_time_until_the_third_day_after_the_ready_notice_ends(
    called: datetime | None, found: Label, days: int | None
) -> None:
    beside = replace(CARE, called_at=called)
    assert (label(Aspect.SIP_CALLED, beside=beside), measured(beside=beside).called_after_days) == (found, days)
    assert label(Aspect.SIP_CALLED, replace(STAY, sip_required=False), beside) is Label.NOT_REQUIRED


def test_a_sip_was_held_in_a_room_or_by_video_and_one_that_was_held_was_called() -> None:
    held = replace(CARE, held_at=at("2026-11-07T10:00:00"))
    assert (label(Aspect.SIP_HELD, beside=held), label(Aspect.SIP_CALLED, beside=held)) == (Label.HELD, Label.IN_TIME)
    assert label(Aspect.SIP_HELD, beside=replace(held, held_by_video=True)) is Label.HELD_BY_VIDEO
    assert label(Aspect.SIP_HELD, beside=replace(CARE, called_at=READY)) is Label.NOT_HELD
    assert label(Aspect.SIP_HELD) is Label.NOT_CALLED


@pytest.mark.parametrize(
    ("ready_from", "before", "after"),
    [("2026-11-07T08:00:00", 2, 2), ("2026-11-03T08:00:00", 0, 4), ("2026-11-20T08:00:00", 4, 0), ("2026-11-09T23:00:00", 4, 0)],
)
def test_ready_from_splits_the_wait_into_before_and_after(ready_from: str, before: int, after: int) -> None:
    found = measured(beside=replace(CARE, ready_from=at(ready_from)))
    assert (found.labels[Aspect.READY_FROM], found.days_before, found.days_after) == (Label.ANSWERED, before, after)


def test_a_municipality_that_never_answered_splits_nothing() -> None:
    assert (label(Aspect.READY_FROM), measured().days_before, measured().days_after) == (Label.NOT_ANSWERED, None, None)


@pytest.mark.parametrize(
    ("planned", "found", "days"),
    [
        (date(2026, 11, 9), Label.ON_THE_DAY, 0),
        (date(2026, 11, 7), Label.AFTER, 2),
        (date(2026, 11, 12), Label.BEFORE, -3),
        (None, Label.MISSING, None),
    ],
)
def test_the_discharge_is_held_against_the_planned_date(planned: date | None, found: Label, days: int | None) -> None:
    result = measured(beside=replace(CARE, planned_date=planned))
    assert (result.labels[Aspect.PLANNED], result.planned_days) == (found, days)


@pytest.mark.parametrize(("day", "found"), [("2026-12-09", Label.READMITTED), ("2026-12-10", Label.NOT_READMITTED)])
def test_an_admission_within_thirty_days_is_a_readmission(day: str, found: Label) -> None:
    assert label(Aspect.OUTCOME, beside=replace(CARE, next_admitted_at=at(f"{day}T23:00:00"))) is found
    assert label(Aspect.OUTCOME) is Label.NOT_READMITTED


def test_notices_are_taken_on_in_time_late_or_not_at_all() -> None:
    quick, slow, never = NoticeTaken(READY, READY + timedelta(hours=24)), NoticeTaken(READY, READY + timedelta(hours=25)), NoticeTaken(LEFT)
    assert measured(beside=replace(CARE, municipal_notices=(quick,))).municipal.label is Label.IN_TIME
    late = measured(beside=replace(CARE, municipal_notices=(slow, quick))).municipal
    assert (late.label, late.minutes, late.late) == (Label.LATE, (1_440, 1_500), 1)
    still = measured(beside=replace(CARE, municipal_notices=(quick, never))).municipal
    assert (still.label, still.open_since, measured().municipal.label) == (Label.OPEN, (LEFT,), Label.NO_NOTICE)


def test_the_notices_of_the_two_parties_are_kept_apart() -> None:
    found = measured(beside=replace(CARE, outpatient_notices=(NoticeTaken(READY),), deviations=(Handled("ready", 60),)))
    assert (found.labels[Aspect.OUTPATIENT_NOTICES], found.labels[Aspect.MUNICIPAL_NOTICES]) == (Label.OPEN, Label.NO_NOTICE)


@pytest.mark.parametrize(
    ("dividend", "divisor", "found"), [(14, 5, "2.800000"), (13, 3, "4.333333"), (2, 3, "0.666667"), (-3, 2, "-1.500000"), (0, 0, None)]
)
def test_a_mean_has_six_decimals_and_none_of_nothing(dividend: int, divisor: int, found: str | None) -> None:
    assert quotient(dividend, divisor) == found


@pytest.mark.parametrize(
    ("values", "per", "found"),
    [([3, 1, 2], 1, "2.0"), ([1, 2], 1, "1.5"), ([90], 60, "1.5"), ([61, 62], 60, "1.0"), ([], 1, None), ([0], 60, "0.0")],
)
def test_a_median_has_one_decimal_and_none_of_nothing(values: list[int], per: int, found: str | None) -> None:
    assert median(values, per) == found


def test_a_sip_that_the_patient_refused_is_no_sip_that_nobody_called_to_or_held() -> None:
    refused = replace(CARE, called_at=None, held_at=None, sip_refused=True)
    assert [label(aspect, beside=refused) for aspect in (Aspect.SIP_CALLED, Aspect.SIP_HELD)] == [Label.NOT_REQUIRED] * 2
    called = replace(refused, called_at=at("2026-11-05T09:00:00"))
    assert label(Aspect.SIP_CALLED, beside=called) is Label.IN_TIME
