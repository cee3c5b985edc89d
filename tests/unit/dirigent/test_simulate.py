"""Simulated traffic: the same bytes for the same arguments, synthetic persons only, and everything a county's month has in it."""

import itertools
import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest
from stdnum import luhn

from dirigent.demo.recompute import recompute
from dirigent.simulate.county_month import simulate
from dirigent.simulate.persons import personnummer
from shared.dates import Month, local_date, start_of_day
from shared.events.ward import parse_ward_event

OCTOBER = Month(2026, 10)


@cache
def lines(seed: int = 1, month: Month = OCTOBER, stays: int = 800) -> tuple[str, ...]:
    return tuple(simulate(seed, month, stays))


def events(**arguments: Any) -> list[dict[str, Any]]:
    return [value for value in map(json.loads, lines(**arguments)) if "type" in value]


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert tuple(simulate(1, OCTOBER, 800)) == lines()


def test_another_seed_gives_another_county() -> None:
    assert lines(seed=2) != lines()


@pytest.mark.parametrize("month", [Month(2026, 10), Month(2026, 3), Month(2024, 2), Month(2026, 1)], ids=str)
def test_every_event_is_one_that_the_public_interface_takes(month: Month) -> None:
    for event in events(month=month):
        parsed = parse_ward_event(event)
        assert parsed.sentat is not None
        assert parsed.time <= parsed.sentat


def test_nothing_was_sent_after_the_month() -> None:
    end = start_of_day(OCTOBER.next.first)
    assert all(datetime.fromisoformat(event["sentat"]) < end for event in events())
    invitations = [value for value in map(json.loads, lines()) if value.get("command", "").endswith("/invitations")]
    assert invitations
    assert all(datetime.fromisoformat(value["body"]["sent_at"]) < end for value in invitations)


def test_every_person_is_one_of_the_published_test_series() -> None:
    numbers = {event["data"]["person"]["id"] for event in events() if event["type"] == "stay.admitted"}
    assert len(numbers) > 700
    for number in numbers:
        born, birth_number = date.fromisoformat(number[:8]), number[8:11]
        adult = date(1890, 1, 1) <= born <= date(1909, 12, 31) and birth_number in {"980", "981"}
        child = date(2006, 1, 1) <= born <= date(2023, 12, 31) and birth_number in {"238", "239"}
        assert adult or child
        assert luhn.is_valid(number[2:])


def test_the_person_of_the_documentation_is_reproduced() -> None:
    assert personnummer(date(1890, 1, 1), "980") == "189001019802"


def test_a_month_has_everything_that_happens_in_a_county() -> None:
    told = events()
    kinds = Counter(event["type"] for event in told)
    assert set(kinds) == {
        "stay.admitted", "stay.planned_discharge_changed", "stay.ready", "stay.ready_withdrawn",
        "stay.discharged", "stay.deceased", "stay.event_cancelled",
    }  # fmt: skip
    assert any("corrects" in event["data"] for event in told)
    assert any("judged_at" in event["data"] for event in told)
    assert any(event["data"].get("compulsory") in {"opt", "orv"} for event in told)
    assert {event["data"]["care_type"] for event in told if event["type"] == "stay.admitted"} == {"somatic", "psychiatric"}
    assert any(event["data"]["person"]["registered_municipality"] is None for event in told if event["type"] == "stay.admitted")
    identities = Counter((event["source"], event["id"]) for event in told)
    assert max(identities.values()) == 2
    assert len(lines()) - len(set(lines())) == sum(1 for count in identities.values() if count == 2)


def test_a_repeated_id_is_always_the_same_event() -> None:
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events():
        assert seen.setdefault((event["source"], event["id"]), event) == event


def test_lines_come_nearly_but_not_wholly_in_the_order_they_were_sent() -> None:
    sent = [datetime.fromisoformat(event["sentat"]) for event in events()]
    disordered = sum(1 for before, after in itertools.pairwise(sent) if after < before)
    assert 0 < disordered < len(sent) / 5


def test_some_stays_begin_before_the_month_and_some_are_open_after_it() -> None:
    told = events()
    admitted = {event["subject"]: event for event in told if event["type"] == "stay.admitted"}
    ended = {event["subject"] for event in told if event["type"] in {"stay.discharged", "stay.deceased", "stay.event_cancelled"}}
    assert any(local_date(datetime.fromisoformat(event["time"])) < OCTOBER.first for event in admitted.values())
    assert set(admitted) - ended


def test_every_municipality_has_a_stay() -> None:
    codes = {event["data"]["person"]["registered_municipality"] for event in events() if event["type"] == "stay.admitted"}
    assert len(codes - {None}) >= 48


def test_the_statistics_look_like_the_real_ones() -> None:
    sums = recompute(lines(seed=4, stays=4_000), OCTOBER.first, dict.fromkeys(range(2020, 2030), 100))
    days = [one.days for month in sums.values() for one in month.cases.values() if one.counted_as in {"average", "long"}]
    zero_days = sum(1 for n in days if n == 0) / len(days)
    assert 0.35 < zero_days < 0.75
    assert 1.8 < sum(days) / sum(1 for n in days if n) < 4.5
    charged = sum(month.individual_days for month in sums.values())
    assert charged > sum(month.excess_days for month in sums.values())
    assert sum(1 for month in sums.values() if month.excess_days) > 1


def test_times_are_written_with_the_offset_of_the_season() -> None:
    offsets = {event["time"][-6:] for event in events() if datetime.fromisoformat(event["time"]) > datetime(2026, 10, 26, tzinfo=UTC)}
    assert offsets == {"+01:00"}
