from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.domain.attempts import LONGEST_REST, SCHEDULE, Outcome, next_delay, outcome_of, rest_after, wait_wanted

AT = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def test_ten_attempts_are_made_over_the_published_schedule_and_then_no_more() -> None:
    delays = [next_delay(attempts, 0) for attempts in range(1, 11)]
    assert [delay and delay.total_seconds() for delay in delays] == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]


def test_jitter_makes_a_wait_up_to_a_fifth_longer_and_never_shorter() -> None:
    for attempts, planned in enumerate(SCHEDULE, 1):
        assert next_delay(attempts, 0) == planned
        assert planned < (next_delay(attempts, 0.999) or planned) < planned * 1.2


def test_a_receiver_may_ask_for_a_longer_wait_up_to_a_day_but_not_for_a_shorter_one() -> None:
    assert next_delay(1, 0, timedelta(minutes=2)) == timedelta(minutes=2)
    assert next_delay(2, 0, timedelta(seconds=1)) == timedelta(minutes=5)
    assert next_delay(1, 0, timedelta(days=400)) == timedelta(hours=24)
    assert next_delay(10, 0, timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (204, Outcome.ACCEPTED),
        (299, Outcome.ACCEPTED),
        (199, Outcome.FAILED),
        (300, Outcome.FAILED),
        (301, Outcome.FAILED),
        (404, Outcome.FAILED),
        (410, Outcome.GONE),
        (429, Outcome.FAILED),
        (500, Outcome.FAILED),
    ],
)
def test_what_each_status_means(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "120", 120),
        (503, " 7 ", 7),
        (503, "Tue, 03 Nov 2026 12:01:00 GMT", 60),
        (503, "Tue, 03 Nov 2026 11:00:00 GMT", 0),
        (429, "9" * 40, 86400),
        (429, "-5", None),
        (429, "Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        (503, "Mon, 99999999999999999999 Jan 2027 00:00:00 GMT", None),
        (429, "soon", None),
        (429, "", None),
        (429, None, None),
        (500, "120", None),
    ],
)
def test_only_429_and_503_may_ask_for_a_wait_in_seconds_or_as_a_date(status: int, header: str | None, seconds: int | None) -> None:
    wanted = wait_wanted(status, header, AT)
    assert (wanted.total_seconds() if wanted is not None else None) == seconds


def test_a_receiver_rests_after_so_many_failures_in_a_row_until_the_message_that_failed_is_due_again() -> None:
    delay = timedelta(minutes=5)
    assert [rest_after(failures, 3, delay) for failures in (1, 2, 3, 4)] == [None, None, delay, delay]


def test_when_the_probing_message_was_given_up_the_next_one_may_probe_at_once() -> None:
    assert rest_after(5, 5, None) == timedelta(0)
    assert rest_after(4, 5, None) is None


def test_a_receiver_that_asks_for_time_gets_it_at_its_first_failure_up_to_a_day() -> None:
    assert rest_after(1, 5, timedelta(seconds=5), timedelta(minutes=2)) == timedelta(minutes=2)
    assert rest_after(1, 5, timedelta(seconds=5), timedelta(days=400)) == timedelta(hours=24)


def test_asking_for_a_short_wait_or_none_does_not_shorten_the_rest_of_a_receiver_that_keeps_failing() -> None:
    delay = timedelta(minutes=5)
    assert rest_after(5, 5, delay, timedelta(seconds=1)) == delay
    assert rest_after(5, 5, delay, timedelta(0)) == delay
    assert rest_after(1, 5, delay, timedelta(0)) is None


def test_a_rest_is_short_however_long_the_message_that_failed_waits_so_that_new_ones_find_a_receiver_that_is_back() -> None:
    assert rest_after(9, 5, timedelta(hours=24)) == LONGEST_REST
    assert rest_after(9, 5, timedelta(hours=24), timedelta(hours=2)) == timedelta(hours=2)


def test_another_schedule_has_its_own_number_of_attempts() -> None:
    schedule = (timedelta(seconds=1), timedelta(seconds=2))
    assert [next_delay(attempts, 0, None, schedule) for attempts in (1, 2, 3)] == [*schedule, None]
