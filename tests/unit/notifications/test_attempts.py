from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.domain.attempts import (
    LONGEST_REST,
    SCHEDULE,
    Failed,
    Outcome,
    Rules,
    next_delay,
    outcome_of,
    rest_after,
    wait_wanted,
)

RULES = Rules()
SECOND = timedelta(seconds=1)
AT = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def test_ten_attempts_are_made_over_the_published_schedule_and_then_no_more() -> None:
    delays = [next_delay(Failed(tried), 0, RULES) for tried in range(10)]
    assert [delay and delay.total_seconds() for delay in delays] == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]


def test_jitter_makes_a_wait_up_to_a_fifth_longer_and_never_shorter() -> None:
    for tried, planned in enumerate(SCHEDULE):
        assert next_delay(Failed(tried), 0, RULES) == planned
        assert planned < (next_delay(Failed(tried), 0.999, RULES) or planned) < planned * 1.2


def test_a_receiver_that_asks_for_time_is_asked_again_when_it_said_a_day_at_most_and_not_at_once() -> None:
    assert next_delay(Failed(0, wanted=timedelta(minutes=2)), 0, RULES) == timedelta(minutes=2)
    assert next_delay(Failed(5, wanted=timedelta(minutes=2)), 0, RULES) == timedelta(minutes=2), "it said when; the schedule need not guess"
    assert next_delay(Failed(0, wanted=timedelta(days=400)), 0, RULES) == timedelta(hours=24)
    assert next_delay(Failed(0, wanted=timedelta(0)), 0, RULES) == SCHEDULE[0]


def test_what_a_receiver_asked_time_for_uses_no_attempt_as_long_as_the_schedule_takes_and_then_it_does() -> None:
    whole = timedelta(hours=75, minutes=35, seconds=5)
    assert RULES.longest == whole
    asked = Failed(9, age=whole - SECOND, wanted=SECOND)
    assert (asked.counts(RULES), Failed(9).counts(RULES), Failed(9, age=whole, wanted=SECOND).counts(RULES)) == (False, True, True)
    assert next_delay(asked, 0, RULES) == SCHEDULE[0]
    assert next_delay(Failed(9, age=whole, wanted=SECOND), 0, RULES) is None


def test_a_message_that_waited_behind_others_is_not_given_up_before_its_attempts_were_made() -> None:
    late = timedelta(hours=80)
    delays = [next_delay(Failed(tried, age=late, wanted=SECOND), 0, RULES) for tried in range(10)]
    assert delays == [*SCHEDULE, None], "ten at most, however long it asks"
    assert next_delay(Failed(1, age=late, wanted=timedelta(hours=1)), 0, RULES) == timedelta(hours=1)
    hastened = Failed(9, age=late, early=timedelta(hours=3), wanted=SECOND)
    assert (hastened.counts(RULES), next_delay(hastened, 0, RULES)) == (False, timedelta(hours=3)), "its last one is still to come"


def test_whoever_was_tried_before_its_time_and_failed_waits_for_that_time_and_has_used_no_attempt() -> None:
    hastened = Failed(5, early=timedelta(hours=9))
    assert hastened.counts(RULES) is False
    assert next_delay(hastened, 0, RULES) == timedelta(hours=9)
    assert next_delay(Failed(5, early=SECOND), 0, RULES) == SCHEDULE[0], "not twice in a breath"
    assert next_delay(Failed(9, age=timedelta(hours=80), early=timedelta(hours=9)), 0, RULES) == timedelta(hours=9), (
        "the last one is still due"
    )


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


def test_a_receiver_that_asks_for_little_time_again_and_again_rests_as_long_again_as_it_has_rested() -> None:
    rested = [timedelta(0), SECOND, SECOND * 2, SECOND * 40, timedelta(hours=9)]
    assert [rest_after(2, 5, SCHEDULE[0], SECOND, one) for one in rested] == [SECOND, SECOND, SECOND * 2, SECOND * 40, LONGEST_REST]
    assert rest_after(2, 5, SCHEDULE[0], timedelta(hours=2), timedelta(minutes=4)) == timedelta(hours=2)
    assert rest_after(9, 5, SCHEDULE[0], None, timedelta(hours=9)) == SCHEDULE[0], "who asks for nothing is probed as before"


def test_many_messages_that_meet_the_same_moment_without_room_make_no_long_rest() -> None:
    assert rest_after(64, 5, SCHEDULE[0], SECOND) == SCHEDULE[0]


def test_another_schedule_has_its_own_number_of_attempts_and_its_own_length() -> None:
    rules = Rules((SECOND, 2 * SECOND))
    assert [next_delay(Failed(tried), 0, rules) for tried in range(3)] == [SECOND, 2 * SECOND, None]
    assert rules.longest == 3 * SECOND
    assert Rules((SECOND,), lasts=timedelta(hours=1)).longest == timedelta(hours=1)
    assert next_delay(Failed(0), 0, Rules(())) is next_delay(Failed(0, wanted=SECOND), 0, Rules(())) is None
