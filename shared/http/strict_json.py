"""Reading JSON strictly: what two readers could understand differently, or a database cannot keep, is refused as unreadable."""

import json
import math
from typing import Any, Final

from shared.http.problems import HttpProblem

MAX_DEPTH: Final = 16
_BOM: Final = "\ufeff"


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


def decode(body: bytes) -> Any:  # any JSON value
    """Decode a UTF-8 JSON body.

    Raises:
        HttpProblem: 400 `json.unreadable` for anything that is not strict JSON: NaN, Infinity, numbers out of range, duplicate keys,
            more than 16 levels, NUL, lone surrogates, a byte order mark, another encoding.
    """
    try:
        text = body.decode("utf-8")
        if text.startswith(_BOM):
            raise _unreadable()
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise _unreadable()
    if "\\u" in text:
        _refuse_unkeepable(value)
    return value


def _deeper_than(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [item for inner in layer for item in _inside(inner)]
    return any(isinstance(item, dict | list) for item in layer)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _refuse_unkeepable(value: object) -> None:
    """NUL cannot be stored, a lone surrogate cannot be written as UTF-8; both can hide behind an escape."""
    written = json.dumps(value, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError as error:
        raise _unreadable() from error
    if "\\u0000" in written:
        raise _unreadable()
