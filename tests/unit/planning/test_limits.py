"""The time limits of planning: dated data, and what each means on the calendar."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from services.planning.domain.limits import acknowledgement_due, admission_notice_due, answer_due, sip_invitation_due
from services.planning.statute import STATUTE_FILE, StatuteFileError, load_statute
from tests.builders import hours

STATUTE = load_statute()


def test_an_admission_notice_is_due_24_hours_after_admission_or_the_later_judgement() -> None:
    assert admission_notice_due(hours(0), None, STATUTE) == hours(24)
    assert admission_notice_due(hours(0), hours(6), STATUTE) == hours(30)
    assert admission_notice_due(hours(0), hours(-6), STATUTE) == hours(24)


def test_acknowledgement_is_expected_within_24_hours() -> None:
    assert acknowledgement_due(hours(0), STATUTE) == hours(24)


def test_the_ward_is_to_be_answered_within_a_day_of_the_ready_notice() -> None:
    assert answer_due(hours(0), STATUTE) == hours(24)


def test_a_sip_is_to_be_called_before_the_end_of_the_third_local_day_after_the_ready_notice() -> None:
    just_before_midnight = datetime(2026, 11, 3, 22, 59, tzinfo=UTC)
    assert sip_invitation_due(just_before_midnight, STATUTE) == datetime(2026, 11, 6, 23, 0, tzinfo=UTC)
    assert sip_invitation_due(just_before_midnight + timedelta(minutes=1), STATUTE) == datetime(2026, 11, 7, 23, 0, tzinfo=UTC)


def test_weekends_and_the_night_the_clocks_change_move_no_deadline() -> None:
    friday = datetime(2026, 10, 23, 16, 0, tzinfo=UTC)
    assert sip_invitation_due(friday, STATUTE) == datetime(2026, 10, 26, 23, 0, tzinfo=UTC)


def test_before_the_first_limits_the_first_ones_are_used() -> None:
    assert STATUTE.on(date(2017, 1, 1)) == STATUTE.on(date(2018, 1, 1))


def test_a_new_value_counts_from_its_first_day(tmp_path: Path) -> None:
    path = tmp_path / "statute.toml"
    later = '\n[[acknowledge_within]]\nfirst = 2027-01-01\nvalue = 12\nunit = "hours"\nmark = "D"\nsource = "made up"\n'
    path.write_text(STATUTE_FILE.read_text(encoding="utf-8") + later, encoding="utf-8")
    changed = load_statute(path)
    assert changed.on(date(2026, 12, 31)).acknowledge == timedelta(hours=24)
    assert changed.on(date(2027, 1, 1)).acknowledge == timedelta(hours=12)
    assert changed.on(date(2027, 1, 1)).admission_notice == timedelta(hours=24)


@pytest.mark.parametrize("text", ["acknowledge_within = 24", "= 1", '[[acknowledge_within]]\nfirst = 2018-01-01\nvalue = "24"'])
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "statute.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StatuteFileError):
        load_statute(path)
