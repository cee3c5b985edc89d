import asyncio
from time import perf_counter
from typing import Any

import pytest

from shared.http.problems import HttpProblem
from shared.http.strict_json import IN_ONE_TURN, MAX_DEPTH, MOST_VALUES, decode, read

QUICKLY = 0.4  # seconds, on a busy machine; the same bodies took more than one before
FULL = 4 << 20


def list_of(item: bytes) -> bytes:
    return b"[" + b",".join([item] * (FULL // (len(item) + 1))) + b"]"


def test_sixteen_levels_are_read_and_seventeen_are_not() -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        assert decode(opened * MAX_DEPTH + b"1" + closed * MAX_DEPTH)
        with pytest.raises(HttpProblem, match=r"json\.unreadable"):
            decode(opened * (MAX_DEPTH + 1) + b"1" + closed * (MAX_DEPTH + 1))


@pytest.mark.parametrize("text", ["[" * 99, "{" * 99, '\\"' + "[" * 99, "\\\\", '\\\\\\"' + "[" * 99, "]}" * 99], ids=ascii)
def test_brackets_inside_a_text_are_no_levels(text: str) -> None:
    assert decode(f'{{"a": "{text}", "b": ["{text}"]}}'.encode())


def test_a_deep_part_hidden_behind_a_text_is_found() -> None:
    with pytest.raises(HttpProblem):
        decode(b'{"a\\\\": "\\"", "b": ' + b"[" * 17 + b"]" * 17 + b"}")


def test_as_many_values_as_allowed_are_read_and_more_are_not() -> None:
    assert len(decode(b"[" + b",".join([b"1"] * MOST_VALUES) + b"]")) == MOST_VALUES
    with pytest.raises(HttpProblem):
        decode(b"[" + b",".join([b"1"] * (MOST_VALUES + 2)) + b"]")


@pytest.mark.parametrize(
    "body",
    [
        list_of(b"[" * 15 + b"]" * 15),
        list_of(b"[]"),
        list_of(b'""'),
        list_of(b"1"),
        list_of(b'{"k":1}'),
        b"[" * FULL,
        b'["' + b'\\"' * (FULL // 2),
    ],
    ids=["15 levels", "empty lists", "empty texts", "numbers", "objects", "one way down", "escapes"],
)
def test_a_large_hostile_body_is_refused_quickly(body: bytes) -> None:
    begun = perf_counter()
    with pytest.raises(HttpProblem):
        decode(body)
    assert perf_counter() - begun < QUICKLY


async def test_a_large_body_is_read_beside_the_event_loop() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    body = b'["' + b"x" * IN_ONE_TURN + b'"]'
    before = turns
    found: Any = await read(body)
    counting.cancel()
    assert len(found[0]) == IN_ONE_TURN
    assert turns > before, "others had a turn while it was read"


def test_a_nul_is_refused_however_it_is_written_and_letters_that_look_like_its_escape_are_not() -> None:
    for escaped in (r"\u0000", r"\\\u0000"):
        with pytest.raises(HttpProblem):
            decode(f'{{"a": "{escaped}"}}'.encode())
    assert decode(rb'{"a": "\\u0000"}') == {"a": r"\u0000"}
