"""When a digest is due, whom it may go to, and what stands in it."""

from datetime import date, time, timedelta

import pytest

from services.notifications.domain.addresses import is_address
from services.notifications.domain.digests import WEEKDAYS, next_digest
from services.notifications.domain.letters import NAMES, Line, digest, ending, escalation
from services.notifications.domain.mails import SCHEDULE, next_delay
from shared.dates import at_local_time, local_date, parse_instant, stockholm
from shared.events.notice_types import NOTICE_TYPES

HALF_PAST_SEVEN = time(7, 30)


def test_a_digest_comes_at_its_time_of_the_swedish_clock_once_a_day() -> None:
    at = parse_instant("2026-11-03T06:00:00+01:00")
    found = []
    for _ in range(3):
        at = next_digest(at, HALF_PAST_SEVEN, ())
        found.append(stockholm(at).isoformat())
    assert found == ["2026-11-03T07:30:00+01:00", "2026-11-04T07:30:00+01:00", "2026-11-05T07:30:00+01:00"]


def test_only_on_the_days_that_were_asked_for() -> None:
    at = next_digest(parse_instant("2026-11-06T08:00:00+01:00"), HALF_PAST_SEVEN, ("mon", "fri"))
    assert (local_date(at), WEEKDAYS[local_date(at).weekday()]) == (date(2026, 11, 9), "mon")
    assert local_date(next_digest(at, HALF_PAST_SEVEN, ("mon",))) == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("change", "clock"), [(date(2026, 3, 29), time(2, 30)), (date(2026, 10, 25), time(2, 30)), (date(2026, 10, 25), time(7, 30))]
)
def test_it_comes_exactly_once_a_day_when_the_clocks_change(change: date, clock: time) -> None:
    at = at_local_time(change - timedelta(days=1), time(23, 0))
    days = []
    for _ in range(3):
        at = next_digest(at, clock, ())
        days.append(local_date(at))
    assert days == [change, change + timedelta(days=1), change + timedelta(days=2)]


def test_an_unknown_day_is_an_error_instead_of_a_search_without_end() -> None:
    with pytest.raises(ValueError, match="weekday"):
        next_digest(parse_instant("2026-11-03T06:00:00+01:00"), HALF_PAST_SEVEN, ("someday",))


@pytest.mark.parametrize("address", ["samordning@kommun.se", "a.b+c@x-y.kommun.se", "o'hara@example.com"])
def test_a_plain_address_is_one(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kommun.se",
        "a@b",
        "a@b..se",
        ".a@kommun.se",
        "a@-kommun.se",
        "a b@kommun.se",
        "å@kommun.se",
        "a@kommün.se",
        "a@kommun.se\n",
        "a@kommun.se\r\nBcc: x@y.se",
        "a@kommun.se,b@kommun.se",
        "Anna <a@kommun.se>",
        "a@[127.0.0.1]",
        '"a b"@kommun.se',
        f"{'a' * 65}@kommun.se",
        f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 63}.se",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert not is_address(address)


def test_a_mail_is_tried_seven_times_within_a_day_and_then_given_up() -> None:
    delays = [next_delay(attempts) for attempts in range(1, len(SCHEDULE) + 2)]
    assert delays[-1] is None
    assert sum((delay for delay in delays if delay is not None), timedelta()) < timedelta(days=1)


LINES = [Line("SE2120001355-E1", "0192f0e0", "notice.admission", 3), Line("SE2120001355-E1", "0192f0e0", "notice.ready", 1)]


def test_a_digest_counts_by_mailbox_and_type_in_the_readers_language() -> None:
    swedish = digest(LINES, unacknowledged=5, overdue=2, language="sv")
    assert swedish.subject == "Dirigent: 4 nya meddelanden, 2 försenade kvittenser"
    assert "Brevlåda SE2120001355-E1 (0192f0e0)" in swedish.text
    assert swedish.text.count("Brevlåda") == 1
    assert "3 inskrivningsmeddelanden" in swedish.text
    english = digest(LINES, unacknowledged=5, overdue=2, language="en")
    assert ("1 ready notices" in english.text, "Of these overdue: 2" in english.text) == (True, True)
    assert "Nothing new." in digest([], unacknowledged=0, overdue=0, language="en").text


def test_every_type_of_notice_has_a_name_in_both_languages() -> None:
    assert set(NAMES) == NOTICE_TYPES


@pytest.mark.parametrize("language", ["sv", "en"])
def test_an_escalation_says_what_is_the_matter_and_where_to_look(language: str) -> None:
    written = escalation("mailbox.silent", step="contact", facts=[("Enhet", "Unit", "SE2120001355-E1")], language=language)  # type: ignore[arg-type]
    assert "SE2120001355-E1" in written.text
    assert "http://dirigent.test" in ending("http://dirigent.test", language)  # type: ignore[arg-type]
