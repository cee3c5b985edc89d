"""What a month was calculated from comes back exactly as it was told, whatever it was; and nothing else is taken for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from fractions import Fraction
from random import Random
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest

from services.billing.agreements import load_agreements, load_tariffs
from services.billing.domain.month import MonthInputs, RuleBook
from services.billing.domain.retelling import Unreadable, inputs_fingerprint, inputs_of, inputs_text, read_back, tell
from shared.dates import Month
from shared.money import Money

TEXTS = ("", "SE2321000131-E000000000101", "Å, ä & <ö>", 'quote " and \\ back', "line\nbreak", "1480", "𝄞")
EARLIEST, SECONDS = datetime(1900, 1, 2, tzinfo=UTC), 9_000_000_000


def _instant(random: Random) -> datetime:
    return EARLIEST + timedelta(seconds=random.randrange(SECONDS), microseconds=random.choice((0, 1, 999_999)))


SCALARS: dict[Any, Callable[[Random], Any]] = {
    str: lambda random: random.choice(TEXTS),
    bool: lambda random: random.random() < 0.5,
    int: lambda random: random.choice((0, 1, 7, 10**12)),
    date: lambda random: _instant(random).date(),
    datetime: _instant,
    time: lambda random: random.choice((time(0), time(12), time(12, 0, 0, 1), time(23, 59, 59))),
    timedelta: lambda random: timedelta(hours=random.randrange(100), microseconds=random.randrange(3)),
    Fraction: lambda random: Fraction(random.randrange(-50, 50), random.randrange(1, 9)),
    UUID: lambda random: UUID(int=random.getrandbits(128)),
    Month: lambda random: Month.of(_instant(random).date()),
    Money: lambda random: Money(random.randrange(-(10**9), 10**9)),
}


def anything(kind: Any, random: Random) -> Any:
    """A random value of a type, made from the type alone: a new field of a stay or an agreement is in it without a change here."""
    if kind in SCALARS:
        return SCALARS[kind](random)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return random.choice(list(kind))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{one.name: anything(hints[one.name], random) for one in fields(kind)})
    inner = [one for one in get_args(kind) if one not in {NoneType, ...}]
    if get_origin(kind) in {Union, UnionType}:
        return None if random.random() < 0.4 else anything(inner[0], random)
    if get_origin(kind) is tuple and ... not in get_args(kind):
        return tuple(anything(one, random) for one in inner)
    found = [anything(inner[0], random) for _ in range(random.choice((0, 0, 1, 2, 3)))]
    return frozenset(found) if get_origin(kind) is frozenset else tuple(found)


def the_shipped_book() -> RuleBook:
    return RuleBook(load_agreements(), load_tariffs(), "2321000131")


@pytest.mark.parametrize("seed", range(300))
def test_random_inputs_come_back_equal_and_are_told_in_the_same_words_again(seed: int) -> None:
    inputs: MonthInputs = anything(MonthInputs, Random(seed))
    told = inputs_text(inputs)
    again = inputs_of(told)
    assert again == inputs
    assert inputs_text(again) == told


def test_the_shipped_rules_come_back_equal() -> None:
    inputs = replace(anything(MonthInputs, Random(1)), book=the_shipped_book())
    assert inputs_of(inputs_text(inputs)) == inputs


def test_the_text_is_canonical() -> None:
    told = inputs_text(replace(anything(MonthInputs, Random(2)), book=the_shipped_book()))
    assert told == json.dumps(json.loads(told), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_sets_are_told_in_one_order_whatever_order_they_were_made_in() -> None:
    @dataclass(frozen=True)
    class Called:
        codes: frozenset[str]
        days: frozenset[date]

    days = [date(2020, 1, day) for day in range(1, 20)]
    codes = [f"{code}" for code in range(1400, 1440)]
    one, other = Called(frozenset(codes), frozenset(days)), Called(frozenset(reversed(codes)), frozenset(reversed(days)))
    assert tell(one) == tell(other) == {"codes": codes, "days": [day.isoformat() for day in days]}


@dataclass(frozen=True)
class Former:
    name: str


@dataclass(frozen=True)
class Later:
    name: str
    clause: str | None = "none given"


def test_what_was_told_before_a_field_existed_is_read_with_its_default() -> None:
    assert read_back(Later, tell(Former("vgr-2018"))) == Later("vgr-2018")


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"name": "a", "more": 1}, "/more"),
        ({}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ([], ""),
        ("a", ""),
    ],
)
def test_what_is_unknown_missing_or_of_another_form_is_refused_with_its_place(told: Any, where: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_back(Former, told)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("as_of",), "2020-02-30"),
        (("month",), "2020-13"),
        (("municipality",), 1480),
        (("stays", 0, "case_id"), "no id"),
        (("stays", 0, "care_type"), "dental"),
        (("stays", 0, "sip_required"), 1),
        (("stays", 0, "ready"), None),
        (("stays", 0, "ready", 0, "sent_at"), "2020-01-01T00:00:00"),
        (("book", "agreements", 0, "average"), [{}]),
        (("book", "tariffs", "prices", 0, "price"), "1.005"),
    ],
)
def test_every_kind_of_value_is_read_strictly(path: tuple[str | int, ...], wrong: Any) -> None:
    inputs = replace(next(found for found in (anything(MonthInputs, Random(seed)) for seed in range(99)) if _has_notice(found)))
    told = json.loads(inputs_text(replace(inputs, book=the_shipped_book())))
    inner = told
    for step in path[:-1]:
        inner = inner[step]
    assert path[-1] in inner or isinstance(path[-1], int)
    inner[path[-1]] = wrong
    with pytest.raises(Unreadable) as refused:
        inputs_of(json.dumps(told))
    assert refused.value.where.startswith("/" + "/".join(str(step) for step in path))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7"])
def test_no_such_text_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        inputs_of(text)


def test_another_value_has_another_fingerprint() -> None:
    inputs = replace(anything(MonthInputs, Random(3)), book=the_shipped_book())
    later = replace(inputs, as_of=date(2031, 1, 1))
    assert inputs_fingerprint(inputs_text(inputs)) != inputs_fingerprint(inputs_text(later))


def _has_notice(inputs: MonthInputs) -> bool:
    return bool(inputs.stays and inputs.stays[0].ready)
