"""Reading JSON strictly: what two readers could understand differently, or a database cannot keep, is refused as unreadable.

Depth and number of values are counted on the bytes before anything is built of them, so that a hostile body costs about what an
ordinary one of its size does.
"""

import asyncio
import json
import math
import re
from typing import Any, Final

from shared.http.problems import HttpProblem

_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as written JSON has it; after an even number of backslashes the same letters are only letters."""
MAX_DEPTH: Final = 16
MOST_VALUES: Final = 100_000
"""A full batch of events holds a quarter of this."""
IN_ONE_TURN: Final = 256 * 1024
"""Larger bodies are read beside the event loop."""
_BOM: Final = "\ufeff"
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_AS_ARRAYS: Final = bytes.maketrans(b"{}", b"[]")
_QUOTES_OF_A_MEMBER: Final = 4


def _unreadable() -> HttpProblem:
    return HttpProblem("json.unreadable")


def _constant(_name: str) -> float:
    raise _unreadable()


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _unreadable()
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _unreadable()
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_constant, parse_float=_finite)


async def read(body: bytes) -> Any:  # any JSON value
    """Decode a body, a large one in a thread, so that others are served meanwhile.

    Raises:
        HttpProblem: As `decode`.
    """
    return decode(body) if len(body) <= IN_ONE_TURN else await asyncio.to_thread(decode, body)


def decode(body: bytes) -> Any:  # any JSON value
    """Decode a UTF-8 JSON body.

    Raises:
        HttpProblem: 400 `json.unreadable` for anything that is not strict JSON: NaN, Infinity, numbers out of range, duplicate keys,
            more than 16 levels or 100 000 values, NUL, lone surrogates, a byte order mark, another encoding.
    """
    _refuse_sprawling(body)
    try:
        text = body.decode("utf-8")
        if text.startswith(_BOM):
            raise _unreadable()
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if "\\u" in text:
        _refuse_unkeepable(value)
    return value


def _refuse_sprawling(body: bytes) -> None:
    """Too deep, or too much of it. What is no JSON at all may be counted wrongly; the decoder refuses that."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH and len(body) <= MOST_VALUES:
        return
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    if bare.count(b'"') > _QUOTES_OF_A_MEMBER * MOST_VALUES:
        raise _unreadable()
    structure = b"".join(bare.split(b'"')[::2])
    brackets = structure.translate(_AS_ARRAYS, _NO_BRACKETS)
    if structure.count(b",") + brackets.count(b"[") > MOST_VALUES:
        raise _unreadable()
    for _ in range(MAX_DEPTH):
        # Every round takes away what holds nothing, and so one level.
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise _unreadable()


def _refuse_unkeepable(value: object) -> None:
    """NUL cannot be stored, a lone surrogate cannot be written as UTF-8; both can hide behind an escape."""
    written = json.dumps(value, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise _unreadable() from error
    if _NUL.search(written):
        raise _unreadable()
