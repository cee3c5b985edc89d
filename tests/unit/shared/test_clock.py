from datetime import UTC, datetime, timedelta
from time import sleep

from shared.dates import Clock

WRONG = timedelta(days=1)


def wall() -> datetime:
    return datetime.now(UTC)


def test_a_clock_nobody_told_the_time_is_the_machines() -> None:
    assert abs(Clock().now() - wall()) < Clock.TOLERATED


def test_a_wrong_clock_goes_by_what_it_was_told() -> None:
    for off in (WRONG, -WRONG):
        clock = Clock(lambda off=off: wall() + off)  # type: ignore[misc]
        assert abs(clock.tell(wall()) + off) < Clock.TOLERATED
        assert abs(clock.now() - wall()) < Clock.TOLERATED


def test_a_clock_that_is_set_while_we_run_moves_nothing() -> None:
    off = timedelta()
    clock = Clock(lambda: wall() + off)
    clock.tell(wall())
    off = WRONG
    assert abs(clock.now() - wall()) < Clock.TOLERATED


def test_a_clock_that_was_told_the_time_runs_on() -> None:
    clock = Clock()
    clock.tell(wall())
    before = clock.now()
    sleep(0.05)
    assert timedelta(seconds=0.04) < clock.now() - before < timedelta(seconds=5)


def test_what_a_slow_answer_may_make_does_not_set_the_clock() -> None:
    clock = Clock()
    clock.tell(wall())
    before = clock.now()
    clock.tell(wall() - timedelta(seconds=0.5))
    assert clock.now() >= before
